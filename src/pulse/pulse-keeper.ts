import type { AccountStore } from "../accounts/account-store.ts";
import type { Instant } from "../model/clock.ts";
import { newId, type TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { Logger } from "../model/log.ts";
import type { PulseSettings } from "../model/pulse-settings.ts";
import { newRecord, type Actor, type Also } from "../model/records.ts";
import {
  foreignAccounts,
  takenAt,
  waiveForeign,
  whoseAccount,
  whoseAddress,
} from "./pulse-claims.ts";
import { seenGone, seenPresent, type PulseLookDeps } from "./pulse-look.ts";
import { beAbsent, bePresent, type PulsePersonDeps } from "./pulse-person.ts";
import { isUnderWay, type PulseRun, type PulseStore } from "./pulse-store.ts";

/** Between two looks while a run is under way, and while none is. */
const lookMs = 10_000;
const idleMs = 5 * 60_000;
const leaseMs = 2 * 60_000;
/** How long the next run waits for the case of the last leave to be closed: its last read-back comes a day after the leave. */
const caseGraceMs = 2 * 3_600_000;
const job = "pulse";

export interface PulseDeps extends PulseLookDeps, PulsePersonDeps {
  readonly store: PulseLookDeps["store"] &
    PulsePersonDeps["store"] &
    PulseStore &
    Pick<AccountStore, "raiseFindings" | "resolveFindings"> & {
      leaseSchedule(command: Lease & { now: Instant; leaseMs: number }): Promise<boolean>;
      finishSchedule(command: Lease & { nextAt: Instant }): Promise<void>;
    };
  readonly clock: PulsePersonDeps["clock"];
  readonly logger: Logger;
  readonly owner: string;
}

interface Lease {
  readonly tenantId: TenantId;
  readonly job: string;
  readonly owner: string;
}

const actor: Actor = { kind: "system", id: "pulse" };

/**
 * One look at a tenant's pulse, by one process of the fleet: begins a run that is due, and follows the one that is under way. What it
 * finds is judged by what the store says that vendors showed, never by what was done. Answers how long to rest.
 */
export async function keepPulse(deps: PulseDeps, tenantId: TenantId): Promise<number> {
  const { store, clock, owner } = deps;
  const lease = { tenantId, job, owner };
  if (!(await store.leaseSchedule({ ...lease, now: clock.now(), leaseMs }))) return idleMs;
  let restMs = idleMs;
  try {
    restMs = (await look(deps, tenantId)) ? lookMs : idleMs;
  } finally {
    await store.finishSchedule({ ...lease, nextAt: clock.now() });
  }
  return restMs;
}

/** Answers whether a run is under way. */
async function look(deps: PulseDeps, tenantId: TenantId): Promise<boolean> {
  const { store } = deps;
  const [declared, [last]] = await Promise.all([
    store.getPulse(tenantId),
    store.listPulseRuns(tenantId, { limit: 1 }),
  ]);
  const run = last !== undefined && isUnderWay(last) ? last : undefined;
  if (declared === undefined) {
    if (run !== undefined) await withdraw(deps, tenantId, run);
    return false;
  }
  const { settings } = declared;
  if (run === undefined) {
    if (!(await isDue(deps, tenantId, settings, last))) return false;
    return begin(deps, tenantId, settings);
  }
  return run.state === "joining"
    ? awaitArrival(deps, tenantId, settings, run)
    : awaitEnd(deps, tenantId, settings, run);
}

async function isDue(
  { store, clock }: PulseDeps,
  tenantId: TenantId,
  { everyMs }: PulseSettings,
  last: PulseRun | undefined,
): Promise<boolean> {
  if (last === undefined) return true;
  const dueAt = last.startedAt + everyMs;
  const now = clock.now();
  if (now < dueAt) return false;
  if (last.identityId === undefined || now >= dueAt + caseGraceMs) return true;
  const [person] = await store.readPeople(tenantId, [last.identityId]);
  return person?.leaverCase?.state !== "open";
}

async function begin(
  deps: PulseDeps,
  tenantId: TenantId,
  settings: PulseSettings,
): Promise<boolean> {
  const { store, clock } = deps;
  const run: PulseRun = {
    ...{ runId: newId(clock), state: "joining", startedAt: clock.now(), identityId: undefined },
    ...{ arrivedAt: undefined, leftAt: undefined, goneAt: undefined, endedAt: undefined },
    ...{ connections: [], missed: [] },
  };
  const facts = { expected: settings.connections };
  if (!(await store.openPulseRun(tenantId, run, said(deps, tenantId, "started", run, facts))))
    return true;
  return awaitArrival(deps, tenantId, settings, run);
}

async function awaitArrival(
  deps: PulseDeps,
  tenantId: TenantId,
  settings: PulseSettings,
  before: PulseRun,
): Promise<boolean> {
  const taken =
    (await whoseAddress(deps, tenantId, settings)) ??
    // Later the account of this address is the pulse's own.
    (before.identityId === undefined ? await whoseAccount(deps, tenantId, settings) : undefined);
  if (taken !== undefined) return refuse(deps, tenantId, before, taken);
  // Said anew at each look: whatever died between a run and the directory is made up for here.
  const identityId = await bePresent(deps, tenantId, settings);
  const run = { ...before, identityId };
  if (before.identityId !== identityId)
    await move(deps, tenantId, run, before, { records: [], recompute: [] });
  const foreign = await foreignAccounts(deps, tenantId, identityId);
  if (foreign.length > 0) return refuse(deps, tenantId, run, takenAt(foreign));
  const seen = await seenPresent(deps, tenantId, identityId, settings);
  const now = deps.clock.now();
  const late = now > run.startedAt + settings.withinMs;
  if (!seen.done && !late) return true;
  const next: PulseRun = {
    ...run,
    ...{ state: "leaving", leftAt: now, arrivedAt: seen.done ? now : undefined },
    connections: seen.done ? seen.connections : [],
    missed: seen.done ? [] : [{ way: "join", why: seen.why }],
  };
  const facts = seen.done
    ? { connections: seen.connections, seconds: (now - run.startedAt) / 1_000 }
    : { way: "join", why: seen.why };
  const also = said(deps, tenantId, seen.done ? "arrived" : "missed", next, facts);
  if (!(await move(deps, tenantId, next, run, also))) return true;
  if (!seen.done) await alarm(deps, tenantId, next, "join", seen.why);
  await beAbsent(deps, tenantId);
  return true;
}

/** The address is somebody's: the run is missed, and its person goes without what is not theirs. */
async function refuse(
  deps: PulseDeps,
  tenantId: TenantId,
  before: PulseRun,
  why: string,
): Promise<boolean> {
  const now = deps.clock.now();
  const told = before.identityId !== undefined;
  const run: PulseRun = {
    ...before,
    ...(told ? { state: "leaving", leftAt: now } : { state: "missed", endedAt: now }),
    missed: [{ way: "join", why }],
  };
  const also = said(deps, tenantId, "missed", run, { way: "join", why });
  if (!(await move(deps, tenantId, run, before, also))) return true;
  await alarm(deps, tenantId, run, "join", why);
  await beAbsent(deps, tenantId);
  return told;
}

async function awaitEnd(
  deps: PulseDeps,
  tenantId: TenantId,
  settings: PulseSettings,
  run: PulseRun,
): Promise<boolean> {
  await beAbsent(deps, tenantId);
  const { identityId, leftAt = run.startedAt } = run;
  if (identityId !== undefined && run.missed.length > 0)
    await waiveForeign(deps, tenantId, identityId, settings);
  const seen =
    identityId === undefined
      ? { done: true, why: "" }
      : await seenGone(
          deps,
          tenantId,
          identityId,
          // Where they did not arrive in time they may have come late.
          run.connections.length > 0 ? run.connections : settings.connections,
        );
  const now = deps.clock.now();
  if (seen.done) {
    const passed = run.missed.length === 0;
    const ended: PulseRun = {
      ...run,
      ...{ state: passed ? "passed" : "missed", goneAt: now, endedAt: now },
    };
    const facts = { connections: run.connections, seconds: (now - leftAt) / 1_000 };
    const also = said(deps, tenantId, passed ? "passed" : "ended", ended, facts);
    if (await move(deps, tenantId, ended, run, also)) await afterEnd(deps, tenantId, ended);
    return false;
  }
  if (now <= leftAt + settings.withinMs || run.missed.some((item) => item.way === "leave"))
    return true;
  const missed: PulseRun = {
    ...run,
    missed: [...run.missed, { way: "leave", why: seen.why }],
  };
  const facts = { way: "leave", why: seen.why };
  if (await move(deps, tenantId, missed, run, said(deps, tenantId, "missed", missed, facts)))
    await alarm(deps, tenantId, missed, "leave", seen.why);
  return true;
}

/** Alarms stay until a whole run has passed: an end that came late shows nothing of the next one. */
async function afterEnd(deps: PulseDeps, tenantId: TenantId, run: PulseRun): Promise<void> {
  if (run.state !== "passed") return;
  await deps.store.resolveFindings(tenantId, { prefix: "pulse:", now: deps.clock.now() });
  deps.logger.info({ tenantId, runId: run.runId }, "the pulse joined and left in time");
}

/** Nobody declares it any more: the person leaves, and nobody waits for that. */
async function withdraw(deps: PulseDeps, tenantId: TenantId, run: PulseRun): Promise<void> {
  const ended: PulseRun = { ...run, state: "withdrawn", endedAt: deps.clock.now() };
  await beAbsent(deps, tenantId);
  if (await move(deps, tenantId, ended, run, said(deps, tenantId, "withdrawn", ended, {})))
    await deps.store.resolveFindings(tenantId, { prefix: "pulse:", now: deps.clock.now() });
}

async function alarm(
  deps: PulseDeps,
  tenantId: TenantId,
  run: PulseRun,
  way: "join" | "leave",
  why: string,
): Promise<void> {
  const text =
    way === "join"
      ? `the pulse did not arrive in time (${why}): what holds it back may hold back whoever joins now; see \`rolecall pulse\``
      : `the pulse is not gone in time (${why}): whoever leaves now may keep access; see \`rolecall pulse\``;
  await deps.store.raiseFindings(tenantId, {
    findings: [
      {
        key: `pulse:${run.runId}:${way}`,
        kind: "pulse_missed",
        severity: "urgent",
        ...(run.identityId === undefined ? {} : { identityId: run.identityId }),
        text,
        facts: { runId: run.runId, way, why },
      },
    ],
    now: deps.clock.now(),
  });
  deps.logger.error({ tenantId, runId: run.runId, way, why }, "the pulse was missed");
}

function move(
  { store, clock }: PulseDeps,
  tenantId: TenantId,
  run: PulseRun,
  before: PulseRun,
  also: Also,
): Promise<boolean> {
  return store.movePulseRun(tenantId, { run, from: before.state, now: clock.now() }, also);
}

/** The audit record of a run: with it, whoever checks the control has each day's evidence. */
function said(
  { clock }: PulseDeps,
  tenantId: TenantId,
  what: "started" | "arrived" | "missed" | "passed" | "ended" | "withdrawn",
  run: PulseRun,
  facts: JsonObject,
): Also {
  const subject =
    run.identityId === undefined
      ? ({ type: "tenant", id: tenantId } as const)
      : ({ type: "identity", id: run.identityId } as const);
  const { runId } = run;
  return {
    records: [
      newRecord(clock, { actor, action: `pulse.${what}`, subject, facts: { runId, ...facts } }),
    ],
    recompute: [],
  };
}
