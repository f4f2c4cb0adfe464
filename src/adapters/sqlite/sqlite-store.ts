import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import { newId } from "../../model/ids.ts";
import type { Logger } from "../../model/log.ts";
import type { Store, StoreStamp } from "../store.ts";
import { accountStore } from "./account-store.ts";
import { auditStore } from "./audit-store.ts";
import { credentialStore } from "./credential-store.ts";
import { Database } from "./database.ts";
import { directoryStore } from "./directory-store.ts";
import { openMemoryEngine, type Engine } from "./engine.ts";
import { openFileEngine } from "./file-engine.ts";
import { lockFolder } from "./folder-lock.ts";
import { mappingStore } from "./mapping-store.ts";
import { migrate, readMigrations } from "./migrations.ts";
import { recomputeStore } from "./recompute-store.ts";
import { stampCommands, stampDatabase, stampQueries } from "./stamp.ts";

export interface SqliteStoreOptions {
  /** The data folder, made where it is missing; `:memory:` keeps everything in this process and nothing on disk. */
  readonly folder: string;
  readonly world: StoreStamp["world"];
  readonly clock: Clock;
  readonly logger?: Logger;
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

function openInMemory(options: SqliteStoreOptions): Store {
  const { clock } = options;
  let stamp: StoreStamp | undefined;
  const engine = openMemoryEngine((db) => {
    stamp = prepare(db, options);
  });
  if (stamp === undefined) throw new StoreError("UNAVAILABLE", "the database was not prepared");
  return compose(engine, clock, stamp, () => engine.close());
}

async function openInFolder(options: SqliteStoreOptions): Promise<Store> {
  const { folder, clock, logger } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(folder);
  try {
    const path = join(folder, "rolecall.db");
    const db = new Database(path, { readOnly: false, cacheKib: 8_192 });
    let stamp: StoreStamp;
    try {
      stamp = prepare(db, options);
    } finally {
      db.close();
    }
    // Personal data: for the owner of the process only, whatever the umask is.
    await chmod(path, 0o600);
    const engine = await openFileEngine(path, (error) => {
      logger?.error({ error }, "the store stopped working; restart the process");
    });
    return compose(engine, clock, stamp, async () => {
      await engine.close();
      unlock();
    });
  } catch (error) {
    unlock();
    throw error;
  }
}

function prepare(db: Database, { world, clock, logger }: SqliteStoreOptions): StoreStamp {
  const now = clock.now();
  const applied = migrate(db, readMigrations(), now);
  if (applied.length > 0) logger?.info({ migrations: applied }, "database migrated");
  return stampDatabase(db, { world, instanceId: newId(clock), createdAt: now });
}

function compose(
  engine: Engine,
  clock: Clock,
  stamp: StoreStamp,
  close: () => Promise<void>,
): Store {
  return {
    ...directoryStore(engine, clock),
    ...recomputeStore(engine),
    ...mappingStore(engine, clock),
    ...credentialStore(engine, clock),
    ...auditStore(engine),
    ...accountStore(engine),
    stamp,
    ping: async () => {
      await Promise.all([
        engine.read(stampQueries.pingRead, null),
        engine.read(stampQueries.pingScan, null),
        engine.write(stampCommands.pingWrite, { at: clock.now() }),
      ]);
    },
    close,
  };
}
