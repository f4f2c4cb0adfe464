import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfig, readEnv, type Environment } from "../../../src/config/config.ts";
import { readKafka } from "../../../src/config/kafka-settings.ts";
import type { Setting } from "../../../src/config/setting.ts";
import { settings } from "../../../src/config/settings.ts";
import { InputError } from "../../../src/model/errors.ts";

function problemsOf(environment: Environment): readonly string[] {
  try {
    readConfig(environment, "/srv");
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

const token = (letter: string) => letter.repeat(32);

describe("an empty environment", () => {
  test("means the embedded mode, live, with the documented defaults", () => {
    const config = readConfig({}, "/srv");
    expect(config).toMatchObject({
      mode: "embedded",
      world: "live",
      port: 8080,
      operatorPort: 8081,
      operatorHost: "127.0.0.1",
      dataDir: "/srv/data",
      mappingsDir: "/srv/mappings",
      tenantId: "default",
      scimToken: undefined,
      publicUrl: undefined,
      trustedProxies: [],
      logLevel: "info",
      timeScale: 1,
    });
    expect([...config.roles]).toEqual(["api", "relay", "worker", "scheduler"]);
  });

  test("gives the version of package.json", () => {
    const manifest = JSON.parse(
      readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
    ) as { version: string };
    expect(readConfig({}).version).toBe(manifest.version);
  });

  test("gives a config that nobody can change", () => {
    expect(Object.isFrozen(readConfig({}))).toBe(true);
  });
});

test("an empty or blank variable counts as unset", () => {
  expect(readConfig({ PORT: "", ROLECALL_TENANT: "  " })).toMatchObject({
    port: 8080,
    tenantId: "default",
  });
});

test("the sandbox has a store of its own unless told where", () => {
  expect(readConfig({ ROLECALL_SANDBOX: "1" }, "/srv").dataDir).toBe("/srv/data/sandbox");
  expect(readConfig({ ROLECALL_SANDBOX: "1", ROLECALL_DATA_DIR: "x" }, "/srv").dataDir).toBe(
    "/srv/x",
  );
});

test("everything that is wrong is said at once, each with its variable", () => {
  const problems = problemsOf({
    PORT: "eighty",
    ROLECALL_TENANT: "Acme Inc",
    ROLECALL_LOG_LEVEL: "loud",
    ROLECALL_PORTS: "1",
    DATABASE_URL: "mysql://u:hunter2@db/r",
    KAFKA_BROKERS: "k",
  });
  const named = problems.map((problem) => problem.split(":")[0]);
  expect(named.toSorted()).toEqual([
    "DATABASE_URL",
    "KAFKA_BROKERS",
    "PORT",
    "ROLECALL_LOG_LEVEL",
    "ROLECALL_PORTS",
    "ROLECALL_TENANT",
  ]);
  expect(problems.join()).not.toContain("hunter2");
});

test("a misspelt setting is refused with the nearest name", () => {
  expect(problemsOf({ ROLECALL_OPERATER_PORT: "1" })).toEqual([
    expect.stringContaining("did you mean ROLECALL_OPERATOR_PORT?"),
  ]);
  expect(problemsOf({ ROLECALL_FOO: "1" })[0]).not.toContain("did you mean");
});

test("variables of others are none of our business", () => {
  expect(problemsOf({ PATH: "/bin", KAFKA_HEAP_OPTS: "-Xmx1g", PORTS: "x" })).toEqual([]);
});

test("a credential that a mapping file names is never one of our own settings", () => {
  const own = { ROLECALL_SEAL_KEY: "canary-one", DATABASE_URL: "canary-two" };
  try {
    Object.assign(process.env, own, { VENDOR_KEY_OF_A_TEST: "key" });
    expect(readEnv("VENDOR_KEY_OF_A_TEST")).toBe("key");
    for (const name of [...Object.keys(own), "ROLECALL_SEAL_KEY_FILE"])
      expect(readEnv(name), name).toBeUndefined();
  } finally {
    for (const name of [...Object.keys(own), "VENDOR_KEY_OF_A_TEST"])
      Reflect.deleteProperty(process.env, name);
  }
});

test("hosts inside this network are written as people write them and kept as URLs have them", () => {
  const { innerHosts } = readConfig({
    ROLECALL_INNER_HOSTS: "SCIM.corp.example.com, 10.1.2.3, ::1, [fd00::1]",
  });
  expect(innerHosts).toEqual(["scim.corp.example.com", "10.1.2.3", "[::1]", "[fd00::1]"]);
  for (const wrong of [
    "https://a.example.com",
    "a.example.com/path",
    "a b",
    "a.example.com:8443",
    "user@host",
  ])
    expect(problemsOf({ ROLECALL_INNER_HOSTS: wrong })[0]).toContain("is no host");
});

describe("secrets", () => {
  test("that are too short or no key are refused without being repeated", () => {
    const problems = problemsOf({
      ROLECALL_SCIM_TOKEN: "hunter2",
      ROLECALL_ADMIN_TOKEN: "two words that are long enough",
      ROLECALL_SEAL_KEY: "abc123",
    });
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toMatch(/hunter2|two words|abc123/);
  });

  test("are read from the file that NAME_FILE names, without the line break at its end", () => {
    const folder = mkdtempSync(join(tmpdir(), "rolecall-secrets-"));
    writeFileSync(join(folder, "token"), `${token("a")}\n`);
    try {
      expect(readConfig({ ROLECALL_SCIM_TOKEN_FILE: "token" }, folder).scimToken).toBe(token("a"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("in files that are missing, empty or beside the value itself are refused, and so is a file for what is no secret", () => {
    const folder = mkdtempSync(join(tmpdir(), "rolecall-secrets-"));
    writeFileSync(join(folder, "empty"), "\n");
    writeFileSync(join(folder, "short"), "hunter2\n");
    const path = (name: string) => join(folder, name);
    try {
      expect(problemsOf({ ROLECALL_SEAL_KEY_FILE: path("none") })).toEqual([
        `ROLECALL_SEAL_KEY_FILE: ${path("none")} cannot be read (ENOENT)`,
      ]);
      expect(problemsOf({ ROLECALL_SEAL_KEY_FILE: path("empty") })[0]).toContain("is empty");
      expect(
        problemsOf({ ROLECALL_ADMIN_TOKEN: token("a"), ROLECALL_ADMIN_TOKEN_FILE: path("short") }),
      ).toEqual(["ROLECALL_ADMIN_TOKEN_FILE: ROLECALL_ADMIN_TOKEN is set too; unset one of them"]);
      const short = problemsOf({ ROLECALL_ADMIN_TOKEN_FILE: path("short") });
      expect(short).toHaveLength(1);
      expect(short[0]).not.toContain("hunter2");
      expect(problemsOf({ ROLECALL_TENANT_FILE: path("short") })[0]).toContain("no such setting");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("of 32 bytes are keys in hex and in base64", () => {
    const bytes = Buffer.alloc(32, 0xfb);
    for (const form of ["hex", "base64", "base64url"] as const) {
      expect(problemsOf({ ROLECALL_SEAL_KEY: bytes.toString(form) })).toEqual([]);
    }
  });

  test("of the identity provider and of operators differ", () => {
    const same = { ROLECALL_SCIM_TOKEN: token("a"), ROLECALL_ADMIN_TOKEN: token("a") };
    expect(problemsOf(same)).toEqual([expect.stringContaining("ROLECALL_ADMIN_TOKEN")]);
    expect(problemsOf({ ...same, ROLECALL_ADMIN_TOKEN: token("b") })).toEqual([]);
  });
});

describe("the public URL", () => {
  test.each([
    ["https://rolecall.example.com", "https://rolecall.example.com"],
    ["https://rolecall.example.com/id/", "https://rolecall.example.com/id"],
    ["http://localhost:8080", "http://localhost:8080"],
  ])("%s is kept as %s", (given, kept) => {
    expect(readConfig({ ROLECALL_URL: given }).publicUrl).toBe(kept);
  });

  test.each([
    "rolecall.example.com",
    "http://rolecall.example.com",
    "https://a:b@rolecall.example.com",
    "https://rolecall.example.com/?x=1",
    "ftp://rolecall.example.com",
  ])("%s is refused", (given) => {
    expect(problemsOf({ ROLECALL_URL: given })).toHaveLength(1);
  });
});

test("proxies are addresses, ranges and three names", () => {
  const good = "loopback, 10.0.0.0/8,2001:db8::/32, 192.0.2.7";
  expect(readConfig({ ROLECALL_TRUSTED_PROXIES: good }).trustedProxies).toHaveLength(4);
  for (const bad of ["everyone", "10.0.0.0/33", "10.0.0.0/8/8", "10.0.0.0/"]) {
    expect(problemsOf({ ROLECALL_TRUSTED_PROXIES: bad })).toHaveLength(1);
  }
});

describe("time that runs faster", () => {
  test("is for the sandbox only", () => {
    expect(problemsOf({ ROLECALL_TIME_SCALE: "60" })).toEqual([
      expect.stringContaining("only with ROLECALL_SANDBOX=1"),
    ]);
    const config = readConfig({
      ROLECALL_SANDBOX: "1",
      ROLECALL_TIME_SCALE: "60",
      ROLECALL_TIME_ANCHOR: "2026-01-05T08:00:00Z",
    });
    expect(config).toMatchObject({ timeScale: 60, timeAnchor: Date.UTC(2026, 0, 5, 8) });
  });

  test.each(["0", "-1", "fast", "1e9", "Infinity"])("is not %s times as fast", (scale) => {
    expect(problemsOf({ ROLECALL_SANDBOX: "1", ROLECALL_TIME_SCALE: scale })).toHaveLength(1);
  });
});

test("what rehearses faults is for the sandbox only", () => {
  for (const name of ["ROLECALL_SANDBOX_DROP_HINTS", "ROLECALL_SANDBOX_VENDORS"]) {
    const value = name.endsWith("HINTS") ? "1" : "anthropic=http://127.0.0.1:4001";
    expect(problemsOf({ [name]: value })).toEqual([expect.stringContaining(name)]);
    expect(problemsOf({ [name]: value, ROLECALL_SANDBOX: "1" })).toEqual([]);
  }
});

describe("a database that processes share", () => {
  const url = "postgres://rolecall:hunter2@db/rolecall?sslmode=verify-full";
  const key = "ab".repeat(32);

  test("is chosen by its URL, and needs the key that they share", () => {
    expect(problemsOf({ DATABASE_URL: url })).toEqual([
      expect.stringContaining("ROLECALL_SEAL_KEY"),
    ]);
    const config = readConfig({ DATABASE_URL: url, ROLECALL_SEAL_KEY: key });
    expect(config).toMatchObject({ mode: "postgres", databaseUrl: url, databaseConnections: 10 });
  });

  test("in the sandbox does without: nothing real is sealed", () => {
    expect(problemsOf({ DATABASE_URL: url, ROLECALL_SANDBOX: "1" })).toEqual([]);
  });

  test("is refused without being repeated where the URL names no database or another one's", () => {
    for (const wrong of ["hunter2", "postgres://u:hunter2@db", "mysql://u:hunter2@db/r"]) {
      const problems = problemsOf({ DATABASE_URL: wrong, ROLECALL_SEAL_KEY: key });
      expect(problems).toEqual([expect.stringContaining("DATABASE_URL")]);
      expect(problems.join()).not.toContain("hunter2");
    }
  });

  test("takes a bounded number of connections", () => {
    const given = (n: string) => ({
      DATABASE_URL: url,
      ROLECALL_SEAL_KEY: key,
      ROLECALL_DATABASE_CONNECTIONS: n,
    });
    expect(readConfig(given("25")).databaseConnections).toBe(25);
    for (const wrong of ["0", "1", "1001", "many"])
      expect(problemsOf(given(wrong))).toHaveLength(1);
  });
});

test("one process with the embedded store cannot leave out a role", () => {
  expect(problemsOf({ ROLECALL_ROLES: "api,worker" })).toEqual([
    expect.stringContaining("lacks relay, scheduler"),
  ]);
  expect(problemsOf({ ROLECALL_ROLES: "api, scheduler, relay, worker" })).toEqual([]);
  expect(problemsOf({ ROLECALL_ROLES: "api,cook" })).toHaveLength(1);
});

test("the two listeners need a port each", () => {
  expect(problemsOf({ PORT: "9000", ROLECALL_OPERATOR_PORT: "9000" })).toHaveLength(1);
  expect(problemsOf({ PORT: "0", ROLECALL_OPERATOR_PORT: "0" })).toEqual([]);
});

test("every default reads as its own setting", () => {
  for (const row of Object.values(settings) as Setting[]) {
    if (row.default === undefined) continue;
    expect(row.schema.safeParse(row.default).success, row.name).toBe(true);
  }
});

describe("Kafka", () => {
  const kafka = (more: Environment) =>
    problemsOf({ KAFKA_BROKERS: "k-1:9092", ...more }).join("\n");

  test("is refused without the database that its processes share", () => {
    expect(kafka({})).toMatch(/^KAFKA_BROKERS: only with DATABASE_URL/);
  });

  test("wants each broker with its port", () => {
    for (const wrong of ["k-1", "k-1:0", "k-1:65536", "http://k-1:9092", "k-1:9092,k-2", ","]) {
      expect(problemsOf({ KAFKA_BROKERS: wrong })[0], wrong).toContain("write host:port");
    }
    expect(problemsOf({ KAFKA_BROKERS: "[::1]:9092, k-2:9093" }).join()).not.toContain(
      "write host",
    );
  });

  test("wants mechanism, name and password of a sign-in, and sends no password in clear text", () => {
    expect(kafka({ KAFKA_SASL_USERNAME: "r" })).toContain(
      "KAFKA_SASL_MECHANISM, KAFKA_SASL_PASSWORD: a sign-in needs",
    );
    const plain = {
      KAFKA_SASL_MECHANISM: "PLAIN",
      KAFKA_SASL_USERNAME: "r",
      KAFKA_SASL_PASSWORD: "s",
    };
    expect(kafka(plain)).toContain("set KAFKA_TLS=1");
    expect(kafka({ ...plain, KAFKA_TLS: "1" })).not.toContain("KAFKA_TLS=1");
    expect(kafka({ ...plain, KAFKA_BROKERS: "127.0.0.1:9092" })).not.toContain("KAFKA_TLS=1");
    expect(kafka({ ...plain, KAFKA_SASL_MECHANISM: "scram-sha-512" })).not.toContain("KAFKA_TLS=1");
  });

  test("wants certificate and key together, as PEM, and with TLS only", () => {
    const cert = "-----BEGIN CERTIFICATE-----";
    expect(kafka({ KAFKA_TLS: "1", KAFKA_TLS_CERT: cert })).toContain("KAFKA_TLS_KEY: certificate");
    expect(kafka({ KAFKA_TLS_CA: cert })).toContain("KAFKA_TLS_CA: only with KAFKA_TLS=1");
    expect(kafka({ KAFKA_TLS: "1", KAFKA_TLS_CA: "/etc/ca.pem" })).toContain("with ..._FILE");
  });

  test("settings without brokers are anybody's", () => {
    expect(problemsOf({ KAFKA_SASL_USERNAME: "r", KAFKA_TLS_CA: "-----BEGIN X" })).toEqual([]);
    expect(readConfig({ KAFKA_TLS: "1" }).kafka).toBeUndefined();
  });

  test("is read whole, with twelve partitions and three copies unless told", () => {
    const values = {
      kafkaPrefix: undefined,
      kafkaPartitions: undefined,
      kafkaReplication: undefined,
      kafkaTls: true,
      kafkaTlsCa: "ca",
      kafkaTlsCert: undefined,
      kafkaTlsKey: undefined,
      kafkaSaslMechanism: "plain",
      kafkaSaslUsername: "r",
      kafkaSaslPassword: "s",
    } as const;
    expect(readKafka({ ...values, kafkaBrokers: ["k-1:9092"] })).toEqual({
      brokers: ["k-1:9092"],
      prefix: "rolecall",
      partitions: 12,
      replication: 3,
      tls: { ca: "ca", cert: undefined, key: undefined },
      sasl: { mechanism: "plain", username: "r", password: "s" },
    });
  });
});

describe("traces", () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

  test("are off unless there is a receiver, and where it is told so", () => {
    expect(readConfig({}, "/srv").traces).toBeUndefined();
    expect(readConfig({ OTEL_SERVICE_NAME: "x" }, "/srv").traces).toBeUndefined();
    expect(
      readConfig({ ...endpoint, OTEL_TRACES_EXPORTER: "none" }, "/srv").traces,
    ).toBeUndefined();
    expect(readConfig({ ...endpoint, OTEL_SDK_DISABLED: "true" }, "/srv").traces).toBeUndefined();
  });

  test("go to /v1/traces of the receiver, or to the URL that is theirs alone", () => {
    const urlOf = (environment: Record<string, string>) =>
      readConfig(environment, "/srv").traces?.url;
    expect(urlOf(endpoint)).toBe("http://collector:4318/v1/traces");
    expect(urlOf({ OTEL_EXPORTER_OTLP_ENDPOINT: "https://x.example/otlp/" })).toBe(
      "https://x.example/otlp/v1/traces",
    );
    expect(urlOf({ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://t:1/spans" })).toBe(
      "http://t:1/spans",
    );
  });

  test("are read whole, as the specification writes lists and samplers", () => {
    const config = readConfig(
      {
        ...endpoint,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20abc,x-team=1",
        OTEL_SERVICE_NAME: "staging",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=staging",
        OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
        OTEL_TRACES_SAMPLER_ARG: "0.25",
        OTEL_BSP_SCHEDULE_DELAY: "1000",
      },
      "/srv",
    );
    expect(config.traces).toEqual({
      url: "http://collector:4318/v1/traces",
      protocol: "http/json",
      headers: { authorization: "Bearer abc", "x-team": "1" },
      serviceName: "staging",
      resource: { "deployment.environment.name": "staging" },
      sampler: { parentBased: true, ratio: 0.25 },
      batch: { delayMs: 1_000, queueMax: 2_048 },
    });
    expect(readConfig(endpoint, "/srv").traces?.sampler).toEqual({ parentBased: true, ratio: 1 });
  });

  test("are refused where we would not speak what is asked for, without repeating headers", () => {
    const problems = problemsOf({
      OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318",
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_EXPORTER_OTLP_HEADERS: "hunter2",
      OTEL_TRACES_SAMPLER: "sometimes",
      OTEL_TRACES_SAMPLER_ARG: "2",
    });
    expect(problems).toHaveLength(5);
    expect(problems.join()).toContain("gRPC is not spoken here");
    expect(problems.join()).not.toContain("hunter2");
  });
});

describe("roles", () => {
  test("are all of one process where nobody shares its database", () => {
    expect(problemsOf({ ROLECALL_ROLES: "api,worker" }).join()).toContain("lacks relay, scheduler");
  });

  test("of hints stay together where no bus is shared", () => {
    const shared = { DATABASE_URL: "postgres://db/r" };
    const apart = problemsOf({ ...shared, ROLECALL_ROLES: "api,relay" }).join("\n");
    expect(apart).toContain("relay and worker go together");
    const kafka = { ...shared, KAFKA_BROKERS: "k-1:9092" };
    expect(problemsOf({ ...kafka, ROLECALL_ROLES: "api,relay" }).join()).not.toContain("ROLES");
    expect(problemsOf({ ...shared, ROLECALL_ROLES: "api,scheduler" }).join()).not.toContain(
      "ROLES",
    );
  });
});
