import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
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
  const digest = createHash("sha256");
  for (const name of ["main.go", "go.mod", "go.sum"])
    digest.update(await readFile(join(folder, name)));
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "rolecall-test");
  const binary = join(cache, `tlog-judge-${digest.digest("hex").slice(0, 12)}`);
  if (await exists(binary)) return { server: binary };
  await mkdir(cache, { recursive: true });
  // Beside it and moved into place at the end: a build that is cut short leaves nothing that looks complete.
  const half = `${binary}.${String(process.pid)}`;
  try {
    await run("go", ["build", "-o", half, "."], { cwd: folder, timeout: buildMs });
    await rename(half, binary);
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 500) : String(error);
    return { missing: `the judge cannot be built with Go: ${why}` };
  }
  return { server: binary };
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

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
