import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { StoreError } from "../../model/errors.ts";

/** One numbered file of a migrations folder: forward only, never changed once it has been released. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  /** Whether a process of the version before may go on running beside it: the file's first line says so. */
  readonly olderMayRun: boolean;
  readonly sql: string;
  /** SHA-256 (hex) of the text. */
  readonly hash: string;
}

/** One that a database remembers. */
export interface DoneMigration {
  readonly number: number;
  readonly name: string;
  readonly hash: string;
  readonly older_may_run: number;
}

const fileName = /^(\d{4})-[a-z0-9-]+\.sql$/;
const firstLine = /^-- older processes may run beside this: (yes|no)\n/;

/** The migrations of this version in their order. */
export function readMigrations(folder: URL): readonly Migration[] {
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
 * What a database lacks.
 * @throws StoreError INVALID when the database is newer than this version, or was migrated by other files
 */
export function missingMigrations(
  done: readonly DoneMigration[],
  migrations: readonly Migration[],
): readonly Migration[] {
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
  return migrations.slice(done.length);
}
