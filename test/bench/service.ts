import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePorts } from "../../src/demo/service.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { memoryOf, type Memory } from "./child.ts";
import type { Stage } from "./measure.ts";
import type { Target } from "./processes/load.ts";

/** Rolecall as it is run: `rolecall serve` in a process of its own. */
export interface Service {
  readonly scim: Target;
  /** One call of `/api/v1`. @throws Error for any status but 2xx */
  operator<Answer>(method: "GET" | "POST", path: string, body?: object): Promise<Answer>;
  memory(): Memory;
  /** How many people's recompute is owed. */
  owed(): Promise<number>;
}

const launcher = fileURLToPath(new URL("../../src/bin.js", import.meta.url));
const operatorToken = "bench-token-of-the-operator-0000";
const startMs = 60_000;
const stopMs = 20_000;

export interface ServiceOptions {
  /** Files of the tenant by name, as JSON: YAML holds it too. */
  readonly mappings: Readonly<Record<string, JsonObject>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the service on a fresh folder; it ends with the stage. */
export async function startService(stage: Stage, options: ServiceOptions): Promise<Service> {
  const folder = await stage.folder();
  const mappings = join(folder, "mappings");
  await mkdir(join(mappings, "bench"), { recursive: true });
  for (const [name, document] of Object.entries(options.mappings)) {
    await writeFile(join(mappings, "bench", name), JSON.stringify(document, null, 1));
  }
  const [port = 0, operatorPort = 0] = await freePorts(2);
  const scim: Target = {
    url: `http://127.0.0.1:${String(port)}/scim/v2`,
    token: "bench-token-of-the-idp-000000000",
  };
  const logPath = join(folder, "service.log");
  const log = openSync(logPath, "a", 0o600);
  const flags =
    stage.profileFolder === undefined
      ? []
      : ["--cpu-prof", `--cpu-prof-dir=${stage.profileFolder}`];
  const child = spawn(process.execPath, [...flags, launcher, "serve"], {
    stdio: ["ignore", log, log],
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      PORT: String(port),
      ROLECALL_OPERATOR_PORT: String(operatorPort),
      ROLECALL_DATA_DIR: join(folder, "data"),
      ROLECALL_MAPPINGS: mappings,
      ROLECALL_TENANT: "bench",
      ROLECALL_SCIM_TOKEN: scim.token,
      ROLECALL_ADMIN_TOKEN: operatorToken,
      ...options.environment,
    },
  });
  closeSync(log);
  let ended = false;
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => {
      ended = true;
      resolve();
    });
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  stage.cleanUp(async () => {
    child.kill("SIGTERM");
    const force = setTimeout(kill, stopMs);
    await exited;
    clearTimeout(force);
    process.off("exit", kill);
  });
  const operatorUrl = `http://127.0.0.1:${String(operatorPort)}`;
  const until = performance.now() + startMs;
  while (!(await isReady(`${operatorUrl}/readyz`))) {
    if (ended || performance.now() > until) {
      throw new Error(`the service is not ready: ${readFileSync(logPath, "utf8").slice(-800)}`);
    }
    await sleep(50, undefined, { signal: stage.signal });
  }
  const operator = async <Answer>(method: "GET" | "POST", path: string, body?: object) => {
    const response = await fetch(`${operatorUrl}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${operatorToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return (await response.json()) as Answer;
  };
  return {
    scim,
    operator,
    memory: () => memoryOf(child.pid ?? 0),
    owed: async () => {
      const status = await operator<{ backlog: { owed: number } }>("GET", "/status");
      return status.backlog.owed;
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    // Nobody listens yet.
    return false;
  }
}
