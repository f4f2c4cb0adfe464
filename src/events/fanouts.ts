import type { Clock } from "../model/clock.ts";
import { StoreError } from "../model/errors.ts";
import type { Logger, Metrics } from "../model/log.ts";
import { createLoop, type Loop } from "./loop.ts";
import type { LeasedFanout, RecomputeStore } from "./recompute-store.ts";

const pageSize = 500;
const leaseMs = 30_000;
const idleMs = 1_000;
/** Between two pages: what the IdP sends now goes first. */
const pageMs = 20;

/**
 * Works fan-outs page by page under a lease: marks their people, and calls `beforeFanout` once at the beginning. A worker that dies
 * leaves the cursor to the next one; a page that is marked twice only costs a look.
 */
export function createFanouts(deps: {
  readonly store: Pick<RecomputeStore, "leaseFanout" | "workFanout">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly owner: string;
  readonly beforeFanout: (fanout: LeasedFanout) => Promise<void>;
  /** Marks were written. */
  readonly afterPage: () => void;
}): Loop {
  let stopping = false;
  const round = async (): Promise<number> => {
    const fanout = await deps.store.leaseFanout({
      owner: deps.owner,
      now: deps.clock.now(),
      leaseMs,
    });
    if (fanout === undefined) return idleMs;
    if (fanout.cursor === undefined) await deps.beforeFanout(fanout);
    await work(fanout);
    return 0;
  };
  const work = async (fanout: LeasedFanout): Promise<void> => {
    let current = fanout;
    while (!stopping) {
      try {
        const page = await deps.store.workFanout({
          fanout: current,
          now: deps.clock.now(),
          limit: pageSize,
        });
        deps.metrics.count("rolecall_fanout_people_total", {}, page.marked);
        deps.afterPage();
        if (page.finished) return;
        current = { ...current, cursor: page.cursor };
      } catch (error) {
        // Its lease ran out and another worker has it now.
        if (error instanceof StoreError && error.code === "VERSION_CONFLICT") return;
        throw error;
      }
      await deps.clock.sleep(pageMs);
    }
  };
  const loop = createLoop({ name: "fanouts", clock: deps.clock, logger: deps.logger, round });
  return {
    ...loop,
    stop() {
      stopping = true;
      return loop.stop();
    },
  };
}
