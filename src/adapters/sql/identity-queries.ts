import type { IdentityFacts } from "../../model/identity.ts";
import { fold, foldEmail } from "../../model/fold.ts";
import type { GroupId, IdentityId, IdpId, SourceUserId, TenantId } from "../../model/ids.ts";
import { identityFacts, type SourceRow } from "../sql/identity-facts.ts";
import type { Database, Steps } from "./database.ts";
import type { Query } from "./engine.ts";
import { employmentOf } from "./hr-queries.ts";

interface OfTenant {
  readonly tenantId: TenantId;
}

/** The most answers to what a person types. */
const foundMax = 20;

/** People that one step of a long walk reads. */
const walkPage = 500;

export const readIdentities: Query<
  OfTenant & { readonly identityIds: readonly IdentityId[] },
  readonly IdentityFacts[]
> = {
  place: ({ identityIds }) => (identityIds.length > 10 ? "scan" : "point"),
  snapshot: true,
  run: (db, { tenantId, identityIds }) => readFacts(db, tenantId, identityIds, true),
};

interface FactRow {
  readonly identity_id: IdentityId;
  readonly identity_active: 0 | 1;
  readonly inactive_since: number | null;
  /** A person ordered that they leave, whatever the sources say. */
  readonly departed_at: number | null;
  readonly wanted: number | null;
  readonly source_user_id: SourceUserId;
  readonly idp_id: IdpId;
  readonly loaded: 0 | 1;
  readonly user_name: string;
  readonly external_id: string | null;
  readonly display_name: string | null;
  readonly active: 0 | 1;
  readonly deleted: 0 | 1;
  readonly version: number;
  readonly created_at: number;
  readonly resource: string;
}

/** A constant number of statements, whatever the number of people (one more for each level of nested groups). */
function* readFacts(
  db: Database,
  tenantId: TenantId,
  identityIds: readonly IdentityId[],
  withGroups: boolean,
): Steps<readonly IdentityFacts[]> {
  const rows = yield* db.all<FactRow>(
    `SELECT i.identity_id, i.active AS identity_active, i.inactive_since, d.at AS departed_at, r.wanted, u.source_user_id, u.idp_id,
       p.loaded_at IS NOT NULL AS loaded, u.user_name, u.external_id, u.display_name, u.active,
       u.deleted_at IS NOT NULL AS deleted, u.version, u.created_at, u.resource
     FROM ${db.dialect.values("ids")} CROSS JOIN identities i CROSS JOIN users u CROSS JOIN idps p
     LEFT JOIN recompute r ON r.tenant_id = i.tenant_id AND r.identity_id = i.identity_id
     LEFT JOIN departures d ON d.tenant_id = i.tenant_id AND d.identity_id = i.identity_id AND d.lifted_at IS NULL
     WHERE i.tenant_id = ? AND i.identity_id = ids.value
       AND u.tenant_id = i.tenant_id AND u.identity_id = i.identity_id
       AND p.tenant_id = i.tenant_id AND p.idp_id = u.idp_id
     ORDER BY ids.key`,
    JSON.stringify(identityIds),
    tenantId,
  );
  const userIds = JSON.stringify(rows.map((row) => row.source_user_id));
  const emails = yield* readEmails(db, tenantId, userIds);
  const employment = yield* employmentOf(db, tenantId, identityIds);
  const groups = withGroups
    ? yield* readGroups(db, tenantId, userIds)
    : new Map<string, GroupId[]>();
  return [...Map.groupBy(rows, (row) => row.identity_id).values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    return [
      identityFacts({
        tenantId,
        identityId: first.identity_id,
        active: first.identity_active === 1 && first.departed_at === null,
        inactiveSince: earliest(first.inactive_since, first.departed_at),
        employment: employment.get(first.identity_id),
        ...(first.departed_at === null ? {} : { departedAt: first.departed_at }),
        wanted: first.wanted ?? 0,
        groups: new Set(own.flatMap((row) => groups.get(row.source_user_id) ?? [])),
        sources: own.map((row) => toSource(row, emails.get(row.source_user_id) ?? [])),
      }),
    ];
  });
}

