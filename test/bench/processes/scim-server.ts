/**
 * The request path of SCIM writes in three forms, over the same kind of store: `rolecall` is the real router with token check, log
 * and metrics; `bare` is an express route that parses the same body and calls the same store command; `empty` parses and stores
 * nothing, which shows what client, sockets and express cost alone.
 */
import { createServer } from "node:http";
import { openSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Express } from "express";
import type { Store } from "../../../src/adapters/store.ts";
import { idpCaller } from "../../../src/callers.ts";
import { createTokenCheck } from "../../../src/credentials/tokens.ts";
import { publicApp } from "../../../src/listeners.ts";
import { systemClock } from "../../../src/model/clock.ts";
import type { Logger } from "../../../src/model/log.ts";
import { createScimRouter } from "../../../src/scim/router.ts";
import { createTraffic } from "../../../src/scim/traffic.ts";
import { lineWriter } from "../../../src/telemetry/line-writer.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { bareRoutes, createPerson, type BareCaller } from "./bare-routes.ts";
import { idpId, openTenant, scimToken, tenantId } from "./company.ts";
import { rawInserts } from "./raw-sqlite.ts";
import { serveParent, startArgument } from "./serve-parent.ts";

export interface ScimServerStart {
  readonly kind: "rolecall" | "bare" | "empty";
  readonly folder: string;
  /** URL of a PostgreSQL database; undefined: SQLite in the folder. */
  readonly database?: string;
}

export interface StoreLoopAnswer {
  readonly perSecond: number;
  readonly next: number;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const { kind, folder, database } = startArgument<ScimServerStart>();
const clock = systemClock();
const store = await openTenant(folder, clock, database);
const caller: BareCaller = { store, clock, tenantId, idpId };
const tokens = createTokenCheck({ store, kind: "scim", clock, logger: silent });
const server = createServer(
  kind === "rolecall"
    ? rolecall(store)
    : bareRoutes(caller, kind, async (authorization = "") => {
        const known = await tokens.check(authorization.replace(/^Bearer /, ""));
        return known !== undefined;
      }),
);
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

serveParent(
  {
    address: () => ({
      url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/scim/v2`,
      token: scimToken,
    }),
    cpu: () => process.cpuUsage(),
    rawLoop: ({ seconds, from }: StoreLoop): StoreLoopAnswer => rawInserts(folder, seconds, from),
    /** The same command in a loop, without HTTP: writes per second. */
    storeLoop: async ({ seconds, callers, from }: StoreLoop): Promise<StoreLoopAnswer> => {
      let next = from;
      const startedAt = performance.now();
      const endAt = startedAt + seconds * 1_000;
      await Promise.all(
        Array.from({ length: callers }, async () => {
          while (performance.now() < endAt) await createPerson(caller, next++);
        }),
      );
      return { next, perSecond: (next - from) / ((performance.now() - startedAt) / 1_000) };
    },
  },
  async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await store.close();
  },
);

interface StoreLoop {
  readonly seconds: number;
  readonly callers: number;
  readonly from: number;
}

function rolecall(over: Store): Express {
  const log = openSync(join(folder, "service.log"), "a");
  const logger = createLogger({
    level: "info",
    clock,
    base: { version: "0.0.0", instance: "bench" },
    write: lineWriter(log),
  });
  const traffic = createTraffic({ store: over, clock, logger });
  const tokens = createTokenCheck({ store: over, kind: "scim", clock, logger });
  const scim = createScimRouter({
    store: over,
    clock,
    logger: logger.child({ room: "scim" }),
    metrics: createMetrics({ logger }).metrics,
    publicUrl: "https://rolecall.example.com",
    onCommit: () => undefined,
    authenticate: idpCaller(tokens),
    heardRequest: traffic.note,
  });
  const ok = () => Promise.resolve({ ok: true, checks: {} });
  return publicApp({ scim, probes: { live: ok, ready: ok }, trustedProxies: [] });
}
