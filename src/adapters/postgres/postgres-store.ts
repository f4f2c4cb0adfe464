import type { Clock, Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import { newId } from "../../model/ids.ts";
import type { Logger, Metrics } from "../../model/log.ts";
import type { Tracer } from "../../model/trace.ts";
import { composeStore } from "../sql/compose-store.ts";
import type { Query } from "../sql/engine.ts";
import { stampDatabase } from "../sql/stamp.ts";
import type { Store, StoreStamp } from "../store.ts";
import type { DatabaseError } from "./connection-queue.ts";
import {
  checkServer,
  migrate,
  postgresMigrations,
  uniqueFields,
  whilePreparing,
} from "./migrations.ts";
import { openPool, type PoolSettings } from "./pool.ts";
import { toStoreError, type UniqueFields } from "./postgres-error.ts";
import { database, postgresEngine } from "./postgres-engine.ts";
import { ServerClock } from "./server-clock.ts";
import { runCommand, runQuery } from "./transaction.ts";

export interface PostgresStoreOptions extends PoolSettings {
  readonly world: StoreStamp["world"];
  /** Where the store belongs; kept at its first opening. Undefined: not known. */
  readonly home?: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Counts what goes wrong with connections. */
  readonly metrics?: Metrics;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer;
}

/**
 * Opens the store of one of any number of processes, migrated to this version.
 * @throws StoreError UNAVAILABLE when the database does not answer; INVALID when it was made for another world, by a newer version,
 *   or cannot keep what we store
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const note = (kind: DatabaseError) => {
    options.metrics?.count("rolecall_database_errors_total", { kind });
  };
  const pool = openPool(options, options.logger, () => {
    note("lost");
  });
  try {
    const client = await pool.connect();
    let prepared: { readonly stamp: StoreStamp; readonly fields: UniqueFields };
    try {
      await checkServer(client);
      const { world, home, clock, logger } = options;
      if (clock instanceof ServerClock)
        await clock.set(() => runQuery(client, serverTime.run(database, null), false));
      prepared = await whilePreparing(client, async () => {
        const now = clock.now();
        const applied = await migrate(client, postgresMigrations(), now);
        if (applied.length > 0) logger?.info({ migrations: applied }, "database migrated");
        const wanted = { world, instanceId: newId(clock), createdAt: now, home };
        const stamped = await runCommand(client, stampDatabase(database, wanted));
        if (!stamped.ok) throw stamped.error;
        return { stamp: stamped.result, fields: await uniqueFields(client) };
      });
    } finally {
      // Its settings were made for the start.
      client.release(true);
    }
    const { clock, logger } = options;
    const engine = postgresEngine(pool, prepared.fields, note);
    if (clock instanceof ServerClock) clock.follow(() => engine.read(serverTime, null), logger);
    return composeStore(engine, options, prepared.stamp, async () => {
      if (clock instanceof ServerClock) clock.stop();
      await engine.close();
    });
  } catch (error) {
    await pool.end();
    throw toOpeningError(error);
  }
}

const serverTime: Query<null, Instant> = {
  place: "point",
  *run(db) {
    const row = yield* db.get<{ ms: number }>(
      "SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms",
    );
    return row?.ms ?? 0;
  },
};

function toOpeningError(error: unknown): Error {
  const known = toStoreError(error, new Map());
  return known instanceof StoreError && known.code === "UNAVAILABLE"
    ? new StoreError(
        "UNAVAILABLE",
        `${known.message}; see whether DATABASE_URL is right and the server runs`,
        { cause: known.cause },
      )
    : known;
}
