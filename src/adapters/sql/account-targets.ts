import type { LeasedTarget, Priority, Target } from "../../accounts/target.ts";
import type { Instant } from "../../model/clock.ts";
import {
  listText,
  parsed,
  type Answer,
  type Asked,
  type Commanded,
  type TargetKey,
} from "./account-args.ts";
import { targetColumns, toLeasedTarget, toTarget, type TargetRow } from "./account-rows.ts";
import { writeAlso } from "./also.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { AccountStore } from "../../accounts/account-store.ts";
import type { Query } from "./engine.ts";
import { writeLook } from "./observed-accounts.ts";
import type { SqlDialect } from "./sql-dialect.ts";
import type { TenantId } from "../../model/ids.ts";

const byKey = "tenant_id = ? AND connection_id = ? AND identity_id = ?";

interface LaneTurn {
  readonly tenant_id: string;
  readonly connection_id: string;
  readonly leavers_only: number;
  readonly normal_leases: number;
  readonly urgent_leases: number;
  /** Who may be leased, by priority: lists of identity and instant. */
  readonly ready_0: string;
  readonly ready_1: string;
  readonly ready_2: string;
}

const leaversOnly =
  "EXISTS (SELECT 1 FROM stops s WHERE s.tenant_id = l.tenant_id AND s.connection_id IN ('', l.connection_id) AND s.covers = 'all-but-leavers')";
const ofLane = "t.tenant_id = l.tenant_id AND t.connection_id = l.connection_id";

/**
 * Lanes that may hand out targets now (?1), with the leases that run in each and the first of those that are ready (?2: so many of
 * a lane). A switch that covers one direction hands out all: which step it stops is the gate's question.
 */
const lanesInTurn = ({ rowList }: SqlDialect) => {
  const ready = (priority: Priority) =>
    `(SELECT ${rowList("r.identity_id", "r.ready_at")} FROM (SELECT t.identity_id, t.ready_at FROM targets t
        WHERE ${ofLane} AND t.priority = ${String(priority)} AND t.ready_at <= ?1 ORDER BY t.ready_at LIMIT ?2) AS r) AS ready_${String(priority)}`;
  const leases = (which: string) =>
    `(SELECT count(*) FROM targets t WHERE ${ofLane} AND t.lease_owner IS NOT NULL AND t.lease_until > ?1 AND t.priority ${which})`;
  return `SELECT l.tenant_id, l.connection_id, ${leaversOnly} AS leavers_only,
      ${leases("> 0")} AS normal_leases, ${leases("= 0")} AS urgent_leases, ${ready(0)}, ${ready(1)}, ${ready(2)}
    FROM lanes l
    WHERE l.state = 'open' AND coalesce(l.breaker_until, 0) <= ?1
      AND NOT EXISTS (SELECT 1 FROM stops s WHERE s.tenant_id = l.tenant_id AND s.connection_id IN ('', l.connection_id) AND s.covers = 'all')
      AND EXISTS (SELECT 1 FROM targets t WHERE ${ofLane} AND t.priority IN (0, 1, 2) AND t.ready_at <= ?1)`;
};

interface Ready {
  readonly lane: LaneTurn;
  readonly identityId: string;
  readonly priority: Priority;
  readonly readyAt: Instant;
}

/** Whoever leases has a turn of the whole fleet: two who count one lane at once would both fill its free places. Any number that is no other's. */
const leaseTurn = 7_265_434;

export function* leaseTargets(
  db: Database,
  command: Parameters<AccountStore["leaseTargets"]>[0],
): Steps<readonly LeasedTarget[]> {
  const { now } = command;
  // No row is locked before it is taken: the gate of running work shares the rows of lanes, and would wait here and be waited for.
  yield* db.lock("SELECT pg_advisory_xact_lock(?)", leaseTurn);
  const most = Math.min(command.limit, Math.max(command.perLane, command.perLaneUrgent));
  const lanes = yield* db.all<LaneTurn>(lanesInTurn(db.dialect), now, most);
  const ready = lanes.flatMap((lane) => readyOf(lane, command));
  ready.sort((a, b) => a.priority - b.priority || a.readyAt - b.readyAt);
  const until = now + command.leaseMs;
  const rows = yield* db.together(
    ...ready
      .slice(0, command.limit)
      .map(({ lane, identityId }) =>
        db.get<TargetRow>(
          `UPDATE targets SET lease_owner = ?, lease_until = ?, ready_at = ?, fence = fence + 1 WHERE ${byKey} AND ready_at <= ? RETURNING ${targetColumns}`,
          command.owner,
          until,
          until,
          lane.tenant_id,
          lane.connection_id,
          identityId,
          now,
        ),
      ),
  );
  return rows.flatMap((row) => (row === undefined ? [] : [toLeasedTarget(row)]));
}

