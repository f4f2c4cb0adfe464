import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import { newId } from "../../model/ids.ts";
import type { Logger } from "../../model/log.ts";
import type { Tracer } from "../../model/trace.ts";
import type { Store, StoreStamp } from "../store.ts";
import { composeStore } from "../sql/compose-store.ts";
import { stampDatabase } from "../sql/stamp.ts";
import { Connection } from "./connection.ts";
import { openFileEngine } from "./file-engine.ts";
import { lockFolder } from "./folder-lock.ts";
import { openMemoryEngine } from "./memory-engine.ts";
import { migrate, schemaOf, sqliteMigrations } from "./migrations.ts";
import { database } from "./run.ts";

export interface SqliteStoreOptions {
  /** The data folder, made where it is missing; `:memory:` keeps everything in this process and nothing on disk. */
  readonly folder: string;
  readonly world: StoreStamp["world"];
  /** Where the store belongs; kept at its first opening. Undefined: not known. */
  readonly home?: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer;
}

/**
 * Opens the store of one process, migrated to this version.
 * @throws StoreError UNAVAILABLE when another process has the folder; INVALID when it was made for another world or by a
 *   newer version
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  if (options.folder === ":memory:") return openInMemory(options);
  return openInFolder(options);
}

/** What the first migrated database in memory was made of: one process opens hundreds, and migrating each costs more than what is done with it. */
let schema: string | undefined;

function openInMemory(options: SqliteStoreOptions): Store {
  let stamp: StoreStamp | undefined;
  const engine = openMemoryEngine((connection) => {
    if (schema === undefined) {
      bringUp(connection, options);
      schema = schemaOf(connection);
    } else connection.exec(schema);
    stamp = stampOf(connection, options);
  });
  if (stamp === undefined) throw new StoreError("UNAVAILABLE", "the database was not prepared");
  return composeStore(engine, options, stamp, () => engine.close());
}

async function openInFolder(options: SqliteStoreOptions): Promise<Store> {
  const { folder, logger } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(folder);
  try {
    const path = join(folder, "rolecall.db");
    const connection = new Connection(path, { readOnly: false, cacheKib: 8_192 });
    let stamp: StoreStamp;
    try {
      bringUp(connection, options);
      stamp = stampOf(connection, options);
    } finally {
      connection.close();
    }
    // Personal data: for the owner of the process only, whatever the umask is.
    await chmod(path, 0o600);
    const engine = await openFileEngine(path, (error) => {
      logger?.error({ error }, "the store stopped working; restart the process");
    });
    return composeStore(engine, options, stamp, async () => {
      await engine.close();
      unlock();
    });
  } catch (error) {
    unlock();
    throw error;
  }
}

function bringUp(connection: Connection, { clock, logger }: SqliteStoreOptions): void {
  const applied = migrate(connection, sqliteMigrations(), clock.now());
  if (applied.length > 0) logger?.info({ migrations: applied }, "database migrated");
}

function stampOf(connection: Connection, { world, home, clock }: SqliteStoreOptions): StoreStamp {
  const wanted = { world, instanceId: newId(clock), createdAt: clock.now(), home };
  return connection.finish(stampDatabase(database, wanted));
}
