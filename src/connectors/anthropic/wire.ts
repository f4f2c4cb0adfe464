import { z } from "zod";
import type { VendorAccount, VendorObject } from "../../model/account.ts";
import { foldEmail } from "../../model/fold.ts";
import { asId, type AccountId } from "../../model/ids.ts";
import type { NextPage } from "../../model/vendor-http.ts";
import type { VendorKey } from "../connector.ts";
import { workspaceKind } from "./facts.ts";

/** The vendor's JSON, only as far as we use it; unknown members are ignored, unknown roles are kept as they are. */

const id = z.string().min(1).max(200);
const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

export const organizationWire = z.object({ id, name: z.string() });

export const userWire = z.object({
  type: z.literal("user"),
  id,
  email: z.string(),
  name: z.string().nullish(),
  role: z.string(),
  added_at: instant.nullish(),
});
export type UserWire = z.infer<typeof userWire>;

export const inviteWire = z.object({
  type: z.literal("invite"),
  id,
  email: z.string(),
  role: z.string(),
  status: z.enum(["pending", "accepted", "expired", "deleted"]),
  invited_at: instant,
  expires_at: instant,
});
export type InviteWire = z.infer<typeof inviteWire>;

export const workspaceWire = z.object({
  type: z.literal("workspace"),
  id,
  name: z.string(),
  archived_at: z.string().nullish(),
  created_at: instant.nullish(),
});

export const memberWire = z.object({
  type: z.literal("workspace_member"),
  user_id: id,
  workspace_id: id,
  workspace_role: z.string(),
});
export type MemberWire = z.infer<typeof memberWire>;

export const keyWire = z.object({
  type: z.literal("api_key"),
  id,
  name: z.string(),
  status: z.enum(["active", "inactive", "archived", "expired"]),
  created_at: instant.nullish(),
  created_by: z.object({ id, type: z.string().optional() }).nullish(),
  partial_key_hint: z.string().nullish(),
  principal: z.object({ type: z.string(), user_id: id.optional() }).nullish(),
  scope: z.object({ type: z.string(), workspace_id: id.optional() }).nullish(),
});

/** Limits of one group of models (or of batches, files, …) in a workspace. */
export const rateLimitWire = z.object({
  rate_limit_id: id,
  group: z.object({ type: z.string(), display_name: z.string().optional() }),
  limits: z.array(
    z.object({ type: z.string(), value: z.number(), source: z.object({ type: z.string() }) }),
  ),
});

export const deletedWire = z.object({ type: z.string() });

/** A page of the id-cursor family. */
export function pageWire<T>(item: z.ZodType<T>) {
  return z.object({
    data: z.array(item),
    has_more: z.boolean(),
    last_id: z.string().nullish(),
  });
}

/** A page of the opaque-cursor family: it may hold fewer rows than asked for, or none, while more remain. */
export function cursorPageWire<T>(item: z.ZodType<T>) {
  return z.object({ data: z.array(item), next_page: z.string().nullish() });
}

export function nextCursor(page: { readonly next_page?: string | null | undefined }): NextPage {
  const { next_page: cursor } = page;
  return typeof cursor === "string" && cursor !== "" ? { query: { page: cursor } } : "end";
}

/** The largest page that the vendor gives. */
export const pageLimit = 1000;

/** Where the walk goes on. More without a way to it is no end: an absence would be concluded from half a list. */
export function nextPage(page: {
  readonly data: readonly unknown[];
  readonly has_more: boolean;
  readonly last_id?: string | null | undefined;
}): NextPage {
  if (!page.has_more) return "end";
  const { last_id: after } = page;
  if (page.data.length === 0 || typeof after !== "string" || after === "") return "incomplete";
  return { query: { after_id: after } };
}

export function accountOfUser(user: UserWire): VendorAccount {
  return {
    accountId: asId<AccountId>(user.id),
    email: foldEmail(user.email),
    otherEmails: [],
    state: "active",
    role: user.role,
    displayName: user.name ?? undefined,
    createdAt: user.added_at ?? undefined,
    expiresAt: undefined,
  };
}

/** An invitation that is still one: open, or run out by its own status or by the clock. Undefined: accepted or deleted. */
export function accountOfInvite(invite: InviteWire, now: number): VendorAccount | undefined {
  if (invite.status === "accepted" || invite.status === "deleted") return undefined;
  const over = invite.status === "expired" || invite.expires_at <= now;
  return {
    accountId: asId<AccountId>(invite.id),
    email: foldEmail(invite.email),
    otherEmails: [],
    state: over ? "expired" : "invited",
    role: invite.role,
    displayName: undefined,
    createdAt: invite.invited_at,
    expiresAt: invite.expires_at,
  };
}

/** Workspaces that keep their own members: one follows the organisation role, the other is filled by Claude Code sign-ins. */
const selfKept = ["Default", "Claude Code"];

export function isSelfKept(name: string): boolean {
  return selfKept.includes(name);
}

export function objectOfWorkspace(workspace: z.infer<typeof workspaceWire>): VendorObject {
  return {
    kind: workspaceKind,
    objectId: workspace.id,
    name: workspace.name,
    archived: typeof workspace.archived_at === "string",
    manageable: !isSelfKept(workspace.name),
  };
}

export function keyOf(key: z.infer<typeof keyWire>): VendorKey {
  const maker = key.created_by;
  return {
    keyId: key.id,
    name: key.name,
    status: key.status,
    createdBy:
      maker === null || maker === undefined || maker.type === "service_account"
        ? undefined
        : asId<AccountId>(maker.id),
    principal:
      key.principal?.user_id === undefined ? undefined : asId<AccountId>(key.principal.user_id),
    createdAt: key.created_at ?? undefined,
    hint: key.partial_key_hint ?? undefined,
  };
}
