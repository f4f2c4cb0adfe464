import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";

const launcher = fileURLToPath(new URL("../../src/bin.js", import.meta.url));
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** The launcher in a folder of its own, with another idea of which Node is needed and a command line that tells what it got. */
function installed(neededMajor: number): string {
  const folder = mkdtempSync(join(tmpdir(), "launcher-"));
  folders.push(folder);
  mkdirSync(join(folder, "src"));
  mkdirSync(join(folder, "node_modules", ".bin"), { recursive: true });
  const text = readFileSync(launcher, "utf8");
  const changed = text.replace(
    "const neededMajor = 24;",
    `const neededMajor = ${String(neededMajor)};`,
  );
  expect(changed.includes(`neededMajor = ${String(neededMajor)};`)).toBe(true);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "src", "bin.js"), changed);
  writeFileSync(
    join(folder, "src", "cli.ts"),
    "export const main = async (args: readonly string[]): Promise<void> => { process.stdout.write(JSON.stringify(args)); process.exitCode = 3; };",
  );
  return folder;
}

const run = (folder: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(folder, "src", "bin.js"), ...args], { encoding: "utf8" });

test("the launcher hands the command line over, and the exit code back", () => {
  const answer = run(installed(24), "plan", "--identity", "a b", "$HOME");
  expect(answer.stdout).toBe('["plan","--identity","a b","$HOME"]');
  expect(answer.status).toBe(3);
  expect(answer.stderr).toBe("");
});

test("on a Node that is too old, with none beside it, it says what to do in one line and ends with 1", () => {
  const answer = run(installed(99), "serve");
  expect(answer.status).toBe(1);
  expect(answer.stdout).toBe("");
  expect(answer.stderr.trim().split("\n")).toHaveLength(1);
  expect(answer.stderr).toMatch(/needs Node\.js 99 or newer .*npm ci/);
});

test("on a Node that is too old it starts again on the one that npm brought, without a shell", () => {
  const folder = installed(99);
  const node = join(folder, "node_modules", ".bin", "node");
  // Stands for the newer Node: it says a high version, and otherwise runs the launcher as one that is satisfied.
  writeFileSync(
    node,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo v99.0.0; exit 0; fi\nwhile [ "$1" != "${join(folder, "src", "bin.js")}" ]; do shift; done\nshift\nexec "${process.execPath}" "${join(folder, "src", "satisfied.js")}" "$@"\n`,
    { mode: 0o755 },
  );
  writeFileSync(
    join(folder, "src", "satisfied.js"),
    'import { main } from "./cli.ts"; await main(process.argv.slice(2));',
  );
  const answer = run(folder, "plan", "a b");
  expect(answer.stdout).toBe('["plan","a b"]');
  expect(answer.status).toBe(3);
});

test("a Node beside it that is too old as well is not started again and again", () => {
  const folder = installed(99);
  symlinkSync(process.execPath, join(folder, "node_modules", ".bin", "node"));
  expect(run(folder).status).toBe(1);
});
