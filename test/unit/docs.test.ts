// Goal: what the documents say about the code is true, in both directions.
// Method: read the Markdown, read the tables in code, compare. Where a made table differs, the expected text is in the failure.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { exitCodes } from "../../src/cli/command.ts";
import { commands } from "../../src/cli.ts";
import { settings, settingsTable, type Setting } from "../../src/config/settings.ts";
import { vendorAccess } from "../../src/connectors/registry.ts";
import { errorCodes } from "../../src/model/errors.ts";
import { metricTable, metricsTable } from "../../src/telemetry/metric-table.ts";
import { readSource, readTable } from "../support/source-rules.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** Every Markdown file that is ours. */
function documents(): readonly string[] {
  const skipped = new Set(["node_modules", "data", "coverage", ".git"]);
  const walk = (folder: string): readonly string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      if (skipped.has(entry.name)) return [];
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return walk(path);
      return entry.name.endsWith(".md") ? [relative(root, path)] : [];
    });
  return walk(root).toSorted();
}

const withoutCode = (markdown: string) =>
  markdown.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");

/** A heading as GitHub links to it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");

const anchorsIn = (markdown: string) =>
  new Set(
    [...withoutFences(markdown).matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1] ?? "")),
  );

const withoutFences = (markdown: string) => markdown.replace(/^```[\s\S]*?^```/gm, "");

/** Targets of links and images that do not exist, as `file: target`. */
function brokenLinks(path: string, markdown: string): readonly string[] {
  const targets = [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)(?:\s"[^"]*")?\)/g)].map(
    (match) => match[1] ?? "",
  );
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [file = "", anchor] = target.split("#");
      const full = file === "" ? join(root, path) : join(root, dirname(path), file);
      if (!existsSync(full)) return true;
      if (anchor === undefined || !full.endsWith(".md")) return false;
      return !anchorsIn(readFileSync(full, "utf8")).has(anchor);
    })
    .map((target) => `${path}: ${target}`);
}

/** What stands between two marks of a document. */
function between(markdown: string, mark: string): string {
  const start = markdown.indexOf(`<!-- ${mark}: `);
  const from = markdown.indexOf("-->", start) + 3;
  const end = markdown.indexOf(`<!-- end of ${mark} -->`);
  if (start < 0 || end < from) throw new Error(`no marks around ${mark}`);
  return markdown.slice(from, end).trim();
}

