import type { ObservedGrant, VendorAccount, VendorObject } from "../../model/account.ts";
import type { Slot } from "../../model/entitlement.ts";
import { SyncError } from "../../model/errors.ts";
import type { Applied } from "../connector.ts";
import { groupKind, member } from "./facts.ts";
import { elementPath, equals } from "./filter.ts";
import { findResources, listResources } from "./lists.ts";
import { patchBodies, type PatchOperation } from "./patch.ts";
import { saysNotFound } from "./refusals.ts";
import { requestIds, type ScimCall } from "./scim-call.ts";
import { readUser } from "./users.ts";
import { parseGroup, withAttribute, type ScimGroup } from "./wire.ts";

export async function* listGroups(scim: ScimCall): AsyncGenerator<VendorObject> {
  const query = scim.target.groups.listWithoutMembers ? { excludedAttributes: "members" } : {};
  for await (const item of listResources(scim, "groups.list", query)) {
    const group = parseGroup(item);
    yield {
      kind: groupKind,
      objectId: group.id,
      name: group.displayName,
      archived: false,
      manageable: true,
    };
  }
}

/** Which of the groups hold the account, by the way that the server shows it. */
export async function readGroupGrants(
  scim: ScimCall,
  account: VendorAccount,
  slots: readonly Slot[],
): Promise<readonly ObservedGrant[]> {
  if (slots.length === 0) return [];
  const holds = await membershipTest(scim, account.accountId);
  const grants: ObservedGrant[] = [];
  for (const { objectId } of slots) {
    if (await holds(objectId)) {
      grants.push({ kind: groupKind, objectId, role: member, implicit: false });
    }
  }
  return grants;
}

async function membershipTest(
  scim: ScimCall,
  userId: string,
): Promise<(groupId: string) => Promise<boolean>> {
  switch (scim.target.groups.read) {
    case "user": {
      const ids = new Set((await readUser(scim, userId))?.groupIds ?? []);
      return (groupId) => Promise.resolve(ids.has(groupId));
    }
    case "filter": {
      const items = await findResources(scim, "groups.list", equals("members.value", userId));
      const ids = new Set(items.map((item) => parseGroup(item).id));
      return (groupId) => Promise.resolve(ids.has(groupId));
    }
    case "group":
      return async (groupId) =>
        (await readGroup(scim, groupId))?.memberIds.includes(userId) === true;
  }
}

async function readGroup(scim: ScimCall, groupId: string): Promise<ScimGroup | undefined> {
  try {
    const answer = await scim.call.http.request({
      operation: "groups.read",
      path: { groupId },
      parse: parseGroup,
      refusals: scim.refusals,
    });
    return { ...answer.value, version: answer.value.version ?? answer.etag };
  } catch (error) {
    if (saysNotFound(error)) return undefined;
    throw error;
  }
}

export async function joinGroup(
  scim: ScimCall,
  account: VendorAccount,
  groupId: string,
): Promise<Applied> {
  return change(scim, account.accountId, groupId, "add");
}

export async function leaveGroup(
  scim: ScimCall,
  account: VendorAccount,
  groupId: string,
): Promise<Applied> {
  return change(scim, account.accountId, groupId, "remove");
}

async function change(
  scim: ScimCall,
  userId: string,
  groupId: string,
  op: "add" | "remove",
): Promise<Applied> {
  const { write, remove } = scim.target.groups;
  const whole = write === "put" || (op === "remove" && remove === "replace");
  if (whole) return replaceMembers(scim, userId, groupId, op);
  const holds = await membershipTest(scim, userId);
  if ((await holds(groupId)) === (op === "add")) return { outcome: "unchanged", requestIds: [] };
  const operation = op === "add" ? adding(userId) : removing(userId, remove === "value");
  return send(scim, groupId, op, patchBodies(scim.target.update, [operation]), undefined);
}

function adding(userId: string): PatchOperation {
  return { op: "add", path: "members", value: [{ value: userId }] };
}