function earliest(...instants: readonly (number | null)[]): number | undefined {
  const known = instants.filter((at) => at !== null);
  return known.length === 0 ? undefined : Math.min(...known);
}

interface EmailRow {
  readonly source_user_id: SourceUserId;
  readonly email_folded: string;
  readonly position: number | null;
}

function toSource(row: FactRow, emails: readonly EmailRow[]): SourceRow {
  return {
    ...row,
    loaded: row.loaded === 1,
    active: row.active === 1,
    deleted: row.deleted === 1,
    emails: emails.flatMap((email) => (email.position === null ? [] : [email.email_folded])),
    formerEmails: emails.flatMap((email) => (email.position === null ? [email.email_folded] : [])),
  };
}

function* readEmails(
  db: Database,
  tenantId: TenantId,
  userIds: string,
): Steps<ReadonlyMap<string, readonly EmailRow[]>> {
  const rows = yield* db.all<EmailRow>(
    `SELECT e.source_user_id, e.email_folded, e.position FROM ${db.dialect.values("ids")} CROSS JOIN user_emails e
     WHERE e.tenant_id = ? AND e.source_user_id = ids.value ORDER BY ids.key, e.position, e.email_folded`,
    userIds,
    tenantId,
  );
  return Map.groupBy(rows, (row) => row.source_user_id);
}

/** Live groups of each source user, directly or through live nested groups. */
function* readGroups(
  db: Database,
  tenantId: TenantId,
  userIds: string,
): Steps<ReadonlyMap<string, readonly GroupId[]>> {
  const rows = yield* db.all<{ member_id: string; group_id: GroupId }>(
    `SELECT m.member_id, m.group_id FROM ${db.dialect.values("ids")} CROSS JOIN memberships m
     WHERE m.tenant_id = ? AND m.member_id = ids.value`,
    userIds,
    tenantId,
  );
  const around = yield* groupsAround(db, tenantId, new Set(rows.map((row) => row.group_id)));
  const found = new Map<string, GroupId[]>();
  for (const { member_id, group_id } of rows) {
    let own = found.get(member_id);
    if (own === undefined) found.set(member_id, (own = []));
    own.push(...(around.get(group_id) ?? []));
  }
  return found;
}

/**
 * For each live group itself and all live groups around it; deleted ones are left out. Goes up level by level, once for
 * all people of a read; each group is asked once, so circles end.
 */
function* groupsAround(
  db: Database,
  tenantId: TenantId,
  direct: ReadonlySet<GroupId>,
): Steps<ReadonlyMap<GroupId, ReadonlySet<GroupId>>> {
  const parents = new Map<GroupId, GroupId[]>();
  let level = yield* liveGroups(db, tenantId, [...direct]);
  const known = new Set(level);
  while (level.length > 0) {
    const edges = yield* db.all<{ member_id: GroupId; group_id: GroupId }>(
      `SELECT m.member_id, m.group_id FROM ${db.dialect.values("ids")} CROSS JOIN memberships m CROSS JOIN groups g
       WHERE m.tenant_id = ? AND m.member_id = ids.value
         AND g.tenant_id = ? AND g.group_id = m.group_id AND g.deleted_at IS NULL`,
      JSON.stringify(level),
      tenantId,
      tenantId,
    );
    level = [];
    for (const { member_id, group_id } of edges) {
      const own = parents.get(member_id);
      if (own === undefined) parents.set(member_id, [group_id]);
      else own.push(group_id);
      if (known.has(group_id)) continue;
      known.add(group_id);
      level.push(group_id);
    }
  }
  return new Map(
    [...direct].filter((id) => known.has(id)).map((id) => [id, reachable(id, parents)]),
  );
}

