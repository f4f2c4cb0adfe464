// Goal: the promises of the design hold whatever happens, in whatever order.
// Method: whole runs on the real engine, each made by its seed: same seed, same run. A run that breaks a promise is made short,
// printed with its trace, and kept in kept-runs.json, whose runs come first from then on.
import { describe, expect, test } from "vitest";
import { ordinarySeeds } from "./actions.ts";
import { farm, type Job } from "./farm.ts";
import { readKept, tellAndKeep } from "./kept-runs.ts";
import { runSeed } from "./run.ts";

const seeds = ordinarySeeds;
const kept = readKept();

describe("the whole system", () => {
  test("keeps every promise in every run that once broke one", async () => {
    const broken: string[] = [];
    await farm(kept, {
      onOutcome: ({ seed, violations }) => {
        for (const text of violations) broken.push(`seed ${String(seed)}: ${text}`);
        return true;
      },
    });
    expect(broken).toEqual([]);
  });

  test(`keeps every promise in ${String(seeds)} runs`, { timeout: 600_000 }, async () => {
    const jobs = Array.from({ length: seeds }, (_, at): Job => ({ seed: at + 1 }));
    const failed: Job[] = [];
    let writes = 0;
    await farm(jobs, {
      onOutcome: ({ violations, intents }, job) => {
        writes += intents;
        if (violations.length > 0) failed.push(job);
        return failed.length < 3;
      },
    });
    expect(await tellAndKeep(kept, failed)).toEqual([]);
    // Runs in which nothing is written prove nothing.
    expect(writes).toBeGreaterThan(seeds * 5);
  });

  test("does the same twice for the same seed", async () => {
    const [first, again] = [await runSeed(7), await runSeed(7)];
    expect(again.fingerprint).toBe(first.fingerprint);
    expect((await runSeed(8)).fingerprint).not.toBe(first.fingerprint);
  });
});
