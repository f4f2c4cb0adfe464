import type { PersonState, TargetWish } from "../../accounts/account-store.ts";
import { priorities } from "../../accounts/target.ts";
import type { Instant } from "../../model/clock.ts";
import type { ConnectionId, HoldId, IdentityId, TenantId } from "../../model/ids.ts";
import { listText, type Answer, type Commanded, type TargetKey } from "./account-args.ts";
import { forgetBound } from "./account-rail-limits.ts";
import { lockCounted, lockRails, reserveEntries } from "./account-rails.ts";
import {
  entryColumns,
  grantColumns,
  ledgerColumns,
  linkColumns,
  observedColumns,
  openEntry,
  targetColumns,
  toGrant,
  toLedgerEntry,
  toLink,
  toObserved,
  toRailEntry,
  toTarget,
  type EntryRow,
  type GrantRow,
  type LedgerRow,
  type LinkRow,
  type ObservedRow,
  type TargetRow,
} from "./account-rows.ts";
import { readyAt, wakeOne } from "./account-targets.ts";
import { writeAlso, writeRecord } from "./also.ts";
import { noteLeaver } from "./case-commands.ts";
import { caseColumns, toCase, type CaseRow } from "./case-rows.ts";
import { confirmedLeave } from "../../model/rail.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { Query } from "./engine.ts";

export function* commitSync(
  db: Database,
  { tenantId, command, also }: Commanded<"commitSync">,
): Steps<Answer<"commitSync">> {
  const { identityId, now } = command;
  if (!(yield* settleMark(db, tenantId, command)))
    return { applied: false, changed: [], opened: [] };
  // Leavers that change their group are counted anew there: nobody else counts meanwhile.
  if (command.hrDeparted?.confirmed === true) yield* lockCounted(db, tenantId, true, []);
  yield* noteDeparture(db, tenantId, command);
  yield* lockRails(db, tenantId, command.wishes);
  const changed: ConnectionId[] = [];
  const opened: HoldId[] = [];
  for (const wish of command.wishes) {
    if (yield* writeWish(db, tenantId, identityId, wish, now)) {
      changed.push(wish.connectionId);
      yield* writeRecord(db, tenantId, wish.record);
    }
    const target = { tenantId, connectionId: wish.connectionId, identityId };
    opened.push(...(yield* reserveEntries(db, target, wish.rail, { cancelOthers: true, now })));
    // A second fact may have let somebody out of a hold: whoever works on them looks.
    if (wish.rail.wishes.some((item) => item.causeKey === confirmedLeave))
      yield* wakeHeld(db, target, now);
  }
  if (command.leaver !== undefined)
    yield* noteLeaver(db, tenantId, identityId, command.leaver, now);
  yield* writeAlso(db, tenantId, also, now);
  return { applied: true, changed, opened };
}

/** `done = wanted` of the read, unless a newer read was committed before. What was done before the bus took its hint needs none. */
function* settleMark(
  db: Database,
  tenantId: TenantId,
  command: Commanded<"commitSync">["command"],
): Steps<boolean> {
  const key = [tenantId, command.identityId] as const;
  const settled = yield* db.get<{ wanted: number }>(
    `UPDATE recompute SET done = ?1, published = ${db.dialect.greatest("published", "?1")}, urgent = CASE WHEN wanted > ?1 THEN urgent ELSE 0 END WHERE tenant_id = ?2 AND identity_id = ?3 AND done < ?1 AND wanted >= ?1 RETURNING wanted`,
    command.wanted,
    ...key,
  );
  if (settled === undefined) return false;
  // While something newer is owed, its own recompute will say when the next change of time comes.
  if (command.nextDueAt !== undefined && settled.wanted === command.wanted) {
    yield* db.tell(
      "UPDATE recompute SET wanted = wanted + 1, due_at = ?1, since = ?1, urgent = ?4, cause_kind = 'schedule', cause_key = NULL, traces = NULL WHERE tenant_id = ?2 AND identity_id = ?3",
      command.nextDueAt,
      ...key,
      command.nextUrgent ?? false,
    );
  }
  return true;
}

function* noteDeparture(
  db: Database,
  tenantId: TenantId,
  { identityId, hrDeparted }: Commanded<"commitSync">["command"],
): Steps<void> {
  if (hrDeparted === undefined) return;
  const news = yield* db.run(
    "UPDATE identities SET hr_departed = ?1 WHERE tenant_id = ?2 AND identity_id = ?3 AND hr_departed <> ?1",
    hrDeparted.value,
    tenantId,
    identityId,
  );
  if (news > 0) yield* writeRecord(db, tenantId, hrDeparted.record);
  // What was done on one fact alone is counted apart once there is the second.
  if (!hrDeparted.confirmed) return;
  const moved = yield* db.run(
    "UPDATE rail_entries SET cause_key = ?1, count_key = ?1 WHERE tenant_id = ?2 AND identity_id = ?3 AND rail = 'leavers' AND cause_key = '' AND state = 'executed'",
    confirmedLeave,
    tenantId,
    identityId,
  );
  if (moved > 0)
    yield* forgetBound(db, { tenantId, scope: "", rail: "leavers", countKey: confirmedLeave });
}

