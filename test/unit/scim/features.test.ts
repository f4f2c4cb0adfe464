// Goal: src/scim/README.md promises nothing that no test proves.
// Method: its tables are read; each row has to name tests, and each name has to lead to a file that has tests in it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const readme = readFileSync(join(root, "src/scim/README.md"), "utf8");

/** Letters of the legend, each with the file or folder that it stands for. */
const legend = new Map(
  [...readme.matchAll(/\*\*([A-Z])\*\*\s+`([^`]+)`/g)].map(([, letter = "", path = ""]) => [
    letter,
    path.includes("/") ? path : `test/integration/${path}`,
  ]),
);

/** Files of tests by their last name. */
const testFiles = new Map(
  readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => [name.split("/").at(-1) ?? name, `test/${name}`]),
);

interface Row {
  readonly what: string;
  readonly tests: string;
}

/** Rows of every table whose last column is `test`. */
const rows: readonly Row[] = readme.split("\n\n").flatMap((block) => {
  const lines = block.split("\n").filter((line) => line.startsWith("|"));
  const cells = lines.map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
  if (cells[0]?.at(-1) !== "test") return [];
  return cells.slice(2).map((row) => ({ what: row[0] ?? "", tests: row.at(-1) ?? "" }));
});

/** What the last cell names: `C`, `U filter`, `extension.test.ts`. @throws Error for a word that is none */
function filesOf(tests: string): readonly string[] {
  let folder: string | undefined;
  return tests.split(", ").map((name) => {
    const [, letter, quoted] = /^(?:([A-Z])\b)?\s*(?:`([^`]+)`)?$/.exec(name) ?? [];
    if (letter !== undefined) folder = legend.get(letter);
    if (letter !== undefined && folder === undefined) throw new Error(`no legend for ${name}`);
    if (quoted === undefined && letter !== undefined) return folder ?? "";
    if (quoted === undefined) throw new Error(`"${name}" names no test`);
    return testFiles.get(quoted) ?? join(folder ?? "", `${quoted}.test.ts`);
  });
}

describe("the tables of src/scim/README.md", () => {
  it("have a legend of files that are there", () => {
    expect(legend.size).toBeGreaterThan(8);
    for (const [letter, path] of legend) expect(existsSync(join(root, path)), letter).toBe(true);
  });

  it.each(rows.map(({ what, tests }) => [what, tests]))("%s is proved by %s", (_, tests) => {
    const files = filesOf(tests);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      expect(existsSync(join(root, file)), file).toBe(true);
      const text = readFileSync(join(root, file), "utf8");
      expect(text, file).toMatch(/\b(it|test)(\.each\([^)]*\))?\(/);
    }
  });

  it("tell of what the RFCs have, of what clients do, and of what has no effect", () => {
    expect(rows.length).toBeGreaterThan(45);
    const told = rows.map((row) => row.what).join("\n");
    for (const word of [
      ...["filters", "sorting", "cursor", "attributes", "/.search", "PATCH", "ETag", "405"],
      ...["OneLogin", "PingOne", "Okta", "aadOptscim062020", "password", "canonicalValues"],
    ]) {
      expect(told, word).toContain(word);
    }
  });
});
