import type { Clock } from "../model/clock.ts";
import type { ConnectionId, TenantId } from "../model/ids.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import { untraced, type SpanDraft } from "../model/trace.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { Breaker } from "./breaker.ts";
import { reconcile } from "./reconcile.ts";

export interface Worker {
  start(): void;
  /** Targets may be due now: look at once instead of at the next poll. */
  ring(): void;
  /** Takes no new targets and resolves when those in hand are released. */
  stop(): Promise<void>;
}

/** Targets of a lane in work at once, of all workers together; leavers have as many of their own. */
const perLane = 4;
const pollMs = 1_000;
/** After a round that took all that its lanes had, the next one at the latest: who ends and who wishes ring before. */
const refillMs = 100;
/** Targets end one by one: rounds of a busy worker are so far apart that one asks for what several of them leave free. */
const gatherMs = 15;

/**
 * Leases due targets and reconciles them, several lanes at once, few of one lane, leavers first and beyond the ordinary share.
 * Any number of workers may run: the store hands a target to one of them at a time.
 */
export function createWorker(deps: ApplyDeps, places = 32): Worker {
  const inHand = new Set<Promise<void>>();
  const breakerOf = breakersOf(deps.clock);
  let running: Promise<void> | undefined;
  let stopping = false;
  let wake: () => void = () => undefined;
  let rung = false;
  let roundAt = -gatherMs;

  const take = (target: LeasedTarget): void => {
    const breaker = breakerOf(target.tenantId, target.connectionId);
    const work = workOn(deps, breaker, target).finally(() => {
      inHand.delete(work);
      ring();
    });
    inHand.add(work);
  };

  const round = async (free: number): Promise<number> => {
    roundAt = deps.clock.monotonic();
    const leased = await deps.store.leaseTargets({
      owner: deps.owner,
      now: deps.clock.now(),
      leaseMs: deps.timing.leaseMs,
      limit: free,
      perLane,
      perLaneUrgent: perLane,
    });
    leased.forEach(take);
    return leased.length;
  };

  const idle = async (ms: number): Promise<void> => {
    if (rung || stopping || ms === 0) return;
    const abort = new AbortController();
    wake = () => {
      abort.abort("rung");
    };
    await deps.clock.sleep(ms, abort.signal);
  };

  /** Looks for work where some is likely. Answers for how long to rest, and whether some is likely then without a ring. */
  const look = async (
    tries: boolean,
  ): Promise<{ readonly ms: number; readonly suspect: boolean }> => {
    const free = places - inHand.size;
    if (free <= 0) return { ms: pollMs, suspect: true };
    if (tries) {
      const leased = await round(free);
      if (leased > 0) return { ms: leased < free ? refillMs : pollMs, suspect: true };
    }
    const next = await deps.store.nextTargetDueAt();
    const inMs = next === undefined ? pollMs : next - deps.clock.now();
    if (inMs > 0) return { ms: Math.min(pollMs, inMs), suspect: inMs <= pollMs };
    // Due and not leased: its lane is full, and whoever ends there rings.
    return { ms: tries ? pollMs : 0, suspect: !tries };
  };

  // Asked through a function: `stop` sets it while a round is awaited.
  const isStopping = () => stopping;
  const loop = async (): Promise<void> => {
    // Nothing is leased on suspicion: an idle worker asks one cheap question a second.
    let suspect = true;
    while (!isStopping()) {
      const sinceMs = deps.clock.monotonic() - roundAt;
      if (inHand.size > 0 && sinceMs < gatherMs) await deps.clock.sleep(gatherMs - sinceMs);
      if (isStopping()) return;
      const tries: boolean = suspect || rung;
      rung = false;
      let ms = pollMs;
      try {
        ({ ms, suspect } = await look(tries));
      } catch (error) {
        deps.logger.error({ err: error }, "worker could not lease targets; it tries again");
      }
      await idle(ms);
    }
  };

  function ring(): void {
    rung = true;
    wake();
  }

  return {
    start() {
      running ??= loop();
    },
    ring,
    async stop() {
      stopping = true;
      ring();
      await running;
      await Promise.all(inHand);
    },
  };
}

async function workOn(deps: ApplyDeps, breaker: Breaker, target: LeasedTarget): Promise<void> {
  const { logger, tracer = untraced } = deps;
  try {
    await tracer.span(reconcileSpan(target), async (span) => {
      const verdict = await reconcile(deps, breaker, target);
      if (verdict === undefined) return;
      const { state, reason } = verdict;
      span.set({ "rolecall.state": state, ...(reason && { "rolecall.reason": reason.code }) });
    });
  } catch (error) {
    // The lease runs out and somebody takes it again: nothing is lost, but a person should know.
    const { tenantId, connectionId, identityId } = target;
    logger.error({ err: error, tenantId, connectionId, identityId }, "reconcile failed");
  }
}

/** One breaker for each lane, for the life of a worker. */
function breakersOf(clock: Clock): (tenantId: TenantId, connectionId: ConnectionId) => Breaker {
  const breakers = new Map<string, Breaker>();
  return (tenantId, connectionId) => {
    const key = `${tenantId}\n${connectionId}`;
    const known = breakers.get(key);
    if (known !== undefined) return known;
    const made = new Breaker(clock);
    breakers.set(key, made);
    return made;
  };
}

/**
 * Until the wish is reached the work belongs to what asked for it, tries again included. A look after that (a verification, drift) is
 * something of its own, days later perhaps, and only links to it. What was never traced stays so.
 */
function reconcileSpan(target: LeasedTarget): SpanDraft {
  const { trace, generation } = target;
  const reached = target.appliedGeneration >= generation;
  return {
    name: "reconcile",
    kind: "consumer",
    parent: trace === undefined ? "current" : reached ? undefined : trace,
    links: trace === undefined || !reached ? [] : [trace],
    facts: {
      "rolecall.tenant": target.tenantId,
      "rolecall.connection": target.connectionId,
      "rolecall.identity": target.identityId,
      "rolecall.cause": target.cause,
      "rolecall.generation": generation,
    },
  };
}
