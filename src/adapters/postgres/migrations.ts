import type { PoolClient } from "pg";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import {
  missingMigrations,
  readMigrations,
  type DoneMigration,
  type Migration,
} from "../sql/migrations.ts";
import type { UniqueFields } from "./postgres-error.ts";

/** The migrations of this version in their order; numbers and names are those of every database. */
export const postgresMigrations = () => readMigrations(new URL("./migrations/", import.meta.url));

/** Whoever migrates or stamps holds it: any number of processes may start at once. */
const startLock = 0x726f_6c65;

/** The oldest server that is tested. */
const versionMin = 150_000;

/** Runs `work` while no other process prepares the same database. */
export async function whilePreparing<Result>(
  client: PoolClient,
  work: () => Promise<Result>,
): Promise<Result> {
  // Waiting for the others is no failure, however long their migration takes.
  await client.query("SET statement_timeout = 0");
  await client.query("SET lock_timeout = 0");
  await client.query("SELECT pg_advisory_lock($1)", [startLock]);
  try {
    return await work();
  } finally {
    await client.query("SELECT pg_advisory_unlock($1)", [startLock]);
    await client.query("RESET statement_timeout");
    await client.query("RESET lock_timeout");
  }
}

/** @throws StoreError INVALID when this server or database cannot keep what we store */
export async function checkServer(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ version: string; encoding: string; icu: number }>(
    `SELECT current_setting('server_version_num') AS version, current_setting('server_encoding') AS encoding,
       EXISTS (SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu') AS icu`,
  );
  const server = rows[0];
  const problems = [
    ...(Number(server?.version) < versionMin ? ["PostgreSQL 15 or newer is needed"] : []),
    ...(server?.encoding === "UTF8" ? [] : ["the database needs the encoding UTF8"]),
    ...(server?.icu === 1 ? [] : ["the server needs ICU (the collation und-x-icu)"]),
  ];
  if (problems.length > 0) throw new StoreError("INVALID", problems.join("; "));
}

/**
 * Brings a database up to this version, each migration in a transaction of its own.
 * @returns the names of those that ran now
 * @throws StoreError INVALID when the database is newer than this version, or was migrated by other files
 */
export async function migrate(
  client: PoolClient,
  migrations: readonly Migration[],
  now: Instant,
): Promise<readonly string[]> {
  await client.query(
    'CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name TEXT COLLATE "C" NOT NULL, hash TEXT COLLATE "C" NOT NULL, older_may_run BIGINT NOT NULL, at BIGINT NOT NULL)',
  );
  const done = await client.query<DoneMigration>(
    "SELECT number, name, hash, older_may_run FROM migrations ORDER BY number",
  );
  const missing = missingMigrations(done.rows, migrations);
  for (const migration of missing) await apply(client, migration, now);
  return missing.map((migration) => migration.name);
}

async function apply(client: PoolClient, migration: Migration, now: Instant): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query(migration.sql);
    await client.query(
      "INSERT INTO migrations (number, name, hash, older_may_run, at) VALUES ($1, $2, $3, $4, $5)",
      [migration.number, migration.name, migration.hash, migration.olderMayRun ? 1 : 0, now],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}

/** Which field each unique index is about: its last column, as callers write it. */
export async function uniqueFields(client: PoolClient): Promise<UniqueFields> {
  const { rows } = await client.query<{ index: string; column: string }>(
    `SELECT c.relname AS index, a.attname AS column FROM pg_index i
     JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = i.indnatts
     WHERE i.indisunique AND n.nspname = current_schema()`,
  );
  return new Map(
    rows.map(({ index, column }) => [
      index,
      column.replace(/_folded$/, "").replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    ]),
  );
}
