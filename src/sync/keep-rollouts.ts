import type { Lane } from "../accounts/lane.ts";
import type { Target } from "../accounts/target.ts";
import type { MappingVersion, Rollout } from "../mapping/version-store.ts";
import { StoreError } from "../model/errors.ts";
import type { TenantId } from "../model/ids.ts";
import { activate, everybody, mappingRecord } from "./activate-mapping.ts";
import { rolloutFinding } from "./decide-mapping.ts";
import { mappingResult } from "./mapping-result.ts";
import { proposalOf } from "./proposal.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** How long a stage lasts at least: looks, rails and vendors need the time to object. */
const stageMs: Readonly<Record<Rollout["stage"], number>> = { person: 60_000, tenth: 10 * 60_000 };
const pageSize = 500;
/** Marks that are older than that are a backlog, not the day's business. */
const backlogMs = 30_000;
/** Tries that failed one after another before a target counts as failing. */
const failingAttempts = 3;

/** Waits that are no sign of trouble, and that nothing but a person or a day ends. */
const quietWaits: readonly string[] = ["INVITATION_OPEN", "VERIFY_AGAIN", "MANUAL_STEP"];

/**
 * Moves every roll-out of a tenant on, stops those where something failed or a rail tripped since the stage began, and activates what
 * reached everybody. Answers how many moved. Safe to run twice and beside another process.
 */
export async function keepRollouts(deps: SyncDeps, tenantId: TenantId): Promise<number> {
  let moved = 0;
  for (const version of await deps.store.rollingMappings(tenantId)) {
    const { rollout } = version;
    if (rollout === undefined || rollout.stopped !== null) continue;
    try {
      if (await keepRollout(deps, tenantId, version, rollout)) moved += 1;
    } catch (error) {
      // Another process, or a person, decided about it at this moment.
      if (!(error instanceof StoreError && error.code === "VERSION_CONFLICT")) throw error;
    }
  }
  return moved;
}

async function keepRollout(
  deps: SyncDeps,
  tenantId: TenantId,
  version: MappingVersion,
  rollout: Rollout,
): Promise<boolean> {
  const lane = await deps.store.getLane(tenantId, version.connectionId);
  if (lane === undefined) return false;
  const trouble = await troubleOf(deps, tenantId, version, rollout, lane);
  if (trouble !== undefined) {
    await stop(deps, tenantId, version, rollout, trouble);
    return true;
  }
  if (deps.clock.now() < rollout.since + stageMs[rollout.stage]) return false;
  if (await isUnderWay(deps, tenantId, version)) return false;
  if (rollout.stage === "person") await widen(deps, tenantId, version, rollout);
  else await finish(deps, tenantId, version);
  return true;
}

/** What went wrong since the stage began; undefined: nothing. */
async function troubleOf(
  deps: SyncDeps,
  tenantId: TenantId,
  version: MappingVersion,
  rollout: Rollout,
  lane: Lane,
): Promise<string | undefined> {
  if (lane.state === "paused") return `the connection is paused: ${lane.pause?.text ?? "by hand"}`;
  const holds = await deps.store.listHolds(tenantId, { state: "open", limit: 200 });
  const tripped = holds.find(
    (hold) => hold.connectionId === version.connectionId && hold.openedAt >= rollout.since,
  );
  if (tripped !== undefined) return `the rail ${tripped.rail} tripped (hold ${tripped.holdId})`;
  for await (const target of targetsOf(deps, tenantId, version)) {
    if (target.state === "parked")
      return `somebody is parked: ${target.reason?.code ?? "no reason"}`;
    if (target.attempts >= failingAttempts)
      return `what is done for somebody fails: ${target.reason?.code ?? "no reason"}`;
  }
  return undefined;
}

