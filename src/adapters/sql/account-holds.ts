import type { Hold, RailEntry } from "../../accounts/rail.ts";
import { StoreError } from "../../model/errors.ts";
import type { TenantId } from "../../model/ids.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Also } from "../../model/records.ts";
import { listText, type Answer, type Asked, type Commanded } from "./account-args.ts";
import { closeEmptiedHold, lockCounted } from "./account-rails.ts";
import {
  entryColumns,
  openEntry,
  toHold,
  toRailEntry,
  type EntryRow,
  type HoldRow,
} from "./account-rows.ts";
import { wakeOne } from "./account-targets.ts";
import { writeAlso } from "./also.ts";
import type { Database, Steps } from "./database.ts";
import type { Query } from "./engine.ts";

export function* decideHold(
  db: Database,
  { tenantId, command, also }: Commanded<"decideHold">,
): Steps<Answer<"decideHold">> {
  const { holdId, now } = command;
  const asked = yield* db.get<{ scope: string }>(
    "SELECT scope FROM holds WHERE tenant_id = ? AND hold_id = ?",
    tenantId,
    holdId,
  );
  if (asked !== undefined) {
    // In the order of every other command: what is counted together, then the targets, then the hold.
    yield* lockCounted(db, tenantId, asked.scope === "", asked.scope === "" ? [] : [asked.scope]);
    yield* db.lock(
      `SELECT 1 FROM targets WHERE tenant_id = ? AND (connection_id, identity_id) IN
         (SELECT connection_id, identity_id FROM rail_entries WHERE tenant_id = ? AND hold_id = ? AND state = 'held')
       ORDER BY connection_id, identity_id FOR NO KEY UPDATE`,
      tenantId,
      tenantId,
      holdId,
    );
  }
  const hold = yield* db.get<{ state: Hold["state"] }>(
    `SELECT state FROM holds WHERE tenant_id = ? AND hold_id = ? ${db.dialect.forUpdate}`,
    tenantId,
    holdId,
  );
  if (hold === undefined) throw new StoreError("NOT_FOUND", `there is no hold ${holdId}`);
  if (hold.state !== "open")
    throw new StoreError("VERSION_CONFLICT", `the hold ${holdId} is ${hold.state} already`);
  const chosen = yield* db.all<ChosenEntry>(
    `SELECT entry_id, connection_id, identity_id, approved_by FROM rail_entries
     WHERE tenant_id = ? AND hold_id = ? AND state = 'held' AND (? = 1 OR identity_id IN (SELECT value FROM ${db.dialect.values("list")}))`,
    tenantId,
    holdId,
    command.identityIds === "all",
    listText(command.identityIds === "all" ? [] : command.identityIds),
  );
  const approved = command.decision === "approve";
  const two = approved && (yield* needsTwo(db, tenantId, holdId, command.twoAbove));
  const settled = two ? chosen.filter((entry) => isSecond(entry, command.by)) : chosen;
  for (const entry of chosen) {
    if (settled.includes(entry)) continue;
    yield* db.tell(
      "UPDATE rail_entries SET approved_by = coalesce(approved_by, CAST(? AS TEXT)) WHERE tenant_id = ? AND entry_id = ?",
      command.by,
      tenantId,
      entry.entry_id,
    );
  }
  for (const entry of settled) {
    yield* db.tell(
      "UPDATE rail_entries SET state = ?, decided = ? WHERE tenant_id = ? AND entry_id = ?",
      approved ? "approved" : "rejected",
      approved,
      tenantId,
      entry.entry_id,
    );
  }
  if (settled.length > 0) {
    yield* db.tell(
      "UPDATE holds SET decided_by = ?, decided_at = ? WHERE tenant_id = ? AND hold_id = ?",
      command.by,
      now,
      tenantId,
      holdId,
    );
    yield* closeEmptiedHold(db, tenantId, holdId, now);
  }
  const targets = new Set(settled.map((entry) => `${entry.connection_id}\n${entry.identity_id}`));
  for (const key of targets) {
    const [connectionId = "", identityId = ""] = key.split("\n");
    yield* wakeOne(db, { tenantId, connectionId, identityId }, null, now);
  }
  const counts = { settled: settled.length, seconding: chosen.length - settled.length };
  yield* writeAlso(db, tenantId, { ...also, records: withCounts(also.records, counts) }, now);
  const after = yield* db.get<{ state: Hold["state"] }>(
    "SELECT state FROM holds WHERE tenant_id = ? AND hold_id = ?",
    tenantId,
    holdId,
  );
  return {
    entries: settled.length,
    people: new Set(settled.map((entry) => entry.identity_id)).size,
    open: after?.state === "open",
    seconding: chosen.length - settled.length,
  };
}

