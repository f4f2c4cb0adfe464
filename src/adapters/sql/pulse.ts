import type { Clock, Instant } from "../../model/clock.ts";
import type { TenantId } from "../../model/ids.ts";
import type { PulseSettings } from "../../model/pulse-settings.ts";
import type { Also } from "../../model/records.ts";
import {
  pulseKeptMs,
  type PulseRun,
  type PulseState,
  type PulseStore,
} from "../../pulse/pulse-store.ts";
import { parsed } from "./account-args.ts";
import { writeAlso } from "./also.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { Engine, Query } from "./engine.ts";

interface Write {
  readonly tenantId: TenantId;
  readonly now: Instant;
  readonly also: Also;
}

function* setPulse(
  db: Database,
  args: Write & { readonly settings: PulseSettings | undefined },
): Steps<null> {
  const { tenantId, settings, now } = args;
  if (settings === undefined) yield* db.tell("DELETE FROM pulses WHERE tenant_id = ?", tenantId);
  else {
    yield* db.tell(
      `INSERT INTO pulses (tenant_id, since, document) VALUES (?, ?, ?)
       ON CONFLICT (tenant_id) DO UPDATE SET since = excluded.since, document = excluded.document`,
      tenantId,
      now,
      documentText(settings),
    );
  }
  yield* writeAlso(db, tenantId, args.also, now);
  return null;
}

function* openPulseRun(db: Database, args: Write & { readonly run: PulseRun }): Steps<boolean> {
  const { tenantId, run, now } = args;
  // The unique index holds one run at a time; whoever comes second begins none.
  const begun = yield* db.run(
    "INSERT INTO pulse_runs (tenant_id, run_id, state, started_at, document) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    tenantId,
    run.runId,
    run.state,
    run.startedAt,
    documentText(run),
  );
  if (begun === 0) return false;
  yield* db.tell(
    "DELETE FROM pulse_runs WHERE tenant_id = ? AND started_at < ? AND state NOT IN ('joining', 'leaving')",
    tenantId,
    run.startedAt - pulseKeptMs,
  );
  yield* writeAlso(db, tenantId, args.also, now);
  return true;
}

function* movePulseRun(
  db: Database,
  args: Write & { readonly run: PulseRun; readonly from: PulseState },
): Steps<boolean> {
  const { tenantId, run, from, now } = args;
  const moved = yield* db.run(
    "UPDATE pulse_runs SET state = ?, document = ? WHERE tenant_id = ? AND run_id = ? AND state = ?",
    run.state,
    documentText(run),
    tenantId,
    run.runId,
    from,
  );
  if (moved > 0) yield* writeAlso(db, tenantId, args.also, now);
  return moved > 0;
}

const getPulse: Query<
  { readonly tenantId: TenantId },
  { readonly settings: PulseSettings; readonly since: Instant } | undefined
> = {
  place: "point",
  *run(db, { tenantId }) {
    const row = yield* db.get<{ since: Instant; document: string }>(
      "SELECT since, document FROM pulses WHERE tenant_id = ?",
      tenantId,
    );
    return row && { settings: parsed<PulseSettings>(row.document), since: row.since };
  },
};

const listPulseRuns: Query<
  { readonly tenantId: TenantId; readonly state: PulseState | null; readonly limit: number },
  readonly PulseRun[]
> = {
  place: "point",
  *run(db, { tenantId, state, limit }) {
    const rows = yield* db.all<{ document: string }>(
      `SELECT document FROM pulse_runs WHERE tenant_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR state = ?2)
       ORDER BY started_at DESC, run_id DESC LIMIT ?3`,
      tenantId,
      state,
      limit,
    );
    return rows.map((row) => toRun(parsed<PulseRun>(row.document)));
  },
};

/** JSON forgets what is undefined; whoever compares two runs does not. */
function toRun(run: PulseRun): PulseRun {
  const { identityId, arrivedAt, leftAt, goneAt, endedAt } = run;
  return { ...run, identityId, arrivedAt, leftAt, goneAt, endedAt };
}

export const pulseCommands = { setPulse, openPulseRun, movePulseRun };
export const pulseQueries = { getPulse, listPulseRuns };

/** The port of the pulse over an engine. */
export function pulseStore(engine: Engine, clock: Clock): PulseStore {
  return {
    setPulse: async (tenantId, command, also) => {
      await engine.write(setPulse, { tenantId, ...command, also });
    },
    getPulse: (tenantId) => engine.read(getPulse, { tenantId }),
    openPulseRun: (tenantId, run, also) =>
      engine.write(openPulseRun, { tenantId, run, now: clock.now(), also }),
    movePulseRun: (tenantId, command, also) =>
      engine.write(movePulseRun, { tenantId, ...command, also }),
    listPulseRuns: (tenantId, { state, limit }) =>
      engine.read(listPulseRuns, { tenantId, state: state ?? null, limit }),
  };
}
