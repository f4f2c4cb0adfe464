import { describe, expect, test } from "vitest";
import type { Findings, Measure, Row } from "../../bench/measure.ts";
import { report, table } from "../../bench/report.ts";
import { runMeasures } from "../../bench/run.ts";
import { judge } from "../../bench/verdict.ts";

const measureOf = (run: Measure["run"], more: Partial<Measure> = {}): Measure => ({
  name: "sample",
  title: "A sample",
  method: "By hand.",
  timeoutMs: 5_000,
  run,
  ...more,
});
const run = (measure: Measure) => runMeasures([measure], { size: "smoke", say: () => undefined });
const findings = (...rows: readonly Row[]): Findings => ({ rows, notes: [] });

const machine = {
  cpu: "a processor",
  cores: 2,
  memoryGb: 8,
  system: "Linux 6",
  node: "v24.0.0",
  sqlite: "3.50",
  commit: "0123456789",
  loadBefore: 0.1,
};

describe("a row", () => {
  test("meets a goal on its ratio or misses it", () => {
    const row: Row = {
      measure: "writes",
      ours: { value: 820, unit: "/s" },
      floor: { value: 1_000, unit: "/s", what: "a bare route" },
      goal: { kind: "ratio-at-least", value: 0.8 },
    };
    expect(judge(row)).toEqual({ ratio: 0.82, met: true });
    expect(judge({ ...row, ratio: 0.79 })).toEqual({ ratio: 0.79, met: false });
    expect(judge({ ...row, goal: { kind: "ratio-at-most", value: 0.8 } }).met).toBe(false);
  });

  test("meets a goal on its own figure, whatever the floor is", () => {
    const row: Row = { measure: "hints", ours: { value: 2_999, unit: "/s" } };
    const least = { kind: "at-least", value: 3_000 } as const;
    expect(judge({ ...row, goal: least }).met).toBe(false);
    expect(judge({ ...row, ours: { value: 3_000, unit: "/s" }, goal: least }).met).toBe(true);
    expect(judge({ ...row, goal: { kind: "at-most", value: 3_000 } }).met).toBe(true);
  });

  test("compares figures of different units as what they are", () => {
    const row: Row = {
      measure: "look-up",
      ours: { value: 2, unit: "ms" },
      floor: { value: 500, unit: "µs", what: "SQL" },
    };
    expect(judge(row).ratio).toBeCloseTo(4);
  });

  test("with a goal on a ratio and no floor is a mistake in the measure", () => {
    const row: Row = {
      measure: "writes",
      ours: { value: 1, unit: "/s" },
      goal: { kind: "ratio-at-least", value: 0.8 },
    };
    expect(() => judge(row)).toThrow("needs a floor");
  });
});

describe("the report", () => {
  test("states a missed goal with its reason, and a failed measure as failed", async () => {
    const missed = measureOf(() =>
      Promise.resolve(
        findings({
          measure: "memory",
          ours: { value: 512, unit: "MB" },
          goal: { kind: "at-most", value: 400 },
          whenMissed: "pages are kept too long",
        }),
      ),
    );
    const failed = measureOf(() => Promise.reject(new Error("no port")), { title: "Another" });
    const outcomes = await runMeasures([missed, failed], { size: "full", say: () => undefined });
    const text = report(machine, new Date(0), outcomes, 0.2);
    expect(text).toContain("| memory | 512 MB |  |  | ≤ 400 MB | **missed** |");
    expect(text).toContain("- memory: pages are kept too long");
    expect(text).toContain("| Another | not measured | | | | **failed** |");
    expect(text).toContain("- Another: failed: no port");
  });

  test("says when the machine was not idle", () => {
    expect(report(machine, new Date(0), [], 0)).not.toContain("NOT idle");
    expect(report({ ...machine, loadBefore: 2 }, new Date(0), [], 0)).toContain("NOT idle");
  });

  test("shows three figures that count", async () => {
    const values = [0.001234, 1.23456, 12.3456, 1234.56];
    const outcomes = await run(
      measureOf(() =>
        Promise.resolve(
          findings(
            ...values.map((value) => ({ measure: "m", ours: { value, unit: "ms" as const } })),
          ),
        ),
      ),
    );
    expect(
      table(outcomes)
        .slice(2)
        .map((line) => line.split(" | ")[1]),
    ).toEqual(["0.00123 ms", "1.23 ms", "12.3 ms", "1,235 ms"]);
  });
});

describe("the runner", () => {
  test("gives up a measure that does not end, and cleans up after it, last made first", async () => {
    const cleaned: string[] = [];
    const outcomes = await run(
      measureOf(
        (stage) => {
          stage.cleanUp(() => void cleaned.push("first"));
          stage.cleanUp(() => Promise.reject(new Error("stuck")));
          stage.cleanUp(() => void cleaned.push("last"));
          return new Promise(() => undefined);
        },
        { timeoutMs: 20 },
      ),
    );
    expect(outcomes).toEqual([expect.objectContaining({ failure: "given up after 0.02 s" })]);
    expect(cleaned).toEqual(["last", "first"]);
  });

  test("that is stopped gives up the measure in hand and tells the others as not run", async () => {
    const stop = new AbortController();
    const hanging = measureOf(() => {
      stop.abort();
      return new Promise(() => undefined);
    });
    const never = measureOf(() => Promise.reject(new Error("was run")));
    const options = { size: "smoke", say: () => undefined, signal: stop.signal } as const;
    const outcomes = await runMeasures([hanging, never], options);
    expect(outcomes).toEqual([
      expect.objectContaining({ failure: "stopped by hand" }),
      expect.objectContaining({ failure: "not run: the bench was stopped before it" }),
    ]);
  });
});
