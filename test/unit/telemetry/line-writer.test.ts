// Goal: lines of a turn are written together, in order, and none is lost when the process ends by itself.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lineWriter } from "../../../src/telemetry/line-writer.ts";

const info = (text: string) => `{"level":"info","message":"${text}"}\n`;
const problem = (text: string) => `{"level":"error","message":"${text}"}\n`;

describe("log lines", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rolecall-lines-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test("wait for the end of the turn, but not where one tells of a problem", async () => {
    const path = join(folder, "log");
    const fd = openSync(path, "a");
    const write = lineWriter(fd);
    write(info("one"));
    write(info("two"));
    expect(readFileSync(path, "utf8")).toBe("");
    await nextTurn();
    await nextTurn();
    expect(readFileSync(path, "utf8")).toBe(info("one") + info("two"));
    write(info("three"));
    write(problem("four"));
    expect(readFileSync(path, "utf8")).toBe(
      info("one") + info("two") + info("three") + problem("four"),
    );
    closeSync(fd);
  });

  test.each([
    ["process.exit", "process.exit(0)"],
    ["an error that nobody catches", "throw new Error('planted')"],
  ])("are all there after %s, through a pipe that is slow", (_name, end) => {
    const module = fileURLToPath(new URL("../../../src/telemetry/line-writer.ts", import.meta.url));
    const count = 20_000;
    const code = `import { lineWriter } from ${JSON.stringify(module)};
      const write = lineWriter(1);
      for (let at = 0; at < ${String(count)}; at++) write('{"level":"info","at":' + at + '}\\n');
      ${end};`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
      encoding: "utf8",
      maxBuffer: 64 << 20,
    });
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(count);
    expect(lines.at(-1)).toBe(`{"level":"info","at":${String(count - 1)}}`);
  });
});
