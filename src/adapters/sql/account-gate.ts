import type { GateRefusal, Intent, IntentState } from "../../accounts/intent.ts";
import type { StopSwitch } from "../../accounts/lane.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import { asId, type AccountId, type ConnectionId } from "../../model/ids.ts";
import type { IdentityId, IntentId, TenantId } from "../../model/ids.ts";
import { modeOf } from "../../model/policy.ts";
import { listText, parsed, type Asked, type Commanded, type TargetKey } from "./account-args.ts";
import { policyOf } from "./account-lanes.ts";
import { writeLedger, writeOutcomeLink } from "./account-links.ts";
import { lockCounted, openHoldOf } from "./account-rails.ts";
import { entryColumns, openEntry, type EntryRow } from "./account-rows.ts";
import { writeAlso } from "./also.ts";
import { closeIntent } from "./close-intent.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { Query } from "./engine.ts";
import { writeLook } from "./observed-accounts.ts";

type Step = Asked<"insertIntent">["command"];
type GateAnswer = { readonly ok: true } | ({ readonly ok: false } & GateRefusal);

/** Asks everything that may stop a write, in one transaction with the row that allows it. */
export function* insertIntent(
  db: Database,
  { tenantId, command }: Asked<"insertIntent">,
): Steps<GateAnswer> {
  const { adminRoles } = command;
  if (adminRoles !== undefined) yield* adminTurn(db, tenantId, command);
  // The lock comes first: what stands behind it is read when nobody can change it any more.
  const [row, stops, rail] = yield* db.together(
    lockedTarget(db, tenantId, command),
    db.all<Pick<StopSwitch, "covers">>(
      "SELECT covers FROM stops WHERE tenant_id = ? AND connection_id IN ('', ?)",
      tenantId,
      command.connectionId,
    ),
    command.direction === "neutral"
      ? leaverEntries(db, tenantId, command)
      : entriesOfChange(db, tenantId, command),
  );
  const refusal = refusalOfTarget(row, stops, command);
  if (refusal !== undefined) return { ok: false, ...refusal };
  if (row !== undefined && adminRoles !== undefined) {
    const others = yield* otherAdmins(db, tenantId, command, listText(adminRoles));
    if (others < policyOf(row).adminsMin) return { ok: false, why: "admin_floor" };
  }
  const pass = command.direction === "neutral" ? passWithAccount(rail) : passRail(rail, command);
  if ("why" in pass) return { ok: false, ...pass };
  yield* db.tell(
    `INSERT INTO intents (tenant_id, intent_id, connection_id, identity_id, step, kind, object_id, role_from, role_to, account_id, generation, fence, state, sent_at, not_after, entry_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'sent', ?, ?, ?)`,
    tenantId,
    command.intentId,
    command.connectionId,
    command.identityId,
    command.step,
    command.slot.kind,
    command.slot.objectId,
    command.roleFrom,
    command.roleTo,
    command.accountId,
    command.generation,
    command.fence,
    command.now,
    command.notAfter,
    pass.entryId,
  );
  if (pass.entryId !== null) {
    yield* db.tell(
      "UPDATE rail_entries SET state = 'executing' WHERE tenant_id = ? AND entry_id = ?",
      tenantId,
      pass.entryId,
    );
  }
  if (command.look !== undefined)
    yield* writeLook(db, { tenantId, connectionId: command.connectionId }, command.look, true);
  return { ok: true };
}

/** Writes that take an admin role of one connection pass one after the other, so that each sees the others'. */
function* adminTurn(db: Database, tenantId: TenantId, step: Step): Steps<void> {
  yield* db.lock(
    "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))",
    `admins of ${tenantId}/${step.connectionId}`,
  );
}

/** Active admins beside this one, without those from whom the role is being taken, or was since they were last seen. */
function* otherAdmins(db: Database, tenantId: TenantId, step: Step, roles: string): Steps<number> {
  const list = `(SELECT value FROM ${db.dialect.values("list")})`;
  const row = yield* db.get<{ count: number }>(
    `SELECT count(*) AS count FROM observed_accounts o
     WHERE o.tenant_id = ? AND o.connection_id = ? AND o.role IN ${list} AND o.state = 'active' AND o.gone = 0 AND o.account_id <> ?
       AND NOT EXISTS (
         SELECT 1 FROM intents i
         WHERE i.tenant_id = o.tenant_id AND i.connection_id = o.connection_id AND i.account_id = o.account_id
           AND i.step IN ('remove_account', 'set_account_role') AND i.role_from IN ${list} AND (i.role_to IS NULL OR i.role_to NOT IN ${list})
           AND (i.state IN ('sent', 'unknown') OR (i.state = 'done' AND i.sent_at >= o.read_at)))`,
    tenantId,
    step.connectionId,
    roles,
    step.accountId ?? "",
    roles,
    roles,
  );
  return row?.count ?? 0;
}

interface GateRow {
  readonly generation: number;
  readonly lifecycle: "active" | "departed";
  readonly leased: number;
  readonly lane_state: "open" | "paused";
  readonly policy: string;
  readonly braked: 0 | 1;
}

