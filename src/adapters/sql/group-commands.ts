import type { Group, MemberChange, MembersChanged } from "../../directory/directory-store.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import { fold } from "../../model/fold.ts";
import type { GroupId, IdpId, TenantId } from "../../model/ids.ts";
import type { Also, Cause } from "../../model/records.ts";
import { writeAlso } from "./also.ts";
import type { Database, Steps } from "./database.ts";
import { countLive } from "./live-count.ts";
import { toGroup, type GroupRow } from "./group-row.ts";
import {
  changeMembers,
  completeAlso,
  endMemberships,
  markChanged,
  membersChanged,
} from "./membership.ts";

interface GroupWrite {
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  readonly groupId: GroupId;
  readonly now: Instant;
  readonly also: Also;
}

interface GroupChanged {
  readonly group: Group;
  readonly members: MembersChanged;
}

export const groupCommands = { createGroup, updateGroup, deleteGroup };

export function* createGroup(
  db: Database,
  args: GroupWrite & {
    readonly displayName: string;
    readonly externalId: string | undefined;
    readonly memberIds: readonly string[];
    readonly memberCause: Cause;
  },
): Steps<GroupChanged> {
  const { tenantId, idpId, groupId, displayName, now } = args;
  yield* db.tell(
    `INSERT INTO groups (tenant_id, group_id, idp_id, display_name, display_name_folded, external_id, member_count, version, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, ?, 0, 1, ?, ?)`,
    tenantId,
    groupId,
    idpId,
    displayName,
    fold(displayName),
    args.externalId ?? null,
    now,
    now,
  );
  const difference = yield* changeMembers(db, tenantId, idpId, groupId, [
    { op: "add", memberIds: args.memberIds },
  ]);
  const row = yield* writeGroup(db, {
    ...(yield* liveGroup(db, args, undefined)),
    member_count: difference.added.size,
  });
  yield* countLive(db, tenantId, idpId, { groups: 1, id: groupId });
  const members = membersChanged(difference);
  yield* markChanged(db, tenantId, { groupId, version: 1 }, difference, args.memberCause, now);
  yield* writeAlso(db, tenantId, completeAlso(args.also, members), now);
  return { group: toGroup(row), members };
}

export function* updateGroup(
  db: Database,
  args: GroupWrite & {
    readonly expect: number | undefined;
    readonly displayName?: string | undefined;
    readonly externalId?: string | null | undefined;
    readonly memberChanges: readonly MemberChange[];
    readonly memberCause: Cause;
  },
): Steps<GroupChanged> {
  const { tenantId, idpId, groupId, now } = args;
  const row = yield* liveGroup(db, args, args.expect);
  const displayName = args.displayName ?? row.display_name;
  const externalId = args.externalId === undefined ? row.external_id : args.externalId;
  const difference = yield* changeMembers(db, tenantId, idpId, groupId, args.memberChanges);
  const members = membersChanged(difference);
  if (
    displayName === row.display_name &&
    externalId === row.external_id &&
    members.added.length + members.removed.length === 0
  ) {
    return { group: toGroup(row), members };
  }
  const changed = yield* writeGroup(db, {
    ...row,
    display_name: displayName,
    external_id: externalId,
    member_count: row.member_count + members.added.length - members.removed.length,
    version: row.version + 1,
    updated_at: now,
  });
  yield* markChanged(
    db,
    tenantId,
    { groupId, version: changed.version },
    difference,
    args.memberCause,
    now,
  );
  yield* writeAlso(db, tenantId, completeAlso(args.also, members), now);
  return { group: toGroup(changed), members };
}

/** The group's own members stay with the tombstone: a fan-out finds its people by them. As a member of others it ends. */
export function* deleteGroup(
  db: Database,
  args: GroupWrite & { readonly expect: number | undefined },
): Steps<null> {
  const { tenantId, idpId, groupId, now } = args;
  yield* liveGroup(db, args, args.expect);
  yield* endMemberships(db, tenantId, groupId, now);
  yield* db.tell(
    "UPDATE groups SET deleted_at = ?, version = version + 1, updated_at = ? WHERE tenant_id = ? AND group_id = ?",
    now,
    now,
    tenantId,
    groupId,
  );
  yield* countLive(db, tenantId, idpId, { groups: -1, id: groupId });
  yield* writeAlso(db, tenantId, args.also, now);
  return null;
}

/** @throws StoreError NOT_FOUND, VERSION_CONFLICT */
function* liveGroup(db: Database, args: GroupWrite, expect: number | undefined): Steps<GroupRow> {
  const row = yield* db.get<GroupRow>(
    `SELECT * FROM groups WHERE tenant_id = ? AND group_id = ? AND idp_id = ? AND deleted_at IS NULL ${db.dialect.forUpdate}`,
    args.tenantId,
    args.groupId,
    args.idpId,
  );
  if (row === undefined) throw new StoreError("NOT_FOUND", `there is no group ${args.groupId}`);
  if (expect !== undefined && expect !== row.version) {
    throw new StoreError(
      "VERSION_CONFLICT",
      `group ${args.groupId} has version ${String(row.version)}, not ${String(expect)}: read it again`,
    );
  }
  return row;
}

function* writeGroup(db: Database, row: GroupRow): Steps<GroupRow> {
  yield* db.tell(
    `UPDATE groups SET display_name = ?, display_name_folded = ?, external_id = ?, member_count = ?, version = ?, updated_at = ?
     WHERE tenant_id = ? AND group_id = ?`,
    row.display_name,
    fold(row.display_name),
    row.external_id,
    row.member_count,
    row.version,
    row.updated_at,
    row.tenant_id,
    row.group_id,
  );
  return row;
}
