import { StoreError } from "../../model/errors.ts";

/** Primary result codes (sqlite.org/rescode.html, 2026-01) after which the transaction as a whole cannot go on. */
const fatal: ReadonlySet<number> = new Set([
  5, // SQLITE_BUSY
  6, // SQLITE_LOCKED
  7, // SQLITE_NOMEM
  8, // SQLITE_READONLY
  9, // SQLITE_INTERRUPT
  10, // SQLITE_IOERR
  11, // SQLITE_CORRUPT
  13, // SQLITE_FULL
  14, // SQLITE_CANTOPEN
  15, // SQLITE_PROTOCOL
  26, // SQLITE_NOTADB
]);

const extended = { check: 275, foreignKey: 787, notNull: 1299, primaryKey: 1555, unique: 2067 };

export function breaksTransaction(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && fatal.has(code & 0xff);
}

/** The same typed error for the same cause as every other database; what is no database error stays as it is. */
export function toStoreError(error: unknown): Error {
  const code = codeOf(error);
  if (code === undefined || !(error instanceof Error)) {
    return error instanceof Error ? error : new Error(String(error));
  }
  if (fatal.has(code & 0xff)) {
    return new StoreError("UNAVAILABLE", `the database does not answer: ${error.message}`, {
      cause: error,
    });
  }
  switch (code) {
    case extended.unique:
    case extended.primaryKey: {
      const field = fieldOf(error.message);
      return new StoreError("ALREADY_EXISTS", `${field ?? "the value"} is taken`, {
        ...(field !== undefined && { field }),
        cause: error,
      });
    }
    case extended.foreignKey:
      return new StoreError("NOT_FOUND", "what the row belongs to does not exist in this tenant", {
        cause: error,
      });
    case extended.check:
    case extended.notNull:
      return new StoreError("INVALID", `the value cannot be stored: ${error.message}`, {
        cause: error,
      });
    default:
      return error;
  }
}

function codeOf(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number"
    ? error.errcode
    : undefined;
}

/** `… users.tenant_id, users.user_name_folded` → `userName`: the last column is what the index makes unique. */
function fieldOf(message: string): string | undefined {
  const column = /\.(\w+)$/.exec(message)?.[1]?.replace(/_folded$/, "");
  return column?.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
