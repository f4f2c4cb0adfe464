import { StoreError } from "../../model/errors.ts";
import type { Database } from "./database.ts";
import { breaksTransaction, toStoreError } from "./sqlite-error.ts";

export type Outcome =
  { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: Error };

/**
 * Group commit: runs all in one transaction, each in a savepoint of its own, so that one that throws undoes only itself.
 * Returns after the commit. When the transaction as a whole cannot be written, every one of them is refused.
 */
export function runBatch(db: Database, jobs: readonly (() => unknown)[]): Outcome[] {
  try {
    db.exec("BEGIN IMMEDIATE");
    const outcomes =
      jobs.length === 1 && jobs[0] !== undefined
        ? [runAlone(db, jobs[0])]
        : jobs.map((job) => runInSavepoint(db, job));
    if (db.inTransaction) db.exec("COMMIT");
    return outcomes;
  } catch (error) {
    if (db.inTransaction) rollBack(db);
    const refusal = unavailable(error);
    return jobs.map(() => ({ ok: false, error: refusal }));
  }
}

/** The usual case of one caller spares its savepoint: undoing it is undoing the transaction. */
function runAlone(db: Database, job: () => unknown): Outcome {
  try {
    return { ok: true, result: job() };
  } catch (error) {
    if (breaksTransaction(error)) throw error;
    db.exec("ROLLBACK");
    return { ok: false, error: toStoreError(error) };
  }
}

function runInSavepoint(db: Database, job: () => unknown): Outcome {
  db.exec("SAVEPOINT job");
  try {
    const result = job();
    db.exec("RELEASE job");
    return { ok: true, result };
  } catch (error) {
    if (breaksTransaction(error) || !db.inTransaction) throw error;
    db.exec("ROLLBACK TO job; RELEASE job");
    return { ok: false, error: toStoreError(error) };
  }
}

function rollBack(db: Database): void {
  try {
    db.exec("ROLLBACK");
  } catch {
    // SQLite has already rolled back by itself (a full disk, an I/O error); the first error is the one that is told.
  }
}

function unavailable(error: unknown): StoreError {
  const why = error instanceof Error ? error.message : String(error);
  return new StoreError("UNAVAILABLE", `the database could not be written: ${why}`, {
    cause: error,
  });
}
