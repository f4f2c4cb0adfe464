/** A table of a page; an empty one says so. */
export interface PrintTable {
  readonly title: string;
  readonly note?: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null | undefined)[])[];
}

export interface PrintPage {
  readonly title: string;
  /** What stands above the tables, a line each. */
  readonly lead: readonly (readonly [string, string | number])[];
  readonly tables: readonly PrintTable[];
}

const style = `body{font:14px/1.45 system-ui,sans-serif;margin:2rem;color:#1a1a1a}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{border:1px solid #bbb;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{background:#f2f2f2}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#555}dd{margin:0}
@media print{body{margin:0;font-size:10px}thead{display:table-header-group}tr{break-inside:avoid}@page{margin:12mm;size:landscape}}`;

/** One HTML file that needs nothing else: no script, no address to load from; every value is written as text. */
export function printable({ title, lead, tables }: PrintPage): string {
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escaped(title)}</title><style>${style}</style></head><body>`,
    `<h1>${escaped(title)}</h1>`,
    `<dl>${lead.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join("")}</dl>`,
    ...tables.map(tableOf),
    "</body></html>",
    "",
  ].join("\n");
}

function tableOf({ title, note, columns, rows }: PrintTable): string {
  const head = columns.map((name) => `<th>${escaped(name)}</th>`).join("");
  const body = rows.map(
    (row) => `<tr>${row.map((cell) => `<td>${escaped(cell ?? "")}</td>`).join("")}</tr>`,
  );
  return [
    `<h2>${escaped(title)}</h2>`,
    ...(note === undefined ? [] : [`<p>${escaped(note)}</p>`]),
    rows.length === 0
      ? "<p>nothing</p>"
      : `<table><thead><tr>${head}</tr></thead><tbody>\n${body.join("\n")}\n</tbody></table>`,
  ].join("\n");
}

const signs: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(value: string | number): string {
  return String(value).replace(/[&<>"']/g, (sign) => signs[sign] ?? sign);
}

/** An instant as people and machines read it: UTC, to the second. */
export function printedInstant(at: number | null | undefined): string {
  return at === null || at === undefined ? "" : `${new Date(at).toISOString().slice(0, 19)}Z`;
}