/** Whether somebody whom the version changed is not yet as it wishes. */
async function isUnderWay(
  deps: SyncDeps,
  tenantId: TenantId,
  version: MappingVersion,
): Promise<boolean> {
  const { rollout } = version;
  const first = rollout === undefined ? [] : [rollout.identityId];
  const marks =
    rollout?.stage === "person"
      ? await deps.store.readMarks(tenantId, first)
      : await deps.store.listOverdue({
          ...{ now: deps.clock.now(), limit: 200 },
          ...{ ageMs: backlogMs, urgentAgeMs: undefined },
        });
  const owed = (mark: (typeof marks)[number]) =>
    mark.tenantId === tenantId && mark.done < mark.wanted && mark.dueAt <= deps.clock.now();
  if (marks.some(owed)) return true;
  for await (const target of targetsOf(deps, tenantId, version)) {
    const quiet =
      target.state === "idle" ||
      target.state === "manual" ||
      (target.state === "waiting" && quietWaits.includes(target.reason?.code ?? ""));
    if (!quiet) return true;
  }
  return false;
}

/** Those whose wish this version changed: a wish that stays keeps the version that made it. */
async function* targetsOf(
  deps: SyncDeps,
  tenantId: TenantId,
  { connectionId, versionId }: MappingVersion,
): AsyncGenerator<Target> {
  let after: string | undefined;
  for (;;) {
    const page = await deps.store.listTargets(tenantId, {
      connectionId,
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    });
    for (const target of page) if (target.desired.mappingVersion === versionId) yield target;
    if (page.length < pageSize) return;
    after = page.at(-1)?.identityId;
  }
}

async function widen(
  deps: SyncDeps,
  tenantId: TenantId,
  version: MappingVersion,
  rollout: Rollout,
): Promise<void> {
  const { connectionId, versionId } = version;
  const now = deps.clock.now();
  await deps.store.setRollout(
    tenantId,
    {
      ...{ connectionId, versionId, expect: rollout.stage, now },
      rollout: { ...rollout, stage: "tenth", since: now },
    },
    {
      records: [
        mappingRecord(deps, deps.actor, "mapping.rollout_widened", connectionId, versionId, {
          stage: "tenth",
          result: await mappingResult(deps, tenantId, version),
        }),
      ],
      recompute: [],
      fanouts: [everybody(deps, versionId)],
    },
  );
  deps.ringRelay();
}

async function finish(deps: SyncDeps, tenantId: TenantId, version: MappingVersion): Promise<void> {
  const active = (await deps.store.activeMappings(tenantId)).find(
    (item) => item.connectionId === version.connectionId,
  );
  await activate(deps, tenantId, {
    proposal: proposalOf(deps, version),
    versionId: version.versionId,
    bindings: await deps.store.listBindings(tenantId, version.versionId),
    active,
    actor: deps.actor,
    result: await mappingResult(deps, tenantId, version),
  });
}

async function stop(
  deps: SyncDeps,
  tenantId: TenantId,
  version: MappingVersion,
  rollout: Rollout,
  why: string,
): Promise<void> {
  const { connectionId, versionId } = version;
  const now = deps.clock.now();
  await deps.store.setRollout(
    tenantId,
    {
      ...{ connectionId, versionId, expect: rollout.stage, now },
      rollout: { ...rollout, stopped: { at: now, why } },
    },
    {
      records: [
        mappingRecord(deps, deps.actor, "mapping.rollout_stopped", connectionId, versionId, {
          stage: rollout.stage,
          why,
        }),
      ],
      recompute: [],
    },
  );
  await deps.store.raiseFindings(tenantId, {
    findings: [
      {
        key: rolloutFinding(version),
        kind: "mapping_rollout_stopped",
        severity: "urgent",
        connectionId,
        text: `the roll-out of a mapping stopped: ${why}; \`rolecall mapping resume ${versionId}\` lets it go on, \`rolecall mapping refuse ${versionId}\` takes it back`,
        facts: { stage: rollout.stage, versionId },
      },
    ],
    now,
  });
}
