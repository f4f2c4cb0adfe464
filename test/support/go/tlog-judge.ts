import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { keptTool } from "../kept-tool.ts";
import type { Found } from "../real-server.ts";

const run = promisify(execFile);
const buildMs = 300_000;

/** What the judge is asked: hashes in base64. */
export interface TlogCase {
  readonly key: string;
  readonly note: string;
  readonly leaf: string;
  readonly index: number;
  readonly inclusion: readonly string[];
  readonly oldSize: number;
  readonly oldRoot: string;
  readonly consistency: readonly string[];
}

/** The judge in Go, built once per content of its sources and kept for every later run. */
export async function tlogJudge(): Promise<Found<string>> {
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const sources = ["main.go", "go.mod", "go.sum"].map((name) => readFile(join(folder, name)));
  return keptTool(
    "tlog-judge",
    await Promise.all(sources),
    async (binary) => {
      await run("go", ["build", "-o", binary, "."], { cwd: folder, timeout: buildMs });
    },
    "the judge cannot be built with Go",
  );
}

/** What the judge says: `ok`, or what is wrong. */
export async function judged(binary: string, given: TlogCase): Promise<string> {
  const child = spawn(binary, [], { stdio: ["pipe", "pipe", "inherit"] });
  const said: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk));
  child.stdin.end(JSON.stringify(given));
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      resolve();
    });
  });
  return Buffer.concat(said).toString("utf8").trim();
}
