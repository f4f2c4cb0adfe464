import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { Connection } from "../../src/adapters/sqlite/connection.ts";
import { openFileEngine } from "../../src/adapters/sqlite/file-engine.ts";
import { migrate, sqliteMigrations } from "../../src/adapters/sqlite/migrations.ts";
import { database } from "../../src/adapters/sqlite/run.ts";
import { composeStore } from "../../src/adapters/sql/compose-store.ts";
import type { Engine } from "../../src/adapters/sql/engine.ts";
import { stampDatabase } from "../../src/adapters/sql/stamp.ts";
import type { Clock } from "../../src/model/clock.ts";
import { newId } from "../../src/model/ids.ts";
import { fakeClock } from "./fake-clock.ts";
import type { TestStore } from "./store.ts";

interface Kept {
  readonly folder: string;
  readonly path: string;
  readonly engine: Engine;
}

/**
 * Stores on disk with their threads, as `openFileStore` makes them, for suites of hundreds of tests: what a test gives back is emptied
 * and given to the next one. Starting two threads for each would take longer than all that is tested.
 */
export function fileStores(): (clock?: Clock) => Promise<TestStore> {
  const free: Kept[] = [];
  const all: Kept[] = [];
  afterAll(async () => {
    for (const { engine, folder } of all) {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
  const make = async (clock: Clock): Promise<Kept> => {
    const folder = await mkdtemp(join(tmpdir(), "rolecall-store-"));
    const path = join(folder, "rolecall.db");
    withConnection(path, (connection) => {
      migrate(connection, sqliteMigrations(), clock.now());
    });
    const engine = await openFileEngine(path, () => undefined);
    const kept = { folder, path, engine };
    all.push(kept);
    return kept;
  };
  return async (clock = fakeClock()) => {
    const kept = free.pop() ?? (await make(clock));
    const wanted = { world: "test", instanceId: newId(clock), createdAt: clock.now() } as const;
    const stamp = withConnection(kept.path, (connection) => {
      empty(connection);
      return connection.finish(stampDatabase(database, { ...wanted, home: undefined }));
    });
    const store = composeStore(kept.engine, { clock }, stamp, () => kept.engine.close());
    return {
      store,
      folder: kept.folder,
      dispose: () => {
        free.push(kept);
        return Promise.resolve();
      },
    };
  };
}

function withConnection<Result>(path: string, work: (connection: Connection) => Result): Result {
  const connection = new Connection(path, { readOnly: false, cacheKib: 2_048 });
  try {
    return work(connection);
  } finally {
    connection.close();
  }
}

/** Everything but what migrations wrote. Twice: a trigger may count what the first round takes away. */
function empty(connection: Connection): void {
  const tables = connection.finish(
    database.all<{ name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name <> 'migrations'",
    ),
  );
  connection.exec("PRAGMA foreign_keys = OFF");
  const deletes = tables.map(({ name }) => `DELETE FROM "${name}";`).join("\n");
  connection.exec(`BEGIN IMMEDIATE;\n${deletes}\n${deletes}\nCOMMIT`);
}
