/** A CSV that cannot be read: where, and why. */
export class CsvError extends Error {
  override readonly name = "CsvError";
}

/**
 * Rows of a CSV (RFC 4180): quoted fields may hold commas, quotes and line breaks; a byte order mark and empty lines are skipped.
 * Every row is as long as the first, the header; one that is not means that the file was cut or edited.
 * @throws CsvError
 */
export function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  let closed = false;
  const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const endField = () => {
    row.push(closed ? field : field.trim());
    field = "";
    closed = false;
  };
  const endRow = () => {
    endField();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  for (let at = 0; at < body.length; at++) {
    const char = body[at] ?? "";
    if (quoted) {
      if (char !== '"') field += char;
      else if (body[at + 1] === '"') {
        field += '"';
        at += 1;
      } else {
        quoted = false;
        closed = true;
      }
    } else if (char === '"' && field.trim() === "" && !closed) {
      quoted = true;
      field = "";
    } else if (char === ",") endField();
    else if (char === "\n") endRow();
    else if (char !== "\r" && !(closed && char.trim() === "")) {
      if (closed) throw new CsvError(`row ${String(rows.length + 1)}: text after a closing quote`);
      field += char;
    }
  }
  if (quoted) throw new CsvError("the last field is not closed: the file was cut");
  if (field !== "" || row.length > 0) endRow();
  const width = rows[0]?.length ?? 0;
  const uneven = rows.findIndex((item) => item.length !== width);
  if (uneven >= 0) {
    throw new CsvError(
      `row ${String(uneven + 1)} has ${String(rows[uneven]?.length ?? 0)} fields where the header has ${String(width)}`,
    );
  }
  return rows;
}

/** Rows as records by header name; names are compared without case, blanks and punctuation. */
export function csvRecords(text: string): readonly ReadonlyMap<string, string>[] {
  const [header, ...rows] = parseCsv(text);
  if (header === undefined) throw new CsvError("there is no header");
  const names = header.map(columnName);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new CsvError(`the column ${twice} is there twice`);
  return rows.map((row) => new Map(names.map((name, at) => [name, row[at] ?? ""])));
}

export function columnName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
}
