/** Rows as aligned columns; the last column keeps its length. Empty: one line that says so. */
export function table(
  header: readonly string[],
  rows: readonly (readonly (string | number | null | undefined)[])[],
  empty: string,
): string {
  if (rows.length === 0) return `${empty}\n`;
  const cells = [header, ...rows].map((row) =>
    row.map((cell) => (cell === null || cell === undefined ? "-" : String(cell))),
  );
  const widths = header.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return `${cells.map(line).join("\n")}\n`;
}

/** An instant for people: UTC, to the second. */
export function instant(at: number | null | undefined): string {
  return at === null || at === undefined
    ? "-"
    : new Date(at).toISOString().replace("T", " ").slice(0, 19);
}
