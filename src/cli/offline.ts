import { capabilities } from "../connectors/capabilities.ts";
import { vendorFactsOf } from "../connectors/registry.ts";
import { givenSettings, readConfig } from "../config/config.ts";
import {
  lintAdmins,
  lintAttributes,
  lintGroups,
  lintObjects,
  type LintWarning,
} from "../mapping/lint.ts";
import { loadMappings, type LoadedConnection, type LoadedTenant } from "../mapping/load.ts";
import { runMappingTests } from "../mapping/test-file.ts";
import { z } from "zod";
import type { DemoOptions } from "../demo/demo.ts";
import { CommandError, exitCodes, flag, type Command, type Invocation } from "./command.ts";
import { doctor } from "./doctor.ts";
import { printProof, showCheckpointKey } from "./prove-record.ts";
import { exportRecord, verifyRecord } from "./verify-record.ts";

export const offlineCommands: readonly Command[] = [
  {
    words: "serve",
    usage: "serve [--sandbox]",
    summary: "run the service (what `npm start` does)",
    offline: true,
    flags: { sandbox: "boolean" },
    run: async (invocation) => {
      const { serve } = await import("../main.ts");
      await serve({ sandbox: invocation.flags.sandbox === true, terminal: invocation.terminal });
      return exitCodes.ok;
    },
  },
  {
    words: "demo",
    usage: "demo [--keep] [--kills N] [--no-hints] [--postgres [--kafka]]",
    summary: "a day of joiner, mover and leaver on simulated vendors",
    offline: true,
    flags: {
      keep: "boolean",
      kills: "string",
      "no-hints": "boolean",
      postgres: "boolean",
      kafka: "boolean",
    },
    run: async (invocation) => {
      const kills = Number(flag(invocation, "kills") ?? "0");
      if (!Number.isInteger(kills) || kills < 0)
        throw new CommandError(exitCodes.usage, "--kills wants a whole number");
      const servers = demoServers(invocation);
      // Loaded when wanted: the other commands need neither simulators nor the service.
      const { runDemo } = await import("../demo/demo.ts");
      const right = await runDemo({
        keep: invocation.flags.keep === true,
        kills,
        hints: invocation.flags["no-hints"] !== true,
        ...servers,
        write: invocation.terminal.out,
        live: invocation.terminal.isTty,
        columns: invocation.terminal.columns,
      });
      return right ? exitCodes.ok : exitCodes.negative;
    },
  },
  {
    words: "mapping check",
    usage: "mapping check [--online]",
    summary:
      "read every mapping file, run its tests, warn; --online compares names with what is there",
    offline: true,
    flags: { online: "boolean" },
    run: checkMappings,
  },
  {
    words: "audit verify",
    usage:
      "audit verify [--export FILE] [--checkpoints FILE] [--key KEY] [--report] | --proof FILE --key KEY",
    summary:
      "recompute the record's tree and compare it with every checkpoint and its signature; or check one proof; --report tells the service how it ended",
    offline: true,
    flags: {
      ...{ export: "string", checkpoints: "string", key: "string", proof: "string" },
      report: "boolean",
    },
    run: verifyRecord,
  },
  {
    words: "audit key",
    usage: "audit key",
    summary:
      "print the public key that checkpoints are signed with, for whoever verifies elsewhere",
    offline: true,
    flags: {},
    run: showCheckpointKey,
  },
  {
    words: "audit prove",
    usage: "audit prove <record id> [--personal]",
    summary: "print one record with the proof that a signed checkpoint holds it",
    offline: true,
    flags: { personal: "boolean" },
    run: printProof,
  },
  {
    words: "audit export",
    usage: "audit export [--personal] [--format ndjson|csv]",
    summary:
      "print the whole record in leaf order as NDJSON, which `audit verify` reads, or as CSV; --personal with addresses and names",
    offline: true,
    flags: { personal: "boolean", format: "string" },
    run: exportRecord,
  },
  {
    words: "doctor",
    usage: "doctor",
    summary: "check settings, folders, ports, mappings and vendors, and say what to do",
    offline: true,
    flags: {},
    run: doctor,
  },
  {
    words: "capabilities",
    usage: "capabilities [--endpoints]",
    summary: "what each connector can do, and every endpoint that it will ever call",
    offline: true,
    flags: { endpoints: "boolean" },
    run: (invocation) => {
      const table = capabilities();
      if (invocation.json) {
        invocation.terminal.out(`${JSON.stringify(table, null, 2)}\n`);
        return Promise.resolve(exitCodes.ok);
      }
      for (const item of table) {
        invocation.terminal.out(`${item.vendor}/${item.profile}\n`);
        for (const [kind, facts] of Object.entries(item.kinds)) {
          invocation.terminal.out(`  ${kind}: ${Object.keys(facts.roles).join(", ")}\n`);
        }
        for (const impossible of item.impossible) {
          invocation.terminal.out(
            `  not possible: ${impossible.what}; instead: ${impossible.instead}\n`,
          );
        }
        if (invocation.flags.endpoints === true) {
          for (const endpoint of item.endpoints) {
            invocation.terminal.out(
              `  ${endpoint.access.padEnd(5)} ${endpoint.method.padEnd(6)} ${endpoint.path}\n`,
            );
          }
        }
      }
      return Promise.resolve(exitCodes.ok);
    },
  },
];

