// Goal: the bench cannot rot. Method: the smallest form of each measure, with the same processes and the same checks of answers.
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { allMeasures } from "../bench/measures/all.ts";
import { runMeasures } from "../bench/run.ts";
import { judge } from "../bench/verdict.ts";
import { kafkaJars } from "../support/kafka/kafka-jars.ts";
import { postgresBinaries } from "../support/postgres/postgres-server.ts";
import { describeReal, type Found } from "../support/real-server.ts";

const lacking = {
  postgres: process.env["DATABASE_URL"] ? undefined : missingOf(await postgresBinaries()),
  kafka: process.env["KAFKA_BROKERS"] ? undefined : missingOf(await kafkaJars()),
};

for (const measure of allMeasures) {
  const missing = (measure.needs ?? []).flatMap((server) => lacking[server] ?? [])[0];
  const found: Found<true> = missing === undefined ? { server: true } : { missing };
  describeReal(`${measure.name} in its smallest form`, found, () => {
    test("measures something and leaves nothing behind", async () => {
      const [outcome] = await runMeasures([measure], { size: "smoke", say: () => undefined });
      expect(outcome).toMatchObject({ findings: { rows: expect.any(Array) } });
      if (outcome === undefined || "failure" in outcome) return;
      expect(outcome.findings.rows.length).toBeGreaterThan(0);
      for (const row of outcome.findings.rows) {
        expect(row.ours.value, row.measure).toBeGreaterThanOrEqual(0);
        expect(() => judge(row), row.measure).not.toThrow();
      }
      expect(leftovers()).toEqual([]);
    });
  });
}

describe("the bench", () => {
  test("every measure has a name of its own that the command line can ask for", () => {
    const names = allMeasures.map((measure) => measure.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });
});

function missingOf(found: Found<unknown>): string | undefined {
  return "missing" in found ? found.missing : undefined;
}

/** Folders of this process: another bench may run beside us. */
function leftovers(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) =>
    name.startsWith(`rolecall-bench-${String(process.pid)}-`),
  );
}
