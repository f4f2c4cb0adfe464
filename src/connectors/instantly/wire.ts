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
  name: z.object({ first: z.string().nullish(), last: z.string().nullish() }).nullish(),
  role: z.string(),
  accepted: z.boolean(),
  timestamp_created: instant.nullish(),
});
export type MemberWire = z.infer<typeof memberWire>;

export const membersPage = z.object({
  items: z.array(memberWire),
  next_starting_after: z.string().nullish(),
});

/** The largest page that the vendor gives. */
export const pageLimit = 100;

/** The last page that holds items may still carry a cursor; the list ends where the cursor or the items do. */
export function nextPage(page: z.infer<typeof membersPage>): NextPage {
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
