import type { Pool } from "pg";
import { systemClock } from "../../model/clock.ts";
import { Database, type Steps } from "../sql/database.ts";
import { closedError, type Command, type Engine, type Query } from "../sql/engine.ts";
import { postgresDialect } from "../sql/postgres-dialect.ts";
import { ConnectionQueue, type DatabaseError } from "./connection-queue.ts";
import { ConnectionWatch } from "./connection-watch.ts";
import { serverAnswers } from "./pool.ts";
import {
  breaksConnection,
  mayPassAgain,
  toStoreError,
  unavailableError,
  type UniqueFields,
} from "./postgres-error.ts";
import { SharedReads } from "./shared-reads.ts";
import { runCommand, runQuery } from "./transaction.ts";

/** What commands and queries ask through. */
export const database = new Database(postgresDialect);

/** How often a command is run again after a deadlock, in which each has waited already. */
const triesMax = 6;

/** A connection pool behind commands and queries. The database is prepared (migrated, stamped) before. */
export function postgresEngine(
  pool: Pool,
  fields: UniqueFields,
  note: (kind: DatabaseError) => void = () => undefined,
): Engine {
  // Sockets live in wall time, however fast domain time runs.
  const watch = new ConnectionWatch(systemClock(), () => serverAnswers(pool));
  const queue = new ConnectionQueue(pool, watch, note);
  const shared = new SharedReads(queue);
  const running = new Set<Promise<unknown>>();
  let closed = false;

  const track = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (closed) throw closedError();
    const promise = work();
    running.add(promise);
    try {
      return await promise;
    } catch (error) {
      throw toStoreError(error, fields);
    } finally {
      running.delete(promise);
    }
  };

  return {
    dialect: postgresDialect,
    write: <Args, Result>(command: Command<Args, Result>, args: Args) =>
      track(() => writeUntilWritten(queue, () => command(database, args), note)),
    read: <Args, Result>(query: Query<Args, Result>, args: Args) => {
      const place = typeof query.place === "string" ? query.place : query.place(args);
      const small = place === "point" && query.snapshot !== true;
      return track(() =>
        onceMore(() => {
          const steps = query.run(database, args);
          return small ? shared.read(steps) : readAlone(queue, steps, query.snapshot === true);
        }),
      );
    },
    connections: () => queue.connections,
    close: async () => {
      if (closed) return;
      closed = true;
      await Promise.allSettled(running);
      await pool.end();
    },
  };
}

/**
 * Runs a command until it is written, refused, or the database is away. It is run again only where nothing of it was written: after a
 * deadlock, and once where its connection was found dead. When COMMIT was sent and not answered, nobody knows: its caller looks.
 */
async function writeUntilWritten<Result>(
  queue: ConnectionQueue,
  steps: () => Steps<Result>,
  note: (kind: DatabaseError) => void,
): Promise<Result> {
  let deadConnections = 0;
  for (let tries = 1; ; tries += 1) {
    const ended = await queue.use(
      (client) => runCommand(client, steps()),
      (end) => !("result" in end) || (!end.result.ok && breaksConnection(end.result.error)),
    );
    if (ended.ok) return ended.result;
    if (ended.written === "unknown") {
      note("unknown");
      throw unavailableError(ended.error, true);
    }
    const broken = breaksConnection(ended.error);
    if (broken) deadConnections += 1;
    if (!broken && mayPassAgain(ended.error)) note("conflict");
    const again = broken ? deadConnections === 1 : mayPassAgain(ended.error);
    if (!again || tries >= triesMax) throw ended.error;
  }
}

/** A connection that had died in the pool says nothing about the server, and asking again changes nothing. */
async function onceMore<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!breaksConnection(error)) throw error;
    return read();
  }
}

function readAlone<Result>(
  queue: ConnectionQueue,
  steps: Steps<Result>,
  snapshot: boolean,
): Promise<Result> {
  return queue.use(
    (client) => runQuery(client, steps, snapshot),
    (end) => "error" in end && breaksConnection(end.error),
  );
}
