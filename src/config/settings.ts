import { isIP } from "node:net";
import { isName } from "../model/ids.ts";
import { kafkaSettings } from "./kafka-settings.ts";
import { oidcSettings } from "./oidc-settings.ts";
import { notifySettings } from "./notify-settings.ts";
import { flag, list, setting, text, type Setting } from "./setting.ts";
import { traceSettings } from "./trace-settings.ts";

export type { Setting };

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** What one process does: answers HTTP, carries hints, reconciles targets, runs leased jobs. */
export const processRoles = ["api", "relay", "worker", "scheduler"] as const;
export type ProcessRole = (typeof processRoles)[number];

const port = text((value) => {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > 65_535) throw new Error("write a port, 0 to 65535");
  return number;
});

const rate = text((value) => {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < 1 || number > 100_000)
    throw new Error("write requests per second, 1 to 100000");
  return number;
});

const name = text((value) => {
  if (isName(value)) return value;
  throw new Error("write 1 to 64 lower-case letters, digits and dashes, a letter or digit first");
});

const bootstrapToken = text((value) => {
  if (/^[\x21-\x7e]{24,512}$/.test(value)) return value;
  throw new Error(
    "write 24 to 512 visible ASCII characters, for example from `openssl rand -hex 32`",
  );
});

const sealKey = text((value) => {
  if (/^[0-9a-f]{64}$/i.test(value)) return value;
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(value)) return value;
  throw new Error("write 32 bytes as 64 hex digits or as base64, from `openssl rand -base64 32`");
});

const sealKeys = text((value) => {
  const keys = list(value);
  const form = /^(?:[0-9a-f]{64}|[A-Za-z0-9+/_-]{43}=?)$/i;
  if (keys.some((key) => !form.test(key)))
    throw new Error("write keys of 32 bytes as `ROLECALL_SEAL_KEY`, divided by commas");
  return keys;
});

const localHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

const publicUrl = text((value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw new Error("write the public base URL, https://host[:port][/path]");
  }
  if (url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") {
    throw new Error("write the base URL only, without user, query or fragment");
  }
  if (url.protocol === "http:" && !localHosts.has(url.hostname)) {
    throw new Error("write https: tokens and people's data travel over it");
  }
  return url.href.replace(/\/+$/, "");
});

const proxies = text((value) => {
  const items = list(value);
  for (const item of items) {
    const [address = "", bits, ...rest] = item.split("/");
    const family = isIP(address);
    const wide = family === 4 ? 32 : 128;
    const sized = bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= wide);
    const named = ["loopback", "linklocal", "uniquelocal"].includes(item);
    if (!named && (family === 0 || !sized || rest.length > 0)) {
      throw new Error(
        `"${item}" is no address: write addresses, CIDR ranges, loopback, linklocal or uniquelocal, with commas between them`,
      );
    }
  }
  return items;
});

const hosts = text((value) =>
  list(value).map((item) => {
    const url = `https://${item.includes(":") && !item.startsWith("[") ? `[${item}]` : item}/`;
    const host = URL.canParse(url) ? new URL(url) : undefined;
    if (host === undefined || host.port !== "" || host.href !== `https://${host.hostname}/`) {
      throw new Error(`"${item}" is no host: write names or addresses with commas between them`);
    }
    return host.hostname;
  }),
);

const roles = text((value) => {
  const items = list(value);
  const unknown = items.filter((item) => !processRoles.some((role) => role === item));
  if (unknown.length > 0 || items.length === 0) {
    throw new Error(`write some of ${processRoles.join(", ")} with commas between them`);
  }
  return new Set(processRoles.filter((role) => items.includes(role)));
});

const level = text((value) => {
  const known = logLevels.find((item) => item === value);
  if (known === undefined) throw new Error(`write one of ${logLevels.join(", ")}`);
  return known;
});

const timeScale = text((value) => {
  const number = Number(value);
  if (/^\d+(\.\d+)?$/.test(value) && number >= 1 && number <= 1_000) return number;
  throw new Error("write a number from 1 to 1000");
});

const instant = text((value) => {
  const ms = /^\d+$/.test(value) ? Number(value) : Date.parse(value);
  if (Number.isSafeInteger(ms) && ms >= 0) return ms;
  throw new Error("write UTC milliseconds since 1970 or an ISO 8601 date with its zone");
});

const anyText = text((value) => value);

const databaseUrl = text((value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url !== undefined && /^postgres(ql)?:$/.test(url.protocol) && url.pathname.length > 1)
    return value;
  throw new Error("write postgres://user:password@host:port/database");
});

const connections = text((value) => {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 2 && number <= 1_000) return number;
  throw new Error("write a number, 2 to 1000");
});

