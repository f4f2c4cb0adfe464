import type { LeasedFanout } from "../../events/recompute-store.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { IdentityId, TenantId } from "../../model/ids.ts";
import type { Cause, FanoutScope } from "../../model/records.ts";
import { markListed } from "./also.ts";
import type { Database, Steps } from "./database.ts";
import { groupPeople } from "./membership.ts";
import { toCause } from "./recompute-queries.ts";

export const recomputeCommands = {
  markPublished,
  leaseFanout,
  workFanout,
  leaseSchedule,
  finishSchedule,
};

export function* markPublished(
  db: Database,
  marks: readonly {
    readonly tenantId: TenantId;
    readonly identityId: IdentityId;
    readonly wanted: number;
  }[],
): Steps<null> {
  const inOrder = marks.toSorted((a, b) => (a.identityId < b.identityId ? -1 : 1));
  for (const { tenantId, identityId, wanted } of inOrder) {
    yield* db.tell(
      "UPDATE recompute SET published = ? WHERE tenant_id = ? AND identity_id = ? AND published < ?",
      wanted,
      tenantId,
      identityId,
      wanted,
    );
  }
  return null;
}

interface FanoutRow {
  readonly tenant_id: TenantId;
  readonly fanout_id: string;
  readonly scope: string;
  readonly cause_kind: Cause["kind"];
  readonly cause_key: string | null;
  readonly trace: string | null;
  readonly urgent: 0 | 1;
  readonly listed: 0 | 1;
  readonly cursor: string | null;
  readonly lease_ms: number;
  readonly fence: number;
}

const fanoutCause = (row: FanoutRow): Cause => ({
  ...toCause(row),
  ...(row.trace !== null && { trace: row.trace }),
});

export function* leaseFanout(
  db: Database,
  args: { readonly owner: string; readonly now: Instant; readonly leaseMs: number },
): Steps<LeasedFanout | undefined> {
  const row = yield* db.get<FanoutRow>(
    `SELECT * FROM fanouts WHERE lease_until <= ? ORDER BY urgent DESC, created_at, fanout_id LIMIT 1 ${db.dialect.forUpdateSkipLocked}`,
    args.now,
  );
  if (row === undefined) return undefined;
  yield* db.tell(
    "UPDATE fanouts SET lease_owner = ?, lease_until = ?, lease_ms = ?, fence = fence + 1 WHERE tenant_id = ? AND fanout_id = ?",
    args.owner,
    args.now + args.leaseMs,
    args.leaseMs,
    row.tenant_id,
    row.fanout_id,
  );
  return {
    tenantId: row.tenant_id,
    fanoutId: row.fanout_id,
    scope: JSON.parse(row.scope) as FanoutScope,
    cause: fanoutCause(row),
    urgent: row.urgent === 1,
    cursor: row.cursor ?? undefined,
    fence: row.fence + 1,
  };
}

export function* workFanout(
  db: Database,
  args: { readonly fanout: LeasedFanout; readonly now: Instant; readonly limit: number },
): Steps<{
  readonly finished: boolean;
  readonly marked: number;
  readonly cursor: string | undefined;
}> {
  const { tenantId, fanoutId, fence } = args.fanout;
  const row = yield* db.get<FanoutRow>(
    `SELECT * FROM fanouts WHERE tenant_id = ? AND fanout_id = ? ${db.dialect.forUpdate}`,
    tenantId,
    fanoutId,
  );
  if (row?.fence !== fence) {
    throw new StoreError(
      "VERSION_CONFLICT",
      `fan-out ${fanoutId} is finished or in other hands: lease again`,
    );
  }
  const scope = JSON.parse(row.scope) as FanoutScope;
  if (scope.kind === "group" && row.listed === 0)
    yield* listGroup(db, tenantId, fanoutId, scope.groupId);
  const list = peopleOf(db, row, scope, args.limit);
  // Read once: whoever arrives between two reads would push somebody over the end of the page, unmarked.
  const page = yield* db.all<{ identity_id: string }>(list.sql, ...list.parameters);
  const marked = yield* markListed(
    db,
    tenantId,
    page.map((person) => person.identity_id),
    { cause: fanoutCause(row), urgent: row.urgent === 1 },
    args.now,
  );
  const cursor = page.at(-1)?.identity_id ?? row.cursor;
  if (row.listed === 1 || scope.kind === "group") {
    yield* db.tell(
      "DELETE FROM fanout_people WHERE tenant_id = ? AND fanout_id = ? AND identity_id <= ?",
      tenantId,
      fanoutId,
      cursor ?? "",
    );
  }
  const finished = page.length < args.limit;
  if (finished) {
    yield* db.tell("DELETE FROM fanouts WHERE tenant_id = ? AND fanout_id = ?", tenantId, fanoutId);
  } else {
    yield* db.tell(
      // A fan-out that moves keeps its lease: only one that stands still is taken over.
      "UPDATE fanouts SET cursor = ?, lease_until = ? WHERE tenant_id = ? AND fanout_id = ?",
      cursor,
      args.now + row.lease_ms,
      tenantId,
      fanoutId,
    );
  }
  return { finished, marked, cursor: cursor ?? undefined };
}

