// Goal: the simulation bites: with one guard taken out of the sources, some run breaks a promise.
// Method: plant each bug of the list while its thread loads the sources, and run stories that are kept for this, its own first, until
// one notices it.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { farm, type Job } from "./farm.ts";
import { plantedBugs, type KnownBug } from "./planted-bugs.ts";

const threads = 2;
const stories = JSON.parse(
  readFileSync(new URL("./planted-stories.json", import.meta.url), "utf8"),
) as readonly Job[];

test("a planted bug is found, every one", { timeout: 900_000 }, async () => {
  const left = [...plantedBugs];
  const missed: string[] = [];
  const found: string[] = [];
  const one = async (): Promise<void> => {
    for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
      const by = await hunt(bug);
      if (by === undefined) missed.push(bug.name);
      else found.push(`${bug.name}: ${by}`);
    }
  };
  await Promise.all(Array.from({ length: threads }, one));
  const score = `${String(found.length)} of ${String(plantedBugs.length)}`;
  process.stdout.write(
    `planted bugs found: ${score}\n${found.map((line) => `  ${line}\n`).join("")}`,
  );
  expect(missed).toEqual([]);
});

/** The story that noticed it, by its seed, with what it said. */
async function hunt(bug: KnownBug): Promise<string | undefined> {
  const jobs = stories.toSorted(
    (a, b) => Number(bug.stories.includes(b.seed)) - Number(bug.stories.includes(a.seed)),
  );
  let found: string | undefined;
  await farm(jobs, {
    bug,
    hands: 1,
    onOutcome: ({ seed, violations }) => {
      const [first] = violations;
      if (first === undefined) return true;
      found = `seed ${String(seed)}, ${first.split("\n")[0] ?? ""}`;
      return false;
    },
  });
  return found;
}
