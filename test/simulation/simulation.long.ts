// Goal: as simulation.test.ts, so often that rare orders of events come by: beyond the seeds that every ordinary run has.
import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { farm, type Job } from "./farm.ts";
import { readKept, tellAndKeep } from "./kept-runs.ts";

const first = 1;
const seeds = 10_000;

test(`the whole system keeps every promise in ${String(seeds)} runs`, async () => {
  const jobs = Array.from({ length: seeds }, (_, at): Job => ({ seed: first + at }));
  const failed: Job[] = [];
  let done = 0;
  await farm(jobs, {
    hands: availableParallelism(),
    onOutcome: ({ violations }, job) => {
      done += 1;
      if (done % 500 === 0) process.stdout.write(`${String(done)} runs\n`);
      if (violations.length > 0) failed.push(job);
      return failed.length < 10;
    },
  });
  expect(await tellAndKeep(readKept(), failed)).toEqual([]);
});