function* liveGroups(
  db: Database,
  tenantId: TenantId,
  groupIds: readonly GroupId[],
): Steps<GroupId[]> {
  return (yield* db.all<{ group_id: GroupId }>(
    `SELECT g.group_id FROM ${db.dialect.values("ids")} CROSS JOIN groups g
       WHERE g.tenant_id = ? AND g.group_id = ids.value AND g.deleted_at IS NULL`,
    JSON.stringify(groupIds),
    tenantId,
  )).map((row) => row.group_id);
}

function reachable(
  start: GroupId,
  parents: ReadonlyMap<GroupId, readonly GroupId[]>,
): ReadonlySet<GroupId> {
  // A Set iterates over what is added while it runs.
  const found = new Set([start]);
  for (const id of found) {
    for (const parent of parents.get(id) ?? []) found.add(parent);
  }
  return found;
}

export const findIdentities: Query<OfTenant & { readonly text: string }, readonly IdentityId[]> = {
  place: "point",
  *run(db, { tenantId, text }) {
    const typed = text.trim();
    return (yield* db.all<{ identity_id: IdentityId }>(
      `WITH found (identity_id) AS (
           SELECT identity_id FROM identities WHERE tenant_id = ? AND identity_id = ?
           UNION ALL SELECT identity_id FROM users WHERE tenant_id = ? AND source_user_id = ?
           UNION ALL SELECT u.identity_id FROM user_emails e CROSS JOIN users u
             WHERE e.tenant_id = ? AND e.email_folded = ? AND u.tenant_id = e.tenant_id AND u.source_user_id = e.source_user_id
           UNION ALL SELECT u.identity_id FROM idps p CROSS JOIN users u
             WHERE p.tenant_id = ? AND u.tenant_id = p.tenant_id AND u.idp_id = p.idp_id AND u.user_name_folded = ? AND u.deleted_at IS NULL
           UNION ALL SELECT identity_id FROM users WHERE tenant_id = ? AND user_name_folded = ? AND deleted_at IS NOT NULL
           UNION ALL SELECT u.identity_id FROM idps p CROSS JOIN users u
             WHERE p.tenant_id = ? AND u.tenant_id = p.tenant_id AND u.idp_id = p.idp_id AND u.external_id = ?
         )
         SELECT i.identity_id FROM identities i
         WHERE i.tenant_id = ? AND i.identity_id IN (SELECT identity_id FROM found)
         ORDER BY i.active - i.hr_departed DESC, i.active DESC, i.identity_id LIMIT ?`,
      tenantId,
      fold(typed),
      tenantId,
      fold(typed),
      tenantId,
      foldEmail(typed),
      tenantId,
      fold(typed),
      tenantId,
      fold(typed),
      tenantId,
      typed,
      tenantId,
      foundMax,
    )).map((row) => row.identity_id);
  },
};

export const searchIdentities: Query<
  OfTenant & {
    readonly text: string;
    readonly after: IdentityId | undefined;
    readonly limit: number;
  },
  readonly IdentityId[]
> = {
  place: "scan",
  *run(db, { tenantId, text, after, limit }) {
    const beginning = likeText(fold(text.trim()));
    return (yield* db.all<{ identity_id: IdentityId }>(
      `SELECT identity_id FROM (
           SELECT u.identity_id FROM user_emails e CROSS JOIN users u
             WHERE e.tenant_id = ? AND e.email_folded LIKE ? ESCAPE '!' AND u.tenant_id = e.tenant_id AND u.source_user_id = e.source_user_id
           UNION SELECT identity_id FROM users
             WHERE tenant_id = ? AND (user_name_folded LIKE ? ESCAPE '!' OR display_name_folded LIKE ? ESCAPE '!' OR display_name_folded LIKE ? ESCAPE '!')
         ) found WHERE identity_id > ? ORDER BY identity_id LIMIT ?`,
      tenantId,
      `${beginning}%`,
      tenantId,
      `${beginning}%`,
      `${beginning}%`,
      `% ${beginning}%`,
      after ?? "",
      limit,
    )).map((row) => row.identity_id);
  },
};

