import { describe, expect, test } from "vitest";
import type { Logger } from "../../../src/model/log.ts";
import { metricTable } from "../../../src/telemetry/metric-table.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { fakeClock } from "../../support/fake-clock.ts";

describe("a metric", () => {
  test("is shown with its labels and its help", async () => {
    const { metrics, expose } = createMetrics({ processMetrics: false });
    const labels = {
      tenant: "acme",
      connection: "anthropic",
      operation: "invites.list",
      status: "200",
    };
    metrics.count("rolecall_vendor_calls_total", labels);
    metrics.count("rolecall_vendor_calls_total", labels, 2);
    metrics.gauge("rolecall_lane_open", 1, { tenant: "acme", connection: "anthropic" });
    metrics.observe("rolecall_recompute_seconds", 0.02);
    const { type, body } = await expose();
    expect(type).toContain("text/plain");
    expect(body).toContain(
      'rolecall_vendor_calls_total{tenant="acme",connection="anthropic",operation="invites.list",status="200"} 3',
    );
    expect(body).toContain('rolecall_lane_open{tenant="acme",connection="anthropic"} 1');
    expect(body).toContain('rolecall_recompute_seconds_bucket{le="0.025"} 1');
    expect(body).toContain(`# HELP rolecall_lane_open ${metricTable.rolecall_lane_open.help}`);
  });

  test("that is not declared throws at its first use", () => {
    const { metrics } = createMetrics({ processMetrics: false });
    expect(() => {
      metrics.count("rolecall_surprises_total");
    }).toThrow(/not declared/);
  });

  test("with a label too many, too few or unknown throws", () => {
    const { metrics } = createMetrics({ processMetrics: false });
    for (const labels of [
      {},
      { tenant: "t", lane: "a" },
      { tenant: "t", connection: "a", person: "b" },
    ]) {
      expect(() => {
        metrics.gauge("rolecall_lane_open", 1, labels);
      }).toThrow(/has the labels \{tenant, connection\}/);
    }
  });

  test("of another kind throws", () => {
    const { metrics } = createMetrics({ processMetrics: false });
    expect(() => {
      metrics.count("rolecall_recompute_owed");
    }).toThrow(/is no counter/);
    expect(() => {
      metrics.observe("rolecall_recompute_owed", 1);
    }).toThrow(/is no histogram/);
    expect(() => {
      metrics.gauge("rolecall_recompute_seconds", 1);
    }).toThrow(/is no gauge/);
  });
});

test("a scrape reads gauges first, and a reading that fails is told and counted", async () => {
  const warnings: string[] = [];
  const logger: Logger = {
    debug() {},
    info() {},
    error() {},
    warn: (_facts, message) => warnings.push(message),
    child: () => logger,
  };
  const { metrics, expose, beforeScrape } = createMetrics({ processMetrics: false, logger });
  beforeScrape(() => Promise.reject(new Error("store closed")));
  beforeScrape(() => {
    metrics.gauge("rolecall_recompute_owed", 7);
    return Promise.resolve();
  });
  const { body } = await expose();
  expect(body).toContain("rolecall_recompute_owed 7");
  expect(body).toContain("rolecall_scrape_failures_total 1");
  expect(warnings).toHaveLength(1);
});

test("a scrape does not wait for a store that hangs", async () => {
  const clock = fakeClock();
  const { metrics, expose, beforeScrape } = createMetrics({ processMetrics: false, clock });
  beforeScrape(() => new Promise(() => undefined));
  beforeScrape(() => {
    metrics.gauge("rolecall_store_up", 0);
    return Promise.resolve();
  });
  const scrape = expose();
  await clock.advance(10_000);
  const { body } = await scrape;
  expect(body).toContain("rolecall_store_up 0");
  expect(body).toContain("rolecall_scrape_failures_total 1");
});

test("the process's own metrics are part of it, once per registry", async () => {
  const [one, two] = [createMetrics(), createMetrics()];
  expect((await one.expose()).body).toContain("process_cpu_seconds_total");
  expect((await two.expose()).body).toContain("nodejs_eventloop_lag_seconds");
});

test("names say their unit and kind as Prometheus wants them", () => {
  for (const [name, row] of Object.entries(metricTable)) {
    expect(name).toMatch(/^rolecall_[a-z_]+$/);
    expect(name.endsWith("_total"), name).toBe(row.kind === "counter");
    expect(name.endsWith("_seconds"), name).toBe(row.unit === "seconds");
  }
});
