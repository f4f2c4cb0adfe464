import type { Clock } from "../model/clock.ts";
import type { Metrics } from "../model/log.ts";

/** The last hours of this process in small steps, for a glance; Prometheus has the rest. */
export interface Trends {
  readonly since: number;
  readonly everyMs: number;
  readonly series: readonly {
    readonly name: string;
    readonly unit: string;
    /** Oldest first; the last one is under way. */
    readonly points: readonly number[];
  }[];
}

const everyMs = 60_000;
const stepsMax = 120;

/** What is shown of which metric: how often it happened, or how long it took on average. */
const shown = [
  {
    metric: "rolecall_scim_requests_total",
    name: "Heard from identity providers",
    unit: "requests a minute",
    show: "sum",
  },
  {
    metric: "rolecall_vendor_calls_total",
    name: "Asked of vendors",
    unit: "calls a minute",
    show: "sum",
  },
  {
    metric: "rolecall_vendor_writes_total",
    name: "Changed at vendors",
    unit: "writes a minute",
    show: "sum",
  },
  {
    metric: "rolecall_event_to_call_seconds",
    name: "From the event to the vendor",
    unit: "seconds",
    show: "mean",
  },
] as const;

interface Step {
  sum: number;
  count: number;
}

/** Metrics that remember the last two hours of a few numbers on their way to the registry. @param clock wall time */
export function createTrends(
  registry: Metrics,
  clock: Pick<Clock, "now">,
): { readonly metrics: Metrics; readonly read: () => Trends } {
  const since = clock.now();
  const stepAt = () => Math.floor(clock.now() / everyMs);
  const first = stepAt();
  const kept = new Map<string, Map<number, Step>>(shown.map((row) => [row.metric, new Map()]));
  const note = (metric: string, value: number): void => {
    const steps = kept.get(metric);
    if (steps === undefined) return;
    const at = stepAt();
    const step = steps.get(at);
    if (step !== undefined) {
      step.sum += value;
      step.count += 1;
      return;
    }
    steps.set(at, { sum: value, count: 1 });
    for (const old of steps.keys()) if (old <= at - stepsMax) steps.delete(old);
  };
  return {
    metrics: {
      count(name, labels, by = 1) {
        note(name, by);
        registry.count(name, labels, by);
      },
      gauge: (name, value, labels) => {
        registry.gauge(name, value, labels);
      },
      observe(name, value, labels) {
        note(name, value);
        registry.observe(name, value, labels);
      },
    },
    read: () => {
      const now = stepAt();
      const from = Math.max(first, now - stepsMax + 1);
      const points = (steps: ReadonlyMap<number, Step> | undefined, show: "sum" | "mean") =>
        Array.from({ length: now - from + 1 }, (_, at) => {
          const step = steps?.get(from + at);
          if (step === undefined) return 0;
          return show === "sum" ? step.sum : step.sum / step.count;
        });
      return {
        since,
        everyMs,
        series: shown.map(({ metric, name, unit, show }) => ({
          name,
          unit,
          points: points(kept.get(metric), show),
        })),
      };
    },
  };
}
