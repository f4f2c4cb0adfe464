import type { AccountStore } from "../accounts/account-store.ts";
import type { Lane } from "../accounts/lane.ts";
import type { TargetState } from "../accounts/target.ts";
import type { Clock, Instant } from "../model/clock.ts";
import type { Metrics } from "../model/log.ts";

const states = [
  "idle",
  "due",
  "waiting",
  "held",
  "parked",
  "manual",
] as const satisfies readonly TargetState[];
const laneStates = ["open", "resting", "paused", "stopped"] as const;
const holdsMax = 1_000;

/** Sets the gauges of every lane from what the store says now; called before each scrape. */
export async function showLanes(deps: {
  readonly store: Pick<AccountStore, "listLanes" | "targetCounts" | "listHolds" | "listStops"> & {
    readBrake(): Promise<unknown>;
  };
  readonly metrics: Metrics;
  readonly clock: Pick<Clock, "now">;
}): Promise<void> {
  const { store, metrics } = deps;
  const [lanes, counts] = await Promise.all([
    store.listLanes(undefined),
    store.targetCounts(undefined),
  ]);
  metrics.gauge("rolecall_store_braked", (await store.readBrake()) === undefined ? 0 : 1, {});
  const now = deps.clock.now();
  for (const [tenantId, own] of Map.groupBy(lanes, (lane) => lane.tenantId)) {
    const [holds, stops] = await Promise.all([
      store.listHolds(tenantId, { state: "open", limit: holdsMax }),
      store.listStops(tenantId),
    ]);
    for (const lane of own) {
      const { connectionId } = lane;
      const labels = { tenant: tenantId, connection: connectionId };
      const stopped = stops.some(
        (stop) => stop.connectionId === undefined || stop.connectionId === connectionId,
      );
      metrics.gauge("rolecall_lane_open", lane.state === "open" && !stopped ? 1 : 0, labels);
      const is = stateOf(lane, stopped, now);
      for (const state of laneStates)
        metrics.gauge("rolecall_lane_state", state === is ? 1 : 0, { ...labels, state });
      metrics.gauge(
        "rolecall_holds_open",
        holds.filter((hold) => hold.connectionId === connectionId).length,
        labels,
      );
      const here = counts.filter(
        (row) => row.tenantId === tenantId && row.connectionId === connectionId,
      );
      // A state that nobody is in any more must fall to zero, not keep its last number.
      for (const item of states) {
        const people = here.filter((row) => row.state === item);
        metrics.gauge(
          "rolecall_targets",
          people.reduce((sum, row) => sum + row.count, 0),
          { ...labels, state: item },
        );
      }
      const since = here.flatMap((row) =>
        row.lifecycle === "departed" && row.oldestWishedAt !== null ? [row.oldestWishedAt] : [],
      );
      metrics.gauge("rolecall_leaver_oldest_seconds", oldestSeconds(since, now), labels);
      metrics.gauge(
        "rolecall_retries",
        here.reduce((sum, row) => sum + row.retrying, 0),
        labels,
      );
      const tried = here.flatMap((row) => row.oldestRetryWishedAt ?? []);
      metrics.gauge("rolecall_retry_oldest_seconds", oldestSeconds(tried, now), labels);
    }
  }
}

function stateOf(lane: Lane, stopped: boolean, now: Instant): (typeof laneStates)[number] {
  if (stopped) return "stopped";
  if (lane.state === "paused") return "paused";
  return (lane.breakerUntil ?? 0) > now ? "resting" : "open";
}

function oldestSeconds(since: readonly Instant[], now: Instant): number {
  return since.length === 0 ? 0 : Math.max(0, now - Math.min(...since)) / 1_000;
}
