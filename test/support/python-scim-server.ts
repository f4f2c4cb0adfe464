import { execFile, spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { eventually } from "./eventually.ts";

const run = promisify(execFile);
const version = "0.8.3";
const token = "token-of-an-independent-server-1";
/** Kept between runs: installing takes longer than testing. */
const folder = fileURLToPath(
  new URL(`../../node_modules/.cache/scim2-server-${version}/`, import.meta.url),
);
const command = join(folder, "bin", "scim2-server");

export interface PythonScimServer {
  readonly baseUrl: string;
  readonly token: string;
  close(): Promise<void>;
}

/**
 * The package scim2-server (python-scim) as a process on a loopback port: a SCIM 2.0 server that nobody here wrote.
 * Answers why not, where there is no Python or no package index.
 */
export async function startPythonScimServer(): Promise<
  PythonScimServer | { readonly why: string }
> {
  try {
    await install();
  } catch (error) {
    const text = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return { why: `scim2-server cannot be installed: ${text}` };
  }
  const port = await freePort();
  const child = spawn(command, ["--port", String(port), "--bearer-token", token], {
    stdio: "ignore",
  });
  const baseUrl = `http://127.0.0.1:${String(port)}`;
  try {
    await eventually(() => answers(child, baseUrl), { timeoutMs: 90_000 });
  } catch (error) {
    child.kill();
    throw error;
  }
  return { baseUrl, token, close: () => stopped(child) };
}

let installing: Promise<void> | undefined;

function install(): Promise<void> {
  installing ??= existsSync(command) ? Promise.resolve() : installAnew();
  return installing;
}

async function installAnew(): Promise<void> {
  await run("python3", ["-m", "venv", "--clear", folder]);
  const pip = join(folder, "bin", "pip");
  await run(pip, ["install", "--quiet", "--disable-pip-version-check", `scim2-server==${version}`]);
}

async function answers(child: ChildProcess, baseUrl: string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`scim2-server ended: ${String(child.exitCode)}`);
  try {
    const response = await fetch(`${baseUrl}/ServiceProviderConfig`);
    await response.arrayBuffer();
    return true;
  } catch {
    // Not listening yet.
    return false;
  }
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => {
      resolve();
    });
    if (!child.kill()) resolve();
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
