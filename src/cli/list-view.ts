import { z } from "zod";
import { instant, table } from "./table.ts";

const rowsOf = (key: string) => z.object({ [key]: z.array(z.record(z.string(), z.unknown())) });

/** A renderer of `{ key: rows[] }` as a table. */
export function listOf(key: string, columns: Readonly<Record<string, string>>, empty: string) {
  return (answer: unknown): string => {
    const rows = rowsOf(key).parse(answer)[key] ?? [];
    return table(
      Object.values(columns),
      rows.map((row) => Object.keys(columns).map((column) => cell(column, row[column]))),
      empty,
    );
  };
}

function cell(column: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  if (typeof value === "number" && /(At|Since|since)$/.test(column)) return instant(value);
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : JSON.stringify(value);
}
