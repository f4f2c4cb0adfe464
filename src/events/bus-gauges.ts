import type { Metrics } from "../model/log.ts";
import { hintTopics, type HintBus } from "./hint-bus.ts";

/** Shows how the bus is, at each scrape: whether it works, what it holds, and how long ago this process heard from it. */
export async function showBus(deps: {
  readonly bus: Pick<HintBus, "ready" | "lag" | "pollAgeMs">;
  readonly metrics: Metrics;
}): Promise<void> {
  const { bus, metrics } = deps;
  metrics.gauge("rolecall_bus_ready", bus.ready().ready ? 1 : 0);
  await Promise.all(
    hintTopics.map(async (topic) => {
      const pollAgeMs = bus.pollAgeMs(topic);
      if (pollAgeMs !== undefined) {
        metrics.gauge("rolecall_bus_poll_age_seconds", pollAgeMs / 1_000, { topic });
      }
      const lag = await bus.lag(topic);
      if (lag !== undefined) metrics.gauge("rolecall_bus_lag", lag, { topic });
    }),
  );
}
