import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Clock } from "../model/clock.ts";
import type { Logger, MetricLabels, Metrics } from "../model/log.ts";
import { metricTable, type MetricRow } from "./metric-table.ts";

const refreshMs = 4_000;

export interface MetricRegistry {
  readonly metrics: Metrics;
  /** What `/metrics` answers: the Prometheus text format and its content type. */
  expose(): Promise<{ readonly type: string; readonly body: string }>;
  /**
   * Calls `refresh` before each exposition, for gauges that are read from the store. One that fails is logged and counted, and the
   * last values are shown.
   */
  beforeScrape(refresh: () => Promise<void>): void;
}

/** A registry of its own, so that two services in one process do not count for each other. */
export function createMetrics(
  options: {
    readonly logger?: Logger;
    /** Wall time; with it, a scrape waits for its gauges only so long. */
    readonly clock?: Pick<Clock, "sleep">;
    /** Rows beside the standing table, for tests. */
    readonly table?: Readonly<Record<string, MetricRow>>;
    /** Process and runtime metrics (`process_*`, `nodejs_*`); on unless told otherwise. */
    readonly processMetrics?: boolean;
  } = {},
): MetricRegistry {
  const registry = new Registry();
  const table: Readonly<Record<string, MetricRow>> = options.table ?? metricTable;
  const made = new Map(
    Object.entries(table).map(([name, row]) => [name, { row, metric: make(registry, name, row) }]),
  );
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });
  const refreshes: (() => Promise<void>)[] = [];

  const find = (name: string, labels: MetricLabels) => {
    const found = made.get(name);
    if (found === undefined) {
      throw new Error(`metric "${name}" is not declared: add a row to telemetry/metric-table.ts`);
    }
    const given = Object.keys(labels);
    const { row } = found;
    if (given.length !== row.labels.length || given.some((label) => !row.labels.includes(label))) {
      throw new Error(
        `metric "${name}" has the labels {${row.labels.join(", ")}}, not {${given.join(", ")}}`,
      );
    }
    return found.metric;
  };
  const wrongKind = (name: string, kind: string) => new Error(`metric "${name}" is no ${kind}`);
  const metrics: Metrics = {
    count(name, labels = {}, by = 1) {
      const metric = find(name, labels);
      if (!(metric instanceof Counter)) throw wrongKind(name, "counter");
      metric.inc(labels, by);
    },
    gauge(name, value, labels = {}) {
      const metric = find(name, labels);
      if (!(metric instanceof Gauge)) throw wrongKind(name, "gauge");
      metric.set(labels, value);
    },
    observe(name, value, labels = {}) {
      const metric = find(name, labels);
      if (!(metric instanceof Histogram)) throw wrongKind(name, "histogram");
      metric.observe(labels, value);
    },
  };
  const refreshAll = async (): Promise<void> => {
    const results = await Promise.allSettled(
      refreshes.map((refresh) => inTime(refresh(), options.clock)),
    );
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      metrics.count("rolecall_scrape_failures_total");
      options.logger?.warn({ err: result.reason }, "gauges not refreshed for a scrape");
    }
  };
  return {
    metrics,
    async expose() {
      await refreshAll();
      return { type: registry.contentType, body: await registry.metrics() };
    },
    beforeScrape(refresh) {
      refreshes.push(refresh);
    },
  };
}

/** A store that hangs must not keep Prometheus from hearing that it does: it gives up after ten seconds by default. */
async function inTime(work: Promise<void>, clock: Pick<Clock, "sleep"> | undefined): Promise<void> {
  if (clock === undefined) return work;
  const timer = new AbortController();
  const late = clock.sleep(refreshMs, timer.signal).then(() => {
    if (!timer.signal.aborted)
      throw new Error(`gauges not read within ${String(refreshMs / 1_000)} s`);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}

function make(registry: Registry, name: string, row: MetricRow): Counter | Gauge | Histogram {
  const base = { name, help: row.help, labelNames: [...row.labels], registers: [registry] };
  switch (row.kind) {
    case "counter":
      return new Counter(base);
    case "gauge":
      return new Gauge(base);
    case "histogram":
      return new Histogram({ ...base, ...(row.buckets && { buckets: [...row.buckets] }) });
  }
}
