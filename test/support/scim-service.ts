import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import type { Store } from "../../src/adapters/store.ts";
import { systemClock, type Clock } from "../../src/model/clock.ts";
import { asId, type IdpId, type TenantId } from "../../src/model/ids.ts";
import type { LogFacts, Logger } from "../../src/model/log.ts";
import type { AuditRecord } from "../../src/model/records.ts";
import { createScimRouter } from "../../src/scim/router.ts";
import type { ScimDeps } from "../../src/scim/scim-call.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { ScimClient } from "./scim-client.ts";
import { addTenant, openFileStore, openMemoryStore, type TestStore } from "./store.ts";

export interface LoggedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly facts: LogFacts;
  readonly message: string;
}

/** The SCIM router over a real store and a real socket, with two tenants: `token` speaks for acme, `otherToken` for globex. */
export interface ScimService {
  readonly store: Store;
  readonly baseUrl: string;
  readonly token: string;
  readonly otherToken: string;
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  readonly client: ScimClient;
  readonly port: number;
  readonly lines: readonly LoggedLine[];
  /** How often the relay was rung. */
  readonly commits: () => number;
  /** Newest first. */
  readonly records: () => Promise<readonly AuditRecord[]>;
  readonly close: () => Promise<void>;
}

export async function startScimService(
  options: {
    readonly file?: boolean;
    /** Opens another store than one of SQLite's. */
    readonly open?: (clock: Clock) => Promise<TestStore>;
    /** Stands between router and store, to make the store fail. */
    readonly around?: (store: Store) => Store;
    readonly deps?: Partial<ScimDeps>;
  } = {},
): Promise<ScimService> {
  const clock = systemClock();
  const open = options.open ?? (options.file === true ? openFileStore : openMemoryStore);
  const opened = await open(clock);
  const { store } = opened;
  const { tenantId, idpId } = await addTenant(store, clock.now());
  await addTenant(store, clock.now(), { tenant: "globex", idp: "entra" });
  const lines: LoggedLine[] = [];
  let commits = 0;
  const callers = new Map([
    ["token-of-acme", { tenantId, idpId }],
    ["token-of-globex", { tenantId: asId<TenantId>("globex"), idpId: asId<IdpId>("entra") }],
  ]);
  const app = express();
  app.set("etag", false);
  app.use(
    "/scim/v2",
    createScimRouter({
      store: options.around?.(store) ?? store,
      clock,
      logger: recordingLogger(lines),
      metrics: createMetrics({ processMetrics: false }).metrics,
      publicUrl: "https://id.example.com/",
      authenticate: (token, address) => {
        const caller = callers.get(token);
        const actor = { kind: "idp", id: caller?.idpId ?? "", address } as const;
        return Promise.resolve(
          caller && { ...caller, actor: { ...actor, credentialFingerprint: "0123456789ab" } },
        );
      },
      onCommit: () => {
        commits += 1;
      },
      ...options.deps,
    }),
  );
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const baseUrl = `http://127.0.0.1:${String(port)}/scim/v2`;
  return {
    store,
    baseUrl,
    port,
    token: "token-of-acme",
    otherToken: "token-of-globex",
    tenantId,
    idpId,
    client: new ScimClient(baseUrl, "token-of-acme"),
    lines,
    commits: () => commits,
    records: async () =>
      (await store.findRecords(tenantId, { limit: 1_000 })).map((stored) => stored.record),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await opened.dispose();
    },
  };
}

function recordingLogger(lines: LoggedLine[]): Logger {
  const at = (level: LoggedLine["level"]) => (facts: LogFacts, message: string) => {
    lines.push({ level, facts, message });
  };
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => logger,
  };
  return logger;
}
