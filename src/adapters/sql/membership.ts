import type { MemberChange, MembersChanged } from "../../directory/directory-store.ts";
import type { Instant } from "../../model/clock.ts";
import { asId, type GroupId, type IdentityId, type IdpId, type TenantId } from "../../model/ids.ts";
import type { Also, Cause } from "../../model/records.ts";
import { markIdentity, markListed, writeFanout } from "./also.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { SqlDialect } from "./sql-dialect.ts";

/** More changed people than this are marked in pages by a fan-out, not inside the command. */
export const fanoutAbove = 5_000;

type MemberKind = "user" | "group" | "unknown";

/** The net difference that a command made, with what each id is. */
export interface MemberDifference {
  readonly added: ReadonlyMap<string, MemberKind>;
  readonly removed: ReadonlyMap<string, MemberKind>;
}

interface MemberRow {
  readonly member_id: string;
  readonly kind: MemberKind;
}

/** Applies the changes in order; every statement touches only the rows that differ, whatever the size of the group. */
export function* changeMembers(
  db: Database,
  tenantId: TenantId,
  idpId: IdpId,
  groupId: GroupId,
  changes: readonly MemberChange[],
): Steps<MemberDifference> {
  const added = new Map<string, MemberKind>();
  const removed = new Map<string, MemberKind>();
  const note = (rows: readonly MemberRow[], into: typeof added, outOf: typeof removed) => {
    for (const row of rows) {
      if (!outOf.delete(row.member_id)) into.set(row.member_id, row.kind);
    }
  };
  for (const change of changes) {
    const ids = documentText(change.memberIds);
    if (change.op !== "add") {
      note(yield* removeMembers(db, tenantId, groupId, change.op, ids), removed, added);
    }
    if (change.op !== "remove") {
      note(yield* addMembers(db, tenantId, idpId, groupId, ids), added, removed);
    }
  }
  return { added, removed };
}

function* addMembers(
  db: Database,
  tenantId: TenantId,
  idpId: IdpId,
  groupId: GroupId,
  ids: string,
): Steps<MemberRow[]> {
  // What an id is stays so until this command ends: whoever deletes it waits, and then finds the membership.
  for (const [table, column] of [
    ["users", "source_user_id"],
    ["groups", "group_id"],
  ] as const)
    yield* db.lock(
      `SELECT 1 FROM ${table} WHERE tenant_id = ? AND ${column} IN (SELECT value FROM ${db.dialect.values("list")}) ORDER BY ${column} FOR SHARE`,
      tenantId,
      ids,
    );
  return yield* db.all<MemberRow>(
    `INSERT INTO memberships (tenant_id, group_id, member_id, kind)
     SELECT CAST(? AS TEXT), CAST(? AS TEXT), ids.value, CASE
       WHEN EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = ? AND u.source_user_id = ids.value AND u.idp_id = ? AND u.deleted_at IS NULL) THEN 'user'
       WHEN EXISTS (SELECT 1 FROM groups g WHERE g.tenant_id = ? AND g.group_id = ids.value AND g.idp_id = ? AND g.deleted_at IS NULL) THEN 'group'
       ELSE 'unknown' END
     FROM ${db.dialect.values("ids")} WHERE true
     ON CONFLICT DO NOTHING RETURNING member_id, kind`,
    tenantId,
    groupId,
    tenantId,
    idpId,
    tenantId,
    idpId,
    ids,
  );
}

function* removeMembers(
  db: Database,
  tenantId: TenantId,
  groupId: GroupId,
  op: "remove" | "replace",
  ids: string,
): Steps<MemberRow[]> {
  return yield* db.all<MemberRow>(
    `DELETE FROM memberships WHERE tenant_id = ? AND group_id = ?
       AND member_id ${op === "remove" ? "IN" : "NOT IN"} (SELECT value FROM ${db.dialect.values("list")})
     RETURNING member_id, kind`,
    tenantId,
    groupId,
    ids,
  );
}

/** A user or group that is deleted leaves every group that holds it. */
export function* endMemberships(
  db: Database,
  tenantId: TenantId,
  memberId: string,
  now: Instant,
): Steps<void> {
  // Memberships change under the lock of their group: what is counted is what is deleted.
  yield* db.lock(
    `SELECT 1 FROM groups WHERE tenant_id = ? AND group_id IN (SELECT group_id FROM memberships WHERE tenant_id = ? AND member_id = ?)
     ORDER BY group_id FOR NO KEY UPDATE`,
    tenantId,
    tenantId,
    memberId,
  );
  yield* db.tell(
    `UPDATE groups SET member_count = member_count - 1, version = version + 1, updated_at = ?
     WHERE tenant_id = ? AND group_id IN (SELECT group_id FROM memberships WHERE tenant_id = ? AND member_id = ?)`,
    now,
    tenantId,
    tenantId,
    memberId,
  );
  yield* db.tell(
    "DELETE FROM memberships WHERE tenant_id = ? AND member_id = ?",
    tenantId,
    memberId,
  );
}

