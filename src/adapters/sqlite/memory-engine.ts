import { closedError, type Command, type Engine } from "../sql/engine.ts";
import { sqliteDialect } from "../sql/sql-dialect.ts";
import { runBatch } from "./batch.ts";
import { Connection } from "./connection.ts";
import { database, runQuery } from "./run.ts";
import { toStoreError } from "./sqlite-error.ts";

/** A database of this process only, for tests and simulations: the same commands, inline on one connection. */
export function openMemoryEngine(prepare: (connection: Connection) => void): Engine {
  const connection = new Connection(":memory:", { readOnly: false, cacheKib: 16_384 });
  prepare(connection);
  let closed = false;
  return {
    dialect: sqliteDialect,
    write: <Args, Result>(command: Command<Args, Result>, args: Args) => {
      if (closed) return Promise.reject(closedError());
      const outcome = runBatch(connection, [() => command(database, args)])[0];
      if (outcome === undefined) return Promise.reject(closedError());
      return outcome.ok ? Promise.resolve(outcome.result as Result) : Promise.reject(outcome.error);
    },
    read: (query, args) => {
      if (closed) return Promise.reject(closedError());
      try {
        return Promise.resolve(runQuery(connection, query, args));
      } catch (error) {
        return Promise.reject(toStoreError(error));
      }
    },
    close: () => {
      if (!closed) connection.close();
      closed = true;
      return Promise.resolve();
    },
  };
}
