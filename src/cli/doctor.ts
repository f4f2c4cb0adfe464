import { access, constants, mkdir, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { vendorFactsOf } from "../connectors/registry.ts";
import { readConfig, type Config } from "../config/config.ts";
import { loadMappings } from "../mapping/load.ts";
import { InputError } from "../model/errors.ts";
import { describeDatabase } from "../open-store.ts";
import { exitCodes, type ExitCode, type Invocation } from "./command.ts";

interface Check {
  readonly what: string;
  readonly ok: boolean;
  /** What was found, and what to do where it is not right. */
  readonly says: string;
}

const freeBytesMin = 500 * 1024 * 1024;

/** `rolecall doctor`: looks at everything that this host can tell without the service, and says what to do. */
export async function doctor(invocation: Invocation): Promise<ExitCode> {
  const checks = await runChecks();
  if (invocation.json) invocation.terminal.out(`${JSON.stringify(checks, null, 2)}\n`);
  else
    for (const check of checks)
      invocation.terminal.out(`${check.ok ? "ok " : "NOT"} ${check.what}: ${check.says}\n`);
  return checks.every((check) => check.ok) ? exitCodes.ok : exitCodes.negative;
}

async function runChecks(): Promise<readonly Check[]> {
  const node: Check = {
    what: "Node.js",
    ok: Number(process.versions.node.split(".")[0]) >= 24,
    says: process.version,
  };
  let config: Config;
  try {
    config = readConfig();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return [node, { what: "settings", ok: false, says: error.problems.join("; ") }];
  }
  return [
    node,
    {
      what: "settings",
      ok: true,
      says: `${config.world}, ${config.mode} mode, tenant ${config.tenantId}`,
    },
    await checkFolder(config.dataDir),
    ...(config.databaseUrl === undefined ? [] : [await checkDatabase(config)]),
    await checkMappings(config),
    await checkPort("port for identity providers", config.port),
    await checkPort("port for operators", config.operatorPort),
    checkUrl(config),
    ...(await checkBus(config)),
  ];
}

/** Brokers, versions, topics and rights, where Kafka is asked for; makes topics that are missing, as a start would. */
async function checkBus(config: Config): Promise<readonly Check[]> {
  if (config.kafka === undefined) return [];
  const { checkKafka } = await import("../adapters/kafka/check-kafka.ts");
  const findings = await checkKafka({ ...config.kafka, clientId: "rolecall-doctor" });
  return findings.map(({ what, ok, says }) => ({ what: `Kafka: ${what}`, ok, says }));
}

async function checkFolder(folder: string): Promise<Check> {
  const what = "data folder";
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.R_OK | constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    return free < freeBytesMin
      ? {
          what,
          ok: false,
          says: `${folder} has ${String(Math.floor(free / 1024 / 1024))} MiB left: make room, or a full disk stops every write`,
        }
      : { what, ok: true, says: folder };
  } catch (error) {
    return {
      what,
      ok: false,
      says: `${folder} cannot be written (${error instanceof Error ? error.message : String(error)}): give this user the folder`,
    };
  }
}

/** Whether the service could open its store: asks the server, and changes nothing. */
async function checkDatabase(config: Config): Promise<Check> {
  const what = "database";
  try {
    return { what, ok: true, says: await describeDatabase(config) };
  } catch (error) {
    return { what, ok: false, says: error instanceof Error ? error.message : String(error) };
  }
}

async function checkMappings(config: Config): Promise<Check> {
  const what = "mapping files";
  try {
    const [tenant] = await loadMappings(config.mappingsDir, vendorFactsOf, [config.tenantId]);
    const names = tenant?.connections.map((connection) => connection.connectionId) ?? [];
    return names.length === 0
      ? {
          what,
          ok: false,
          says: `none for tenant ${config.tenantId} in ${config.mappingsDir}: see mappings/README.md`,
        }
      : { what, ok: true, says: names.join(", ") };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { what, ok: false, says: error.problems.join("; ") };
  }
}

async function checkPort(what: string, port: number): Promise<Check> {
  const taken = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(true);
    });
    server.listen(port, () => {
      server.close(() => {
        resolve(false);
      });
    });
  });
  return {
    what,
    ok: true,
    says: taken
      ? `${String(port)} is in use: by the running service, or choose another one`
      : `${String(port)} is free`,
  };
}

function checkUrl(config: Config): Check {
  const what = "public address";
  if (config.publicUrl === undefined) {
    return {
      what,
      ok: config.world === "sandbox",
      says: "ROLECALL_URL is unset: Okta and Entra ID need a public HTTPS address",
    };
  }
  return config.publicUrl.startsWith("https://")
    ? { what, ok: true, says: config.publicUrl }
    : { what, ok: false, says: `${config.publicUrl} is not HTTPS: identity providers refuse it` };
}
