/**
 * Questions of applications in two forms: `rolecall` is the room as it is served, with token check and metrics, over a store where
 * everybody should hold something at four connections; `echo` is an express route that parses the same body and sends it back.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import express, { type Express } from "express";
import { createAccessRoom } from "../../../src/access-room.ts";
import { decide } from "../../../src/access/decide.ts";
import type { Store } from "../../../src/adapters/store.ts";
import { applicationCaller } from "../../../src/callers.ts";
import { vendorFactsOf } from "../../../src/connectors/registry.ts";
import { createTokenCheck, ensureToken } from "../../../src/credentials/tokens.ts";
import { publicApp } from "../../../src/listeners.ts";
import { accessMatrix } from "../../../src/mapping/access.ts";
import { loadMappings, type LoadedConnection } from "../../../src/mapping/load.ts";
import type { DesiredState } from "../../../src/model/assignment.ts";
import { systemClock } from "../../../src/model/clock.ts";
import { newId, type MappingVersionId } from "../../../src/model/ids.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { userNameOf } from "../people.ts";
import { openTenant, tenantId } from "./company.ts";
import { serveParent, startArgument } from "./serve-parent.ts";

export interface AccessServerStart {
  readonly kind: "rolecall" | "echo";
  readonly folder: string;
  readonly people: number;
}

const token = "bench-token-of-an-application-00";
const nothing = { records: [], recompute: [] } as const;
const { kind, folder, people } = startArgument<AccessServerStart>();
const clock = systemClock();
const store = await openTenant(folder, clock);
const connections = await exampleConnections();
if (kind === "rolecall") await fill(store);
const server = createServer(kind === "rolecall" ? await rolecall(store) : echo());
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

serveParent(
  {
    address: () => ({
      url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/access/v1`,
      token,
    }),
    /** Milliseconds of each decision about somebody at random: the rows that it needs, and what follows from them. */
    decisions: async ({ count, from }: { count: number; from: number }) => {
      const [anthropic] = connections;
      if (anthropic === undefined) throw new Error("no connection to ask about");
      const matrix = accessMatrix(anthropic.document, anthropic.compiled.facts);
      const question = {
        connectionId: anthropic.connectionId,
        permission: "messages:create",
        model: "claude-haiku-4-5",
      };
      const times: number[] = [];
      let serial = from;
      for (let done = 0; done < count; done += 1) {
        // A walk that visits everybody in no order.
        serial = (serial * 1_103_515_245 + 12_345) % 2_147_483_648;
        const name = userNameOf(serial % people);
        const startedAt = performance.now();
        const verdict = decide(
          await store.readAccess(tenantId, { name }),
          matrix,
          question,
          clock.now(),
        );
        times.push(performance.now() - startedAt);
        if (!verdict.allowed) throw new Error(`${name}: ${verdict.message}`);
      }
      return times;
    },
  },
  async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await store.close();
  },
);

async function exampleConnections(): Promise<readonly LoadedConnection[]> {
  const mappings = fileURLToPath(new URL("../../../mappings", import.meta.url));
  const [tenant] = await loadMappings(mappings, vendorFactsOf, ["example"]);
  const four = ["anthropic", "clay", "instantly", "intercom"];
  return (tenant?.connections ?? []).filter((item) => four.includes(item.connectionId));
}

/** Connections by the store's own commands; targets by one statement each, because history is not asked for. */
async function fill(into: Store): Promise<void> {
  for (const connection of connections) {
    const { connectionId, vendor, profile, credential, baseUrl, policy, document, hash } =
      connection;
    const now = clock.now();
    const versionId = newId<MappingVersionId>(clock);
    await into.upsertLane(
      tenantId,
      { connectionId, vendor, profile, credential, baseUrl, policy, now },
      nothing,
    );
    await into.proposeMapping(
      tenantId,
      { connectionId, versionId, document, hash, vendor, profile, simulation: undefined, now },
      nothing,
    );
    await into.activateMapping(
      tenantId,
      { connectionId, versionId, expectActive: undefined, bindings: [], now },
      nothing,
    );
  }
  const database = new DatabaseSync(join(folder, "rolecall.db"), { timeout: 60_000 });
  const insert = database.prepare(
    `INSERT INTO targets (tenant_id, connection_id, identity_id, generation, applied_generation, wake, priority, state, lifecycle, hash, attempts, wished_at, cause, notes, desired)
     SELECT tenant_id, ?, identity_id, 1, 1, 0, 2, 'idle', 'active', 'h', 0, 0, 'sweep', '{}', ? FROM identities WHERE tenant_id = ?`,
  );
  for (const { connectionId } of connections)
    insert.run(connectionId, JSON.stringify(wish(connectionId)), tenantId);
  database.close();
}

function wish(connectionId: string): DesiredState {
  const role = (roleKind: string, name: string, objectId = "") => ({
    ...{ kind: roleKind, objectId, role: name, because: ["everybody"], privileged: false },
  });
  return {
    lifecycle: "active",
    assignments:
      connectionId === "anthropic"
        ? [
            role("org_role", "developer"),
            role("workspace", "workspace_developer", "wrkspc_1"),
            role("workspace", "workspace_user", "wrkspc_2"),
          ]
        : [role("workspace_role", "editor")],
    ...{ conflicts: [], unresolved: [], keep: [], mappingVersion: "v1" },
    profile: { emails: ["somebody@example.com"], displayName: "Somebody" },
  };
}

async function rolecall(over: Store): Promise<Express> {
  const logger = createLogger({
    ...{ level: "info", clock, base: { version: "0.0.0", instance: "bench" } },
    write: () => undefined,
  });
  await ensureToken(
    { store: over, clock },
    tenantId,
    { kind: "access", idpId: undefined, label: "bench", expiresAt: undefined },
    token,
    { kind: "system", id: "bench" },
  );
  const access = createAccessRoom({
    ...{ store: over, clock, logger, publicUrl: "https://rolecall.example.com" },
    metrics: createMetrics({ logger }).metrics,
    authenticate: applicationCaller(
      createTokenCheck({ store: over, clock, logger, kind: "access" }),
    ),
  });
  const ok = () => Promise.resolve({ ok: true, checks: {} });
  return publicApp({
    ...{ scim: express.Router(), access, trustedProxies: [] },
    probes: { live: ok, ready: ok },
  });
}

function echo(): Express {
  const app = express();
  app.post("/access/v1/evaluation", express.json(), (request, response) => {
    response.json(request.body);
  });
  return app;
}
