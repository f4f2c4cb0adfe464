import type {
  Group,
  GroupName,
  IdpConnection,
  Member,
  SourceUser,
  Tenant,
} from "../../directory/directory-store.ts";
import { StoreError } from "../../model/errors.ts";
import { fold } from "../../model/fold.ts";
import type { AccessException } from "../../model/identity.ts";
import type { GroupId, IdpId, SourceUserId, TenantId } from "../../model/ids.ts";
import type { Database, Steps } from "./database.ts";
import type { Query } from "./engine.ts";
import { groupColumns, toGroup, type GroupRow } from "./group-row.ts";
import { liveCount } from "./live-count.ts";
import type { Statement } from "./sql-text.ts";
import { toSourceUser, userColumns, type UserRow } from "./user-row.ts";

interface OfTenant {
  readonly tenantId: TenantId;
}

export const listTenants: Query<null, readonly Tenant[]> = {
  place: "point",
  *run(db) {
    return (yield* db.all<{
      tenant_id: TenantId;
      created_at: number;
    }>("SELECT tenant_id, created_at FROM tenants ORDER BY tenant_id")).map((row) => ({
      tenantId: row.tenant_id,
      createdAt: row.created_at,
    }));
  },
};

interface IdpRow {
  readonly tenant_id: TenantId;
  readonly idp_id: IdpId;
  readonly kind: IdpConnection["kind"];
  readonly loaded_at: number | null;
  readonly last_request_at: number | null;
  readonly user_count: number;
  readonly group_count: number;
  readonly created_at: number;
}

export const listIdps: Query<OfTenant, readonly IdpConnection[]> = {
  place: "point",
  *run(db, { tenantId }) {
    return (yield* db.all<IdpRow>(
      `SELECT tenant_id, idp_id, kind, loaded_at, last_request_at, created_at, ${liveCount("users")} AS user_count, ${liveCount("groups")} AS group_count
       FROM idps WHERE tenant_id = ? ORDER BY idp_id`,
      tenantId,
    )).map((row) => ({
      tenantId: row.tenant_id,
      idpId: row.idp_id,
      kind: row.kind,
      loadedAt: row.loaded_at ?? undefined,
      lastRequestAt: row.last_request_at ?? undefined,
      userCount: row.user_count,
      groupCount: row.group_count,
      createdAt: row.created_at,
    }));
  },
};

export const getUser: Query<
  OfTenant & { readonly idpId: IdpId; readonly sourceUserId: SourceUserId },
  SourceUser | undefined
> = {
  place: "point",
  *run(db, { tenantId, idpId, sourceUserId }) {
    const row = yield* db.get<UserRow>(
      `SELECT ${userColumns.join(", ")} FROM users WHERE tenant_id = ? AND source_user_id = ? AND idp_id = ? AND deleted_at IS NULL`,
      tenantId,
      sourceUserId,
      idpId,
    );
    return row === undefined ? undefined : toSourceUser(row);
  },
};

export const getGroup: Query<
  OfTenant & { readonly idpId: IdpId; readonly groupId: GroupId },
  Group | undefined
> = {
  place: "point",
  *run(db, { tenantId, idpId, groupId }) {
    const row = yield* db.get<GroupRow>(
      `SELECT ${groupColumns.join(", ")} FROM groups WHERE tenant_id = ? AND group_id = ? AND idp_id = ? AND deleted_at IS NULL`,
      tenantId,
      groupId,
      idpId,
    );
    return row === undefined ? undefined : toGroup(row);
  },
};

/** A compiled page of a list, with its total; both of one state of the database. */
export interface ListPage {
  readonly page: Statement;
  readonly count: Statement;
  /** Whether the page is the whole answer when it is not full. */
  readonly first: boolean;
  readonly limit: number;
  /** Every row matches: the kept counter of the IdP connection is the total. */
  readonly counter: {
    readonly tenantId: TenantId;
    readonly idpId: IdpId;
    readonly column: "users" | "groups";
  } | null;
  /** Documents may have to be read: of at most so many live rows. */
  readonly bound: {
    readonly tenantId: TenantId;
    readonly idpId: IdpId;
    readonly column: "users" | "groups";
    readonly most: number;
  } | null;
  readonly place: "point" | "scan";
}

export interface ListAnswer {
  /** Rows as they are stored: cheaper to carry between threads than what they are made into. */
  readonly rows: readonly unknown[];
  readonly total: number;
}

export const listPage: Query<ListPage, ListAnswer> = {
  place: (list) => list.place,
  snapshot: true,
  *run(db, list) {
    if (list.bound !== null) yield* refuseLongScan(db, list.bound);
    const rows =
      list.limit === 0 ? [] : yield* db.all<unknown>(list.page.sql, ...list.page.parameters);
    if (list.counter !== null) {
      const { tenantId, idpId, column } = list.counter;
      const idp = yield* db.get<{ total: number }>(
        `SELECT ${liveCount(column)} AS total FROM idps WHERE tenant_id = ? AND idp_id = ?`,
        tenantId,
        idpId,
      );
      return { rows, total: idp?.total ?? 0 };
    }
    if (list.first && rows.length < list.limit) return { rows, total: rows.length };
    const counted = yield* db.get<{ total: number }>(list.count.sql, ...list.count.parameters);
    return { rows, total: counted?.total ?? 0 };
  },
};

function* refuseLongScan(db: Database, bound: NonNullable<ListPage["bound"]>): Steps<void> {
  const { tenantId, idpId, column, most } = bound;
  const idp = yield* db.get<{ total: number }>(
    `SELECT ${liveCount(column)} AS total FROM idps WHERE tenant_id = ? AND idp_id = ?`,
    tenantId,
    idpId,
  );
  if ((idp?.total ?? 0) <= most) return;
  throw new StoreError(
    "INVALID",
    `no index answers this and there are more than ${String(most)} ${column} to look through: ask for userName, externalId, emails or id as well`,
    { field: "scanAtMost" },
  );
}