/** Those of a lane for whom it has a free place. */
function readyOf(
  lane: LaneTurn,
  command: { readonly perLane: number; readonly perLaneUrgent: number },
): readonly Ready[] {
  const listed = (text: string, priority: Priority) =>
    parsed<readonly (readonly [string, Instant])[]>(text).map(([identityId, readyAt]) => ({
      lane,
      identityId,
      priority,
      readyAt,
    }));
  const free = (places: number, leases: number) => Math.max(0, places - leases);
  const urgent = listed(lane.ready_0, 0).slice(0, free(command.perLaneUrgent, lane.urgent_leases));
  if (lane.leavers_only === 1) return urgent;
  const others = [...listed(lane.ready_1, 1), ...listed(lane.ready_2, 2)];
  return [...urgent, ...others.slice(0, free(command.perLane, lane.normal_leases))];
}

export function* renewLease(
  db: Database,
  { tenantId, command }: Asked<"renewLease">,
): Steps<Answer<"renewLease">> {
  return (
    (yield* db.run(
      `UPDATE targets SET lease_until = ?, ready_at = ? WHERE ${byKey} AND fence = ? AND lease_owner IS NOT NULL`,
      command.until,
      command.until,
      tenantId,
      command.connectionId,
      command.identityId,
      command.fence,
    )) > 0
  );
}

/** Whether no reason to look again came while it was worked on (?1: `wake` as it was leased): else what the worker concluded may be old. */
const asLeased = "wake = ?1";

export function* releaseTarget(
  db: Database,
  { tenantId, command, also }: Commanded<"releaseTarget">,
): Steps<Answer<"releaseTarget">> {
  if (command.look !== undefined)
    yield* writeLook(db, { tenantId, connectionId: command.connectionId }, command.look);
  const dueAt = `CASE WHEN ${asLeased} THEN CAST(?4 AS BIGINT) ELSE CAST(?5 AS BIGINT) END`;
  const released = yield* db.run(
    `UPDATE targets SET lease_owner = NULL, lease_until = 0, state = CASE WHEN ${asLeased} THEN ?2 ELSE 'due' END, reason = CASE WHEN ${asLeased} THEN ?3 END,
       due_at = ${dueAt}, ready_at = ${dueAt}, attempts = CASE WHEN ${asLeased} THEN ?6 ELSE attempts END, notes = ?7,
       applied_generation = ${db.dialect.greatest("applied_generation", "?8")}, verified_at = coalesce(?9, verified_at)
     WHERE tenant_id = ?10 AND connection_id = ?11 AND identity_id = ?12 AND fence = ?13 AND lease_owner IS NOT NULL`,
    command.wake,
    command.state,
    command.reason === null ? null : documentText(command.reason),
    command.dueAt,
    command.now,
    command.attempts,
    documentText(command.notes),
    command.applied?.generation ?? 0,
    command.applied?.at ?? null,
    tenantId,
    command.connectionId,
    command.identityId,
    command.fence,
  );
  if (released === 0) return false;
  yield* writeAlso(db, tenantId, also, command.now);
  return true;
}

/** `ready_at` of a target that is due now: the end of its lease where somebody has it. */
export const readyAt = (table: "" | "targets.", now: string) =>
  `CASE WHEN ${table}lease_owner IS NULL THEN ${now} ELSE ${table}lease_until END`;

/**
 * Parameters: now, priority (or null), tenant, connection. A leaver stays one whoever wakes them; others keep the higher of two
 * priorities while they are due.
 */
const wakeSql = ({ least }: SqlDialect) =>
  `UPDATE targets SET wake = wake + 1, due_at = ?1, ready_at = ${readyAt("", "?1")}, state = 'due', reason = NULL,
     priority = CASE WHEN lifecycle = 'departed' THEN 0 WHEN due_at IS NULL THEN coalesce(?2, priority) ELSE ${least("priority", "coalesce(?2, priority)")} END
   WHERE tenant_id = ?3 AND connection_id = ?4`;

/** `priority` null: as it was. Answers how many targets there were to wake. */
export function* wakeOne(
  db: Database,
  target: TargetKey,
  priority: Priority | null,
  now: Instant,
): Steps<number> {
  return yield* db.run(
    `${wakeSql(db.dialect)} AND identity_id = ?5`,
    now,
    priority,
    target.tenantId,
    target.connectionId,
    target.identityId,
  );
}

export function* wakeTargets(
  db: Database,
  { tenantId, command, also }: Commanded<"wakeTargets">,
): Steps<Answer<"wakeTargets">> {
  const { connectionId, identityIds, priority, now } = command;
  let woken = 0;
  if (identityIds === "all") {
    woken = yield* db.run(wakeSql(db.dialect), now, priority, tenantId, connectionId);
  } else {
    for (const identityId of [...new Set(identityIds)].toSorted()) {
      woken += yield* wakeOne(db, { tenantId, connectionId, identityId }, priority, now);
    }
  }
  yield* writeAlso(db, tenantId, also, now);
  return woken;
}