/** Whoever takes the lease, pauses the lane, stops the tenant or trips a rail waits for this, or this for them. */
function lockedTarget(db: Database, tenantId: TenantId, step: Step): Steps<GateRow | undefined> {
  return db.get<GateRow>(
    `SELECT t.generation, t.lifecycle, l.state AS lane_state, l.policy, (SELECT brake IS NOT NULL FROM stamp) AS braked,
       t.fence = ? AND t.lease_owner IS NOT NULL AND t.lease_until > ? AS leased
     FROM targets t JOIN lanes l USING (tenant_id, connection_id) JOIN tenants n USING (tenant_id)
     WHERE tenant_id = ? AND connection_id = ? AND identity_id = ? ${db.dialect.concurrent ? "FOR SHARE OF n, l FOR NO KEY UPDATE OF t" : ""}`,
    step.fence,
    step.now,
    tenantId,
    step.connectionId,
    step.identityId,
  );
}

function refusalOfTarget(
  row: GateRow | undefined,
  stops: readonly Pick<StopSwitch, "covers">[],
  step: Step,
): GateRefusal | undefined {
  if (row?.leased !== 1) return { why: "lease_lost" };
  if (row.generation !== step.generation) return { why: "generation_moved" };
  if (row.lane_state !== "open") return { why: "lane_paused" };
  const leaver = row.lifecycle === "departed";
  if (stops.some(({ covers }) => stopCovers(covers, step.direction, leaver)))
    return { why: "stopped" };
  const mode = modeOf(policyOf(row), step.slot.kind);
  if (mode === "report-only" || mode === "ignore") return { why: "report_only" };
  return undefined;
}

function stopCovers(
  covers: StopSwitch["covers"],
  direction: Step["direction"],
  leaver: boolean,
): boolean {
  switch (covers) {
    case "all":
      return true;
    case "all-but-leavers":
      return !leaver;
    case "grants":
      return !leaver && direction === "gain";
    case "removals":
      return !leaver && direction === "loss";
  }
}

type Pass = GateRefusal | { readonly entryId: string | null };

function entriesOfChange(db: Database, tenantId: TenantId, step: Step): Steps<EntryRow[]> {
  return db.all<EntryRow>(
    `SELECT ${entryColumns} FROM rail_entries WHERE tenant_id = ? AND connection_id = ? AND identity_id = ? AND ${openEntry}
       AND kind = ? AND object_id = ? AND direction = ? AND role_to IS NOT DISTINCT FROM ? ORDER BY reserved_at, entry_id`,
    tenantId,
    step.connectionId,
    step.identityId,
    step.slot.kind,
    step.slot.objectId,
    step.direction,
    step.roleTo,
  );
}

/** The entry that the write uses up; null where it needs none. */
function passRail(entries: readonly EntryRow[], step: Step): Pass {
  const inState = (state: EntryRow["state"]) => entries.find((entry) => entry.state === state);
  // A no of a person or a batch that waits is not passed by another entry for the same change.
  if (inState("rejected") !== undefined) return { why: "rail_rejected" };
  if (inState("held") !== undefined) return { why: "rail_held" };
  const approved = inState("approved");
  if (approved !== undefined) return { entryId: approved.entry_id };
  const reserved = inState("reserved");
  if (reserved === undefined) {
    return step.direction === "loss" || step.privileged
      ? { why: "rail_missing" }
      : { entryId: null };
  }
  if (step.direction === "loss" && reserved.not_before > step.now)
    return { why: "rail_waiting", until: reserved.not_before };
  return { entryId: reserved.entry_id };
}

function leaverEntries(db: Database, tenantId: TenantId, step: Step): Steps<EntryRow[]> {
  return db.all<EntryRow>(
    `SELECT ${entryColumns} FROM rail_entries WHERE tenant_id = ? AND connection_id = ? AND identity_id = ? AND rail = 'leavers' AND state <> 'cancelled' ORDER BY reserved_at DESC, entry_id DESC`,
    tenantId,
    step.connectionId,
    step.identityId,
  );
}

/** What only leavers are done to (keys, work) waits with their account: it is counted there, and held or refused with it. */
function passWithAccount(entries: readonly EntryRow[]): Pass {
  if (entries.length === 0) return { why: "rail_missing" };
  if (entries.some(({ state }) => state === "rejected")) return { why: "rail_rejected" };
  if (entries.some(({ state }) => state === "held")) return { why: "rail_held" };
  return { entryId: null };
}

interface OpenIntentRow {
  readonly connection_id: string;
  readonly identity_id: string;
  readonly entry_id: string | null;
}

/** Writes nothing, and nothing of `also`, for an intent whose outcome is known already. */
export function* finishIntent(
  db: Database,
  { tenantId, command, also }: Commanded<"finishIntent">,
): Steps<null> {
  const intent = yield* closeIntent<OpenIntentRow>(
    db,
    { table: "intents", columns: "connection_id, identity_id, entry_id" },
    tenantId,
    command,
  );
  if (intent === undefined) return null;
  if (intent.entry_id !== null) yield* finishEntry(db, tenantId, intent.entry_id, command.state);
  const target = {
    tenantId,
    connectionId: intent.connection_id,
    identityId: intent.identity_id,
  };
  yield* writeLedger(db, target, command.ledger, command.now);
  if (command.link !== undefined) yield* writeOutcomeLink(db, target, command.link, command.now);
  yield* writeAlso(db, tenantId, also, command.now);
  return null;
}

