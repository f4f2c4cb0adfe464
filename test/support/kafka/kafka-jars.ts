import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Found } from "../real-server.ts";

const run = promisify(execFile);
const pom = fileURLToPath(new URL("pom.xml", import.meta.url));
const resolveMs = 300_000;

/** The folder with the archives of Apache Kafka: resolved by Maven once per content of pom.xml, then kept for every later run. */
export async function kafkaJars(): Promise<Found<string>> {
  if (!(await canRun("java", "-version")))
    return { missing: "no Java (17 or newer) on this machine" };
  const digest = createHash("sha256")
    .update(await readFile(pom))
    .digest("hex")
    .slice(0, 12);
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "rolecall-test");
  const folder = join(cache, `kafka-${digest}`);
  if (await exists(folder)) return { server: folder };
  if (!(await canRun("mvn", "-version"))) {
    return { missing: "Apache Kafka is not in the cache and there is no Maven (mvn) to fetch it" };
  }
  await mkdir(cache, { recursive: true });
  // Beside the folder and moved into place at the end: a run that is cut short leaves nothing that looks complete.
  const half = `${folder}.${String(process.pid)}`;
  const goal = ["-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DincludeScope=runtime"];
  try {
    await run("mvn", [...goal, `-DoutputDirectory=${half}`], { timeout: resolveMs });
    await rename(half, folder);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    // Another run was faster: a folder that is there cannot be renamed over.
    if (await exists(folder)) return { server: folder };
    const why = error instanceof Error ? error.message.slice(0, 500) : String(error);
    return { missing: `Maven could not fetch Apache Kafka: ${why}` };
  }
  return { server: folder };
}

async function canRun(command: string, ...args: readonly string[]): Promise<boolean> {
  try {
    await run(command, args);
    return true;
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