export const getTarget: Query<TargetKey, Target | undefined> = {
  place: "point",
  *run(db, { tenantId, connectionId, identityId }) {
    const row = yield* db.get<TargetRow>(
      `SELECT ${targetColumns} FROM targets WHERE ${byKey}`,
      tenantId,
      connectionId,
      identityId,
    );
    return row === undefined ? undefined : toTarget(row);
  },
};

export const listTargets: Query<Asked<"listTargets">, readonly Target[]> = {
  place: "scan",
  *run(db, { tenantId, command }) {
    const { sql, parameters } = pageOfPairs(command);
    const states = command.states;
    return (yield* db.all<TargetRow>(
      `SELECT ${targetColumns} FROM targets WHERE tenant_id = ? ${sql} ${states === undefined ? "" : `AND state IN (SELECT value FROM ${db.dialect.values("list")})`}
         ORDER BY identity_id, connection_id LIMIT ?`,
      tenantId,
      ...parameters,
      ...(states === undefined ? [] : [listText(states)]),
      command.limit,
    )).map(toTarget);
  },
};

/** Rows of identity × connection in the order of both: `after` is an identity, or `identity/connection` to go on inside a person. */
export function pageOfPairs(filter: {
  readonly identityId?: string;
  readonly connectionId?: string;
  readonly after?: string;
}): { readonly sql: string; readonly parameters: readonly string[] } {
  const conditions: string[] = [];
  const parameters: string[] = [];
  const add = (sql: string, ...values: readonly string[]) => {
    conditions.push(`AND ${sql}`);
    parameters.push(...values);
  };
  if (filter.identityId !== undefined) add("identity_id = ?", filter.identityId);
  if (filter.connectionId !== undefined) add("connection_id = ?", filter.connectionId);
  if (filter.after !== undefined) {
    const [identityId = "", connectionId] = filter.after.split("/");
    if (connectionId === undefined) add("identity_id > ?", identityId);
    else add("(identity_id, connection_id) > (?, ?)", identityId, connectionId);
  }
  return { sql: conditions.join(" "), parameters };
}

interface CountRow {
  readonly tenant_id: string;
  readonly connection_id: string;
  readonly state: Target["state"];
  readonly lifecycle: "active" | "departed";
  readonly count: number;
  readonly oldest: Instant | null;
  readonly retrying: number;
  readonly oldest_retry: Instant | null;
}

const tried = "attempts > 0 AND applied_generation < generation";

export const targetCounts: Query<{ tenantId: TenantId | null }, Answer<"targetCounts">> = {
  place: "scan",
  *run(db, { tenantId }) {
    return (yield* db.all<CountRow>(
      `SELECT tenant_id, connection_id, state, lifecycle, count(*) AS count, min(CASE WHEN applied_generation < generation THEN wished_at END) AS oldest,
           count(CASE WHEN ${tried} THEN 1 END) AS retrying, min(CASE WHEN ${tried} THEN wished_at END) AS oldest_retry
         FROM targets ${tenantId === null ? "" : "WHERE tenant_id = ?"} GROUP BY tenant_id, connection_id, state, lifecycle`,
      ...(tenantId === null ? [] : [tenantId]),
    )).map((row) => ({
      tenantId: row.tenant_id as TenantId,
      connectionId: row.connection_id as Answer<"targetCounts">[number]["connectionId"],
      state: row.state,
      lifecycle: row.lifecycle,
      count: row.count,
      oldestWishedAt: row.oldest,
      retrying: row.retrying,
      oldestRetryWishedAt: row.oldest_retry,
    }));
  },
};

const firstReady = (priority: Priority) =>
  `(SELECT min(ready_at) FROM targets t WHERE t.tenant_id = l.tenant_id AND t.connection_id = l.connection_id AND t.priority = ${String(priority)} AND t.ready_at IS NOT NULL)`;
export const nextTargetDueAt: Query<null, Instant | undefined> = {
  place: "point",
  *run(db) {
    const lanes = yield* db.all<{ breaker_until: Instant | null } & Record<string, Instant | null>>(
      `SELECT l.breaker_until, ${firstReady(0)} AS urgent,
         CASE WHEN ${leaversOnly} THEN NULL ELSE ${firstReady(1)} END AS normal, CASE WHEN ${leaversOnly} THEN NULL ELSE ${firstReady(2)} END AS low
       FROM lanes l WHERE l.state = 'open'
         AND NOT EXISTS (SELECT 1 FROM stops s WHERE s.tenant_id = l.tenant_id AND s.connection_id IN ('', l.connection_id) AND s.covers = 'all')`,
    );
    const ready = lanes.flatMap(({ breaker_until, urgent, normal, low }) =>
      [urgent, normal, low].flatMap((at) =>
        at === null || at === undefined ? [] : [Math.max(at, breaker_until ?? 0)],
      ),
    );
    return ready.length === 0 ? undefined : Math.min(...ready);
  },
};