function* finishEntry(
  db: Database,
  tenantId: TenantId,
  entryId: string,
  state: Exclude<IntentState, "sent">,
): Steps<void> {
  if (state === "unknown") return;
  const key = [tenantId, entryId] as const;
  if (state === "done") {
    yield* db.tell(
      "UPDATE rail_entries SET state = 'executed' WHERE tenant_id = ? AND entry_id = ? AND state = 'executing'",
      ...key,
    );
    return;
  }
  const entry = yield* db.get<{ connection_id: string; scope: string }>(
    "SELECT connection_id, scope FROM rail_entries WHERE tenant_id = ? AND entry_id = ?",
    ...key,
  );
  if (entry === undefined) return;
  yield* lockCounted(db, tenantId, entry.scope === "", [entry.connection_id]);
  const back = yield* db.get<EntryRow & { scope: string; count_key: string }>(
    `UPDATE rail_entries SET state = CASE WHEN decided = 1 THEN 'approved' ELSE 'reserved' END WHERE tenant_id = ? AND entry_id = ? AND state = 'executing' RETURNING ${entryColumns}, scope, count_key`,
    ...key,
  );
  if (back?.state !== "reserved" || back.rail === "leavers") return;
  // The rail may have tripped while the write was under way.
  const hold = yield* openHoldOf(db, {
    tenantId,
    scope: back.scope,
    rail: back.rail,
    countKey: back.count_key,
  });
  if (hold === undefined) return;
  yield* db.tell(
    "UPDATE rail_entries SET state = 'held', approved_by = NULL, hold_id = ? WHERE tenant_id = ? AND entry_id = ?",
    hold,
    ...key,
  );
}

export function* noteNegativeRead(
  db: Database,
  { tenantId, command }: Asked<"noteNegativeRead">,
): Steps<null> {
  const intent = yield* db.get<{ negative_reads: string }>(
    `SELECT negative_reads FROM intents WHERE tenant_id = ? AND intent_id = ? ${db.dialect.forUpdate}`,
    tenantId,
    command.intentId,
  );
  if (intent === undefined)
    throw new StoreError("NOT_FOUND", `there is no intent ${command.intentId}`);
  yield* db.tell(
    "UPDATE intents SET negative_reads = ? WHERE tenant_id = ? AND intent_id = ?",
    documentText([...parsed<readonly Instant[]>(intent.negative_reads), command.at]),
    tenantId,
    command.intentId,
  );
  return null;
}

const intentColumns =
  "intent_id, connection_id, identity_id, step, kind, object_id, role_from, role_to, account_id, generation, fence, state, sent_at, not_after, negative_reads";

interface IntentRow {
  readonly intent_id: string;
  readonly connection_id: string;
  readonly identity_id: string;
  readonly step: Intent["step"];
  readonly kind: string;
  readonly object_id: string;
  readonly role_from: string | null;
  readonly role_to: string | null;
  readonly account_id: string | null;
  readonly generation: number;
  readonly fence: number;
  readonly state: IntentState;
  readonly sent_at: Instant;
  readonly not_after: Instant;
  readonly negative_reads: string;
}

function toIntent(row: IntentRow): Intent {
  return {
    intentId: asId<IntentId>(row.intent_id),
    connectionId: asId<ConnectionId>(row.connection_id),
    identityId: asId<IdentityId>(row.identity_id),
    step: row.step,
    slot: { kind: row.kind, objectId: row.object_id },
    roleFrom: row.role_from,
    roleTo: row.role_to,
    accountId: row.account_id === null ? null : asId<AccountId>(row.account_id),
    generation: row.generation,
    fence: row.fence,
    state: row.state,
    sentAt: row.sent_at,
    notAfter: row.not_after,
    negativeReads: parsed(row.negative_reads),
  };
}

export const openIntents: Query<TargetKey, readonly Intent[]> = {
  place: "point",
  *run(db, { tenantId, connectionId, identityId }) {
    return (yield* db.all<IntentRow>(
      `SELECT ${intentColumns} FROM intents WHERE tenant_id = ? AND connection_id = ? AND identity_id = ? AND state IN ('sent', 'unknown') ORDER BY sent_at, intent_id`,
      tenantId,
      connectionId,
      identityId,
    )).map(toIntent);
  },
};

export const listIntents: Query<TargetKey & { readonly limit: number }, readonly Intent[]> = {
  place: "point",
  *run(db, { tenantId, connectionId, identityId, limit }) {
    return (yield* db.all<IntentRow>(
      `SELECT ${intentColumns} FROM intents WHERE tenant_id = ? AND connection_id = ? AND identity_id = ? AND state IN ('done', 'refused', 'unsent') ORDER BY sent_at DESC, intent_id DESC LIMIT ?`,
      tenantId,
      connectionId,
      identityId,
      limit,
    )).map(toIntent);
  },
};