/** By path (RFC 7644 §3.5.2.2); or by a list of values, which some servers read as "these" where the RFC says "all". */
function removing(userId: string, byValue: boolean): PatchOperation {
  return byValue
    ? { op: "remove", path: "members", value: [{ value: userId }] }
    : { op: "remove", path: elementPath("members", userId) };
}

/**
 * Reads the group, changes one member and writes it whole. Somebody else's change in between would be lost, so the version goes along
 * where the server has versions, and the group is read again: members that are missing or back make it a conflict, done over.
 */
async function replaceMembers(
  scim: ScimCall,
  userId: string,
  groupId: string,
  op: "add" | "remove",
): Promise<Applied> {
  const group = await readGroup(scim, groupId);
  if (group === undefined) return groupGone(op);
  if (group.memberIds.includes(userId) === (op === "add")) {
    return { outcome: "unchanged", requestIds: [] };
  }
  const wanted =
    op === "add"
      ? [...group.memberIds, userId]
      : group.memberIds.filter((memberId) => memberId !== userId);
  const { membersMax } = scim.target.groups;
  if (wanted.length > membersMax) {
    throw new SyncError(
      "VENDOR_REJECTED",
      `scim: the group has more members than one request may carry (${String(membersMax)}): it cannot be written whole without losing some`,
      { facts: { members: wanted.length, membersMax } },
    );
  }
  const members = membersAs(group, wanted);
  const bodies =
    scim.target.groups.write === "put"
      ? [wholeGroup(group, members)]
      : patchBodies(scim.target.update, [{ op: "replace", path: "members", value: members }]);
  const applied = await send(scim, groupId, op, bodies, group.version);
  const guarded = scim.target.update.versions === "if-match" && group.version !== undefined;
  if (!guarded) await recheck(scim, groupId, wanted);
  return applied;
}

/** Ids, and the type where it is told: a group inside a group must not come back as a user. */
function membersAs(group: ScimGroup, wanted: readonly string[]): readonly unknown[] {
  return wanted.map((value) => {
    const type = group.memberTypes.get(value);
    return type === undefined ? { value } : { value, type };
  });
}

function wholeGroup(group: ScimGroup, members: readonly unknown[]): unknown {
  const { meta: _meta, ...rest } = withAttribute(group.raw, "members", members);
  return rest;
}

async function recheck(scim: ScimCall, groupId: string, wanted: readonly string[]): Promise<void> {
  const after = await readGroup(scim, groupId);
  const held = new Set(after?.memberIds ?? []);
  if (held.size === wanted.length && wanted.every((memberId) => held.has(memberId))) return;
  throw new SyncError(
    "VENDOR_CONFLICT",
    "scim: the group's members were changed by somebody else while it was written; done over",
    { facts: { wanted: wanted.length, held: held.size } },
  );
}

async function send(
  scim: ScimCall,
  groupId: string,
  op: "add" | "remove",
  bodies: readonly unknown[],
  version: string | undefined,
): Promise<Applied> {
  const ids: string[] = [];
  try {
    for (const body of bodies) {
      const answer = await scim.call.http.request({
        operation: scim.target.groups.write === "put" ? "groups.replace" : "groups.patch",
        path: { groupId },
        body,
        ifMatch: scim.target.update.versions === "if-match" ? version : undefined,
        // 204, or the group with all its members: nothing of it is needed.
        parse: () => undefined,
        refusals: scim.refusals,
      });
      ids.push(...requestIds(answer));
    }
    return { outcome: "changed", requestIds: ids };
  } catch (error) {
    if (!saysNotFound(error)) throw error;
    const gone = (await readGroup(scim, groupId)) === undefined;
    if (gone) return groupGone(op, error);
    throw new SyncError("VENDOR_CONFLICT", "scim: the user is gone; looked for again", {
      cause: error,
      facts: error.facts,
    });
  }
}

function groupGone(op: "add" | "remove", cause?: SyncError): Applied {
  if (op === "remove") return { outcome: "unchanged", requestIds: [] };
  throw new SyncError(
    "VENDOR_CONFLICT",
    "scim: the group is gone; its name is resolved again",
    cause === undefined ? {} : { cause, facts: cause.facts },
  );
}
