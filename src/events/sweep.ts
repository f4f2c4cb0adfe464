import type { Clock, Instant } from "../model/clock.ts";
import type { IdentityId, TenantId } from "../model/ids.ts";
import type { Logger, Metrics } from "../model/log.ts";
import { byTenant } from "./consumer.ts";
import { createLoop, type Loop } from "./loop.ts";
import { recomputeBatch, type RecomputePeople } from "./recompute-batch.ts";
import type { RecomputeStore } from "./recompute-store.ts";

const periodMs = 1_000;
const ageMs = 10_000;
const urgentAgeMs = 2_000;
const batch = 200;
const restMs = 10_000;
const restMaxMs = 600_000;
/** Beyond this many failing people the fault is not theirs, and nobody is remembered. */
const restingMax = 5_000;

interface SweepDeps {
  readonly store: Pick<RecomputeStore, "listOverdue">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly recompute: RecomputePeople;
}

/**
 * The promise behind the hints: finds every mark that is owed and old enough and recomputes it. With the bus gone for good this alone
 * brings everything to its end, seconds later. Leavers have a loop of their own, so that no page of others delays them. Marks of the
 * future need no alarm: the relay and this ask for what is due at each round.
 */
export function createSweep(deps: SweepDeps): Loop {
  const loops = [
    loopOver(deps, "sweep.urgent", { ageMs: undefined, urgentAgeMs }),
    loopOver(deps, "sweep", { ageMs, urgentAgeMs: undefined }),
  ];
  return {
    start() {
      for (const loop of loops) loop.start();
    },
    ring() {
      for (const loop of loops) loop.ring();
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

function loopOver(
  deps: SweepDeps,
  name: string,
  ages: { readonly ageMs: number | undefined; readonly urgentAgeMs: number | undefined },
): Loop {
  const resting = new Resting();
  const round = async (): Promise<number> => {
    const now = deps.clock.now();
    // Marks that rest are read and passed over; asking for as many more keeps them from filling the page.
    const marks = await deps.store.listOverdue({ now, ...ages, limit: batch + resting.size });
    const awake = marks.filter((mark) => !resting.has(mark.tenantId, mark.identityId, now));
    const taken = awake.slice(0, batch);
    if (taken.length === 0) return periodMs;
    for (const [tenantId, identityIds] of byTenant(taken)) {
      const failed = await recomputeBatch(deps, tenantId, identityIds);
      resting.note(tenantId, identityIds, failed, deps.clock.now());
    }
    deps.metrics.count("rolecall_sweep_found_total", {}, taken.length);
    return awake.length >= batch ? 0 : periodMs;
  };
  return createLoop({ name, clock: deps.clock, logger: deps.logger, round });
}

/** People whose recompute failed, with growing pauses between two tries. Memory only: a new process tries at once. */
class Resting {
  readonly #people = new Map<string, { readonly failures: number; readonly until: Instant }>();

  get size(): number {
    return this.#people.size;
  }

  has(tenantId: TenantId, identityId: IdentityId, now: Instant): boolean {
    return (this.#people.get(`${tenantId} ${identityId}`)?.until ?? now) > now;
  }

  note(
    tenantId: TenantId,
    tried: readonly IdentityId[],
    failed: readonly IdentityId[],
    now: Instant,
  ): void {
    const failing = new Set(failed);
    for (const identityId of tried) {
      const key = `${tenantId} ${identityId}`;
      if (!failing.has(identityId)) {
        this.#people.delete(key);
        continue;
      }
      const failures = (this.#people.get(key)?.failures ?? 0) + 1;
      if (failures === 1 && this.#people.size >= restingMax) continue;
      const pauseMs = Math.min(restMaxMs, restMs * 2 ** Math.min(failures - 1, 10));
      this.#people.set(key, { failures, until: now + pauseMs });
    }
  }
}