function* wakeHeld(db: Database, target: TargetKey, now: Instant): Steps<void> {
  const held = yield* db.get(
    "SELECT 1 FROM targets WHERE tenant_id = ? AND connection_id = ? AND identity_id = ? AND state = 'held'",
    target.tenantId,
    target.connectionId,
    target.identityId,
  );
  if (held !== undefined) yield* wakeOne(db, target, priorities.leaver, now);
}

/** Answers whether the wish is new. */
function* writeWish(
  db: Database,
  tenantId: TenantId,
  identityId: IdentityId,
  wish: TargetWish,
  now: Instant,
): Steps<boolean> {
  const { lifecycle } = wish.desired;
  const priority = lifecycle === "departed" ? priorities.leaver : wish.priority;
  return (
    (yield* db.run(
      `INSERT INTO targets (tenant_id, connection_id, identity_id, generation, applied_generation, wake, due_at, ready_at, priority, state, reason, lifecycle, hash, attempts, wished_at, cause, trace, notes, desired)
       VALUES (?, ?, ?, 1, 0, 1, ?, ?, ?, 'due', NULL, ?, ?, 0, ?, ?, ?, '{}', ?)
       ON CONFLICT (tenant_id, connection_id, identity_id) DO UPDATE SET
         generation = targets.generation + 1, wake = targets.wake + 1, attempts = 0, state = 'due', reason = NULL, due_at = excluded.due_at, ready_at = ${readyAt("targets.", "?")},
         priority = excluded.priority, lifecycle = excluded.lifecycle, hash = excluded.hash, wished_at = excluded.wished_at, cause = excluded.cause, trace = excluded.trace, desired = excluded.desired
       WHERE targets.hash <> excluded.hash`,
      tenantId,
      wish.connectionId,
      identityId,
      now,
      now,
      priority,
      lifecycle,
      wish.hash,
      now,
      wish.cause,
      wish.trace ?? null,
      documentText(wish.desired),
      now,
    )) > 0
  );
}

/** Lists longer than this are read by the thread for scans. */
const pointMax = 20;

interface PeopleArgs {
  readonly tenantId: TenantId;
  readonly identityIds: readonly IdentityId[];
}

export const readPeople: Query<PeopleArgs, readonly PersonState[]> = {
  place: ({ identityIds }) => (identityIds.length > pointMax ? "scan" : "point"),
  snapshot: true,
  run: peopleNow,
};

type GrantItem = PersonState["observedGrants"][number];

function* peopleNow(
  db: Database,
  { tenantId, identityIds }: PeopleArgs,
): Steps<readonly PersonState[]> {
  const asked = [tenantId, listText(identityIds)] as const;
  const ofPeople = `tenant_id = ? AND identity_id IN (SELECT value FROM ${db.dialect.values("list")})`;
  const targets = byPerson(
    yield* db.all<TargetRow>(`SELECT ${targetColumns} FROM targets WHERE ${ofPeople}`, ...asked),
    (row) => ({ ...toTarget(row), hash: row.hash }),
  );
  const links = byPerson(
    yield* db.all<LinkRow>(`SELECT ${linkColumns} FROM links WHERE ${ofPeople}`, ...asked),
    toLink,
  );
  const ledger = byPerson(
    yield* db.all<LedgerRow>(`SELECT ${ledgerColumns} FROM ledger WHERE ${ofPeople}`, ...asked),
    toLedgerEntry,
  );
  const entries = byPerson(
    yield* db.all<EntryRow>(
      `SELECT ${entryColumns} FROM rail_entries WHERE ${ofPeople} AND ${openEntry}`,
      ...asked,
    ),
    toRailEntry,
  );
  const ofLinks = `l.tenant_id = ? AND l.identity_id IN (SELECT value FROM ${db.dialect.values("list")})`;
  const observed = byPerson(
    yield* db.all<ObservedRow & { identity_id: string }>(
      `SELECT l.identity_id, ${observedColumns} FROM links l JOIN observed_accounts o USING (tenant_id, connection_id, account_id) WHERE ${ofLinks}`,
      ...asked,
    ),
    toObserved,
  );
  const grants = byPerson(
    yield* db.all<GrantRow & { identity_id: string }>(
      `SELECT l.identity_id, ${grantColumns} FROM links l JOIN observed_grants g USING (tenant_id, connection_id, account_id) WHERE ${ofLinks}`,
      ...asked,
    ),
    (row): GrantItem => ({ ...toGrant(row), connectionId: row.connection_id as ConnectionId }),
  );
  const cases = byPerson(
    yield* db.all<CaseRow>(
      `SELECT ${caseColumns} FROM leaver_cases WHERE ${ofPeople} AND returned_at IS NULL`,
      ...asked,
    ),
    toCase,
  );
  return identityIds.map((identityId) => ({
    identityId,
    leaverCase: cases.get(identityId)?.[0],
    targets: targets.get(identityId) ?? [],
    links: links.get(identityId) ?? [],
    ledger: ledger.get(identityId) ?? [],
    entries: entries.get(identityId) ?? [],
    observed: observed.get(identityId) ?? [],
    observedGrants: grants.get(identityId) ?? [],
  }));
}

function byPerson<Row extends { readonly identity_id: string }, Item>(
  rows: readonly Row[],
  toItem: (row: Row) => Item,
): ReadonlyMap<string, readonly Item[]> {
  const people = new Map<string, Item[]>();
  for (const row of rows) {
    const items = people.get(row.identity_id);
    if (items === undefined) people.set(row.identity_id, [toItem(row)]);
    else items.push(toItem(row));
  }
  return people;
}
