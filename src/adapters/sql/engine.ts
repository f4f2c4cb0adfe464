import { StoreError } from "../../model/errors.ts";
import type { Tracer } from "../../model/trace.ts";
import type { StoreConnections } from "../store.ts";
import type { Database, Steps } from "./database.ts";
import type { SqlDialect } from "./sql-dialect.ts";

/**
 * A write: runs inside a transaction, on SQLite beside other commands, so it never begins or ends one itself. It throws a
 * StoreError to undo what it did, and answers plain values: both may cross a thread. On PostgreSQL other transactions run beside
 * it: it locks the row that it decides by (`dialect.forUpdate`, `db.lock`), or decides in the statement that writes. It may be run again
 * from its start, after a deadlock: it changes nothing but rows.
 */
export type Command<Args, Result> = (db: Database, args: Args) => Steps<Result>;

/** A read. */
export interface Query<Args, Result> {
  /** `point`: a few rows by index · `scan`: lists and documents, on SQLite in a thread of its own. */
  readonly place: "point" | "scan" | ((args: Args) => "point" | "scan");
  /** All its reads see one state of the database. */
  readonly snapshot?: true;
  run(db: Database, args: Args): Steps<Result>;
}

export type Commands = Readonly<Record<string, Command<never, unknown>>>;
export type Queries = Readonly<Record<string, Query<never, unknown>>>;

/** One database behind commands and queries; every caller sees all that was acknowledged before it asked. */
export interface Engine {
  readonly dialect: SqlDialect;
  /** Resolves when the command's transaction is on disk. @throws StoreError; UNAVAILABLE: nothing was written, or it is unknown */
  write<Args, Result>(command: Command<Args, Result>, args: Args): Promise<Result>;
  /** @throws StoreError */
  read<Args, Result>(query: Query<Args, Result>, args: Args): Promise<Result>;
  /** Absent: it has none that could be lacking. */
  readonly connections?: () => StoreConnections;
  /** Lets what was asked finish; later calls are refused with UNAVAILABLE. */
  close(): Promise<void>;
}

export const closedError = () =>
  new StoreError("UNAVAILABLE", "the store is closed: no command is taken any more");

/** An engine whose commits are spans beneath whatever asked for them. Reads are many and short, and get none. */
export function tracedEngine(engine: Engine, tracer: Tracer): Engine {
  return {
    ...engine,
    write: (command, args) =>
      tracer.span(
        {
          name: `commit ${command.name}`,
          kind: "client",
          parent: "current",
          facts: { "db.operation.name": command.name },
        },
        () => engine.write(command, args),
      ),
  };
}
