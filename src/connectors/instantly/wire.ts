import { z } from "zod";
import type { VendorAccount } from "../../model/account.ts";
import { foldEmail } from "../../model/fold.ts";
import { asId, type AccountId } from "../../model/ids.ts";
import type { NextPage } from "../../model/vendor-http.ts";

/** The vendor's JSON, only as far as we use it; unknown members are ignored, unknown roles are kept as they are. */

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

export const workspaceWire = z.object({ id: z.string().min(1), name: z.string() });

/** One object serves invitation and member; `accepted` tells which. */
export const memberWire = z.object({
  id: z.string().min(1).max(200),
  email: z.string(),
  user_email: z.string().nullish(),
  user_id: z.string().nullish(),
  name: z.object({ first: z.string().nullish(), last: z.string().nullish() }).nullish(),
  role: z.string(),
  accepted: z.boolean(),
  timestamp_created: instant.nullish(),
});
export type MemberWire = z.infer<typeof memberWire>;

/** A page of any list. */
export function pageWire<T>(item: z.ZodType<T>) {
  return z.object({ items: z.array(item), next_starting_after: z.string().nullish() });
}

export const membersPage = pageWire(memberWire);

/** Keys show their secret when they are made, and a mask of it later: neither is kept from a list. */
export const keyWire = z.object({
  id: z.string().min(1).max(200),
  name: z.string(),
  scopes: z.array(z.string()),
  timestamp_created: instant.nullish(),
  key: z.string().nullish(),
});
export const newKeyWire = keyWire.extend({ key: z.string().min(1) });

export const tagWire = z.object({ id: z.string().min(1).max(200), label: z.string() });

export const tagMappingWire = z.object({
  tag_id: z.string(),
  resource_id: z.string(),
  resource_type: z.union([z.literal(1), z.literal(2)]),
});

export const campaignWire = z.object({
  id: z.string().min(1).max(320),
  name: z.string(),
  owned_by: z.string().nullish(),
});

/** An account's id is its address. */
export const accountWire = z.object({
  email: z.string().min(1).max(320),
  added_by: z.string().nullish(),
});

export const groupMemberWire = z.object({
  id: z.string().min(1).max(200),
  sub_workspace_id: z.string(),
  sub_workspace_name: z.string().nullish(),
  status: z.enum(["pending", "accepted", "rejected"]),
  timestamp_created: instant.nullish(),
});

export const auditWire = z.object({
  id: z.string().min(1),
  timestamp: instant,
  activity_type: z.number(),
  ip_address: z.string().nullish(),
  user_id: z.string().nullish(),
});

/** The largest page that the vendor gives. */
export const pageLimit = 100;

/** The last page that holds items may still carry a cursor; the list ends where the cursor or the items do. */
export function nextPage(page: {
  readonly items: readonly unknown[];
  readonly next_starting_after?: string | null | undefined;
}): NextPage {
  const cursor = page.next_starting_after;
  if (page.items.length === 0 || typeof cursor !== "string" || cursor === "") return "end";
  return { query: { starting_after: cursor } };
}

export function accountOf(member: MemberWire): VendorAccount {
  const email = foldEmail(member.email);
  const other = foldEmail(member.user_email ?? "");
  const name = [member.name?.first, member.name?.last].filter(Boolean).join(" ");
  return {
    accountId: asId<AccountId>(member.id),
    email,
    otherEmails: other === "" || other === email ? [] : [other],
    state: member.accepted ? "active" : "invited",
    role: member.role,
    displayName: name === "" ? undefined : name,
    createdAt: member.timestamp_created ?? undefined,
    expiresAt: undefined,
  };
}
