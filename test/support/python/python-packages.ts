import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Found } from "../real-server.ts";

const run = promisify(execFile);
const installMs = 480_000;

/**
 * A Python that has the packages of `<name>.txt`: installed once per content of that file into a virtual environment of the cache,
 * then kept for every later run. Answers its executable; programs run as `python -m …`, since the environment was moved after it was
 * made.
 */
export async function pythonWith(name: string): Promise<Found<string>> {
  const requirements = fileURLToPath(new URL(`${name}.txt`, import.meta.url));
  const version = await pythonVersion();
  if (version === undefined) return { missing: "no Python (python3) on this machine" };
  const digest = createHash("sha256")
    .update(`${version}\n`)
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 12);
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "rolecall-test");
  const folder = join(cache, `${name}-${digest}`);
  const python = join(folder, "bin", "python");
  if (await exists(python)) return { server: python };
  await mkdir(cache, { recursive: true });
  // Beside the folder and moved into place at the end: a run that is cut short leaves nothing that looks complete.
  const half = `${folder}.${String(process.pid)}`;
  const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  try {
    await run("python3", ["-m", "venv", half], { timeout: installMs });
    await run(join(half, "bin", "python"), [...install, "-r", requirements], {
      timeout: installMs,
    });
    await rename(half, folder);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    // Another run was faster: a folder that is there cannot be renamed over.
    if (await exists(python)) return { server: python };
    const why = error instanceof Error ? error.message.slice(0, 500) : String(error);
    return { missing: `the packages of ${name}.txt cannot be installed: ${why}` };
  }
  return { server: python };
}

/** An environment made for one Python is none for another. */
async function pythonVersion(): Promise<string | undefined> {
  try {
    return (await run("python3", ["--version"])).stdout.trim();
  } catch {
    // Not installed, or not runnable: the same to us.
    return undefined;
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
