import type { Instant } from "../../model/clock.ts";
import {
  missingMigrations,
  readMigrations,
  type DoneMigration,
  type Migration,
} from "../sql/migrations.ts";
import type { Connection } from "./connection.ts";
import { database } from "./run.ts";

let files: readonly Migration[] | undefined;

/** The migrations of this version in their order. */
export const sqliteMigrations = () =>
  (files ??= readMigrations(new URL("./migrations/", import.meta.url)));

/**
 * Brings a database up to this version: a new one at once, an older one with each migration in a transaction of its own.
 * @returns the names of those that ran now
 * @throws StoreError INVALID when the database is newer than this version, or was migrated by other files
 */
export function migrate(
  connection: Connection,
  migrations: readonly Migration[],
  now: Instant,
): readonly string[] {
  connection.exec(
    "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, older_may_run INTEGER NOT NULL, at INTEGER NOT NULL) STRICT",
  );
  const done = connection.finish(
    database.all<DoneMigration>(
      "SELECT number, name, hash, older_may_run FROM migrations ORDER BY number",
    ),
  );
  const missing = missingMigrations(done, migrations);
  if (done.length === 0) apply(connection, missing, now);
  else for (const migration of missing) apply(connection, [migration], now);
  return missing.map((migration) => migration.name);
}

function apply(connection: Connection, migrations: readonly Migration[], now: Instant): void {
  connection.exec("BEGIN IMMEDIATE");
  try {
    for (const migration of migrations) {
      connection.exec(migration.sql);
      connection.finish(
        database.run(
          "INSERT INTO migrations (number, name, hash, older_may_run, at) VALUES (?, ?, ?, ?, ?)",
          migration.number,
          migration.name,
          migration.hash,
          migration.olderMayRun,
          now,
        ),
      );
    }
    connection.exec("COMMIT");
  } catch (error) {
    connection.exec("ROLLBACK");
    throw error;
  }
}

/** The statements that make another database as this one is, which was just migrated. @throws Error where a migration left rows: those would be lacking */
export function schemaOf(connection: Connection): string {
  const made = connection.finish(
    database.all<{ type: string; name: string; sql: string }>(
      "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY rowid",
    ),
  );
  for (const { type, name } of made) {
    if (type !== "table" || name === "migrations") continue;
    if (connection.finish(database.get(`SELECT 1 FROM "${name}"`)) !== undefined)
      throw new Error(`a migration left rows in ${name}`);
  }
  const rows = connection.finish(
    database.all<DoneMigration & { readonly at: Instant }>(
      "SELECT number, name, hash, older_may_run, at FROM migrations ORDER BY number",
    ),
  );
  const done = rows.map(
    ({ number, name, hash, older_may_run: older, at }) =>
      `(${String(number)}, '${name}', '${hash}', ${String(older)}, ${String(at)})`,
  );
  return `BEGIN;${made.map(({ sql }) => sql).join(";\n")};INSERT INTO migrations (number, name, hash, older_may_run, at) VALUES ${done.join(", ")};COMMIT`;
}
