import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Where a simulator keeps its truth between two lives of its process. Both calls are synchronous. */
export interface PersistedState {
  /** The JSON of the last `save`, or undefined at the first start. */
  load(): string | undefined;
  /** Called after every change and before its answer; must not return before a kill of the process is harmless. */
  save(json: string): void;
}

/**
 * A file that holds either the old or the new text, never half of one: written beside it, then renamed.
 * Survives a kill of the process; it is not synced to the disk, so a power cut may lose the newest saves.
 * Makes its folder where it is missing. Mode 0600: simulated keys are in it.
 */
export function fileState(path: string): PersistedState {
  const temporary = `${path}.new`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return {
    load: () => {
      try {
        return readFileSync(path, "utf8");
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
      }
    },
    save: (json) => {
      const file = openSync(temporary, "w", 0o600);
      try {
        const bytes = Buffer.from(json);
        let written = 0;
        while (written < bytes.length) written += writeSync(file, bytes, written);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
    },
  };
}
