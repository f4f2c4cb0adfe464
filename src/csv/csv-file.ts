import { CsvError as ParseError, parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";

/** A CSV that cannot be read: where, and why; no text of the file. */
export class CsvError extends Error {
  override readonly name = "CsvError";
}

/** The fields of one row, and the line of the file on which it ends. */
interface CsvLine {
  readonly fields: readonly string[];
  readonly line: number;
}

/**
 * Rows of a CSV by the column names of its header, as they are written there (RFC 4180): quoted fields may hold delimiters, line breaks and
 * doubled quotes; blanks around fields, a byte order mark and empty lines are passed over. Every row is as long as the header: one that is
 * not means that the file was cut or edited.
 * @throws CsvError
 */
export function readCsv(
  text: string,
  delimiter = ",",
): readonly Readonly<Record<string, string>>[] {
  const { names, rows } = readTable(text, delimiter);
  return rows.map((fields) =>
    Object.fromEntries(names.map((name, at) => [name, fields[at] ?? ""])),
  );
}

/** The same by names without case, blanks and punctuation: `E-mail` is `e_mail`. @throws CsvError */
export function csvRecords(text: string): readonly ReadonlyMap<string, string>[] {
  const { names, rows } = readTable(text, ",", columnName);
  return rows.map((fields) => new Map(names.map((name, at) => [name, fields[at] ?? ""])));
}

export function columnName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
}

/**
 * A CSV with a header. A field that a spreadsheet would take for a formula is written behind an apostrophe; `plainField` takes that away
 * again.
 */
export function writeCsv(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  return csvRows([header, ...rows]);
}

/** The same without a header, for what is written page by page. */
export function csvRows(rows: readonly (readonly (string | number)[])[]): string {
  return stringify(
    rows.map((row) => [...row]),
    { escape_formulas: true },
  );
}

/** A field as it was before `writeCsv` guarded it. */
export function plainField(text: string): string {
  return /^'[=+\-@\t\r\uFF0B\uFF0D\uFF1D\uFF20]/.test(text) ? text.slice(1) : text;
}

function readTable(
  text: string,
  delimiter: string,
  nameOf: (text: string) => string = (name) => name,
): { readonly names: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const [header, ...lines] = parsed(text, delimiter);
  if (header === undefined) throw new CsvError("the file is empty: there is no header");
  const names = header.fields.map(nameOf);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new CsvError(`the header names the column "${twice}" twice`);
  for (const { fields, line } of lines) {
    if (fields.length !== names.length)
      throw new CsvError(
        `line ${String(line)} has ${String(fields.length)} fields, the header ${String(names.length)}: was the file cut, or is "${delimiter}" not the delimiter?`,
      );
  }
  return { names, rows: lines.map((line) => line.fields) };
}

function parsed(text: string, delimiter: string): readonly CsvLine[] {
  try {
    const rows: unknown = parse(text, {
      bom: true,
      delimiter,
      info: true,
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    });
    return (rows as readonly { record: string[]; info: { lines: number } }[]).map(
      ({ record, info }) => ({ fields: record, line: info.lines }),
    );
  } catch (error) {
    if (error instanceof ParseError) throw new CsvError(problemOf(error));
    throw error;
  }
}

/** In our words: the library's quote the text of the file. */
function problemOf(error: ParseError): string {
  const lines: unknown = "lines" in error ? error.lines : undefined;
  const where = typeof lines === "number" ? `line ${String(lines)}: ` : "";
  switch (error.code) {
    case "CSV_QUOTE_NOT_CLOSED":
      return `${where}a quote is never closed: was the file cut?`;
    case "CSV_INVALID_CLOSING_QUOTE":
      return `${where}text after a closing quote`;
    case "INVALID_OPENING_QUOTE":
      return `${where}a quote inside a field that does not begin with one`;
    default:
      return `${where}this is no CSV (${error.code})`;
  }
}
