import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { hrJsonSchema, mappingJsonSchema, pulseJsonSchema } from "../../src/mapping/json-schema.ts";
import { lintAdmins } from "../../src/mapping/lint.ts";
import { loadMappings, type LoadedConnection } from "../../src/mapping/load.ts";
import { runMappingTests } from "../../src/mapping/test-file.ts";
import { vendorFactsOf } from "../support/vendor-facts.ts";

const folder = fileURLToPath(new URL("../../mappings", import.meta.url));
const tenants = await loadMappings(folder, vendorFactsOf);
const connections = tenants.flatMap((tenant) =>
  tenant.connections.map((connection): [string, LoadedConnection] => [
    `${tenant.tenantId}/${connection.connectionId}`,
    connection,
  ]),
);

describe("the shipped mapping files", () => {
  test("are those of the default tenant, the demo and the example, for every vendor", () => {
    expect(connections.map(([name]) => name)).toEqual([
      "default/anthropic",
      "default/instantly",
      "default/intercom",
      "demo/anthropic",
      "demo/clay",
      "demo/instantly",
      "demo/intercom",
      "example/anthropic",
      "example/clay",
      "example/instantly",
      "example/intercom",
      "example/wiki",
    ]);
  });

  test.each(connections)("%s gives its test people what they must get", (name, connection) => {
    if (name.startsWith("default/")) {
      expect(connection.compiled.rules).toEqual([]);
      return;
    }
    if (connection.tests === undefined) throw new Error(`${name} has no test file`);
    const result = runMappingTests(connection.compiled, connection.tests);
    expect(result.failures).toEqual([]);
    expect(result.checked).toBeGreaterThan(5);
  });

  test.each(connections.filter(([name]) => !name.startsWith("default/")))(
    "every granting rule of %s is the reason of something that a test person gets",
    (_name, { compiled, tests }) => {
      const used = Object.values(tests?.expect ?? {}).flat();
      const because = new Set(used.flatMap((item) => item.because ?? []));
      const expected = compiled.rules
        .filter((rule) => rule.grants.length > 0)
        .map((rule) => rule.id);
      // Expanded rules are proven by one of their kind; denies are proven by what is missing.
      const unproven = expected.filter((id) => !because.has(id) && !id.startsWith("by-group-"));
      expect(unproven).toEqual([]);
    },
  );

  test.each(connections)("%s writes nothing unless it is the demo's", (name, { policy }) => {
    expect(policy.mode).toBe(name.startsWith("demo/") ? "additive" : "report-only");
  });

  test.each(connections.filter(([name]) => name.startsWith("demo/")))(
    "%s keeps the minimum of admins",
    (_name, { compiled, policy }) => {
      expect(lintAdmins(compiled, policy)).toEqual([]);
    },
  );

  test("mapping.schema.json is what the code says; `npx vitest run test/unit/mapping-files.test.ts --update=all` writes it anew", async () => {
    await expect(mappingJsonSchema()).toMatchFileSnapshot(`${folder}/mapping.schema.json`);
  });

  test("hr.schema.json is what the code says; the same command writes it anew", async () => {
    await expect(hrJsonSchema()).toMatchFileSnapshot(`${folder}/hr.schema.json`);
  });

  test("pulse.schema.json is what the code says; the same command writes it anew", async () => {
    await expect(pulseJsonSchema()).toMatchFileSnapshot(`${folder}/pulse.schema.json`);
  });

  test("README.md names every field of the schemas", async () => {
    const text = await readFile(`${folder}/README.md`, "utf8");
    const fields = [mappingJsonSchema(), hrJsonSchema(), pulseJsonSchema()].flatMap((schema) => [
      ...fieldsOf(JSON.parse(schema)),
    ]);
    const missing = fields.filter(
      (field) => !text.includes(`\`${field}\``) && !text.includes(`\`${field}:`),
    );
    expect(missing).toEqual([]);
  });
});

/** Every property name anywhere in a JSON Schema. */
function* fieldsOf(schema: unknown): Generator<string> {
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties") yield* Object.keys(value as object);
    yield* fieldsOf(value);
  }
}
