import type { AuditStore } from "./audit/audit-store.ts";
import type { Store } from "./adapters/store.ts";
import { openAuditReader } from "./adapters/sqlite/audit-reader.ts";
import { openSqliteStore } from "./adapters/sqlite/sqlite-store.ts";
import type { Config } from "./config/config.ts";
import { systemClock, type Clock } from "./model/clock.ts";
import type { TenantId } from "./model/ids.ts";
import type { Logger, Metrics } from "./model/log.ts";
import type { Tracer } from "./model/trace.ts";

/** The clock of a process: the host's, or the database server's where processes share a database and time is real. */
export async function openClock(config: Config): Promise<Clock> {
  const host = systemClock({
    scale: config.timeScale,
    ...(config.timeAnchor === undefined ? {} : { anchor: config.timeAnchor }),
  });
  if (config.databaseUrl === undefined || config.timeScale !== 1) return host;
  const { ServerClock } = await import("./adapters/postgres/server-clock.ts");
  return new ServerClock(host);
}

/** Where the store belongs: what a copy of it would not share. Undefined: a database says nothing of its place. */
export function homeOf(config: Config): string | undefined {
  return config.instance ?? (config.databaseUrl === undefined ? config.dataDir : undefined);
}

/**
 * The store that the environment asks for. PostgreSQL's client is loaded only where it is wanted.
 * @throws StoreError, InputError
 */
export async function openStore(
  config: Config,
  parts: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly metrics?: Metrics;
    readonly tracer?: Tracer;
  },
): Promise<Store> {
  const home = homeOf(config);
  const options = { world: config.world, ...(home !== undefined && { home }), ...parts };
  if (config.databaseUrl === undefined) {
    return openSqliteStore({ folder: config.dataDir, ...options });
  }
  const { openPostgresStore } = await import("./adapters/postgres/postgres-store.ts");
  return openPostgresStore({
    url: config.databaseUrl,
    connectionsMax: config.databaseConnections,
    ...options,
  });
}

/** Shows whether the store answers and how its connections are used; called before each scrape. */
export async function showStore(deps: {
  readonly store: Pick<Store, "connections">;
  readonly isUp: () => Promise<boolean>;
  readonly metrics: Metrics;
}): Promise<void> {
  const { store, metrics } = deps;
  const connections = store.connections();
  if (connections !== undefined) {
    for (const state of ["busy", "idle"] as const)
      metrics.gauge("rolecall_database_connections", connections[state], { state });
    metrics.gauge("rolecall_database_waiting", connections.waiting);
  }
  metrics.gauge("rolecall_store_up", (await deps.isUp()) ? 1 : 0);
}

/** Where a record is: in a data folder, or in a database. */
export type RecordPlace = Pick<Config, "dataDir" | "databaseUrl">;

/** The record of the store, for reading alone, beside a running service or without one. */
export async function openRecord(place: RecordPlace): Promise<
  Pick<AuditStore, "getTree" | "listRecords" | "listLeaves"> & {
    readonly tenants: readonly TenantId[];
    close(): void | Promise<void>;
  }
> {
  if (place.databaseUrl === undefined) return openAuditReader(place.dataDir);
  const reader = await import("./adapters/postgres/audit-reader.ts");
  return reader.openAuditReader(place.databaseUrl);
}

/**
 * What server and database `DATABASE_URL` leads to, in one line.
 * @throws StoreError when the service could not open its store there
 */
export async function describeDatabase(config: Config): Promise<string> {
  const { describeServer } = await import("./adapters/postgres/describe-server.ts");
  return describeServer(config.databaseUrl ?? "");
}
