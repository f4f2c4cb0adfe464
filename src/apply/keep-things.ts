import type { FindingDraft } from "../accounts/finding.ts";
import type { Lane } from "../accounts/lane.ts";
import type { ThingIntent } from "../accounts/thing-store.ts";
import type { Call, Connector, ThingAbility } from "../connectors/connector.ts";
import {
  thingKinds,
  type DeclaredThing,
  type ObservedThing,
  type ThingKind,
} from "../model/declared.ts";
import { SyncError } from "../model/errors.ts";
import { newId } from "../model/ids.ts";
import { modeOf, taskDueMs } from "../model/policy.ts";
import { compareThings, type ThingComparison, type ThingNote } from "../plan/compare-things.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { openLane } from "./open-lane.ts";
import { WriteWindow } from "./run-step.ts";
import { settleThings, writeThing, type ThingWriter } from "./write-thing.ts";

/** A thing that was made wants another look: tags are put on what they are for, limits are set. */
const roundsMax = 3;

/** How long one owner may be at the things of a lane. */
export const thingsLeaseMs = 120_000;
export const thingsJob = (lane: Pick<Lane, "connectionId">): string =>
  `things:${lane.connectionId}`;

/**
 * Looks after the things that a mapping declares at one connection: makes what is missing, sets what differs, and says what people have to
 * do. Nothing is ended, nothing here pauses the lane: people go on whatever becomes of a tag.
 */
export async function keepThings(deps: ApplyDeps, lane: Lane): Promise<void> {
  if (lane.policy.declares === undefined) return;
  await withThings(deps, lane, async (writer) => {
    const findings: FindingDraft[] = [];
    for (const kind of kindsOf(writer.connector, lane)) {
      try {
        const notes = await keepKind(writer, kind);
        findings.push(...notes.map((note) => findingOf(lane, note)));
        if (writer.connector.facts.things?.[kind]?.task !== undefined)
          await keepTasks(deps, lane, kind, notes);
      } catch (error) {
        if (!(error instanceof SyncError)) throw error;
        findings.push(unreadable(lane, kind, error));
      }
    }
    await replaceFindings(deps, lane, findings);
  });
}

/** Runs one piece of work with a way to the vendor that may write through the gate. false: somebody else is at it. */
export async function withThings(
  deps: ApplyDeps,
  lane: Lane,
  work: (writer: ThingWriter) => Promise<void>,
): Promise<boolean> {
  const { tenantId } = lane;
  const job = thingsJob(lane);
  const owner = `${deps.owner}:${newId(deps.clock)}`;
  const now = deps.clock.now();
  const leased = { tenantId, job, owner };
  if (!(await deps.leases.leaseSchedule({ ...leased, now, leaseMs: thingsLeaseMs }))) return false;
  try {
    const window = new WriteWindow();
    const opened = await openLane(deps, lane, () => {
      window.assertOpen(deps.clock.monotonic());
    });
    await work({ deps, lane, job, owner, window, ...opened });
  } finally {
    await deps.leases.finishSchedule({ ...leased, nextAt: deps.clock.now() });
  }
  return true;
}

/** Kinds with a declaration, and keys wherever anything is declared: a key that may do everything is nobody's wish. */
export function kindsOf(connector: Connector, lane: Lane): readonly ThingKind[] {
  const declared = new Set((lane.policy.declares ?? []).map((item) => item.kind));
  return thingKinds.filter(
    (kind) =>
      connector.facts.things?.[kind] !== undefined && (declared.has(kind) || kind === "api_key"),
  );
}

async function keepKind(writer: ThingWriter, kind: ThingKind): Promise<readonly ThingNote[]> {
  const { deps, lane } = writer;
  for (let round = 1; ; round++) {
    const { comparison, observed } = await lookAtThings(writer, kind);
    const lost = await settleThings(writer, kind, observed);
    const busy = new Set(
      (await deps.store.openThingIntents(lane.tenantId, lane.connectionId)).map(nameOf),
    );
    let wrote = 0;
    const notes: ThingNote[] = [...comparison.notes, ...lost];
    for (const wish of comparison.wishes) {
      if (busy.has(nameOf(wish.declared))) continue;
      const outcome = await writeThing(writer, wish);
      if (outcome === "done") wrote += 1;
      else if (outcome !== "stopped") notes.push(outcome);
    }
    if (wrote === 0 || round >= roundsMax) return notes;
  }
}

