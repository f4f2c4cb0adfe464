type Value = string | number | boolean | null;

/** A finished statement: text and parameters, for the adapter's own connection. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly Value[];
}

/** A piece of SQL with its parameters in their places: text and values by turns, text first and last. */
export class Sql {
  readonly texts: readonly string[];
  readonly values: readonly Value[];

  constructor(texts: readonly string[], values: readonly Value[]) {
    this.texts = texts;
    this.values = values;
  }

  /** `placeholder` says how the database writes its parameter number n, from 1. */
  finish(placeholder: (n: number) => string): Statement {
    const [first = "", ...rest] = this.texts;
    return {
      sql: rest.reduce((sql, text, at) => `${sql}${placeholder(at + 1)}${text}`, first),
      parameters: this.values,
    };
  }
}

/** Composes SQL: pieces are put in as they are, whatever else becomes a parameter and never text. */
export function sql(strings: TemplateStringsArray, ...parts: readonly (Sql | Value)[]): Sql {
  const texts = [strings[0] ?? ""];
  const values: Value[] = [];
  parts.forEach((part, at) => {
    const [first = "", ...rest] = part instanceof Sql ? part.texts : ["", ""];
    texts.push(`${texts.pop() ?? ""}${first}`, ...rest);
    values.push(...(part instanceof Sql ? part.values : [part]));
    texts.push(`${texts.pop() ?? ""}${strings[at + 1] ?? ""}`);
  });
  return new Sql(texts, values);
}

/** A text of our own, never of a caller. */
sql.raw = (text: string): Sql => new Sql([text], []);

/** A column, `table.column` too, in double quotes. */
sql.ref = (name: string): Sql => sql.raw(name.split(".").map(quoted).join("."));

sql.table = (name: string): Sql => sql.raw(quoted(name));

sql.join = (pieces: readonly (Sql | Value)[], between: Sql = sql.raw(", ")): Sql =>
  pieces.reduce<Sql>(
    (joined, piece, at) => (at === 0 ? sql`${piece}` : sql`${joined}${between}${piece}`),
    sql.raw(""),
  );

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
