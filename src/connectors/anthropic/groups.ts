import { z } from "zod";
import type { ObservedGrant, VendorAccount, VendorObject } from "../../model/account.ts";
import type { Entitlement, Slot } from "../../model/entitlement.ts";
import { SyncError } from "../../model/errors.ts";
import type { Applied, Call } from "../connector.ts";
import { groupKind, groupMember } from "./facts.ts";
import { requestIds } from "./members.ts";
import { proveListed, refusals, saysNotFound, saysState } from "./refusals.ts";
import { cursorPageWire, deletedWire, nextCursor, pageLimit } from "./wire.ts";

const id = z.string().min(1).max(200);
const groupsPage = cursorPageWire(
  z.object({ id, name: z.string(), source_type: z.string().nullish() }),
);
const memberWire = z.object({ user_id: id });
const membersPage = cursorPageWire(memberWire);

/** Groups of the whole enterprise. Names are not unique: a mapping names ambiguous ones by id. */
export async function* listGroups(call: Call): AsyncGenerator<VendorObject> {
  const pages = call.http.pages(
    {
      operation: "rbac_groups.list",
      query: { limit: pageLimit },
      parse: (body) => groupsPage.parse(body),
      refusals,
    },
    nextCursor,
  );
  for await (const page of pages) {
    for (const group of page.value.data)
      yield {
        kind: groupKind,
        objectId: group.id,
        name: group.name,
        archived: false,
        // The vendor's own SCIM fills these.
        manageable: group.source_type !== "scim",
      };
  }
}

/** Proves that the organisation has groups at all, which only Enterprise organisations have. */
export function proveGroups(call: Call): Promise<void> {
  return proveListed(
    call,
    "rbac_groups.list",
    (body) => groupsPage.parse(body),
    "this organisation has no groups: it is not a Claude Enterprise organisation; use the profile console",
  );
}

/** What an account holds of the given groups; one whose group is gone is in nobody's. */
export async function readGroupMemberships(
  call: Call,
  account: VendorAccount,
  slots: readonly Slot[],
): Promise<readonly ObservedGrant[]> {
  if (account.state !== "active") return [];
  const grants: ObservedGrant[] = [];
  for (const { objectId } of slots) {
    if (await isMember(call, account.accountId, objectId))
      grants.push({ kind: groupKind, objectId, role: groupMember, implicit: false });
  }
  return grants;
}

async function isMember(call: Call, userId: string, groupId: string): Promise<boolean> {
  const pages = call.http.pages(
    {
      operation: "rbac_group_members.list",
      path: { groupId },
      query: { limit: pageLimit },
      parse: (body) => membersPage.parse(body),
      refusals,
    },
    nextCursor,
  );
  try {
    for await (const page of pages)
      if (page.value.data.some((member) => member.user_id === userId)) return true;
    return false;
  } catch (error) {
    if (saysNotFound(error)) return false;
    throw error;
  }
}

/** Adds; where the vendor refuses, the list says whether it is done already. */
export async function joinGroup(
  call: Call,
  account: VendorAccount,
  { objectId: groupId }: Entitlement,
): Promise<Applied> {
  if (account.state !== "active")
    throw new SyncError(
      "VENDOR_REJECTED",
      "anthropic: groups need an accepted account, not an invitation",
    );
  try {
    const answer = await call.http.request({
      operation: "rbac_group_members.add",
      path: { groupId },
      body: { user_id: account.accountId },
      parse: (body) => memberWire.parse(body),
      refusals,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (!saysState(error)) throw error;
    if (await isMember(call, account.accountId, groupId))
      return { outcome: "unchanged", requestIds: [] };
    throw error;
  }
}

export async function leaveGroup(
  call: Call,
  account: VendorAccount,
  { objectId: groupId }: Slot,
): Promise<Applied> {
  try {
    const answer = await call.http.request({
      operation: "rbac_group_members.remove",
      path: { groupId, userId: account.accountId },
      parse: (body) => deletedWire.parse(body),
      refusals,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (!saysState(error)) throw error;
    if (await isMember(call, account.accountId, groupId)) throw error;
    return { outcome: "unchanged", requestIds: [] };
  }
}
