import type { PersonState, TargetWish } from "../accounts/account-store.ts";
import { priorities, type Priority } from "../accounts/target.ts";
import type { RecomputeMark } from "../events/recompute-store.ts";
import { weigh } from "../mapping/evaluate.ts";
import { desiredHash, resolveDesired } from "../mapping/resolve.ts";
import type { BrokenRule, DesiredState } from "../model/assignment.ts";
import { departureOf, nextChange, type Departure } from "../model/employment.ts";
import type { AccessException, IdentityFacts } from "../model/identity.ts";
import { newId, type IdentityId, type TenantId } from "../model/ids.ts";
import { foldEmail } from "../model/fold.ts";
import { newRecord, type Cause } from "../model/records.ts";
import { isSameTrace, untraced, type SpanDraft, type TraceParent } from "../model/trace.ts";
import { accountKindOf } from "../plan/plan.ts";
import { railWishes } from "../plan/rail-wishes.ts";
import { compareHrSources } from "./compare-hr.ts";
import { joinWaitingHr } from "./join-hr.ts";
import { leaverSight } from "./leaver-sight.ts";
import { reportLookalikes } from "./lookalikes.ts";
import type { SyncDeps } from "./sync-deps.ts";
import { worldOf, Worlds, type ConnectionWorld, type World } from "./world.ts";

export type Recompute = (
  tenantId: TenantId,
  identityIds: readonly IdentityId[],
  /** Where hints were traced, by person. */
  hinted?: ReadonlyMap<IdentityId, TraceParent>,
) => Promise<void>;

/**
 * Brings the wishes of some people up to date: reads the marks, then the truth, asks mapping, and commits what each connection
 * should hold, with `done` = the `wanted` that was read first. Safe to run twice, late, in any order and beside another worker.
 */
export function createRecompute(deps: SyncDeps): Recompute {
  const worlds = new Worlds(deps);
  const { tracer = untraced } = deps;
  return async (tenantId, identityIds, hinted) => {
    const startedAt = deps.clock.monotonic();
    // The marks come first: whatever changes after this read raises `wanted` and is looked at again.
    const marks = await deps.store.readMarks(tenantId, identityIds);
    const now = deps.clock.now();
    const owed = marks.filter((mark) => mark.done < mark.wanted && mark.dueAt <= now);
    if (owed.length === 0) return;
    const ids = owed.map((mark) => mark.identityId);
    await joinWaitingHr(deps, tenantId, ids);
    const [world, facts, people] = await Promise.all([
      worlds.read(tenantId),
      deps.store.readIdentities(tenantId, ids),
      deps.store.readPeople(tenantId, ids),
    ]);
    const exceptions = await exceptionsFor(deps, tenantId, facts);
    const factsById = new Map(facts.map((item) => [item.identityId, item]));
    const peopleById = new Map(people.map((item) => [item.identityId, item]));
    await Promise.all(
      owed.map(async (mark) => {
        const person = factsById.get(mark.identityId);
        const state = peopleById.get(mark.identityId);
        if (person === undefined || state === undefined) return;
        await tracer.span(recomputeSpan(mark, hinted?.get(mark.identityId)), (span) =>
          commit(
            deps,
            worldOf(world, mark.identityId),
            { mark, trace: span.at },
            person,
            state,
            exceptions(person),
          ),
        );
      }),
    );
    deps.metrics.observe("rolecall_recompute_seconds", (deps.clock.monotonic() - startedAt) / 1000);
    deps.ringWorkers(tenantId);
  };
}

/**
 * Several reasons end in one recompute. It belongs to the hint that brought it, else to the oldest reason that is owed, and links to the
 * others: whoever looks at any of their traces finds it. Nothing is recorded where no reason was traced.
 */
function recomputeSpan(mark: RecomputeMark, hinted: TraceParent | undefined): SpanDraft {
  const [oldest, ...others] = mark.traces ?? [];
  // A hint that comes late speaks of a reason that is done: what is owed now is somebody else's.
  const fresh = hinted !== undefined && oldest !== undefined && isSameTrace(hinted, oldest);
  return {
    name: "recompute",
    kind: "consumer",
    parent: fresh ? hinted : (oldest ?? "current"),
    links: others,
    facts: {
      "rolecall.tenant": mark.tenantId,
      "rolecall.identity": mark.identityId,
      "rolecall.cause": mark.cause.key ?? mark.cause.kind,
      "rolecall.reasons": mark.wanted - mark.done,
      "rolecall.urgent": mark.urgent,
    },
  };
}