/** Finding the people of nested groups in order costs the whole group each time: it is done once, and paged from the list. */
function* listGroup(
  db: Database,
  tenantId: TenantId,
  fanoutId: string,
  groupId: string,
): Steps<void> {
  yield* db.tell(
    `INSERT INTO fanout_people (tenant_id, fanout_id, identity_id) SELECT CAST(? AS TEXT), CAST(? AS TEXT), identity_id FROM (${groupPeople(db.dialect)}) AS people`,
    tenantId,
    fanoutId,
    JSON.stringify([groupId]),
    tenantId,
    tenantId,
    tenantId,
  );
  yield* db.tell(
    "UPDATE fanouts SET listed = 1 WHERE tenant_id = ? AND fanout_id = ?",
    tenantId,
    fanoutId,
  );
}

/** The next page of a scope by identity id, from after the cursor. */
function peopleOf(
  db: Database,
  row: FanoutRow,
  scope: FanoutScope,
  limit: number,
): { readonly sql: string; readonly parameters: readonly (string | number)[] } {
  const after = row.cursor ?? "";
  if (row.listed === 1 || scope.kind === "group") {
    return {
      sql: "SELECT identity_id FROM fanout_people WHERE tenant_id = ? AND fanout_id = ? AND identity_id > ? ORDER BY identity_id LIMIT ?",
      parameters: [row.tenant_id, row.fanout_id, after, limit],
    };
  }
  switch (scope.kind) {
    case "tenant":
      return {
        sql: "SELECT identity_id FROM identities WHERE tenant_id = ? AND identity_id > ? ORDER BY identity_id LIMIT ?",
        parameters: [row.tenant_id, after, limit],
      };
    case "idp":
      return {
        sql: `SELECT DISTINCT identity_id FROM users ${db.dialect.indexedBy("users_identity")} WHERE tenant_id = ? AND identity_id > ? AND idp_id = ? ORDER BY identity_id LIMIT ?`,
        parameters: [row.tenant_id, after, scope.idpId, limit],
      };
    case "connection":
      return {
        sql: "SELECT identity_id FROM targets WHERE tenant_id = ? AND connection_id = ? AND identity_id > ? ORDER BY identity_id LIMIT ?",
        parameters: [row.tenant_id, scope.connectionId, after, limit],
      };
  }
}

export function* leaseSchedule(
  db: Database,
  args: {
    readonly tenantId: TenantId;
    readonly job: string;
    readonly owner: string;
    readonly now: Instant;
    readonly leaseMs: number;
  },
): Steps<boolean> {
  const { tenantId, job, owner, now } = args;
  return (
    (yield* db.run(
      `INSERT INTO schedules (tenant_id, job, next_at, lease_owner, lease_until) VALUES (?, ?, 0, ?, ?)
       ON CONFLICT (tenant_id, job) DO UPDATE SET lease_owner = excluded.lease_owner, lease_until = excluded.lease_until
       WHERE schedules.next_at <= ? AND (schedules.lease_owner IS NULL OR schedules.lease_owner = excluded.lease_owner OR schedules.lease_until <= ?)`,
      tenantId,
      job,
      owner,
      now + args.leaseMs,
      now,
      now,
    )) > 0
  );
}

export function* finishSchedule(
  db: Database,
  args: {
    readonly tenantId: TenantId;
    readonly job: string;
    readonly owner: string;
    readonly nextAt: Instant;
  },
): Steps<null> {
  yield* db.tell(
    "UPDATE schedules SET next_at = ?, lease_owner = NULL, lease_until = 0 WHERE tenant_id = ? AND job = ? AND lease_owner = ?",
    args.nextAt,
    args.tenantId,
    args.job,
    args.owner,
  );
  return null;
}
