import type { StopSwitch } from "../../accounts/lane.ts";
import type {
  ThingIntent,
  ThingRefusal,
  ThingStep,
  ThingStore,
} from "../../accounts/thing-store.ts";
import type { Instant } from "../../model/clock.ts";
import { asId, type ConnectionId, type IntentId, type TenantId } from "../../model/ids.ts";
import { modeOf } from "../../model/policy.ts";
import type { Also } from "../../model/records.ts";
import { policyOf } from "./account-lanes.ts";
import { writeAlso } from "./also.ts";
import { closeIntent } from "./close-intent.ts";
import type { Database, Steps } from "./database.ts";
import type { Commands, Engine, Queries, Query } from "./engine.ts";

interface Asked<Method extends "insertThingIntent" | "finishThingIntent"> {
  readonly tenantId: TenantId;
  readonly command: Parameters<ThingStore[Method]>[1];
}

type Gate = Awaited<ReturnType<ThingStore["insertThingIntent"]>>;

interface GateRow {
  readonly state: "open" | "paused";
  readonly policy: string;
  readonly braked: 0 | 1;
  readonly leased: number;
}

/** Asks everything that may stop the write, in one transaction with the row that allows it. */
function* insertThingIntent(
  db: Database,
  { tenantId, command }: Asked<"insertThingIntent">,
): Steps<Gate> {
  // Whoever pauses the lane or stops the tenant waits for this, or this for them.
  yield* db.lock(
    "SELECT 1 FROM lanes l JOIN tenants n USING (tenant_id) WHERE tenant_id = ? AND connection_id = ? FOR SHARE OF n, l",
    tenantId,
    command.connectionId,
  );
  const why = yield* refusalOf(db, tenantId, command);
  if (why !== undefined) return { ok: false, why };
  const inserted = yield* db.run(
    `INSERT INTO thing_intents (tenant_id, intent_id, connection_id, step, kind, name, state, sent_at, not_after)
     VALUES (?, ?, ?, ?, ?, ?, 'sent', ?, ?) ON CONFLICT DO NOTHING`,
    tenantId,
    command.intentId,
    command.connectionId,
    command.step,
    command.kind,
    command.name,
    command.now,
    command.notAfter,
  );
  return inserted === 1 ? { ok: true } : { ok: false, why: "in_flight" };
}

function* refusalOf(
  db: Database,
  tenantId: TenantId,
  command: Asked<"insertThingIntent">["command"],
): Steps<ThingRefusal | undefined> {
  const row = yield* db.get<GateRow>(
    `SELECT l.state, l.policy, (SELECT brake IS NOT NULL FROM stamp) AS braked,
       EXISTS (SELECT 1 FROM schedules s WHERE s.tenant_id = l.tenant_id AND s.job = ? AND s.lease_owner = ? AND s.lease_until > ?) AS leased
     FROM lanes l WHERE l.tenant_id = ? AND l.connection_id = ?`,
    command.job,
    command.owner,
    command.now,
    tenantId,
    command.connectionId,
  );
  if (row === undefined) return "no_lane";
  if (Number(row.leased) !== 1) return "lease_lost";
  if (row.state !== "open") return "lane_paused";
  const stops = yield* db.all<Pick<StopSwitch, "covers">>(
    "SELECT covers FROM stops WHERE tenant_id = ? AND connection_id IN ('', ?)",
    tenantId,
    command.connectionId,
  );
  if (stops.some(({ covers }) => stopCovers(covers, command.step))) return "stopped";
  return modeOf(policyOf(row), command.kind) === "report-only" ? "report_only" : undefined;
}

function stopCovers(covers: StopSwitch["covers"], step: ThingStep): boolean {
  switch (covers) {
    case "all":
    case "all-but-leavers":
      return true;
    case "grants":
      return step !== "end";
    case "removals":
      return step === "end";
  }
}

function* finishThingIntent(
  db: Database,
  { tenantId, command, also }: Asked<"finishThingIntent"> & { readonly also: Also },
): Steps<null> {
  const closed = yield* closeIntent(
    db,
    { table: "thing_intents", columns: "intent_id" },
    tenantId,
    command,
  );
  if (closed === undefined) return null;
  yield* writeAlso(db, tenantId, also, command.now);
  return null;
}

interface IntentRow {
  readonly intent_id: string;
  readonly connection_id: string;
  readonly step: ThingStep;
  readonly kind: ThingIntent["kind"];
  readonly name: string;
  readonly state: ThingIntent["state"];
  readonly sent_at: Instant;
  readonly not_after: Instant;
}

const openThingIntents: Query<
  { readonly tenantId: string; readonly connectionId: string },
  readonly ThingIntent[]
> = {
  place: "point",
  *run(db, { tenantId, connectionId }) {
    const rows = yield* db.all<IntentRow>(
      `SELECT intent_id, connection_id, step, kind, name, state, sent_at, not_after FROM thing_intents
       WHERE tenant_id = ? AND connection_id = ? AND state IN ('sent', 'unknown') ORDER BY sent_at, intent_id`,
      tenantId,
      connectionId,
    );
    return rows.map((row) => ({
      intentId: asId<IntentId>(row.intent_id),
      connectionId: asId<ConnectionId>(row.connection_id),
      step: row.step,
      kind: row.kind,
      name: row.name,
      state: row.state,
      sentAt: row.sent_at,
      notAfter: row.not_after,
    }));
  },
};

export const thingCommands = { insertThingIntent, finishThingIntent } satisfies Commands;
export const thingQueries = { openThingIntents } satisfies Queries;

/** The port of declared things over an engine. */
export function thingStore(engine: Engine): ThingStore {
  return {
    insertThingIntent: (tenantId, command) =>
      engine.write(insertThingIntent, { tenantId, command }),
    finishThingIntent: async (tenantId, command, also) => {
      await engine.write(finishThingIntent, { tenantId, command, also });
    },
    openThingIntents: (tenantId, connectionId) =>
      engine.read(openThingIntents, { tenantId, connectionId }),
  };
}
