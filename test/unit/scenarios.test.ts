// Goal: each of the thirty failures that this service was built against is a test that is named after it.
// Method: the table is read, and every test that it names is looked for in the file that it names.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readTable } from "../support/source-rules.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const rows = read("test/integration/scenarios/README.md")
  .split("\n")
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, number = "", what = "", cell = ""]) => ({
    number,
    what,
    tests: [...cell.matchAll(/`([^`]+)` `([^`]+)`/g)].map(([, path = "", name = ""]) => ({
      path,
      name,
    })),
  }));

test("the table has each of the thirty scenarios once", () => {
  expect(readTable(read("test/integration/scenarios/README.md"), "scenario")).toHaveLength(30);
  expect(rows.map((row) => row.number)).toEqual(
    Array.from({ length: 30 }, (_, at) => String(at + 1)),
  );
});

test("every scenario is a test whose name begins with its number and says what happens", () => {
  const wrong = rows.flatMap(({ number, what, tests }) => {
    if (tests.length === 0) return [`${number} ${what}: no test`];
    return tests.flatMap(({ path, name }) => {
      const begins = new RegExp(`^${number}\\.? \\w`).test(name);
      const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      const stands = new RegExp(`(?:describe|test|it)\\(\\s*"${escaped}`).test(read(path));
      return begins && stands ? [] : [`${number} ${what}: ${path} has no test "${name}…"`];
    });
  });
  expect(wrong).toEqual([]);
});
