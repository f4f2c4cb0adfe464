import type { RecomputeMark } from "../../events/recompute-store.ts";
import type { Instant } from "../../model/clock.ts";
import type { IdentityId, TenantId } from "../../model/ids.ts";
import type { Cause } from "../../model/records.ts";
import type { Database, Steps } from "./database.ts";
import type { Query } from "./engine.ts";

interface MarkRow {
  readonly tenant_id: TenantId;
  readonly identity_id: IdentityId;
  readonly wanted: number;
  readonly done: number;
  readonly urgent: 0 | 1;
  readonly due_at: number;
  readonly since: number;
  readonly cause_kind: Cause["kind"];
  readonly cause_key: string | null;
  readonly traces: string | null;
}

const markColumns =
  "tenant_id, identity_id, wanted, done, urgent, due_at, since, cause_kind, cause_key, traces";

export function toCause(row: {
  readonly cause_kind: Cause["kind"];
  readonly cause_key: string | null;
}): Cause {
  return { kind: row.cause_kind, ...(row.cause_key !== null && { key: row.cause_key }) };
}

function toMark(row: MarkRow): RecomputeMark {
  return {
    tenantId: row.tenant_id,
    identityId: row.identity_id,
    wanted: row.wanted,
    done: row.done,
    urgent: row.urgent === 1,
    cause: toCause(row),
    since: row.since,
    dueAt: row.due_at,
    ...(row.traces !== null && { traces: row.traces.split(" ") }),
  };
}

export const listUnpublished: Query<
  { readonly now: Instant; readonly limit: number },
  readonly RecomputeMark[]
> = {
  // The relay asks often and mostly finds nothing: one look into a partial index.
  place: "point",
  *run(db, { now, limit }) {
    const ofKind = (urgent: 0 | 1) =>
      `SELECT * FROM (SELECT ${markColumns} FROM recompute ${db.dialect.indexedBy("recompute_unpublished")}
         WHERE published < wanted AND urgent = ${String(urgent)} AND due_at <= ?1 ORDER BY since LIMIT ?2) AS kind${String(urgent)}`;
    const rows = yield* db.all<MarkRow>(`${ofKind(1)} UNION ALL ${ofKind(0)}`, now, limit);
    return rows
      .toSorted((a, b) => b.urgent - a.urgent || a.since - b.since)
      .slice(0, limit)
      .map(toMark);
  },
};

export const listOverdue: Query<
  {
    readonly now: Instant;
    readonly ageMs: number | undefined;
    readonly urgentAgeMs: number | undefined;
    readonly limit: number;
  },
  readonly RecomputeMark[]
> = {
  place: "scan",
  // Who became owed between two statements is found by the next round.
  *run(db, { now, ageMs, urgentAgeMs, limit }) {
    const urgent = yield* overdue(db, 1, now, urgentAgeMs, limit);
    const rest = yield* overdue(db, 0, now, ageMs, limit - urgent.length);
    return [...urgent, ...rest].map(toMark);
  },
};

/** Round robin: the oldest mark of every tenant, then the second oldest of every tenant, … */
function* overdue(
  db: Database,
  urgent: 0 | 1,
  now: Instant,
  ageMs: number | undefined,
  limit: number,
): Steps<readonly MarkRow[]> {
  if (limit <= 0 || ageMs === undefined) return [];
  const queues: MarkRow[][] = [];
  for (const tenantId of yield* tenantsThatOwe(db, urgent)) {
    const queue = yield* db.all<MarkRow>(
      `SELECT ${markColumns} FROM recompute ${db.dialect.indexedBy("recompute_owed")}
       WHERE done < wanted AND urgent = ? AND tenant_id = ? AND due_at <= ? AND since <= ? ORDER BY since LIMIT ?`,
      urgent,
      tenantId,
      // A mark that became due just now is not old, however long ago it was made.
      now - ageMs,
      now - ageMs,
      limit,
    );
    queues.push(queue);
  }
  const rounds = Math.max(0, ...queues.map((queue) => queue.length));
  const rows = Array.from({ length: rounds }, (_, round) =>
    queues.flatMap((queue) => queue[round] ?? []),
  );
  return rows.flat().slice(0, limit);
}

/** Jumps from tenant to tenant in the index, instead of reading all that is owed. */
function* tenantsThatOwe(db: Database, urgent: 0 | 1): Steps<readonly TenantId[]> {
  return (yield* db.all<{ tenant_id: TenantId }>(
    `WITH RECURSIVE owing (tenant_id) AS (
         SELECT min(tenant_id) FROM recompute WHERE done < wanted AND urgent = ?
         UNION ALL
         SELECT (SELECT min(tenant_id) FROM recompute WHERE done < wanted AND urgent = ? AND tenant_id > owing.tenant_id)
         FROM owing WHERE owing.tenant_id IS NOT NULL
       ) SELECT tenant_id FROM owing WHERE tenant_id IS NOT NULL`,
    urgent,
    urgent,
  )).map((row) => row.tenant_id);
}

export const readMarks: Query<
  { readonly tenantId: TenantId; readonly identityIds: readonly IdentityId[] },
  readonly RecomputeMark[]
> = {
  place: "point",
  *run(db, { tenantId, identityIds }) {
    return (yield* db.all<MarkRow>(
      `SELECT ${markColumns} FROM ${db.dialect.values("ids")} CROSS JOIN recompute r
         WHERE r.tenant_id = ? AND r.identity_id = ids.value ORDER BY ids.key`,
      JSON.stringify([...new Set(identityIds)]),
      tenantId,
    )).map(toMark);
  },
};

export const recomputeBacklog: Query<
  { readonly now: Instant },
  {
    readonly owed: number;
    readonly urgentOwed: number;
    readonly oldestSince: Instant | undefined;
    readonly oldestUrgentSince: Instant | undefined;
  }
> = {
  place: "scan",
  *run(db, { now }) {
    const row = yield* db.get<{
      owed: number;
      urgent: number;
      oldest: number | null;
      oldest_urgent: number | null;
    }>(
      // What waited for its time is owed since that time.
      `SELECT count(*) AS owed, coalesce(sum(urgent), 0) AS urgent, min(${db.dialect.greatest("since", "due_at")}) AS oldest,
         min(CASE WHEN urgent = 1 THEN ${db.dialect.greatest("since", "due_at")} END) AS oldest_urgent
       FROM recompute ${db.dialect.indexedBy("recompute_owed")} WHERE done < wanted AND due_at <= ?`,
      now,
    );
    return {
      owed: row?.owed ?? 0,
      urgentOwed: row?.urgent ?? 0,
      oldestSince: row?.oldest ?? undefined,
      oldestUrgentSince: row?.oldest_urgent ?? undefined,
    };
  },
};

export const anyFanout: Query<{ readonly now: Instant }, boolean> = {
  place: "point",
  *run(db, { now }) {
    const row = yield* db.get<{ found: number }>(
      "SELECT 1 AS found FROM fanouts WHERE lease_until <= ? LIMIT 1",
      now,
    );
    return row !== undefined;
  },
};

export const recomputeQueries = {
  anyFanout,
  listUnpublished,
  listOverdue,
  readMarks,
  recomputeBacklog,
};