/** Evaluates one person at one connection: the one place where mapping meets the directory, for sync, explain and simulation. */
export function wishOf(
  connection: ConnectionWorld,
  person: IdentityFacts,
  exceptions: readonly AccessException[],
  now: number,
): { readonly desired: DesiredState; readonly broken: readonly BrokenRule[] } {
  const own = exceptions.filter((item) => item.connectionId === connection.version.connectionId);
  const weighed = weigh(connection.compiled, connection.bindings, person, own, now);
  const desired = resolveDesired(weighed, {
    objects: connection.objects,
    facts: connection.facts,
    policy: connection.lane.policy,
    mappingVersion: connection.version.versionId,
    person,
  });
  return { desired, broken: weighed.broken };
}

async function commit(
  deps: SyncDeps,
  world: World,
  { mark, trace }: { readonly mark: RecomputeMark; readonly trace: TraceParent | undefined },
  person: IdentityFacts,
  state: PersonState,
  exceptions: readonly AccessException[],
): Promise<void> {
  const now = deps.clock.now();
  const departure = departureOf(person, now);
  const wishes: TargetWish[] = [];
  for (const connection of world.connections) {
    const confirmed = departure?.confirmed === true;
    const about = { person, state, cause: mark.cause, exceptions, confirmed };
    const wish = targetWish(deps, connection, about, now);
    if (wish !== undefined) wishes.push({ ...wish, trace });
  }
  const leaver = leaverSight(deps, world, person, departure, state, wishes);
  const answer = await deps.store.commitSync(
    person.tenantId,
    {
      identityId: person.identityId,
      wanted: mark.wanted,
      wishes,
      ...nextChangeOf(person, exceptions, now),
      ...(leaver === undefined ? {} : { leaver }),
      ...(person.employment === undefined
        ? {}
        : { hrDeparted: departureNote(deps, person, departure) }),
      now,
    },
    { records: [], recompute: [] },
  );
  if (!answer.applied) return;
  await compareHrSources(deps, person, now);
  for (const holdId of answer.opened) {
    deps.logger.error(
      { tenantId: person.tenantId, holdId },
      "hold opened: a batch of changes waits for a decision",
    );
  }
  if (departure !== undefined && answer.changed.length > 0)
    await reportLookalikes(deps, world, person, state);
}

interface About {
  readonly person: IdentityFacts;
  readonly state: PersonState;
  readonly cause: Cause;
  readonly exceptions: readonly AccessException[];
  /** Two sources say that they left. */
  readonly confirmed: boolean;
}

function targetWish(
  deps: SyncDeps,
  connection: ConnectionWorld,
  about: About,
  now: number,
): TargetWish | undefined {
  const { person, state, cause, exceptions, confirmed } = about;
  const connectionId = connection.version.connectionId;
  const here = <T extends { readonly connectionId: string }>(items: readonly T[]) =>
    items.filter((item) => item.connectionId === connectionId);
  const { desired, broken } = wishOf(connection, person, exceptions, now);
  const target = here(state.targets)[0];
  const link = here(state.links)[0];
  const ledger = here(state.ledger);
  if (target === undefined && link === undefined && ledger.length === 0 && isEmpty(desired))
    return undefined;
  const account = here(state.observed).find(
    (item) => item.accountId === link?.accountId && !item.gone,
  );
  const accountKind = accountKindOf(connection.facts).name;
  const wishes = railWishes({
    facts: connection.facts,
    policy: connection.lane.policy,
    desired,
    ledger,
    linked: link !== undefined,
    seen: [
      ...(account === undefined ? [] : [{ kind: accountKind, objectId: "", role: account.role }]),
      ...here(state.observedGrants).filter((grant) => !grant.implicit),
    ],
    open: here(state.entries),
    cause,
    broken,
    now,
    confirmed,
  });
  return {
    connectionId,
    desired,
    hash: desiredHash(desired),
    priority: priorityOf(desired, cause),
    rail: {
      policy: connection.lane.policy.rails,
      wishes,
      entryIds: wishes.map(() => newId(deps.clock)),
      holdIds: wishes.map(() => newId(deps.clock)),
    },
    cause: cause.key ?? cause.kind,
    record: newRecord(deps.clock, {
      actor: deps.actor,
      action: "target.wished",
      subject: { type: "identity", id: person.identityId },
      connectionId,
      cause: cause.key ?? cause.kind,
      mappingVersion: connection.version.versionId,
      facts: {
        lifecycle: desired.lifecycle,
        assignments: desired.assignments.map(({ kind, objectId, role, because }) => ({
          kind,
          objectId,
          role,
          because,
        })),
        conflicts: desired.conflicts.length,
        unresolved: desired.unresolved.map(({ kind, name }) => ({ kind, name })),
      },
    }),
  };
}

