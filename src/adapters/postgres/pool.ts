import pg from "pg";
import { InputError } from "../../model/errors.ts";
import type { Logger } from "../../model/log.ts";
import { cut } from "./connection-watch.ts";

export interface PoolSettings {
  /** `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=/path`, as libpq reads it. */
  readonly url: string;
  /** Connections of this process at most; all processes together stay below the server's `max_connections`. */
  readonly connectionsMax: number;
}

/**
 * One plan for whatever values come. A plan for the values at hand believes in statistics, which know nothing of a tenant that has just come:
 * it would walk all of its rows for each person.
 */
const planning = "-c plan_cache_mode=force_generic_plan";
/** A statement that runs longer is cancelled by the server: scans of a large tenant take seconds, never minutes. */
const statementMs = 60_000;
/** A row that somebody has longer is not waited for; commands hold theirs for milliseconds. */
const lockMs = 15_000;
/** A transaction of a process that stopped in the middle lets go of its rows. */
const idleInTransactionMs = 30_000;
/** A connection, new or from the pool, comes within this time, or the database counts as away. */
const connectMs = 5_000;
/** Without an answer for so long the connection is dead, whatever the network says. */
const answerMs = statementMs + 15_000;

/** Numbers of type int8 and numeric are below 2^53 here; booleans are 0 and 1 and bytes are bytes, as in every database of ours; the rest is text. */
const parsers = new Map<number, (text: string) => unknown>([
  [16, (text) => (text === "t" ? 1 : 0)],
  [17, (text) => new Uint8Array(Buffer.from(text.slice(2), "hex"))],
  [20, Number],
  [21, Number],
  [23, Number],
  [700, Number],
  [701, Number],
  [1700, Number],
]);
const asText = (text: string) => text;

/** @throws InputError when the URL cannot be read */
export function openPool(
  settings: PoolSettings,
  logger: Logger | undefined,
  onLost: () => void = () => undefined,
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: libpqUrl(settings.url),
    application_name: "rolecall",
    max: settings.connectionsMax,
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    options: planning,
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    query_timeout: answerMs,
    pipeline: true,
    types: { getTypeParser: (oid: number) => parsers.get(oid) ?? asText },
  });
  // Told to whoever waits for an answer of the connection; one that nobody uses is only replaced.
  const lost = (error: Error) => {
    onLost();
    logger?.debug({ error: error.message }, "a database connection ended");
  };
  pool.on("error", lost);
  pool.on("connect", (client) => {
    client.on("error", lost);
  });
  return pool;
}

/** How long somebody new waits for a word of the server. */
const wordMs = 10_000;

/** Whether the server answers on a connection of its own, made now. A refusal is an answer. */
export async function serverAnswers(pool: pg.Pool): Promise<boolean> {
  const { connectionString, application_name: name } = pool.options;
  const client = new pg.Client({
    ...(connectionString !== undefined && { connectionString }),
    ...(name !== undefined && { application_name: name }),
    connectionTimeoutMillis: wordMs,
    query_timeout: wordMs,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch (error) {
    return error instanceof pg.DatabaseError;
  } finally {
    cut(client);
  }
}

/**
 * The driver reads `sslmode` its own way unless asked: without this, `require` would verify against the system's authorities and
 * `verify-ca` would be `verify-full` (postgresql.org/docs/current/libpq-ssl.html, 2026-01).
 */
function libpqUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new InputError("DATABASE_URL is no URL", [
      "write postgres://user:password@host:5432/database",
    ]);
  }
  if (!url.searchParams.has("uselibpqcompat")) url.searchParams.set("uselibpqcompat", "true");
  return url.href;
}
