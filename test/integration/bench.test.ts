// Goal: the bench cannot rot. Method: the smallest form of each measure, with the same processes and the same checks of answers.
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { allMeasures } from "../bench/measures/all.ts";
import { runMeasures } from "../bench/run.ts";
import { judge } from "../bench/verdict.ts";

describe("in its smallest form", () => {
  test.each(allMeasures.map((measure) => [measure.name, measure] as const))(
    "%s measures something and leaves nothing behind",
    async (_name, measure) => {
      const [outcome] = await runMeasures([measure], { size: "smoke", say: () => undefined });
      expect(outcome).toMatchObject({ findings: { rows: expect.any(Array) } });
      if (outcome === undefined || "failure" in outcome) return;
      expect(outcome.findings.rows.length).toBeGreaterThan(0);
      for (const row of outcome.findings.rows) {
        expect(row.ours.value, row.measure).toBeGreaterThanOrEqual(0);
        expect(() => judge(row), row.measure).not.toThrow();
      }
      expect(leftovers()).toEqual([]);
    },
  );

  test("every measure has a name of its own that the command line can ask for", () => {
    const names = allMeasures.map((measure) => measure.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });
});

/** Folders of this process: another bench may run beside us. */
function leftovers(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) =>
    name.startsWith(`rolecall-bench-${String(process.pid)}-`),
  );
}