export const groupsOfUser: Query<
  OfTenant & { readonly idpId: IdpId; readonly sourceUserIds: readonly SourceUserId[] },
  ReadonlyMap<SourceUserId, readonly { readonly groupId: GroupId; readonly displayName: string }[]>
> = {
  place: ({ sourceUserIds }) => (sourceUserIds.length > 20 ? "scan" : "point"),
  *run(db, { tenantId, idpId, sourceUserIds }) {
    const rows = yield* db.all<{ user: SourceUserId; group_id: GroupId; display_name: string }>(
      `SELECT m.member_id AS user, g.group_id, g.display_name
       FROM ${db.dialect.values("ids")} CROSS JOIN memberships m CROSS JOIN groups g
       WHERE m.tenant_id = ? AND m.member_id = ids.value AND m.kind = 'user'
         AND g.tenant_id = ? AND g.group_id = m.group_id AND g.idp_id = ? AND g.deleted_at IS NULL
       ORDER BY m.member_id, m.group_id`,
      JSON.stringify(sourceUserIds),
      tenantId,
      tenantId,
      idpId,
    );
    const found = new Map<SourceUserId, { groupId: GroupId; displayName: string }[]>(
      sourceUserIds.map((id) => [id, []]),
    );
    for (const row of rows) {
      found.get(row.user)?.push({ groupId: row.group_id, displayName: row.display_name });
    }
    return found;
  },
};

export const listMembers: Query<
  OfTenant & {
    readonly groupId: GroupId;
    readonly after: string | undefined;
    readonly limit: number;
  },
  readonly Member[]
> = {
  place: ({ limit }) => (limit > 100 ? "scan" : "point"),
  *run(db, { tenantId, groupId, after, limit }) {
    return (yield* db.all<{ member_id: string; kind: Member["kind"]; display: string | null }>(
      `SELECT m.member_id, m.kind, coalesce(u.user_name, n.display_name) AS display
         FROM groups g CROSS JOIN memberships m
         LEFT JOIN users u ON m.kind = 'user' AND u.tenant_id = m.tenant_id AND u.source_user_id = m.member_id
         LEFT JOIN groups n ON m.kind = 'group' AND n.tenant_id = m.tenant_id AND n.group_id = m.member_id
         WHERE g.tenant_id = ? AND g.group_id = ? AND g.deleted_at IS NULL
           AND m.tenant_id = g.tenant_id AND m.group_id = g.group_id AND m.member_id > ?
         ORDER BY m.member_id LIMIT ?`,
      tenantId,
      groupId,
      after ?? "",
      limit,
    )).map((row) => ({
      memberId: row.member_id,
      kind: row.kind,
      display: row.display ?? undefined,
    }));
  },
};

interface GroupNameRow {
  readonly group_id: GroupId;
  readonly idp_id: IdpId;
  readonly display_name: string;
  readonly deleted: 0 | 1;
}

const toGroupName = (row: GroupNameRow): GroupName => ({
  groupId: row.group_id,
  idpId: row.idp_id,
  displayName: row.display_name,
  deleted: row.deleted === 1,
});

const groupNameColumns =
  "g.group_id, g.idp_id, g.display_name, g.deleted_at IS NOT NULL AS deleted";

export const findGroupsByName: Query<
  OfTenant & { readonly names: readonly string[] },
  readonly GroupName[]
> = {
  place: "point",
  *run(db, { tenantId, names }) {
    return (yield* db.all<GroupNameRow>(
      `SELECT ${groupNameColumns} FROM ${db.dialect.values("names")} CROSS JOIN groups g
         WHERE g.tenant_id = ? AND g.display_name_folded = names.value ORDER BY g.group_id`,
      JSON.stringify([...new Set(names.map(fold))]),
      tenantId,
    )).map(toGroupName);
  },
};

export const findGroupsById: Query<
  OfTenant & { readonly groupIds: readonly GroupId[] },
  readonly GroupName[]
> = {
  place: "point",
  *run(db, { tenantId, groupIds }) {
    return (yield* db.all<GroupNameRow>(
      `SELECT ${groupNameColumns} FROM ${db.dialect.values("ids")} CROSS JOIN groups g
         WHERE g.tenant_id = ? AND g.group_id = ids.value ORDER BY g.group_id`,
      JSON.stringify([...new Set(groupIds)]),
      tenantId,
    )).map(toGroupName);
  },
};

const toException = (row: { readonly document: string }) =>
  JSON.parse(row.document) as AccessException;

export const findExceptions: Query<
  OfTenant & { readonly people: readonly string[] },
  readonly AccessException[]
> = {
  place: "point",
  *run(db, { tenantId, people }) {
    return (yield* db.all<{ document: string }>(
      `SELECT document FROM access_exceptions
         WHERE tenant_id = ? AND person IN (SELECT value FROM ${db.dialect.values("list")}) ORDER BY exception_id`,
      tenantId,
      JSON.stringify(people),
    )).map(toException);
  },
};

export const listExceptions: Query<OfTenant, readonly AccessException[]> = {
  place: "scan",
  *run(db, { tenantId }) {
    return (yield* db.all<{
      document: string;
    }>(
      "SELECT document FROM access_exceptions WHERE tenant_id = ? ORDER BY exception_id",
      tenantId,
    )).map(toException);
  },
};

export const directoryQueries = {
  listTenants,
  listIdps,
  getUser,
  getGroup,
  listPage,
  groupsOfUser,
  listMembers,
  findGroupsByName,
  findGroupsById,
  findExceptions,
  listExceptions,
};
