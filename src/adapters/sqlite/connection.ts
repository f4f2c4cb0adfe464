import { DatabaseSync, type StatementSync } from "node:sqlite";
import { fold } from "../../model/fold.ts";
import type { Step, Steps, StoredValue } from "../sql/database.ts";

/** Statement texts that one connection keeps prepared; questions of SCIM filters come in many shapes. */
const statementsMax = 1_000;

export interface ConnectionOptions {
  readonly readOnly: boolean;
  /** Page cache of this connection in KiB. */
  readonly cacheKib: number;
}

/** One SQLite connection: prepared statements kept by their text, and `rc_fold` for text that has no folded column. */
export class Connection {
  private readonly database: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  constructor(path: string, options: ConnectionOptions) {
    this.database = new DatabaseSync(path, {
      readOnly: options.readOnly,
      enableForeignKeyConstraints: true,
      timeout: 5_000,
    });
    this.database.exec(`PRAGMA cache_size = -${String(options.cacheKib)}`);
    this.database.exec("PRAGMA temp_store = MEMORY");
    if (!options.readOnly) {
      // A commit that was answered survives a loss of power: FULL syncs the write-ahead log at every commit.
      this.database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      this.database.exec("PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864");
    }
    this.database.function("rc_fold", { deterministic: true }, (value) =>
      typeof value === "string" ? fold(value) : value,
    );
  }

  /** Runs a command or query to its end. What a statement throws is thrown into it where it asked. */
  finish<Result>(steps: Steps<Result>): Result {
    let turn = steps.next();
    while (turn.done !== true) {
      let answer: unknown;
      try {
        const asked = turn.value;
        answer = "sql" in asked ? this.answer(asked) : asked.map((step) => this.answer(step));
      } catch (error) {
        turn = steps.throw(error);
        continue;
      }
      turn = steps.next(answer);
    }
    return turn.value;
  }

  /** As `finish`, with all its reads on one state of the database. */
  finishOnSnapshot<Result>(steps: Steps<Result>): Result {
    if (this.database.isTransaction) return this.finish(steps);
    this.database.exec("BEGIN");
    try {
      return this.finish(steps);
    } finally {
      this.database.exec("COMMIT");
    }
  }

  /** Statements without parameters: transactions, migrations, pragmas. */
  exec(sql: string): void {
    this.database.exec(sql);
  }

  get inTransaction(): boolean {
    return this.database.isTransaction;
  }

  close(): void {
    this.statements.clear();
    if (this.database.isOpen) this.database.close();
  }

  private answer({ sql, parameters, answer }: Step): unknown {
    const statement = this.prepare(sql);
    const values = parameters as StoredValue[];
    switch (answer) {
      case "rows":
        return statement.all(...values);
      case "row":
        return statement.get(...values);
      case "count":
        return Number(statement.run(...values).changes);
      case "none":
        statement.run(...values);
        return undefined;
    }
  }

  private prepare(sql: string): StatementSync {
    const known = this.statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.database.prepare(sql);
    if (this.statements.size >= statementsMax) {
      const oldest = this.statements.keys().next();
      if (oldest.done !== true) this.statements.delete(oldest.value);
    }
    this.statements.set(sql, statement);
    return statement;
  }
}
