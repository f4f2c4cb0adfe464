import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { Instant } from "../model/clock.ts";
import { InputError } from "../model/errors.ts";
import { asId, type TenantId } from "../model/ids.ts";
import { kafkaContradictions, readKafka, type KafkaConfig } from "./kafka-settings.ts";
import { notifyContradictions, readNotify, type NotifyConfig } from "./notify-settings.ts";
import { oidcContradictions, readOidc, type OidcConfig } from "./oidc-settings.ts";
import type { Setting } from "./setting.ts";
import {
  processRoles,
  settings,
  type LogLevel,
  type ProcessRole,
  type Settings,
} from "./settings.ts";
import { readTraces, type TraceConfig } from "./trace-settings.ts";

/** What the environment says, checked and complete. Folders are absolute. Frozen. */
export interface Config {
  /** Of package.json. */
  readonly version: string;
  /** `embedded`: SQLite in `dataDir` and the in-process bus, one process · `postgres`: a database that processes share. */
  readonly mode: "embedded" | "postgres";
  readonly world: "live" | "sandbox";
  readonly port: number;
  readonly operatorPort: number;
  readonly operatorHost: string;
  readonly dataDir: string;
  readonly mappingsDir: string;
  /** Watched for CSV files of HR sources; undefined: none is. */
  readonly hrFolder: string | undefined;
  readonly tenantId: TenantId;
  readonly scimToken: string | undefined;
  readonly adminToken: string | undefined;
  readonly sealKey: string | undefined;
  readonly sealKeysFormer: readonly string[] | undefined;
  /** Without a slash at the end; undefined: unset, so links are made from the port that was opened. */
  readonly publicUrl: string | undefined;
  /** File with schema extensions of people. */
  readonly scimSchemas: string | undefined;
  /** Requests per second of each SCIM token; undefined: no limit. */
  readonly scimRate: number | undefined;
  readonly trustedProxies: readonly string[];
  /** Hosts of vendors that may have addresses inside this network, as URLs have them. */
  readonly innerHosts: readonly string[];
  readonly roles: ReadonlySet<ProcessRole>;
  readonly logLevel: LogLevel;
  /** Domain seconds per wall second; above 1 only in the sandbox. */
  readonly timeScale: number;
  readonly timeAnchor: Instant | undefined;
  /** Vendor → URL of a simulator that runs elsewhere; undefined: the sandbox starts its own. */
  readonly sandboxVendors: Readonly<Record<string, string>> | undefined;
  readonly dropHints: boolean;
  /** Undefined: the bus is inside the process. */
  readonly kafka: KafkaConfig | undefined;
  /** Where browsers find the operator's port; undefined: on this host. */
  readonly consoleUrl: string | undefined;
  /** Undefined: people sign in to the console by links. */
  readonly oidc: OidcConfig | undefined;
  readonly notify: NotifyConfig;
  /** Undefined: nothing is traced. */
  readonly traces: TraceConfig | undefined;
  /** Undefined: the embedded store. */
  readonly databaseUrl: string | undefined;
  /** Connections of this process to the database at most. */
  readonly databaseConnections: number;
  /** Where the command line finds the operator's interface; undefined: on this host's port. */
  readonly apiUrl: string | undefined;
  /** The name of this installation; undefined: an embedded store belongs to its folder, another one to nobody. */
  readonly instance: string | undefined;
  readonly checkpointsDir: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

type Values = {
  readonly [Key in keyof Settings]: z.output<Settings[Key]["schema"]> | undefined;
};

/** What follows the name of a secret whose value lies in a file: containers mount secrets as files. */
const inFile = "_FILE";

/**
 * Reads the environment of this process, or the given one. A secret may be given as the file that holds it, `NAME_FILE`.
 * @throws InputError with everything that is wrong at once; values of secrets are not repeated
 */
export function readConfig(environment: Environment = process.env, folder = process.cwd()): Config {
  const problems: string[] = [...unknownNames(environment)];
  const given = withSecretFiles(environment, folder, problems);
  const values = readValues(given, problems);
  problems.push(...contradictions(values, given));
  if (problems.length > 0) {
    throw new InputError("the environment is not right:", problems);
  }
  const world = values.sandbox === true ? "sandbox" : "live";
  const dataDir = resolve(
    folder,
    values.dataDir ?? (world === "sandbox" ? "data/sandbox" : "data"),
  );
  return Object.freeze<Config>({
    version: packageVersion(),
    mode: values.databaseUrl === undefined ? "embedded" : "postgres",
    world,
    port: values.port ?? 8080,
    operatorPort: values.operatorPort ?? 8081,
    operatorHost: values.operatorHost ?? "127.0.0.1",
    dataDir,
    mappingsDir: resolve(folder, values.mappings ?? "mappings"),
    hrFolder: values.hrFolder === undefined ? undefined : resolve(folder, values.hrFolder),
    tenantId: asId<TenantId>(values.tenant ?? "default"),
    scimToken: values.scimToken,
    adminToken: values.adminToken,
    sealKey: values.sealKey,
    sealKeysFormer: values.sealKeysFormer,
    publicUrl: values.publicUrl,
    scimSchemas: values.scimSchemas === undefined ? undefined : resolve(folder, values.scimSchemas),
    scimRate: values.scimRate,
    trustedProxies: Object.freeze([...(values.trustedProxies ?? [])]),
    innerHosts: Object.freeze([...(values.innerHosts ?? [])]),
    roles: values.roles ?? new Set(processRoles),
    logLevel: values.logLevel ?? "info",
    timeScale: values.timeScale ?? 1,
    timeAnchor: values.timeAnchor,
    sandboxVendors: values.sandboxVendors,
    dropHints: values.dropHints ?? false,
    kafka: readKafka(values),
    consoleUrl: values.consoleUrl,
    oidc: readOidc(values),
    notify: readNotify(values),
    traces: readTraces(values),
    databaseUrl: values.databaseUrl,
    databaseConnections: values.databaseConnections ?? 10,
    apiUrl: values.apiUrl,
    instance: values.instance,
    checkpointsDir: resolve(folder, values.checkpoints ?? join(dataDir, "checkpoints")),
  });
}

/** The environment of this process with some settings on top, for `readConfig`. */
export function environmentWith(settingsOnTop: Environment): Environment {
  return { ...process.env, ...settingsOnTop };
}

/** What this process was given of some settings, secrets or their files among them, for a child that is to have the same. */
export function givenSettings(wanted: (name: string) => boolean): Environment {
  const names = Object.values(settings).flatMap((row: Setting) =>
    row.secret ? [row.name, `${row.name}${inFile}`] : [row.name],
  );
  return Object.fromEntries(
    names.filter(wanted).flatMap((name) => {
      const value = givenText(process.env, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/**
 * One variable of this process, for `env:NAME` references of credentials; empty counts as unset. Never one of our own settings: who
 * writes a mapping file could have the seal key sent to a host of their own.
 */
export function readEnv(name: string): string | undefined {
  if (Object.values(settings).some((row) => name === row.name || name === `${row.name}${inFile}`))
    return undefined;
  const value = process.env[name];
  return value === "" ? undefined : value;
}

/** Of package.json, without reading the environment. */
export function packageVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(manifest)).version;
}

/** The environment with the text of each `NAME_FILE` under the name of its secret. */
function withSecretFiles(
  environment: Environment,
  folder: string,
  problems: string[],
): Environment {
  const secrets = Object.values(settings).filter((row: Setting) => row.secret);
  const read = secrets.flatMap(({ name }): readonly (readonly [string, string])[] => {
    const path = givenText(environment, `${name}${inFile}`);
    if (path === undefined) return [];
    if (givenText(environment, name) !== undefined) {
      problems.push(`${name}${inFile}: ${name} is set too; unset one of them`);
      return [];
    }
    try {
      const text = readFileSync(resolve(folder, path), "utf8").trim();
      if (text !== "") return [[name, text]];
      problems.push(`${name}${inFile}: ${path} is empty; write the secret into it`);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
      problems.push(`${name}${inFile}: ${path} cannot be read (${code})`);
    }
    return [];
  });
  return { ...environment, ...Object.fromEntries(read) };
}

function readValues(environment: Environment, problems: string[]): Values {
  const entries = Object.entries(settings).map(([key, row]: [string, Setting]) => {
    const given = givenText(environment, row.name) ?? row.default;
    if (given === undefined) return [key, undefined];
    const result = row.schema.safeParse(given);
    if (result.success) return [key, result.data];
    const shown = row.secret ? "" : `: "${given}"`;
    for (const issue of result.error.issues) problems.push(`${row.name}${shown}: ${issue.message}`);
    return [key, undefined];
  });
  return Object.fromEntries(entries) as Values;
}

function givenText(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === "" ? undefined : value;
}

/** Set for test runs, which start services too; says nothing to a service. */
const testSetting = "ROLECALL_REQUIRE_REAL";

/** A misspelt setting would silently mean its default. */
function unknownNames(environment: Environment): readonly string[] {
  const known = Object.values(settings).flatMap((row: Setting) =>
    row.secret ? [row.name, `${row.name}${inFile}`] : [row.name],
  );
  return Object.keys(environment)
    .filter((name) => name.startsWith("ROLECALL_") && !known.includes(name))
    .filter((name) => name !== testSetting)
    .sort()
    .map((name) => {
      const close = nearestName(name, known);
      return `${name}: no such setting${close === undefined ? "" : `; did you mean ${close}?`} (all are in deploy/README.md)`;
    });
}

function contradictions(values: Values, environment: Environment): readonly string[] {
  const problems: string[] = [];
  if (
    values.databaseUrl !== undefined &&
    values.sandbox !== true &&
    givenText(environment, settings.sealKey.name) === undefined
  ) {
    problems.push(
      "ROLECALL_SEAL_KEY: is needed with DATABASE_URL; processes that share a database share the key of what is sealed in it",
    );
  }
  if (values.kafkaBrokers !== undefined && values.databaseUrl === undefined) {
    problems.push(
      "KAFKA_BROKERS: only with DATABASE_URL; the processes that Kafka ties together share one database",
    );
  }
  problems.push(
    ...kafkaContradictions(values),
    ...notifyContradictions(values),
    ...oidcContradictions(values),
    ...roleProblems(values),
  );
  if (values.sandbox !== true) {
    for (const row of [
      settings.timeScale,
      settings.timeAnchor,
      settings.sandboxVendors,
      settings.dropHints,
    ]) {
      if (givenText(environment, row.name) !== undefined) {
        problems.push(`${row.name}: only with ROLECALL_SANDBOX=1; real vendors live in real time`);
      }
    }
  }
  if (values.port !== undefined && values.port !== 0 && values.port === values.operatorPort) {
    problems.push(
      "ROLECALL_OPERATOR_PORT: the same as PORT; operators and identity providers need a port each",
    );
  }
  if (values.scimToken !== undefined && values.scimToken === values.adminToken) {
    problems.push(
      "ROLECALL_ADMIN_TOKEN: the same as ROLECALL_SCIM_TOKEN; the identity provider must not be an operator",
    );
  }
  return problems;
}

/** Every role is somebody's: who shares no database is alone, and who shares no bus hears its own hints only. */
function roleProblems(values: Values): readonly string[] {
  const { roles } = values;
  if (roles === undefined) return [];
  const missing = processRoles.filter((role) => !roles.has(role));
  if (values.databaseUrl === undefined && missing.length > 0) {
    return [
      `ROLECALL_ROLES: lacks ${missing.join(", ")}, and with the embedded store nobody else does that; unset it`,
    ];
  }
  if (values.kafkaBrokers === undefined && roles.has("relay") !== roles.has("worker")) {
    return [
      "ROLECALL_ROLES: without KAFKA_BROKERS, relay and worker go together: hints stay in their process",
    ];
  }
  return [];
}

/** The known name that differs in the fewest letters; undefined where none is close. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  const letters = name.replace("ROLECALL_", "").length;
  const close = Math.max(2, Math.floor(letters / 3));
  return best !== undefined && best.distance <= close ? best.candidate : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
