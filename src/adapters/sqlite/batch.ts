import { StoreError } from "../../model/errors.ts";
import type { Steps } from "../sql/database.ts";
import type { Connection } from "./connection.ts";
import { breaksTransaction, toStoreError } from "./sqlite-error.ts";

export type Outcome =
  { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: Error };

/**
 * Group commit: runs all in one transaction, each in a savepoint of its own, so that one that throws undoes only itself.
 * Returns after the commit. When the transaction as a whole cannot be written, every one of them is refused.
 */
export function runBatch(
  connection: Connection,
  jobs: readonly (() => Steps<unknown>)[],
): Outcome[] {
  try {
    connection.exec("BEGIN IMMEDIATE");
    const outcomes =
      jobs.length === 1 && jobs[0] !== undefined
        ? [runAlone(connection, jobs[0])]
        : jobs.map((job) => runInSavepoint(connection, job));
    if (connection.inTransaction) connection.exec("COMMIT");
    return outcomes;
  } catch (error) {
    if (connection.inTransaction) rollBack(connection);
    const refusal = unavailable(error);
    return jobs.map(() => ({ ok: false, error: refusal }));
  }
}

/** The usual case of one caller spares its savepoint: undoing it is undoing the transaction. */
function runAlone(connection: Connection, job: () => Steps<unknown>): Outcome {
  try {
    return { ok: true, result: connection.finish(job()) };
  } catch (error) {
    if (breaksTransaction(error)) throw error;
    connection.exec("ROLLBACK");
    return { ok: false, error: toStoreError(error) };
  }
}

function runInSavepoint(connection: Connection, job: () => Steps<unknown>): Outcome {
  connection.exec("SAVEPOINT job");
  try {
    const result = connection.finish(job());
    connection.exec("RELEASE job");
    return { ok: true, result };
  } catch (error) {
    if (breaksTransaction(error) || !connection.inTransaction) throw error;
    connection.exec("ROLLBACK TO job; RELEASE job");
    return { ok: false, error: toStoreError(error) };
  }
}

function rollBack(connection: Connection): void {
  try {
    connection.exec("ROLLBACK");
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
