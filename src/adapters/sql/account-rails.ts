import type { RailRequest } from "../../accounts/rail.ts";
import type { Instant } from "../../model/clock.ts";
import { asId, type ConnectionId, type HoldId, type TenantId } from "../../model/ids.ts";
import type { RailPolicy } from "../../model/policy.ts";
import type { RailWish } from "../../model/rail.ts";
import { leaverRule, limitOf, peopleAtMost, type CountGroup } from "./account-rail-limits.ts";
import { entryColumns, openEntry, type EntryRow } from "./account-rows.ts";
import type { TargetKey } from "./account-args.ts";
import { writeRecord } from "./also.ts";
import type { Database, Steps } from "./database.ts";
import { isEmergency } from "./departure-queries.ts";

/**
 * Before anything is counted, and before a lane or tenant is stopped: whoever counts or stops the same things waits for this
 * command to end. `tenantWide` is for what is counted over all lanes. One order for everybody: the tenant, then lanes by name.
 */
export function* lockCounted(
  db: Database,
  tenantId: string,
  tenantWide: boolean,
  connectionIds: readonly string[],
): Steps<void> {
  if (tenantWide)
    yield* db.lock("SELECT 1 FROM tenants WHERE tenant_id = ? FOR NO KEY UPDATE", tenantId);
  if (connectionIds.length > 0)
    yield* db.lock(
      `SELECT 1 FROM lanes WHERE tenant_id = ? AND connection_id IN (SELECT value FROM ${db.dialect.values("list")}) ORDER BY connection_id FOR NO KEY UPDATE`,
      tenantId,
      JSON.stringify(connectionIds),
    );
}

/** As `lockCounted`, for all rails of a command. */
export function* lockRails(
  db: Database,
  tenantId: string,
  requests: readonly { readonly connectionId: string; readonly rail: RailRequest }[],
): Steps<void> {
  const wishes = requests.flatMap(({ rail }) => rail.wishes);
  if (wishes.length === 0) return;
  yield* lockCounted(
    db,
    tenantId,
    wishes.some((wish) => wish.rail === "leavers"),
    requests.flatMap(({ connectionId, rail }) => (rail.wishes.length > 0 ? [connectionId] : [])),
  );
}

/**
 * Counts the intended changes of one target, as `RailRequest` says. `cancelOthers`: the wishes are all that is intended now, so
 * open entries that are not among them end. Answers the holds that it opened.
 */
export function* reserveEntries(
  db: Database,
  target: TargetKey,
  request: RailRequest,
  options: { readonly cancelOthers: boolean; readonly now: Instant },
): Steps<readonly HoldId[]> {
  const { now } = options;
  const open = yield* db.all<EntryRow>(
    `SELECT ${entryColumns} FROM rail_entries WHERE tenant_id = ? AND connection_id = ? AND identity_id = ? AND ${openEntry} ORDER BY reserved_at, entry_id`,
    target.tenantId,
    target.connectionId,
    target.identityId,
  );
  const intended = new Set<string>();
  const fresh = new Map<string, { group: CountGroup; entryIds: string[] }>();
  for (const [index, wish] of request.wishes.entries()) {
    const known = open.find((entry) => saysTheSame(entry, wish) && !intended.has(entry.entry_id));
    const newId = request.entryIds[index];
    const group = groupOf(target, wish);
    const entryId = known === undefined ? newId : known.entry_id;
    if (entryId === undefined) throw new RangeError("a rail request needs an entry id per wish");
    intended.add(entryId);
    if (known === undefined) yield* insertEntry(db, target, entryId, wish, group, now);
    else if (!(yield* recount(db, target.tenantId, known, wish, group, now))) continue;
    const key = `${group.scope}\n${group.rail}\n${group.countKey}`;
    const item = fresh.get(key) ?? { group, entryIds: [] };
    item.entryIds.push(entryId);
    fresh.set(key, item);
  }
  if (options.cancelOthers) {
    for (const entry of open) {
      if (!intended.has(entry.entry_id)) yield* cancelEntry(db, target.tenantId, entry, now);
    }
  }
  const holdIds = [...request.holdIds];
  const opened: HoldId[] = [];
  for (const { group, entryIds } of fresh.values()) {
    const holdId = yield* judge(db, target, group, entryIds, request.policy, holdIds, now);
    if (holdId !== undefined) opened.push(holdId);
  }
  return opened;
}

function saysTheSame(entry: EntryRow, wish: RailWish): boolean {
  return (
    entry.kind === wish.slot.kind &&
    entry.object_id === wish.slot.objectId &&
    entry.direction === wish.direction &&
    entry.role_to === wish.roleTo
  );
}

