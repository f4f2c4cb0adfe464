import type { Clock } from "../model/clock.ts";
import type { Logger, Metrics } from "../model/log.ts";
import { untraced, type OpenSpan, type Tracer } from "../model/trace.ts";
import type { Hint, HintBus, HintTopic } from "./hint-bus.ts";
import { createLoop, type Loop } from "./loop.ts";
import type { RecomputeMark, RecomputeStore } from "./recompute-store.ts";

const batch = 200;
const busyMs = 50;
const idleMs = 250;
const rungIdleMs = 1_000;
const busDownMs = 2_000;

interface RelayDeps {
  readonly store: Pick<RecomputeStore, "listUnpublished" | "markPublished">;
  readonly bus: Pick<HintBus, "publish">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer?: Tracer;
  /** Whoever makes marks in this process rings, so that only those of other processes are looked for: less often. */
  readonly isRung?: boolean;
}

/**
 * Hints what the marks say: reads those that were not published, hands them to the bus, and notes it. A crash in between hints twice,
 * a bus that is down hints nothing: the sweep finds every mark all the same.
 */
export function createRelay(deps: RelayDeps): Loop {
  let down = false;
  /** Ordinary hints on their way: a full topic makes them wait, and leavers must not wait with them. */
  let sending: Promise<void> | undefined;
  /** Monotonic; while the bus refuses hints, nothing is offered before then. */
  let restUntil = 0;

  const send = async (topic: HintTopic, marks: readonly RecomputeMark[]): Promise<void> => {
    if (marks.length === 0) return;
    try {
      await publish(deps, topic, marks);
    } catch (error) {
      deps.metrics.count("rolecall_hints_refused_total", { topic }, marks.length);
      if (!down) {
        deps.logger.error(
          { err: error, topic },
          "the bus takes no hints; the sweep does the work until it does",
        );
      }
      down = true;
      restUntil = deps.clock.monotonic() + busDownMs;
      return;
    }
    if (down) deps.logger.info({ topic }, "the bus takes hints again");
    down = false;
    deps.metrics.count("rolecall_hints_published_total", { topic }, marks.length);
    await deps.store.markPublished(marks);
  };
  const sendOrdinary = async (marks: readonly RecomputeMark[]): Promise<void> => {
    try {
      await send("hints", marks);
    } catch (error) {
      restUntil = deps.clock.monotonic() + busDownMs;
      deps.logger.error({ err: error }, "hints published and not noted; they are published again");
    } finally {
      sending = undefined;
      // There may be more, and nobody looked while these were under way.
      loop.ring();
    }
  };
  const round = async (): Promise<number> => {
    const restMs = restUntil - deps.clock.monotonic();
    if (restMs > 0) return restMs;
    const marks = await deps.store.listUnpublished({ now: deps.clock.now(), limit: batch });
    if (marks.length === 0) return deps.isRung === true ? rungIdleMs : idleMs;
    await send(
      "hints.urgent",
      marks.filter((mark) => mark.urgent),
    );
    const ordinary = marks.filter((mark) => !mark.urgent);
    if (ordinary.length > 0) sending ??= sendOrdinary(ordinary);
    return busyMs;
  };
  const loop = createLoop({ name: "relay", clock: deps.clock, logger: deps.logger, round });
  return {
    start: loop.start,
    ring: loop.ring,
    async stop() {
      await loop.stop();
      await sending;
    },
  };
}

/**
 * Hands marks to the bus as hints. A mark whose reasons are traced gets a span of its own, beneath the oldest of them, which ends when
 * the bus has its hint; the hint carries it to whoever recomputes.
 */
async function publish(
  { bus, tracer = untraced }: Pick<RelayDeps, "bus" | "tracer">,
  topic: HintTopic,
  marks: readonly RecomputeMark[],
): Promise<void> {
  const spans: OpenSpan[] = [];
  const hints = marks.map(({ tenantId, identityId, traces }): Hint => {
    if (traces === undefined) return { tenantId, identityId };
    const [parent, ...links] = traces;
    const span = tracer.open({
      name: `publish ${topic}`,
      kind: "producer",
      parent,
      links,
      facts: {
        "messaging.destination.name": topic,
        "rolecall.tenant": tenantId,
        "rolecall.identity": identityId,
      },
    });
    spans.push(span);
    return { tenantId, identityId, ...(span.at !== undefined && { trace: span.at }) };
  });
  try {
    await bus.publish(topic, hints);
  } catch (error) {
    for (const span of spans) span.fail("bus_refused");
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}
