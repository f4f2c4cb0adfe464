import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { Connection } from "./connection.ts";
import { database } from "./run.ts";

/** One numbered file of migrations/: forward only, never changed once it has been released. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  /** Whether a process of the version before may go on running beside it: the file's first line says so. */
  readonly olderMayRun: boolean;
  readonly sql: string;
  /** SHA-256 (hex) of the text. */
  readonly hash: string;
}

const fileName = /^(\d{4})-[a-z0-9-]+\.sql$/;
const firstLine = /^-- older processes may run beside this: (yes|no)\n/;

/** The migrations of this version in their order. */
export function readMigrations(): readonly Migration[] {
  const folder = new URL("./migrations/", import.meta.url);
  return readdirSync(folder)
    .toSorted()
    .map((name, index) => {
      const number = Number(fileName.exec(name)?.[1]);
      const sql = readFileSync(new URL(name, folder), "utf8");
      const answer = firstLine.exec(sql)?.[1];
      if (number !== index + 1 || answer === undefined) {
        throw new Error(
          `${name}: expected ${String(index + 1).padStart(4, "0")}-words.sql with the first line "-- older processes may run beside this: yes" or "no"`,
        );
      }
      const hash = createHash("sha256").update(sql).digest("hex");
      return { number, name, olderMayRun: answer === "yes", sql, hash };
    });
}

/**
 * Brings a database up to this version, each migration in a transaction of its own.
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
    database.all<{ number: number; name: string; hash: string; older_may_run: number }>(
      "SELECT number, name, hash, older_may_run FROM migrations ORDER BY number",
    ),
  );
  for (const row of done) {
    const migration = migrations[row.number - 1];
    if (migration === undefined) {
      if (row.older_may_run === 1) continue;
      throw new StoreError(
        "INVALID",
        `the database was migrated by a newer version of Rolecall (${row.name}): run that version, or restore the backup that was made before it`,
      );
    }
    if (migration.hash !== row.hash) {
      throw new StoreError(
        "INVALID",
        `the migration ${row.name} of this database differs from the file of this version: run the version that made the database`,
      );
    }
  }
  const missing = migrations.slice(done.length);
  for (const migration of missing) apply(connection, migration, now);
  return missing.map((migration) => migration.name);
}

function apply(connection: Connection, migration: Migration, now: Instant): void {
  connection.exec("BEGIN IMMEDIATE");
  try {
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
    connection.exec("COMMIT");
  } catch (error) {
    connection.exec("ROLLBACK");
    throw error;
  }
}