/** Every variable that Rolecall reads. `npm run check` compares the table in deploy/README.md with this. */
const vendorUrls = text((value): Readonly<Record<string, string>> =>
  Object.fromEntries(
    value.split(",").map((item) => {
      const [vendor = "", url = ""] = item.trim().split(/=(.*)/s);
      if (!isName(vendor) || !/^https?:\/\/(127\.0\.0\.1|\[::1\]|localhost):\d+$/.test(url)) {
        throw new Error("write vendor=http://127.0.0.1:PORT, several separated by commas");
      }
      return [vendor, url];
    }),
  ),
);

export const settings = {
  port: setting({
    name: "PORT",
    description:
      "Port for identity providers, HR and applications, on every address. 0: any free one.",
    default: "8080",
    example: "443",
    schema: port,
  }),
  operatorPort: setting({
    name: "ROLECALL_OPERATOR_PORT",
    description:
      "Port for operators: `/api/v1`, `/metrics`, health. 0: any free one. Never publish it.",
    default: "8081",
    example: "9000",
    schema: port,
  }),
  operatorHost: setting({
    name: "ROLECALL_OPERATOR_HOST",
    description: "Address that the operator port listens on.",
    default: "127.0.0.1",
    example: "10.0.0.5",
    schema: text((value) => {
      if (isIP(value) !== 0 || value === "localhost") return value;
      throw new Error("write an IP address of this machine, or localhost");
    }),
  }),
  dataDir: setting({
    name: "ROLECALL_DATA_DIR",
    description:
      "Folder of the embedded store, its checkpoints and the files made at the first start.",
    defaultSays: "`./data`; `./data/sandbox` with `ROLECALL_SANDBOX=1`",
    example: "/var/lib/rolecall",
    schema: anyText,
  }),
  checkpoints: setting({
    name: "ROLECALL_CHECKPOINTS",
    description:
      "Folder of the audit checkpoints. Elsewhere than the store, so that a restored store is known as one at its start.",
    defaultSays: "`checkpoints` in `ROLECALL_DATA_DIR`",
    example: "/mnt/elsewhere/rolecall-checkpoints",
    schema: anyText,
  }),
  instance: setting({
    name: "ROLECALL_INSTANCE",
    description:
      "Name of this installation. A store that is opened under another name is a copy: it starts report-only until `rolecall recover` releases it.",
    defaultSays: "the data folder for the embedded store, else none",
    example: "production",
    schema: name,
  }),
  mappings: setting({
    name: "ROLECALL_MAPPINGS",
    description: "Folder of the mapping files, one folder per tenant inside.",
    default: "./mappings",
    example: "/etc/rolecall/mappings",
    schema: anyText,
  }),
  hrFolder: setting({
    name: "ROLECALL_HR_FOLDER",
    description:
      "Folder that is watched for CSV exports of HR, `<source>/*.csv` inside; taken files go to `done` beside them.",
    example: "/var/lib/rolecall/hr",
    schema: anyText,
  }),
  tenant: setting({
    name: "ROLECALL_TENANT",
    description: "Tenant that the first start makes and that commands mean when they name none.",
    default: "default",
    example: "example-inc",
    schema: name,
  }),
  scimToken: setting({
    name: "ROLECALL_SCIM_TOKEN",
    description:
      "First bearer token for the identity provider. Unset: made once, shown on a terminal or written to `<data>/bootstrap.json` (0600).",
    example: "from `openssl rand -hex 32`",
    secret: true,
    schema: bootstrapToken,
  }),
  adminToken: setting({
    name: "ROLECALL_ADMIN_TOKEN",
    description: "First bearer token for operators, made like the SCIM token where unset.",
    example: "from `openssl rand -hex 32`",
    secret: true,
    schema: bootstrapToken,
  }),
  sealKey: setting({
    name: "ROLECALL_SEAL_KEY",
    description:
      "Key that seals vendor credentials at rest, 32 bytes in hex or base64. Unset: made once in `<data>/seal.key` (0600).",
    example: "from `openssl rand -base64 32`",
    secret: true,
    schema: sealKey,
  }),
  sealKeysFormer: setting({
    name: "ROLECALL_SEAL_KEYS_FORMER",
    description:
      "Seal keys of before, divided by commas: they open what they sealed until `rolecall credential reseal` has sealed it anew, and what HR sent as long as it is kept.",
    defaultSays: "none",
    example: "the former value of `ROLECALL_SEAL_KEY`",
    secret: true,
    schema: sealKeys,
  }),
  publicUrl: setting({
    name: "ROLECALL_URL",
    description: "Public base URL: the only source of locations, redirects and links.",
    defaultSays: "`http://localhost:<PORT>`",
    example: "https://rolecall.example.com",
    schema: publicUrl,
  }),
  trustedProxies: setting({
    name: "ROLECALL_TRUSTED_PROXIES",
    description:
      "Proxies whose `X-Forwarded-For` is believed: addresses, CIDR ranges, `loopback`, `linklocal`, `uniquelocal`.",
    defaultSays: "none",
    example: "loopback, 10.0.0.0/8",
    schema: proxies,
  }),
  scimSchemas: setting({
    name: "ROLECALL_SCIM_SCHEMAS",
    description:
      "File with schema extensions of people, a JSON list of SCIM Schema documents: what identity providers may send beyond the enterprise extension, for conditions of mapping files too.",
    defaultSays: "none",
    example: "/etc/rolecall/schemas.json",
    schema: text((value) => value),
  }),
  scimRate: setting({
    name: "ROLECALL_SCIM_RATE",
    description:
      "SCIM requests per second that each token may send to one process, with a burst of two seconds' worth; more hear 429 and when to come again. Entra ID asks for 25 at least.",
    defaultSays: "no limit",
    example: "50",
    schema: rate,
  }),
  innerHosts: setting({
    name: "ROLECALL_INNER_HOSTS",
    description:
      "Hosts of vendors that may have private addresses: names or addresses as base URLs have them. Any other base URL that leads inside this network is refused, also when its name is looked up.",
    defaultSays: "none",
    example: "scim.corp.example.com, 10.1.2.3",
    schema: hosts,
  }),
  roles: setting({
    name: "ROLECALL_ROLES",
    description:
      "What this process does: `api`, `relay`, `worker`, `scheduler`. One process with the embedded store does everything.",
    default: "api,relay,worker,scheduler",
    example: "api,relay,worker,scheduler",
    schema: roles,
  }),
  logLevel: setting({
    name: "ROLECALL_LOG_LEVEL",
    description:
      "Least serious log line that is written: `debug`, `info`, `warn`, `error`. Lines are JSON on standard error.",
    default: "info",
    example: "debug",
    schema: level,
  }),
  sandbox: setting({
    name: "ROLECALL_SANDBOX",
    description:
      "1 starts the vendor simulators and points every connection at them, with a store of its own.",
    default: "0",
    example: "1",
    schema: flag,
  }),
  sandboxVendors: setting({
    name: "ROLECALL_SANDBOX_VENDORS",
    description:
      "Simulators that run elsewhere, as `vendor=url` separated by commas, instead of starting own ones; with `ROLECALL_SANDBOX=1` only.",
    defaultSays: "none: the service starts its own",
    example: "anthropic=http://127.0.0.1:4001",
    schema: vendorUrls,
  }),
  dropHints: setting({
    name: "ROLECALL_SANDBOX_DROP_HINTS",
    description:
      "1 loses every hint, to rehearse a bus that is gone: the sweep does all the work; with `ROLECALL_SANDBOX=1` only.",
    default: "0",
    example: "1",
    schema: flag,
  }),
  apiUrl: setting({
    name: "ROLECALL_API_URL",
    description: "Where the command line finds the operator's interface.",
    defaultSays: "`http://127.0.0.1:<ROLECALL_OPERATOR_PORT>`",
    example: "http://127.0.0.1:8081",
    schema: anyText,
  }),
  timeScale: setting({
    name: "ROLECALL_TIME_SCALE",
    description:
      "How many times faster than the wall clock time passes; with `ROLECALL_SANDBOX=1` only.",
    default: "1",
    example: "60",
    schema: timeScale,
  }),
  timeAnchor: setting({
    name: "ROLECALL_TIME_ANCHOR",
    description:
      "Moment from which scaled time counts, so that a restart goes on where the last life was; with `ROLECALL_SANDBOX=1` only.",
    defaultSays: "the start of the process",
    example: "2026-01-05T08:00:00Z",
    schema: instant,
  }),
  databaseUrl: setting({
    name: "DATABASE_URL",
    description:
      "PostgreSQL (15 or newer) instead of the embedded store, for one process or many. `sslmode` and `sslrootcert` as libpq reads them: `verify-full` wherever the network is not your own.",
    defaultSays: "none: the embedded store",
    example: "postgres://rolecall:secret@db:5432/rolecall?sslmode=verify-full",
    secret: true,
    schema: databaseUrl,
  }),
  databaseConnections: setting({
    name: "ROLECALL_DATABASE_CONNECTIONS",
    description:
      "Connections of one process to PostgreSQL at most. All processes together stay below the server's `max_connections`.",
    default: "10",
    example: "20",
    schema: connections,
  }),
  ...oidcSettings,
  ...notifySettings,
  ...kafkaSettings,
  ...traceSettings,
} as const;

export type Settings = typeof settings;

/** The table of every setting as Markdown, for deploy/README.md. */
export function settingsTable(): string {
  const rows = Object.values(settings).map((row: Setting) => {
    const byDefault =
      row.defaultSays ?? (row.default === undefined ? "none" : `\`${row.default}\``);
    const example =
      row.example.includes("`") || row.example === "unset" ? row.example : `\`${row.example}\``;
    return `| \`${row.name}\` | ${row.description} | ${byDefault} | ${example} |`;
  });
  return ["| variable | means | default | example |", "|---|---|---|---|", ...rows].join("\n");
}
