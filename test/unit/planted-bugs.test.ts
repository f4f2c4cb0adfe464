// Goal: the list of planted bugs follows the code: a guard that moved is seen in seconds, not when the simulation loads it.
// Method: make each change of the list on the sources as they are.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { withBug } from "../simulation/plant.ts";
import { plantedBugs } from "../simulation/planted-bugs.ts";

test.each(plantedBugs)('"$name" is still a change of the sources as they are', (bug) => {
  const source = readFileSync(new URL(`../../src/${bug.file}`, import.meta.url), "utf8");
  expect(withBug(bug, source)).not.toBe(source);
});
