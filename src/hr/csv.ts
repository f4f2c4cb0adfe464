import { MessageFault } from "./message-fault.ts";

/** A row of a file by its column names. */
export type CsvRow = Readonly<Record<string, string>>;

/**
 * Reads a CSV file with a header line (RFC 4180): quoted fields may hold delimiters, line breaks and doubled quotes; a byte order mark and
 * empty lines are passed over.
 * @throws MessageFault UNREADABLE that names the line
 */
export function readCsv(text: string, delimiter: string): readonly CsvRow[] {
  const [header, ...lines] = csvLines(text.replace(/^\uFEFF/, ""), delimiter);
  if (header === undefined) throw new MessageFault("UNREADABLE", "the file is empty");
  const names = header.fields.map((name) => name.trim());
  const double = names.find((name, at) => names.indexOf(name) !== at);
  if (double !== undefined)
    throw new MessageFault("UNREADABLE", `the header names the column "${double}" twice`);
  return lines.map(({ fields, line }) => {
    if (fields.length !== names.length)
      throw new MessageFault(
        "UNREADABLE",
        `line ${String(line)} has ${String(fields.length)} fields, the header ${String(names.length)}: is "${delimiter}" the delimiter?`,
      );
    return Object.fromEntries(names.map((name, at) => [name, (fields[at] ?? "").trim()]));
  });
}

interface CsvLine {
  readonly fields: readonly string[];
  readonly line: number;
}

function csvLines(text: string, delimiter: string): readonly CsvLine[] {
  const lines: CsvLine[] = [];
  let fields: string[] = [];
  let line = 1;
  let begun = 1;
  let at = 0;
  const endLine = () => {
    if (fields.length > 1 || fields[0] !== "") lines.push({ fields, line: begun });
    fields = [];
    begun = line;
  };
  while (at < text.length) {
    const quoted = text[at] === '"';
    const [field, next, breaks] = quoted
      ? quotedField(text, at, line)
      : plainField(text, at, delimiter);
    fields.push(field);
    line += breaks;
    at = next;
    if (text.startsWith(delimiter, at)) {
      at += delimiter.length;
      // A delimiter at the very end leaves one empty field.
      if (at >= text.length) fields.push("");
      continue;
    }
    const end = /^(?:\r\n|\n|\r)/.exec(text.slice(at, at + 2))?.[0] ?? "";
    if (end === "" && at < text.length)
      throw new MessageFault("UNREADABLE", `line ${String(line)}: text after a closing quote`);
    at += end.length;
    line += end === "" ? 0 : 1;
    endLine();
  }
  if (fields.length > 0) endLine();
  return lines;
}

function plainField(text: string, at: number, delimiter: string): [string, number, number] {
  let end = at;
  while (
    end < text.length &&
    text[end] !== "\n" &&
    text[end] !== "\r" &&
    !text.startsWith(delimiter, end)
  )
    end += 1;
  return [text.slice(at, end), end, 0];
}

function quotedField(text: string, at: number, line: number): [string, number, number] {
  let end = at + 1;
  for (;;) {
    const quote = text.indexOf('"', end);
    if (quote < 0)
      throw new MessageFault("UNREADABLE", `line ${String(line)}: a quote is never closed`);
    if (text[quote + 1] !== '"') {
      const field = text.slice(at + 1, quote);
      return [field.replaceAll('""', '"'), quote + 1, field.split("\n").length - 1];
    }
    end = quote + 2;
  }
}