/** What differs in a kind that people change is a task each; what does not is done. */
async function keepTasks(
  deps: ApplyDeps,
  lane: Lane,
  kind: ThingKind,
  notes: readonly ThingNote[],
): Promise<void> {
  const { tenantId, connectionId, policy } = lane;
  for (const { name } of (policy.declares ?? []).filter((item) => item.kind === kind)) {
    const open = notes.find(
      (note) => note.name === name && (note.what === "missing" || note.what === "differs"),
    );
    await deps.thingTask({
      ...{ tenantId, connectionId, name: `${kind}:${name}` },
      title: `${kind} of ${name}`,
      steps: open === undefined ? undefined : [open.text],
      policy: policy.tasks ?? { dueMs: taskDueMs },
    });
  }
}

const nameOf = (item: Pick<ThingIntent, "kind" | "name">): string => `${item.kind}\n${item.name}`;

/** What is declared of a kind beside what is there. @throws SyncError where it cannot be read whole */
export async function lookAtThings(
  { deps, lane, connector, call }: Pick<ThingWriter, "deps" | "lane" | "connector" | "call">,
  kind: ThingKind,
): Promise<{
  readonly comparison: ThingComparison;
  readonly observed: readonly ObservedThing[] | undefined;
}> {
  const facts = connector.facts.things?.[kind];
  if (facts === undefined) throw new Error(`${connector.facts.vendor} has no ${kind}`);
  const declared = (lane.policy.declares ?? []).filter((item) => item.kind === kind);
  const { things } = connector;
  const observed =
    things === undefined || !facts.api.includes("list")
      ? undefined
      : await readThings(things, call, kind, declared);
  const mode = modeOf(lane.policy, kind);
  const { objects } = await deps.store.listObjects(lane.tenantId, lane.connectionId);
  const comparison = compareThings({
    kind,
    facts,
    declared,
    observed,
    difference: (a, b) => things?.difference(a, b, mode === "authoritative"),
    objection: (item) => things?.objection?.(item),
    gone: await goneOwners(deps, lane, declared),
    now: deps.clock.now(),
    ...(lane.policy.keys === undefined ? {} : { keys: lane.policy.keys }),
    workspaceName: (id) => objects.find((item) => item.objectId === id)?.name,
    writes: mode !== "report-only",
  });
  return { comparison, observed };
}

async function readThings(
  things: ThingAbility,
  call: Call,
  kind: ThingKind,
  declared: readonly DeclaredThing[],
): Promise<readonly ObservedThing[]> {
  const observed: ObservedThing[] = [];
  for await (const item of things.list(call, kind, declared)) {
    if ("complete" in item) return observed;
    observed.push(item);
  }
  throw new SyncError(
    "VENDOR_READ_INCOMPLETE",
    `the list of ${kind}s ended without its end marker`,
  );
}

async function goneOwners(
  deps: ApplyDeps,
  lane: Lane,
  declared: readonly DeclaredThing[],
): Promise<ReadonlySet<string>> {
  const gone = new Set<string>();
  for (const owner of new Set(declared.map((item) => item.owner))) {
    if (await deps.hasLeft(lane.tenantId, owner)) gone.add(owner);
  }
  return gone;
}

const prefixOf = (lane: Lane): string => `thing:${lane.connectionId}:`;

function findingOf(lane: Lane, note: ThingNote): FindingDraft {
  return {
    key: `${prefixOf(lane)}${note.what}:${note.kind}:${note.name}`.slice(0, 400),
    kind: "declared_thing",
    severity: note.severity,
    connectionId: lane.connectionId,
    text: note.text,
    facts: { what: note.what, thing: note.kind, name: note.name },
  };
}

function unreadable(lane: Lane, kind: ThingKind, error: SyncError): FindingDraft {
  return {
    key: `${prefixOf(lane)}unreadable:${kind}`,
    kind: "declared_thing",
    severity: "warning",
    connectionId: lane.connectionId,
    text: `what is declared of the kind ${kind} cannot be looked after: ${error.message}`,
    facts: { what: "unreadable", thing: kind, code: error.code },
  };
}

async function replaceFindings(
  deps: ApplyDeps,
  lane: Lane,
  findings: readonly FindingDraft[],
): Promise<void> {
  const now = deps.clock.now();
  const { tenantId, connectionId } = lane;
  const keys = new Set(findings.map((item) => item.key));
  const open = await deps.store.listFindings(tenantId, { connectionId, open: true, limit: 1_000 });
  const over = open
    .map((item) => item.key)
    .filter((key) => key.startsWith(prefixOf(lane)) && !keys.has(key));
  if (over.length > 0) await deps.store.resolveFindings(tenantId, { keys: over, now });
  if (findings.length > 0) await deps.store.raiseFindings(tenantId, { findings, now });
}