/** Words after `rolecall` in code of a document, cut at the first argument. */
function commandsIn(markdown: string): readonly string[] {
  const code = [...markdown.matchAll(/`([^`\n]+)`|^(npx rolecall .*)$/gm)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
  return code.flatMap((text) => {
    const match = /^(?:npx )?rolecall ((?:[a-z-]+ ?)+)/.exec(text);
    return match === null ? [] : [(match[1] ?? "").trim()];
  });
}

describe("every document", () => {
  test("has links that lead somewhere", () => {
    expect(documents().length).toBeGreaterThan(6);
    expect(documents().flatMap((path) => brokenLinks(path, read(path)))).toEqual([]);
  });

  test("would be caught with a link that leads nowhere", () => {
    const text = "[a](nowhere.md) [b](LICENSE) [c](README.md#no-such-heading) `[d](code.md)`";
    expect(brokenLinks("x.md", text)).toEqual([
      "x.md: nowhere.md",
      "x.md: README.md#no-such-heading",
    ]);
  });

  test("names commands that exist", () => {
    const known = commands.map((command) => command.words);
    const wrong = documents().flatMap((path) =>
      commandsIn(read(path))
        .filter((words) => !known.some((name) => `${words} `.startsWith(`${name} `)))
        .filter((words) => !["help"].includes(words))
        .map((words) => `${path}: rolecall ${words}`),
    );
    expect(wrong).toEqual([]);
  });

  test("names npm scripts that exist", () => {
    const scripts = Object.keys(
      (JSON.parse(read("package.json")) as { scripts: Record<string, string> }).scripts,
    );
    const wrong = documents().flatMap((path) =>
      [...read(path).matchAll(/npm (?:run )?([a-z:]+)/g)]
        .filter(
          (match) => match[0].startsWith("npm run ") || ["test", "start"].includes(match[1] ?? ""),
        )
        .filter((match) => !scripts.includes(match[1] ?? ""))
        .map((match) => `${path}: ${match[0]}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("deploy/README.md", () => {
  test("has the settings of config/settings.ts", () => {
    expect(between(read("deploy/README.md"), "settings")).toBe(settingsTable());
  });

  test("has the metrics of telemetry/metric-table.ts", () => {
    expect(between(read("deploy/README.md"), "metrics")).toBe(metricsTable());
  });

  test("and every document name no setting and no metric that does not exist", () => {
    const known = new Set(
      Object.values(settings).flatMap((row: Setting) =>
        row.secret ? [row.name, `${row.name}_FILE`] : [row.name],
      ),
    );
    const wrong = documents().flatMap((path) => {
      const text = read(path);
      const names = [
        ...[...text.matchAll(/\bROLECALL_[A-Z_]+\b/g)].filter((m) => !known.has(m[0])),
        ...[...text.matchAll(/\brolecall_[a-z_]+\b/g)].filter((m) => !(m[0] in metricTable)),
      ];
      return names.map((match) => `${path}: ${match[0]}`);
    });
    expect(wrong).toEqual([]);
  });
});

test("every metric that code measures is declared, and every declared one is measured", () => {
  const names = readSource()
    .filter((file) => file.path !== "telemetry/metric-table.ts")
    .flatMap((file) =>
      [...file.text.matchAll(/"(rolecall_[a-z_]+)"/g)].map((match) => ({
        path: file.path,
        name: match[1] ?? "",
      })),
    );
  expect(names.filter(({ name }) => !(name in metricTable))).toEqual([]);
  const measured = new Set(names.map(({ name }) => name));
  expect(Object.keys(metricTable).filter((name) => !measured.has(name))).toEqual([]);
});

describe("deploy/runbook.md", () => {
  const runbook = read("deploy/runbook.md");
  const headings = [...runbook.matchAll(/^### ([A-Z][A-Z_]+)$/gm)].map((match) => match[1]);

  test("has a heading for each error code and none for others", () => {
    expect(headings.toSorted()).toEqual(Object.keys(errorCodes).toSorted());
  });

  test("says at each what it means, what to look at and what to do", () => {
    for (const [code, [instruction, means]] of Object.entries(errorCodes)) {
      const section = runbook.split(`### ${code}\n`)[1]?.split(/^#/m)[0] ?? "";
      expect(section, code).toContain(`- **Means** (${instruction}): ${means}.`);
      expect(section, code).toMatch(/- \*\*Look at\*\*: .{20,}/);
      expect(section, code).toMatch(/- \*\*Do\*\*: .{20,}/);
    }
  });

  test("lists each code with its instruction", () => {
    const rows = readTable(runbook, "code").map(([code, instruction, means]) => [
      code?.[0],
      instruction?.[0],
      means?.[0],
    ]);
    expect(rows).toEqual(
      Object.entries(errorCodes).map(([code, [instruction, means]]) => [code, instruction, means]),
    );
  });
});

test("src/README.md lists every folder and file at the top of src, and nothing else", () => {
  const listed = readTable(read("src/README.md"), "room").flatMap(([rooms]) => rooms ?? []);
  const tops = listed.filter(
    (room) => !room.includes("/*") && room.replace(/\/$/, "").split("/").length === 1,
  );
  const onDisk = readdirSync(join(root, "src"))
    .filter((name) => name !== "README.md")
    .map((name) => (statSync(join(root, "src", name)).isDirectory() ? `${name}/` : name));
  expect(tops.toSorted()).toEqual(onDisk.toSorted());
  for (const room of listed.filter((item) => !item.includes("*"))) {
    expect(existsSync(join(root, "src", room)), room).toBe(true);
  }
});

test("README.md says every exit code", () => {
  const readme = read("README.md");
  for (const code of Object.values(exitCodes)) {
    expect(readme, String(code)).toMatch(new RegExp(`[:·]\\s+${String(code)}\\s`));
  }
});

describe("DECISIONS.md", () => {
  const entries = read("DECISIONS.md").split(/^## /m).slice(1);

  test("has a decision, its cause, what it replaces and when to undo it in at most ten lines each", () => {
    expect(entries.length).toBeGreaterThan(5);
    for (const entry of entries) {
      const [title = ""] = entry.split("\n");
      for (const part of ["**Decision:**", "**Because**", "**Instead of**", "**Undo when**"]) {
        expect(entry, title).toContain(part);
      }
      expect(entry.trim().split("\n").length - 2, title).toBeLessThanOrEqual(10);
    }
  });

  test("gives a reason for every dependency that was not given from the start", () => {
    const given = ["express", "scimmy", "undici", "zod", "pino"];
    const text = read("DECISIONS.md");
    const { dependencies } = JSON.parse(read("package.json")) as {
      dependencies: Record<string, string>;
    };
    const missing = Object.keys(dependencies).filter(
      (name) => !given.includes(name) && !new RegExp(`(?<![\\w@/-])${name}(?![\\w/-])`).test(text),
    );
    expect(missing).toEqual([]);
  });
});

test("CHANGELOG.md has an Unreleased section whose entries begin with what a reader can do or what was fixed", () => {
  const section = read("CHANGELOG.md").split("## Unreleased\n")[1]?.split(/^## /m)[0] ?? "";
  const entries = section.split(/^- /m).slice(1);
  expect(entries.length).toBeGreaterThan(0);
  for (const entry of entries) {
    expect(entry).toMatch(/^(You can now|Fixed:|Changed:|Removed:|Security:) /);
  }
});

describe("deploy/security.md", () => {
  const security = read("deploy/security.md");
  const rows = readTable(security, "id");
  const cells = security
    .split("\n")
    .filter((line) => /^\| V\d/.test(line))
    .map((line) => line.split("|")[3]?.trim() ?? "");

  test("has a test or a reason for each requirement of the table, in at most sixty lines", () => {
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.length).toBeLessThanOrEqual(60);
    expect(new Set(rows.map(([id]) => id?.[0])).size).toBe(rows.length);
    for (const cell of cells)
      expect(cell).toMatch(/^(Reason: .{20,}|`test\/[\w./-]+\.ts` `[^`]+`)$/);
  });

  test("names tests that exist", () => {
    const wrong = cells.flatMap((cell) => {
      const [, path = "", name = ""] = /^`(test\/[^`]+)` `([^`]+)`$/.exec(cell) ?? [];
      if (path === "") return [];
      return existsSync(join(root, path)) && read(path).includes(`"${name}"`) ? [] : [cell];
    });
    expect(wrong).toEqual([]);
  });

  test("lists the hosts of the connectors", () => {
    const rowsOfHosts = Object.entries(vendorAccess)
      .flatMap(([vendor, { defaultBaseUrl }]) =>
        defaultBaseUrl === undefined ? [] : [`| ${vendor} | \`${new URL(defaultBaseUrl).host}\` |`],
      )
      .toSorted();
    expect(between(security, "hosts")).toBe(
      ["| vendor | host |", "|---|---|", ...rowsOfHosts].join("\n"),
    );
  });
});