function isEmpty(desired: DesiredState): boolean {
  return desired.assignments.length + desired.conflicts.length + desired.unresolved.length === 0;
}

function priorityOf(desired: DesiredState, cause: Cause): Priority {
  if (desired.lifecycle === "departed") return priorities.leaver;
  switch (cause.kind) {
    case "scim.user":
    case "scim.group":
    case "hr":
    case "operator":
      return priorities.change;
    case "mapping":
    case "observation":
    case "schedule":
    case "sweep":
      return priorities.background;
  }
}

/** The keys under which an exception may name this person. */
function keysOf(person: IdentityFacts): readonly string[] {
  return [...person.emails, foldEmail(person.userName), person.identityId];
}

/** Reads the exceptions of some people at once; the answer finds those of one person. */
export async function exceptionsFor(
  deps: SyncDeps,
  tenantId: TenantId,
  people: readonly IdentityFacts[],
): Promise<(person: IdentityFacts) => readonly AccessException[]> {
  const keys = [...new Set(people.flatMap(keysOf))];
  const found = keys.length === 0 ? [] : await deps.store.findExceptions(tenantId, keys);
  const byPerson = Map.groupBy(found, (item) => item.person);
  return (person) => {
    if (byPerson.size === 0) return [];
    const own = new Map<string, AccessException>();
    for (const key of keysOf(person)) {
      for (const item of byPerson.get(key) ?? []) own.set(item.exceptionId, item);
    }
    return [...own.values()];
  };
}

/** What the audit record says once HR's leave instant has come, or no longer counts. Before that it says nothing of a leave. */
function departureNote(deps: SyncDeps, person: IdentityFacts, departure: Departure | undefined) {
  const gone = departure?.hrAt !== undefined;
  return {
    value: gone,
    confirmed: departure?.confirmed === true,
    record: newRecord(deps.clock, {
      actor: deps.actor,
      action: gone ? "employment.left" : "employment.resumed",
      subject: { type: "identity", id: person.identityId },
      cause: "hr",
      facts: gone
        ? {
            sourceId: departure.sourceId ?? null,
            spell: departure.spell,
            hrAt: departure.hrAt,
            acceptedAt: departure.acceptedAt,
            confirmed: departure.confirmed,
          }
        : {},
    }),
  };
}

/** What changes a wish while nothing happens: an exception ends, somebody starts, leaves, goes away or comes back. */
function nextChangeOf(
  person: IdentityFacts,
  exceptions: readonly AccessException[],
  now: number,
): { readonly nextDueAt: number | undefined; readonly nextUrgent: boolean } {
  const ends = exceptions.flatMap((item) =>
    item.until !== null && item.until >= now ? [{ at: item.until + 1, leave: false }] : [],
  );
  const change = person.employment === undefined ? undefined : nextChange(person.employment, now);
  const next = [...ends, ...(change === undefined ? [] : [change])].reduce<
    { at: number; leave: boolean } | undefined
  >((first, item) => (first === undefined || item.at < first.at ? item : first), undefined);
  return { nextDueAt: next?.at, nextUrgent: next?.leave === true };
}
