// Goal: the whole product, as a newcomer starts it, ends as the mapping says; also with every hint lost, and with the
// service killed at twenty moments that nobody chose.
// Method: the demo's own command in a process of its own; its exit code is its verdict over the vendors and the record.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const launcher = fileURLToPath(new URL("../../src/bin.js", import.meta.url));

async function demo(
  ...flags: readonly string[]
): Promise<{ readonly code: number | null; readonly text: string }> {
  const child = spawn(process.execPath, [launcher, "demo", ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { code, text: Buffer.concat(chunks).toString("utf8") };
}

test("the demo's day ends as the mapping says", { timeout: 300_000 }, async () => {
  const { code, text } = await demo();
  expect(text).toContain("The audit record verifies");
  expect(text).toMatch(/held: 9 people on the removals rail/);
  expect(text).toContain("62 explanations, 0 wrong");
  expect(text).not.toContain("NOT RIGHT");
  expect(code).toBe(0);
});

test("the demo's day ends the same when every hint is lost", { timeout: 300_000 }, async () => {
  const { code, text } = await demo("--no-hints");
  expect(text).not.toContain("NOT RIGHT");
  expect(code).toBe(0);
});

test(
  "the demo's day ends the same when the service is killed twenty times",
  { timeout: 600_000 },
  async () => {
    const { code, text } = await demo("--kills", "20");
    expect(text).not.toContain("NOT RIGHT");
    expect(text).toContain("(20 of 20)");
    expect(code).toBe(0);
  },
);