export function membersChanged(difference: MemberDifference): MembersChanged {
  const added = [...difference.added.keys()].toSorted();
  return {
    added,
    removed: [...difference.removed.keys()].toSorted(),
    unknown: added.filter((id) => difference.added.get(id) === "unknown"),
  };
}

/** Gives the command's record the names of what changed: only the store knows the difference. */
export function completeAlso(also: Also, members: MembersChanged): Also {
  const [first, ...rest] = also.records;
  if (first === undefined || members.added.length + members.removed.length === 0) return also;
  const facts = {
    ...first.facts,
    added: members.added,
    removed: members.removed,
    unknown: members.unknown,
  };
  return { ...also, records: [{ ...first, facts }, ...rest] };
}

/** Marks everybody whose groups a difference changed: members themselves, and the people of nested groups. */
export function* markChanged(
  db: Database,
  tenantId: TenantId,
  group: { readonly groupId: GroupId; readonly version: number },
  difference: MemberDifference,
  cause: Cause,
  now: Instant,
): Steps<void> {
  const changed = [...difference.added, ...difference.removed];
  const idsOf = (kind: MemberKind) => changed.flatMap(([id, is]) => (is === kind ? [id] : []));
  const people = yield* peopleOf(db, tenantId, idsOf("user"), idsOf("group"));
  const request = { cause, urgent: false };
  if (people.length > fanoutAbove) {
    // Some of them are in the group no more, so that its members cannot tell the fan-out whom to mark.
    const fanoutId = `${group.groupId}:${String(group.version)}`;
    const scope = { kind: "group", groupId: group.groupId } as const;
    yield* writeFanout(db, tenantId, { fanoutId, scope, ...request }, true, now);
    yield* db.tell(
      `INSERT INTO fanout_people (tenant_id, fanout_id, identity_id) SELECT CAST(? AS TEXT), CAST(? AS TEXT), value FROM ${db.dialect.values("list")}`,
      tenantId,
      fanoutId,
      documentText(people),
    );
    return;
  }
  const only = people[0];
  if (people.length === 1 && only !== undefined) {
    yield* markIdentity(db, tenantId, { identityId: only, ...request }, now);
  } else if (people.length > 0) {
    yield* markListed(db, tenantId, people, request, now);
  }
}

/** The identities behind some source users and behind all members of some groups, nested ones too, each once. */
function* peopleOf(
  db: Database,
  tenantId: TenantId,
  userIds: readonly string[],
  groupIds: readonly string[],
): Steps<readonly IdentityId[]> {
  const direct = yield* db.all<{ identity_id: string }>(
    `SELECT DISTINCT u.identity_id FROM ${db.dialect.values("ids")} CROSS JOIN users u
     WHERE u.tenant_id = ? AND u.source_user_id = ids.value`,
    JSON.stringify(userIds),
    tenantId,
  );
  const rows =
    groupIds.length === 0
      ? direct
      : [
          ...direct,
          ...(yield* db.all<{ identity_id: string }>(
            groupPeople(db.dialect),
            JSON.stringify(groupIds),
            tenantId,
            tenantId,
            tenantId,
          )),
        ];
  return [...new Set(rows.map((row) => asId<IdentityId>(row.identity_id)))];
}

/**
 * Parameters: JSON list of group ids, tenant, tenant, tenant. UNION drops what was seen, so a circle of groups ends, and
 * the work is bounded by the tenant's groups. Deleted groups are followed too: their rows say who has to be looked at.
 */
export const groupPeople = (dialect: SqlDialect) => `
  WITH RECURSIVE inside (group_id) AS (
    SELECT value FROM ${dialect.values("list")}
    UNION
    SELECT m.member_id FROM inside CROSS JOIN memberships m
    WHERE m.tenant_id = ? AND m.group_id = inside.group_id AND m.kind = 'group'
  )
  SELECT DISTINCT u.identity_id FROM inside CROSS JOIN memberships m CROSS JOIN users u
  WHERE m.tenant_id = ? AND m.group_id = inside.group_id AND m.kind = 'user'
    AND u.tenant_id = ? AND u.source_user_id = m.member_id`;
