import type { Clock, Instant } from "../model/clock.ts";
import type { Metrics } from "../model/log.ts";
import type { RecomputeStore } from "./recompute-store.ts";

/** Shows what is owed, at each scrape: how many people, and for how long. */
export async function showBacklog(deps: {
  readonly store: Pick<RecomputeStore, "recomputeBacklog">;
  readonly metrics: Metrics;
  readonly clock: Clock;
}): Promise<void> {
  const { store, metrics, clock } = deps;
  const now = clock.now();
  const backlog = await store.recomputeBacklog(now);
  const age = (since: Instant | undefined) =>
    since === undefined ? 0 : Math.max(0, now - since) / 1_000;
  metrics.gauge("rolecall_recompute_owed", backlog.owed);
  metrics.gauge("rolecall_recompute_urgent_owed", backlog.urgentOwed);
  metrics.gauge("rolecall_recompute_oldest_seconds", age(backlog.oldestSince));
  metrics.gauge("rolecall_recompute_urgent_oldest_seconds", age(backlog.oldestUrgentSince));
}
