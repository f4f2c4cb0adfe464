import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";

const launcher = fileURLToPath(new URL("../../src/bin.js", import.meta.url));

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [fact: string]: unknown;
}

/** The real service in a process of its own: what runs is what would run in production. */
export interface RolecallProcess {
  readonly scimUrl: string;
  readonly operatorUrl: string;
  readonly pid: number;
  /** Everything it said so far, for messages of failed tests. */
  readonly said: () => string;
  readonly lines: () => readonly LogLine[];
  /** One call of the operator's interface. @throws Error with status and answer of a refusal */
  api(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM and its end; SIGKILL where it was stopped or takes more than half a minute. */
  stop(): Promise<void>;
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
}

export interface RolecallProcessOptions {
  readonly roles: string;
  readonly adminToken: string;
  readonly env: Readonly<Record<string, string>>;
  /** false: answers before the service is ready, for those that cannot be. */
  readonly ready?: boolean;
}

/** A start on a busy machine. */
const startMs = 120_000;
const stopMs = 30_000;

/** Starts `rolecall serve` on ports and a data folder of its own; resolves when it is ready. */
export async function startRolecall(options: RolecallProcessOptions): Promise<RolecallProcess> {
  const folder = await mkdtemp(join(tmpdir(), "rolecall-process-"));
  const [port, operatorPort] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, [launcher, "serve"], {
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      ...options.env,
      PORT: String(port),
      ROLECALL_OPERATOR_PORT: String(operatorPort),
      ROLECALL_DATA_DIR: folder,
      ROLECALL_ROLES: options.roles,
      ROLECALL_ADMIN_TOKEN: options.adminToken,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString("utf8")));
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const operatorUrl = `http://127.0.0.1:${String(operatorPort)}`;
  const end = async (signal: NodeJS.Signals) => {
    if (isRunning(child)) child.kill(signal);
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const service: RolecallProcess = {
    scimUrl: `http://127.0.0.1:${String(port)}/scim/v2`,
    operatorUrl,
    pid: child.pid ?? 0,
    said: () => said.join(""),
    // What comes after the last line end is half a line.
    lines: () => said.join("").split("\n").slice(0, -1).flatMap(logLine),
    api: (method, path, body) =>
      ask(method, `${operatorUrl}/api/v1${path}`, options.adminToken, body),
    signal: (signal) => {
      child.kill(signal);
    },
    kill: () => end("SIGKILL"),
    async stop() {
      const late = setTimeout(() => child.kill("SIGKILL"), stopMs);
      // One that is stopped ends only after it goes on.
      if (isRunning(child)) child.kill("SIGCONT");
      await end("SIGTERM");
      clearTimeout(late);
    },
  };
  if (options.ready === false) return service;
  try {
    await eventually(
      async () => {
        if (!isRunning(child)) throw new Error("the process ended");
        return (await fetch(`${operatorUrl}/readyz`)).ok;
      },
      { timeoutMs: startMs, everyMs: 100 },
    );
  } catch (error) {
    await service.kill();
    throw new Error(`Rolecall does not become ready; it said:\n${service.said().slice(-4_000)}`, {
      cause: error,
    });
  }
  return service;
}

/** A JSON request with a bearer token. @throws Error with status and answer of a refusal */
export async function ask(
  method: string,
  url: string,
  token: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const answer = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${String(answer.status)} ${text}`);
  return (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
}

function logLine(text: string): readonly LogLine[] {
  if (!text.startsWith("{")) return [];
  return [JSON.parse(text) as LogLine];
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