/** What became of a decision is known here alone; its record says it. */
function withCounts(records: Also["records"], counts: JsonObject): Also["records"] {
  return records.map((record, at) =>
    at === 0 ? { ...record, facts: { ...record.facts, ...counts } } : record,
  );
}

interface ChosenEntry {
  readonly entry_id: string;
  readonly connection_id: string;
  readonly identity_id: string;
  readonly approved_by: string | null;
}

function isSecond(entry: ChosenEntry, by: string): boolean {
  return entry.approved_by !== null && entry.approved_by !== by;
}

/** Counted under the locks of the decision: people who join a batch later count as those who were there. */
function* needsTwo(
  db: Database,
  tenantId: TenantId,
  holdId: string,
  twoAbove: number | undefined,
): Steps<boolean> {
  if (twoAbove === undefined) return false;
  const row = yield* db.get<{ people: number }>(
    "SELECT count(DISTINCT identity_id) AS people FROM rail_entries WHERE tenant_id = ? AND hold_id = ? AND state <> 'cancelled'",
    tenantId,
    holdId,
  );
  return (row?.people ?? 0) > twoAbove;
}

/** A hold with what is in it now; entries that were cancelled are in it no more. */
const holdSelect = `SELECT h.hold_id, h.scope, h.rail, h.count_key, h.state, h.opened_at, h.decided_at, h.decided_by, h.tripped_count, h.allowance,
  (SELECT count(*) FROM rail_entries e WHERE e.tenant_id = h.tenant_id AND e.hold_id = h.hold_id AND e.state <> 'cancelled') AS entries,
  (SELECT count(DISTINCT identity_id) FROM rail_entries e WHERE e.tenant_id = h.tenant_id AND e.hold_id = h.hold_id AND e.state <> 'cancelled') AS people,
  (SELECT min(approved_by) FROM rail_entries e WHERE e.tenant_id = h.tenant_id AND e.hold_id = h.hold_id AND e.state = 'held') AS first_by
  FROM holds h`;

export const listHolds: Query<Asked<"listHolds">, readonly Hold[]> = {
  place: "scan",
  *run(db, { tenantId, command }) {
    const byState = command.state !== undefined;
    return (yield* db.all<HoldRow>(
      `${holdSelect} WHERE h.tenant_id = ? ${byState ? "AND h.state = ?" : ""} ORDER BY h.opened_at DESC, h.hold_id DESC LIMIT ?`,
      tenantId,
      ...(command.state === undefined ? [] : [command.state]),
      command.limit,
    )).map(toHold);
  },
};

export const getHold: Query<{ tenantId: TenantId; holdId: string }, Hold | undefined> = {
  place: "scan",
  *run(db, { tenantId, holdId }) {
    const row = yield* db.get<HoldRow>(
      `${holdSelect} WHERE h.tenant_id = ? AND h.hold_id = ?`,
      tenantId,
      holdId,
    );
    return row === undefined ? undefined : toHold(row);
  },
};

export const listRailEntries: Query<Asked<"listRailEntries">, readonly RailEntry[]> = {
  place: "scan",
  *run(db, { tenantId, command }) {
    const { connectionId, identityId, holdId, after } = command;
    const conditions = [
      ["connection_id = ?", connectionId],
      ["identity_id = ?", identityId],
      ["hold_id = ?", holdId],
      ["entry_id > ?", after],
    ].filter((item): item is [string, string] => item[1] !== undefined);
    return (yield* db.all<EntryRow>(
      `SELECT ${entryColumns} FROM rail_entries WHERE ${["tenant_id = ?", ...conditions.map(([sql]) => sql), openEntry].join(" AND ")} ORDER BY entry_id LIMIT ?`,
      tenantId,
      ...conditions.map(([, value]) => value),
      command.limit,
    )).map(toRailEntry);
  },
};