function groupOf(target: TargetKey, wish: Pick<RailWish, "rail" | "causeKey">): CountGroup {
  const byCause = wish.rail === "one_cause" || wish.rail === "source";
  return {
    tenantId: target.tenantId,
    scope: wish.rail === "leavers" ? "" : target.connectionId,
    rail: wish.rail,
    // Leavers whom two sources name are counted apart from those whom one does.
    countKey: byCause || wish.rail === "leavers" ? wish.causeKey : "",
  };
}

function* insertEntry(
  db: Database,
  target: TargetKey,
  entryId: string,
  wish: RailWish,
  group: CountGroup,
  now: Instant,
): Steps<void> {
  yield* db.tell(
    `INSERT INTO rail_entries (tenant_id, entry_id, connection_id, identity_id, kind, object_id, direction, role_from, role_to, rail, cause_key, scope, count_key, not_before, state, reserved_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'reserved', ?)`,
    target.tenantId,
    entryId,
    target.connectionId,
    target.identityId,
    wish.slot.kind,
    wish.slot.objectId,
    wish.direction,
    wish.roleFrom,
    wish.roleTo,
    wish.rail,
    wish.causeKey,
    group.scope,
    group.countKey,
    wish.notBefore,
    now,
  );
}

/** Keeps an open entry, or gives it the new rail and cause. Answers whether it has to be counted anew. */
function* recount(
  db: Database,
  tenantId: TenantId,
  entry: EntryRow,
  wish: RailWish,
  group: CountGroup,
  now: Instant,
): Steps<boolean> {
  // What is past the gate is decided; its outcome will say what it was.
  if (entry.state === "executing") return false;
  if (entry.rail === wish.rail && entry.cause_key === wish.causeKey) {
    if (wish.notBefore < entry.not_before) {
      yield* db.tell(
        "UPDATE rail_entries SET not_before = ? WHERE tenant_id = ? AND entry_id = ?",
        wish.notBefore,
        tenantId,
        entry.entry_id,
      );
    }
    return false;
  }
  yield* db.tell(
    `UPDATE rail_entries SET rail = ?, cause_key = ?, scope = ?, count_key = ?, role_from = ?, not_before = ?, state = 'reserved', decided = 0, hold_id = NULL, reserved_at = ?
     WHERE tenant_id = ? AND entry_id = ?`,
    wish.rail,
    wish.causeKey,
    group.scope,
    group.countKey,
    wish.roleFrom,
    wish.notBefore,
    now,
    tenantId,
    entry.entry_id,
  );
  if (entry.hold_id !== null) yield* closeEmptiedHold(db, tenantId, entry.hold_id, now);
  return true;
}

function* cancelEntry(
  db: Database,
  tenantId: TenantId,
  entry: EntryRow,
  now: Instant,
): Steps<void> {
  if (entry.state === "executing") return;
  yield* db.tell(
    "UPDATE rail_entries SET state = 'cancelled' WHERE tenant_id = ? AND entry_id = ?",
    tenantId,
    entry.entry_id,
  );
  if (entry.hold_id !== null) yield* closeEmptiedHold(db, tenantId, entry.hold_id, now);
}

/** An open hold in which nothing waits any more is over: decided where somebody decided on a part of it, else lapsed. */
export function* closeEmptiedHold(
  db: Database,
  tenantId: TenantId,
  holdId: string,
  now: Instant,
): Steps<void> {
  yield* db.lock(
    "SELECT 1 FROM holds WHERE tenant_id = ? AND hold_id = ? FOR NO KEY UPDATE",
    tenantId,
    holdId,
  );
  yield* db.tell(
    `UPDATE holds SET state = CASE WHEN decided_by IS NULL THEN 'lapsed' ELSE 'decided' END, decided_at = CASE WHEN decided_by IS NULL THEN NULL ELSE CAST(? AS BIGINT) END
     WHERE tenant_id = ? AND hold_id = ? AND state = 'open'
       AND NOT EXISTS (SELECT 1 FROM rail_entries e WHERE e.tenant_id = holds.tenant_id AND e.hold_id = holds.hold_id AND e.state = 'held')`,
    now,
    tenantId,
    holdId,
  );
}

/** The open hold of what is counted together, if there is one; nobody closes it before this command ends. */
export function* openHoldOf(
  db: Database,
  group: Pick<CountGroup, "tenantId" | "scope" | "rail" | "countKey">,
): Steps<string | undefined> {
  return (yield* db.get<{ hold_id: string }>(
    `SELECT hold_id FROM holds WHERE tenant_id = ? AND scope = ? AND rail = ? AND count_key = ? AND state = 'open' ${db.dialect.forUpdate}`,
    group.tenantId,
    group.scope,
    group.rail,
    group.countKey,
  ))?.hold_id;
}

