import { StoreError } from "../../model/errors.ts";
import type { SqlDialect } from "./sql-dialect.ts";

/** What may be a parameter. Absent values are written `null`; an object or a Date would silently shift the others. */
export type SqlValue = string | number | boolean | null | Uint8Array;

/** What a connection takes: booleans are 0 and 1 in every database. */
export type StoredValue = string | number | null | Uint8Array;

/** One statement that a command asks its connection to run, and what it wants to know. */
export interface Step {
  readonly sql: string;
  /** For `?` in their order, or for `?1`, `?2`, … by number; never both in one statement. */
  readonly parameters: readonly StoredValue[];
  /**
   * `rows`: all rows · `row`: the first one, or undefined · `count`: how many rows it changed · `none`: nothing, so that the
   * connection may send the next statement without waiting; what it throws ends the command at its next answer.
   */
  readonly answer: "rows" | "row" | "count" | "none";
}

/**
 * A command or query as the statements that it asks for, one after another, or several at once where none needs the answer of
 * another (a list is answered by a list). Who runs them decides whether that is synchronous: the same commands stand behind SQLite
 * and PostgreSQL. Called without `yield*`, it does nothing.
 */
export type Steps<Result> = Generator<Step | readonly Step[], Result, unknown>;

type Results<Parts extends readonly Steps<unknown>[]> = {
  readonly [At in keyof Parts]: Parts[At] extends Steps<infer Result> ? Result : never;
};

/** How commands ask. It has no connection, only the words in which the databases differ. */
export class Database {
  readonly dialect: SqlDialect;

  constructor(dialect: SqlDialect) {
    this.dialect = dialect;
  }

  /** All rows. The shape of a row is the statement's: keep both beside each other. */
  *all<Row>(sql: string, ...parameters: readonly SqlValue[]): Steps<Row[]> {
    return (yield { sql, parameters: checked(parameters), answer: "rows" }) as Row[];
  }

  *get<Row>(sql: string, ...parameters: readonly SqlValue[]): Steps<Row | undefined> {
    return (yield { sql, parameters: checked(parameters), answer: "row" }) as Row | undefined;
  }

  /** Answers how many rows the statement changed. */
  *run(sql: string, ...parameters: readonly SqlValue[]): Steps<number> {
    return (yield { sql, parameters: checked(parameters), answer: "count" }) as number;
  }

  /** Runs a statement whose answer nobody needs: it costs no round trip. */
  *tell(sql: string, ...parameters: readonly SqlValue[]): Steps<void> {
    yield { sql, parameters: checked(parameters), answer: "none" };
  }

  /**
   * Parts that do not need each other's answers, in step: what they ask for next is sent together, in their order, and costs one
   * round trip.
   */
  *together<const Parts extends readonly Steps<unknown>[]>(...parts: Parts): Steps<Results<Parts>> {
    const turns = parts.map((part) => part.next());
    for (;;) {
      const asked = turns.map((turn) => (turn.done === true ? [] : stepsOf(turn.value)));
      const steps = asked.flat();
      if (steps.length === 0) return turns.map((turn) => turn.value) as Results<Parts>;
      const answers = (yield steps) as readonly unknown[];
      let from = 0;
      parts.forEach((part, at) => {
        const turn = turns[at];
        if (turn === undefined || turn.done === true) return;
        const count = asked[at]?.length ?? 0;
        const own = answers.slice(from, from + count);
        from += count;
        turns[at] = part.next("sql" in turn.value ? own[0] : own);
      });
    }
  }

  /**
   * Locks rows (a SELECT … FOR …), or a turn that has no row, where other commands run beside this one, so that what is read next is
   * what the write decides by; a database with a single writer is not asked. Answers whether it was.
   */
  *lock(sql: string, ...parameters: readonly SqlValue[]): Steps<boolean> {
    if (!this.dialect.concurrent) return false;
    yield { sql, parameters: checked(parameters), answer: "none" };
    return true;
  }
}

export function stepsOf(asked: Step | readonly Step[]): readonly Step[] {
  return "sql" in asked ? [asked] : asked;
}

function checked(parameters: readonly SqlValue[]): StoredValue[] {
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

/** What one database refuses is refused before every one, so that no value is stored in one and lost in the other. */
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
