import type { Clock } from "../model/clock.ts";
import type { Logger, Metrics } from "../model/log.ts";
import { byTenant, type RecomputePeople } from "./consumer.ts";
import { createLoop, type Loop } from "./loop.ts";
import type { RecomputeStore } from "./recompute-store.ts";

const periodMs = 1_000;
const ageMs = 10_000;
const urgentAgeMs = 2_000;
const batch = 200;

/**
 * The promise behind the hints: finds every mark that is owed and old enough, urgent ones first, and recomputes. With the bus gone
 * for good this alone brings everything to its end, seconds later.
 */
export function createSweep(deps: {
  readonly store: Pick<RecomputeStore, "listOverdue" | "recomputeBacklog">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly recompute: RecomputePeople;
}): Loop {
  const round = async (): Promise<number> => {
    const now = deps.clock.now();
    const marks = await deps.store.listOverdue({ now, ageMs, urgentAgeMs, limit: batch });
    for (const [tenantId, identityIds] of byTenant(marks))
      await deps.recompute(tenantId, identityIds);
    if (marks.length > 0) deps.metrics.count("rolecall_sweep_found_total", {}, marks.length);
    const backlog = await deps.store.recomputeBacklog(now);
    const oldest =
      backlog.oldestSince === undefined ? 0 : Math.max(0, now - backlog.oldestSince) / 1_000;
    deps.metrics.gauge("rolecall_recompute_owed", backlog.owed);
    deps.metrics.gauge("rolecall_recompute_oldest_seconds", oldest);
    return marks.length === batch ? 0 : periodMs;
  };
  return createLoop({ name: "sweep", clock: deps.clock, logger: deps.logger, round });
}