/** Holds new entries where their rail says so. Answers the hold that it had to open. */
function* judge(
  db: Database,
  target: TargetKey,
  group: CountGroup,
  entryIds: readonly string[],
  policy: RailPolicy,
  holdIds: string[],
  now: Instant,
): Steps<HoldId | undefined> {
  if (group.rail === "leavers" && (yield* isEmergency(db, target.tenantId, target.identityId))) {
    yield* passDecided(db, target.tenantId, entryIds);
    return undefined;
  }
  const fresh = entryIds.length;
  const open = yield* openHoldOf(db, group);
  if (open !== undefined && group.rail !== "leavers") {
    yield* holdEntries(db, group, open, entryIds);
    return undefined;
  }
  // Counting a tenant's people costs: those within the floor do without, and behind an open hold its own allowance stands.
  if (group.rail === "leavers") {
    const rule = leaverRule(group, policy);
    const limit = { allowance: rule.floor, windowMs: rule.windowMs };
    const people = yield* peopleAtMost(db, group, { limit, fresh, now });
    if (people <= rule.floor) return undefined;
    if (open !== undefined && people > (yield* allowanceOf(db, group.tenantId, open))) {
      yield* holdEntries(db, group, open, entryIds);
      return undefined;
    }
  }
  const limit = yield* limitOf(db, group, policy);
  const count = yield* peopleAtMost(db, group, { limit, fresh, now });
  if (group.rail !== "source" && count <= limit.allowance) return undefined;
  const holdId = open ?? holdIds.shift();
  if (holdId === undefined) throw new RangeError("a rail request needs a hold id per rail");
  if (open === undefined) yield* openHold(db, target, group, { holdId, count, ...limit }, now);
  // Leavers that came under the cap go on; of every other rail nothing that has not been sent yet passes without a decision.
  const all = group.rail === "leavers" || group.rail === "source" ? entryIds : undefined;
  yield* holdEntries(db, group, holdId, all);
  return open === undefined ? asId<HoldId>(holdId) : undefined;
}

function* allowanceOf(db: Database, tenantId: string, holdId: string): Steps<number> {
  const row = yield* db.get<{ allowance: number }>(
    "SELECT allowance FROM holds WHERE tenant_id = ? AND hold_id = ?",
    tenantId,
    holdId,
  );
  return row?.allowance ?? 0;
}

/** A person named them: they run, and do not count. */
function* passDecided(db: Database, tenantId: string, entryIds: readonly string[]): Steps<void> {
  for (const entryId of entryIds) {
    yield* db.tell(
      "UPDATE rail_entries SET state = 'approved', decided = 1 WHERE tenant_id = ? AND entry_id = ? AND state = 'reserved'",
      tenantId,
      entryId,
    );
  }
}

/** `entryIds` undefined: every reserved entry of the group. */
function* holdEntries(
  db: Database,
  group: CountGroup,
  holdId: string,
  entryIds: readonly string[] | undefined,
): Steps<void> {
  if (entryIds === undefined) {
    yield* db.tell(
      `UPDATE rail_entries SET state = 'held', approved_by = NULL, hold_id = ?
       WHERE tenant_id = ? AND scope = ? AND rail = ? AND count_key = ? AND decided = 0 AND state IN ('reserved', 'executing', 'executed') AND state = 'reserved'`,
      holdId,
      group.tenantId,
      group.scope,
      group.rail,
      group.countKey,
    );
    return;
  }
  for (const entryId of entryIds) {
    yield* db.tell(
      "UPDATE rail_entries SET state = 'held', approved_by = NULL, hold_id = ? WHERE tenant_id = ? AND entry_id = ? AND state = 'reserved'",
      holdId,
      group.tenantId,
      entryId,
    );
  }
}

function* openHold(
  db: Database,
  target: TargetKey,
  group: CountGroup,
  trip: { readonly holdId: string; readonly count: number; readonly allowance: number },
  now: Instant,
): Steps<void> {
  yield* db.tell(
    "INSERT INTO holds (tenant_id, hold_id, scope, rail, count_key, state, opened_at, tripped_count, allowance) VALUES (?, ?, ?, ?, ?, 'open', ?, ?, ?)",
    group.tenantId,
    trip.holdId,
    group.scope,
    group.rail,
    group.countKey,
    now,
    trip.count,
    trip.allowance,
  );
  yield* writeRecord(db, group.tenantId, {
    // A hold opens once: its random id is as good for the one record of that.
    recordId: trip.holdId,
    at: now,
    actor: { kind: "system", id: "rails" },
    action: "hold.opened",
    subject: { type: "hold", id: trip.holdId },
    ...(group.scope === "" ? {} : { connectionId: asId<ConnectionId>(target.connectionId) }),
    facts: {
      rail: group.rail,
      causeKey: group.countKey,
      count: trip.count,
      allowance: trip.allowance,
    },
  });
}
