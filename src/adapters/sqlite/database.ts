import { DatabaseSync, type StatementSync } from "node:sqlite";
import { StoreError } from "../../model/errors.ts";
import { fold } from "../../model/fold.ts";

/** What may be a parameter. Absent values are written `null`; an object or a Date would silently shift the others. */
export type SqlValue = string | number | boolean | null | Uint8Array;

/** Statement texts that one connection keeps prepared; questions of SCIM filters come in many shapes. */
const statementsMax = 1_000;

export interface DatabaseOptions {
  readonly readOnly: boolean;
  /** Page cache of this connection in KiB. */
  readonly cacheKib: number;
}

/** One SQLite connection: prepared statements kept by their text, parameters checked, and `rc_fold` for text that has no folded column. */
export class Database {
  private readonly connection: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  constructor(path: string, options: DatabaseOptions) {
    this.connection = new DatabaseSync(path, {
      readOnly: options.readOnly,
      enableForeignKeyConstraints: true,
      timeout: 5_000,
    });
    this.connection.exec(`PRAGMA cache_size = -${String(options.cacheKib)}`);
    this.connection.exec("PRAGMA temp_store = MEMORY");
    if (!options.readOnly) {
      // A commit that was answered survives a loss of power: FULL syncs the write-ahead log at every commit.
      this.connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      this.connection.exec(
        "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864",
      );
    }
    this.connection.function("rc_fold", { deterministic: true }, (value) =>
      typeof value === "string" ? fold(value) : value,
    );
  }

  /** All rows. The shape of a row is the statement's: keep both beside each other. */
  all<Row>(sql: string, ...parameters: readonly SqlValue[]): Row[] {
    return this.prepare(sql).all(...checked(parameters)) as unknown as Row[];
  }

  get<Row>(sql: string, ...parameters: readonly SqlValue[]): Row | undefined {
    return this.prepare(sql).get(...checked(parameters)) as unknown as Row | undefined;
  }

  /** Answers how many rows the statement changed. */
  run(sql: string, ...parameters: readonly SqlValue[]): number {
    return Number(this.prepare(sql).run(...checked(parameters)).changes);
  }

  /** Statements without parameters: transactions, migrations, pragmas. */
  exec(sql: string): void {
    this.connection.exec(sql);
  }

  get inTransaction(): boolean {
    return this.connection.isTransaction;
  }

  /** Runs several reads on one state of the database. */
  snapshot<T>(read: () => T): T {
    if (this.connection.isTransaction) return read();
    this.connection.exec("BEGIN");
    try {
      return read();
    } finally {
      this.connection.exec("COMMIT");
    }
  }

  close(): void {
    this.statements.clear();
    if (this.connection.isOpen) this.connection.close();
  }

  private prepare(sql: string): StatementSync {
    const known = this.statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.connection.prepare(sql);
    if (this.statements.size >= statementsMax) {
      const oldest = this.statements.keys().next();
      if (oldest.done !== true) this.statements.delete(oldest.value);
    }
    this.statements.set(sql, statement);
    return statement;
  }
}

function checked(parameters: readonly SqlValue[]): (string | number | null | Uint8Array)[] {
  return parameters.map((value) => {
    if (value === null) return null;
    switch (typeof value) {
      case "string":
        return storable(value);
      case "number":
        if (Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value))
          return value;
        throw new StoreError(
          "INVALID",
          `the number ${String(value)} cannot be stored: integers must lie below 2^53`,
        );
      case "boolean":
        return value ? 1 : 0;
      default:
        if (value instanceof Uint8Array) return value;
        throw new TypeError(
          `a ${typeof value} is no SQL parameter: pass text, numbers, booleans, bytes or null`,
        );
    }
  });
}

/** What PostgreSQL refuses is refused here too, so that no value is stored in one database and lost in the other. */
function storable(text: string): string {
  if (text.includes("\0")) throw nulError();
  if (!text.isWellFormed()) throw surrogateError();
  return text;
}

const nulError = () =>
  new StoreError("INVALID", "text with a NUL character cannot be stored: remove it");
const surrogateError = () =>
  new StoreError(
    "INVALID",
    "text with half of a surrogate pair cannot be stored: send whole characters",
  );

/** An escape that JSON text may hold and a database may not: NUL, half of a surrogate pair. */
const badEscape = /(?<!\\)(?:\\\\)*\\u(0000|d[89a-f])/;

/** A document as the text that is stored. @throws StoreError INVALID */
export function documentText(value: unknown): string {
  const text = JSON.stringify(value);
  const bad = text.includes("\\u") ? badEscape.exec(text) : null;
  if (bad !== null) throw bad[1] === "0000" ? nulError() : surrogateError();
  return text;
}
