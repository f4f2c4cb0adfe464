import { sql, type Sql, type Statement } from "./sql-text.ts";

/** What databases say differently. */
export interface SqlDialect {
  /** Commands run beside each other, so they have to lock what they decide by. */
  readonly concurrent: boolean;
  /** Ends a SELECT whose rows the command is about to change. */
  readonly forUpdate: string;
  /** As `forUpdate`; rows that somebody else has are passed over. */
  readonly forUpdateSkipLocked: string;
  /** Holds the planner to an index, where there is a word for that. */
  indexedBy(index: string): string;
  /** A FROM item of one parameter, a JSON list of texts: columns `value`, and `key` in the order of the list. */
  values(alias: string): string;
  /** The rows of a subquery as one JSON text: a list of lists of these columns, empty where there is no row. */
  rowList(...columns: readonly string[]): string;
  /** Of two values that are not null. */
  greatest(a: string, b: string): string;
  least(a: string, b: string): string;
  finish(statement: Sql): Statement;
  /** The project's one folding, of a value that has no folded column. */
  fold(text: Sql): Sql;
  contains(text: Sql, part: string): Sql;
  startsWith(text: Sql, part: string): Sql;
  endsWith(text: Sql, part: string): Sql;
  /**
   * A FROM item with columns `value` and `type` (text, integer, real, true, false, null, object): what the attribute `step` of
   * the JSON object `document` holds: each element of an array, else the value itself, else no row.
   */
  elements(document: Sql, step: string, alias: string): Sql;
  /** The text at this path of a column that holds a JSON object; null where there is none. Names of ours, never of a caller. */
  textAt(column: string, ...path: readonly string[]): string;
  /** The value of such a row as a number; null where it is none. */
  numberOf(element: Sql): Sql;
}

/** Lengths in SQL count characters, those of JavaScript half surrogate pairs. */
const characters = (text: string) => Array.from(text).length;

/** Needs the function `rc_fold` on the connection. Parts are compared as they are, so `%` and `_` mean themselves. */
export const sqliteDialect: SqlDialect = {
  // One writer: nothing runs beside a command.
  concurrent: false,
  forUpdate: "",
  forUpdateSkipLocked: "",
  indexedBy: (index) => `INDEXED BY ${index}`,
  values: (alias) => `json_each(?) ${alias}`,
  rowList: (...columns) => `json_group_array(json_array(${columns.join(", ")}))`,
  greatest: (a, b) => `max(${a}, ${b})`,
  least: (a, b) => `min(${a}, ${b})`,
  finish: (piece) => piece.finish(() => "?"),
  fold: (text) => sql`rc_fold(${text})`,
  contains: (text, part) => sql`instr(${text}, ${part}) > 0`,
  startsWith: (text, part) => sql`substr(${text}, 1, ${characters(part)}) = ${part}`,
  endsWith: (text, part) =>
    part === "" ? sql`${text} is not null` : sql`substr(${text}, ${-characters(part)}) = ${part}`,
  elements: (document, step, alias) => {
    const path = `$."${step}"`;
    return sql`json_each(case when json_type(${document}, ${path}) = 'array' then ${document} -> ${path} else '[' || (${document} -> ${path}) || ']' end) as ${sql.ref(alias)}`;
  },
  textAt: (column, ...path) => `json_extract(${column}, '$.${path.join(".")}')`,
  numberOf: (element) =>
    sql`case when ${element}.type in ('integer', 'real') then ${element}.value end`,
};
