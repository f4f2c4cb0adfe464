import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../src/demo/service.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { startChild, type Memory } from "./child.ts";
import type { Stage } from "./measure.ts";
import type { Target } from "./processes/load.ts";

/** Rolecall as it is run, in a process of its own. */
export interface Service {
  readonly scim: Target;
  /** One call of `/api/v1`. @throws Error for any status but 2xx */
  operator<Answer>(method: "GET" | "POST", path: string, body?: object): Promise<Answer>;
  readonly pid: number;
  memory(): Memory;
  /** What `/metrics` says. */
  metrics(): Promise<string>;
  /** How many people's recompute is owed. */
  owed(): Promise<number>;
}

const operatorToken = "bench-token-of-the-operator-0000";
const startMs = 180_000;

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
  const child = await startChild(
    stage,
    "rolecall.ts",
    {},
    {
      PORT: String(port),
      ROLECALL_OPERATOR_PORT: String(operatorPort),
      ROLECALL_DATA_DIR: join(folder, "data"),
      ROLECALL_MAPPINGS: mappings,
      ROLECALL_TENANT: "bench",
      ROLECALL_SCIM_TOKEN: scim.token,
      ROLECALL_ADMIN_TOKEN: operatorToken,
      ...options.environment,
    },
  );
  const operatorUrl = `http://127.0.0.1:${String(operatorPort)}`;
  const until = performance.now() + startMs;
  while (!(await isReady(`${operatorUrl}/readyz`))) {
    if (performance.now() > until) throw new Error(`the service is not ready: ${child.output()}`);
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
    pid: child.pid,
    memory: () => child.memory(),
    metrics: async () => (await fetch(`${operatorUrl}/metrics`)).text(),
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
