import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../../model/errors.ts";

/**
 * Takes a data folder for this process. The lock is SQLite's own exclusive lock on a side file: the operating system drops it
 * when the process ends, however it ends, so that no stale file ever has to be removed by hand.
 * @returns gives the folder back
 * @throws StoreError UNAVAILABLE when another process, or another store of this one, has it
 */
export function lockFolder(folder: string): () => void {
  const lock = new DatabaseSync(join(folder, "rolecall.lock"), { timeout: 0 });
  try {
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    throw new StoreError(
      "UNAVAILABLE",
      `the data folder ${folder} is in use by another process: stop that one, or choose another folder with ROLECALL_DATA_DIR`,
      { cause },
    );
  }
  return () => {
    if (lock.isOpen) lock.close();
  };
}