async function checkMappings(invocation: Invocation) {
  const { mappingsDir } = readConfig();
  const tenants = await loadMappings(mappingsDir, vendorFactsOf);
  const report: {
    file: string;
    rules: number;
    checked: number;
    failures: readonly string[];
    warnings: readonly string[];
  }[] = [];
  for (const tenant of tenants) {
    const online =
      invocation.flags.online === true ? await onlineFacts(invocation, tenant) : undefined;
    for (const connection of tenant.connections) {
      const tests =
        connection.tests === undefined
          ? undefined
          : runMappingTests(connection.compiled, connection.tests);
      const warnings = [
        ...lintAdmins(connection.compiled, connection.policy),
        ...lintOnline(connection, online),
      ];
      report.push({
        file: `${tenant.tenantId}/${connection.connectionId}.yaml`,
        rules: connection.compiled.rules.length,
        checked: tests?.checked ?? 0,
        failures: tests?.failures ?? [],
        warnings: warnings.map((warning) => warning.text),
      });
    }
  }
  const failed = report.reduce((sum, item) => sum + item.failures.length, 0);
  if (invocation.json) invocation.terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else {
    for (const item of report) {
      invocation.terminal.out(
        `${item.failures.length === 0 ? "ok " : "NOT"} ${item.file}: ${String(item.rules)} rules, ${item.checked === 0 ? "no test file" : `${String(item.checked)} people checked`}\n`,
      );
      for (const failure of item.failures) invocation.terminal.out(`    ${failure}\n`);
      for (const warning of item.warnings) invocation.terminal.out(`    warning: ${warning}\n`);
    }
  }
  return failed === 0 ? exitCodes.ok : exitCodes.negative;
}

const factsShape = z.object({
  people: z.number(),
  attributes: z.record(z.string(), z.number()),
  groups: z.array(z.object({ displayName: z.string(), idpId: z.string() })),
  objects: z.array(
    z.object({
      connectionId: z.string(),
      objects: z.array(
        z.object({
          kind: z.string(),
          objectId: z.string(),
          name: z.string(),
          archived: z.boolean(),
          manageable: z.boolean(),
        }),
      ),
    }),
  ),
});
type OnlineFacts = z.output<typeof factsShape>;

async function onlineFacts(invocation: Invocation, tenant: LoadedTenant): Promise<OnlineFacts> {
  const api = await invocation.api();
  return factsShape.parse(await api.call("GET", "/mappings/facts", { tenant: tenant.tenantId }));
}

function lintOnline(
  connection: LoadedConnection,
  facts: OnlineFacts | undefined,
): readonly LintWarning[] {
  if (facts === undefined) return [];
  const known = facts.objects.find((item) => item.connectionId === connection.connectionId);
  return [
    ...lintAttributes(connection.compiled, {
      people: facts.people,
      withAttribute: new Map(Object.entries(facts.attributes)),
    }),
    ...lintGroups(connection.compiled, facts.groups),
    ...(known === undefined ? [] : lintObjects(connection.compiled, known.objects)),
  ];
}

/** The servers that the environment names, on which the demo's day gets a database and topics of its own. */
function demoServers({ flags }: Invocation): Pick<DemoOptions, "databaseServer" | "kafka"> {
  const [postgres, kafka] = [flags.postgres === true, flags.kafka === true];
  if (kafka && !postgres)
    throw new CommandError(
      exitCodes.usage,
      "--kafka goes with --postgres: processes that Kafka ties together share a database",
    );
  if (!postgres) return { databaseServer: undefined, kafka: undefined };
  const env = kafka ? givenSettings((name) => name.startsWith("KAFKA_")) : {};
  const config = readConfig({
    ...givenSettings((name) => name.startsWith("DATABASE_URL")),
    ...env,
    ROLECALL_SANDBOX: "1",
  });
  if (config.databaseUrl === undefined)
    throw new CommandError(
      exitCodes.usage,
      "--postgres wants DATABASE_URL: a server whose user may make a database for the day",
    );
  if (!kafka) return { databaseServer: config.databaseUrl, kafka: undefined };
  if (config.kafka === undefined)
    throw new CommandError(
      exitCodes.usage,
      "--kafka wants KAFKA_BROKERS: brokers on which topics may be made for the day",
    );
  return { databaseServer: config.databaseUrl, kafka: { config: config.kafka, env } };
}