/** A text as it stands in a LIKE pattern. */
function likeText(text: string): string {
  return text.replace(/[!%_]/g, "!$&");
}

export const findIdentitiesByEmail: Query<
  OfTenant & { readonly emails: readonly string[] },
  readonly {
    readonly email: string;
    readonly identityId: IdentityId;
    readonly active: boolean;
    readonly former: boolean;
  }[]
> = {
  place: ({ emails }) => (emails.length > 100 ? "scan" : "point"),
  *run(db, { tenantId, emails }) {
    return (yield* db.all<{ email: string; identity_id: IdentityId; active: 0 | 1; former: 0 | 1 }>(
      // One row for each person and address: present at one source outweighs former at another.
      `SELECT e.email_folded AS email, i.identity_id, CASE WHEN d.at IS NULL AND i.hr_departed = 0 THEN i.active ELSE 0 END AS active, min(CASE WHEN e.position IS NULL THEN 1 ELSE 0 END) AS former
         FROM ${db.dialect.values("asked")} CROSS JOIN user_emails e CROSS JOIN users u CROSS JOIN identities i
         LEFT JOIN departures d ON d.tenant_id = i.tenant_id AND d.identity_id = i.identity_id AND d.lifted_at IS NULL
         WHERE e.tenant_id = ? AND e.email_folded = asked.value
           AND u.tenant_id = e.tenant_id AND u.source_user_id = e.source_user_id
           AND i.tenant_id = u.tenant_id AND i.identity_id = u.identity_id
         GROUP BY e.email_folded, i.identity_id, i.active, i.hr_departed, d.at ORDER BY e.email_folded, former, active DESC, i.identity_id`,
      JSON.stringify([...new Set(emails)]),
      tenantId,
    )).map((row) => ({
      email: row.email,
      identityId: row.identity_id,
      active: row.active === 1,
      former: row.former === 1,
    }));
  },
};

export const listIdentities: Query<
  OfTenant & { readonly after: IdentityId | undefined; readonly limit: number },
  readonly IdentityId[]
> = {
  place: "scan",
  *run(db, { tenantId, after, limit }) {
    return (yield* db.all<{ identity_id: IdentityId }>(
      "SELECT identity_id FROM identities WHERE tenant_id = ? AND identity_id > ? ORDER BY identity_id LIMIT ?",
      tenantId,
      after ?? "",
      limit,
    )).map((row) => row.identity_id);
  },
};

export const countIdentities: Query<OfTenant, { readonly active: number; readonly total: number }> =
  {
    place: "scan",
    *run(db, { tenantId }) {
      return (
        (yield* db.get<{ active: number; total: number }>(
          "SELECT coalesce(sum(CASE WHEN hr_departed = 1 THEN 0 ELSE active END), 0) AS active, count(*) AS total FROM identities WHERE tenant_id = ?",
          tenantId,
        )) ?? { active: 0, total: 0 }
      );
    },
  };

export const attributeCounts: Query<OfTenant, ReadonlyMap<string, number>> = {
  place: "scan",
  snapshot: true,
  *run(db, { tenantId }) {
    const counts = new Map<string, number>();
    let after: IdentityId | undefined;
    for (;;) {
      const page = yield* listIdentities.run(db, { tenantId, after, limit: walkPage });
      for (const person of yield* readFacts(db, tenantId, page, false)) {
        if (!person.active) continue;
        for (const name of Object.keys(person.attributes)) {
          counts.set(name, (counts.get(name) ?? 0) + 1);
        }
      }
      if (page.length < walkPage) return counts;
      after = page.at(-1);
    }
  },
};

export const identityQueries = {
  readIdentities,
  findIdentities,
  searchIdentities,
  findIdentitiesByEmail,
  listIdentities,
  countIdentities,
  attributeCounts,
};
