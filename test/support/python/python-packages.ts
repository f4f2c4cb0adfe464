import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { keptTool } from "../kept-tool.ts";
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
  const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  const found = await keptTool(
    name,
    [`${version}\n`, await readFile(requirements)],
    async (folder) => {
      await run("python3", ["-m", "venv", folder], { timeout: installMs });
      await run(join(folder, "bin", "python"), [...install, "-r", requirements], {
        timeout: installMs,
      });
    },
    `the packages of ${name}.txt cannot be installed`,
  );
  return "server" in found ? { server: join(found.server, "bin", "python") } : found;
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
