import { StoreError } from "../../model/errors.ts";
import { runBatch } from "./batch.ts";
import { Database } from "./database.ts";
import { toStoreError } from "./sqlite-error.ts";

/**
 * A write: runs inside a transaction, beside other commands, so it never begins or ends one itself. It throws a StoreError
 * to undo what it did, and answers plain values: both cross a thread.
 */
export type Command<Args, Result> = (db: Database, args: Args) => Result;

/** A read. `point`: a few rows by index, on the calling thread · `scan`: lists and documents, on the reader thread. */
export interface Query<Args, Result> {
  readonly place: "point" | "scan" | ((args: Args) => "point" | "scan");
  readonly run: (db: Database, args: Args) => Result;
}

export type Commands = Readonly<Record<string, Command<never, unknown>>>;
export type Queries = Readonly<Record<string, Query<never, unknown>>>;

/** One database behind commands and queries; every caller sees all that was acknowledged before it asked. */
export interface Engine {
  /** Resolves when the command's transaction is on disk. @throws StoreError; UNAVAILABLE: nothing was written, or it is unknown */
  write<Args, Result>(command: Command<Args, Result>, args: Args): Promise<Result>;
  /** @throws StoreError */
  read<Args, Result>(query: Query<Args, Result>, args: Args): Promise<Result>;
  /** Lets what was asked finish; later calls are refused with UNAVAILABLE. */
  close(): Promise<void>;
}

export const closedError = () =>
  new StoreError("UNAVAILABLE", "the store is closed: no command is taken any more");

/** A database of this process only, for tests and simulations: the same commands, inline on one connection. */
export function openMemoryEngine(prepare: (db: Database) => void): Engine {
  const db = new Database(":memory:", { readOnly: false, cacheKib: 16_384 });
  prepare(db);
  let closed = false;
  return {
    write: <Args, Result>(command: Command<Args, Result>, args: Args) => {
      if (closed) return Promise.reject(closedError());
      const outcome = runBatch(db, [() => command(db, args)])[0];
      if (outcome === undefined) return Promise.reject(closedError());
      return outcome.ok ? Promise.resolve(outcome.result as Result) : Promise.reject(outcome.error);
    },
    read: (query, args) => {
      if (closed) return Promise.reject(closedError());
      try {
        return Promise.resolve(query.run(db, args));
      } catch (error) {
        return Promise.reject(toStoreError(error));
      }
    },
    close: () => {
      if (!closed) db.close();
      closed = true;
      return Promise.resolve();
    },
  };
}
