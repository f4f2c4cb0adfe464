import type { Clock } from "../model/clock.ts";
import type { Logger, Metrics } from "../model/log.ts";
import type { HintBus, HintTopic } from "./hint-bus.ts";
import { createLoop, type Loop } from "./loop.ts";
import type { RecomputeMark, RecomputeStore } from "./recompute-store.ts";

const batch = 200;
const busyMs = 50;
const idleMs = 250;
const busDownMs = 2_000;

/**
 * Hints what the marks say: reads those that were not published, hands them to the bus, and notes it. A crash in between hints twice,
 * a bus that is down hints nothing: the sweep finds every mark all the same.
 */
export function createRelay(deps: {
  readonly store: Pick<RecomputeStore, "listUnpublished" | "markPublished">;
  readonly bus: HintBus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Loop {
  let down = false;
  const round = async (): Promise<number> => {
    const marks = await deps.store.listUnpublished({ now: deps.clock.now(), limit: batch });
    if (marks.length === 0) return idleMs;
    try {
      // Leavers first, whatever the bus makes of the rest.
      await publish(
        deps,
        "hints.urgent",
        marks.filter((mark) => mark.urgent),
      );
      await publish(
        deps,
        "hints",
        marks.filter((mark) => !mark.urgent),
      );
    } catch (error) {
      if (!down)
        deps.logger.error(
          { err: error },
          "the bus takes no hints; the sweep does the work until it does",
        );
      down = true;
      return busDownMs;
    }
    if (down) deps.logger.info({}, "the bus takes hints again");
    down = false;
    await deps.store.markPublished(marks);
    return marks.length === batch ? 0 : busyMs;
  };
  return createLoop({ name: "relay", clock: deps.clock, logger: deps.logger, round });
}

async function publish(
  deps: { readonly bus: HintBus; readonly metrics: Metrics },
  topic: HintTopic,
  marks: readonly RecomputeMark[],
): Promise<void> {
  if (marks.length === 0) return;
  await deps.bus.publish(
    topic,
    marks.map(({ tenantId, identityId }) => ({ tenantId, identityId })),
  );
  deps.metrics.count("rolecall_hints_published_total", { topic }, marks.length);
}
