import { spawn, type ChildProcess } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { eventually } from "./eventually.ts";
import { pythonWith } from "./python/python-packages.ts";

/** What the package's own command does; the command itself knows the folder only in which it was made. */
const start = "from scim2_server.testserver.cli import main; main()";
const token = "token-of-an-independent-server-1";
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
  const found = await pythonWith("scim2-server");
  if ("missing" in found) return { why: found.missing };
  const port = await freePort();
  const child = spawn(
    found.server,
    ["-c", start, "--port", String(port), "--bearer-token", token],
    { stdio: "ignore" },
  );
  const baseUrl = `http://127.0.0.1:${String(port)}`;
  try {
    await eventually(() => answers(child, baseUrl), { timeoutMs: 90_000 });
  } catch (error) {
    child.kill();
    throw error;
  }
  return { baseUrl, token, close: () => stopped(child) };
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
