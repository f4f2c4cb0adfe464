import { z } from "zod";
import { csvRows } from "../csv/csv-file.ts";
import type { Json } from "../model/json.ts";
import {
  CommandError,
  exitCodes,
  flag,
  requiredFlag,
  type Command,
  type ExitCode,
  type Invocation,
} from "./command.ts";
import { instant, table } from "./table.ts";

/** How rows leave: for people, for spreadsheets, for programs. */
const formats = ["table", "csv", "ndjson"] as const;
type Format = (typeof formats)[number];

export function formatOf(invocation: Invocation): Format {
  const given = flag(invocation, "format") ?? (invocation.json ? "ndjson" : "table");
  const known = formats.find((format) => format === given);
  if (known !== undefined) return known;
  throw new CommandError(exitCodes.usage, `--format is one of ${formats.join(", ")}`);
}

type Cell = string | number | null | undefined;

/** Prints pages of rows in one format; a table is printed whole, at its end. */
export function rowPrinter(
  format: Format,
  header: readonly string[],
  empty: string,
  out: (text: string) => void,
) {
  const kept: (readonly Cell[])[] = [];
  if (format === "csv") out(csvRows([header]));
  return {
    page(rows: readonly { readonly cells: readonly Cell[]; readonly value: unknown }[]): void {
      if (format === "table") kept.push(...rows.map((row) => row.cells));
      else if (rows.length > 0)
        out(
          format === "csv"
            ? csvRows(rows.map((row) => row.cells.map((cell) => cell ?? "")))
            : rows.map((row) => `${JSON.stringify(row.value)}\n`).join(""),
        );
    },
    end(): void {
      if (format === "table") out(table(header, kept, empty));
    },
  };
}

const iso = (at: number) => new Date(at).toISOString();

export const recordShape = z.looseObject({
  leafIndex: z.number().optional(),
  record: z.looseObject({
    recordId: z.string(),
    at: z.number(),
    action: z.string(),
    actor: z.looseObject({ kind: z.string(), id: z.string() }),
    subject: z.object({ type: z.string(), id: z.string() }),
    connectionId: z.string().optional(),
    requestId: z.string().optional(),
    cause: z.string().optional(),
    mappingVersion: z.string().optional(),
    facts: z.record(z.string(), z.json()),
  }),
});
type ShownRecord = z.infer<typeof recordShape>;

export const recordHeader = [
  ...["leaf", "record", "at", "actor_kind", "actor", "action", "subject_type", "subject"],
  ...["connection", "request", "cause", "mapping_version", "facts"],
] as const;

/** A record as a row; personal values are in none of its columns. */
export function recordCells({ leafIndex, record }: ShownRecord): readonly Cell[] {
  const { actor, subject } = record;
  return [
    ...[leafIndex, record.recordId, iso(record.at), actor.kind, actor.id, record.action],
    ...[subject.type, subject.id, record.connectionId, record.requestId, record.cause],
    ...[record.mappingVersion, JSON.stringify(record.facts)],
  ];
}

const recordPage = z.object({ records: z.array(recordShape), next: z.number().optional() });
const pageSize = 1_000;
const shownDefault = 100;

async function query(invocation: Invocation): Promise<ExitCode> {
  const api = await invocation.api();
  const format = formatOf(invocation);
  const wanted = limitOf(invocation);
  const short = ["AT", "ACTOR", "ACTION", "SUBJECT", "CONNECTION", "RECORD"];
  const header = format === "table" ? short : recordHeader;
  const printer = rowPrinter(format, header, "no such record", invocation.terminal.out);
  const named = (name: string): Json | undefined => flag(invocation, name);
  if (format !== "table") await noteExport(invocation, "records");
  let cursor: number | undefined;
  for (let left = wanted; left > 0;) {
    const page = recordPage.parse(
      await api.call("GET", "/audit/search", {
        ...{ action: named("action"), actor: named("actor"), subject: named("subject") },
        ...{ identity: named("person"), connection: named("connection") },
        ...{ from: named("from"), to: named("to"), cursor, limit: Math.min(left, pageSize) },
      }),
    );
    printer.page(
      page.records.map((item) => ({
        cells: format === "table" ? shortCells(item) : recordCells(item),
        value: item,
      })),
    );
    left -= page.records.length;
    cursor = page.next;
    if (cursor === undefined) break;
  }
  printer.end();
  return exitCodes.ok;
}

/** What leaves for a file is recorded before it does. */
async function noteExport(invocation: Invocation, what: "records" | "access"): Promise<void> {
  const fields = Object.entries(invocation.flags).flatMap(([name, value]) =>
    typeof value === "string" && name !== "format" ? [[name, value] as const] : [],
  );
  const api = await invocation.api();
  await api.call("POST", "/audit/exports", { what, filter: Object.fromEntries(fields) });
}

function shortCells({ record }: ShownRecord): readonly Cell[] {
  const { actor, subject } = record;
  return [
    ...[instant(record.at), `${actor.kind} ${actor.id}`, record.action],
    ...[`${subject.type}:${subject.id}`, record.connectionId, record.recordId],
  ];
}

function limitOf(invocation: Invocation): number {
  if (invocation.flags["all"] === true) return Infinity;
  const limit = Number(flag(invocation, "limit") ?? shownDefault);
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new CommandError(exitCodes.usage, "--limit wants a whole number above 0");
}

const accessPage = z.object({
  people: z.array(
    z.object({
      identityId: z.string(),
      userName: z.string().nullable(),
      lines: z.array(
        z.object({
          connectionId: z.string(),
          kind: z.string(),
          objectId: z.string(),
          role: z.string(),
          trust: z.string(),
          since: z.number(),
          recordId: z.string(),
          because: z.array(z.string()),
          wished: z.boolean(),
        }),
      ),
      absences: z.array(
        z.object({ connectionId: z.string(), since: z.number(), recordId: z.string() }),
      ),
    }),
  ),
  next: z.string().optional(),
});
type AccessPerson = z.infer<typeof accessPage>["people"][number];

async function accessAt(invocation: Invocation): Promise<ExitCode> {
  const api = await invocation.api();
  const at = requiredFlag(invocation, "at");
  const format = formatOf(invocation);
  if (format !== "table") await noteExport(invocation, "access");
  const header = [
    ...["person", "user_name", "connection", "kind", "object", "role", "trust", "since"],
    ...["wished", "because", "record"],
  ];
  const printer = rowPrinter(
    format,
    header,
    "nobody had anything, as far as the record says",
    invocation.terminal.out,
  );
  let after: string | undefined;
  do {
    const page = accessPage.parse(
      await api.call("GET", "/audit/access", {
        ...{ at, after, identity: flag(invocation, "person") },
        connection: flag(invocation, "connection"),
      }),
    );
    printer.page(page.people.flatMap(accessRows));
    after = page.next;
  } while (after !== undefined);
  printer.end();
  return exitCodes.ok;
}

function accessRows(person: AccessPerson) {
  const { identityId, userName } = person;
  return [
    ...person.lines.map((line) => ({
      cells: [
        ...[identityId, userName, line.connectionId, line.kind, line.objectId, line.role],
        ...[line.trust, iso(line.since), line.wished ? "yes" : "no"],
        ...[line.because.join(" "), line.recordId],
      ],
      value: { identityId, userName, ...line },
    })),
    ...person.absences.map((line) => ({
      cells: [
        ...[identityId, userName, line.connectionId, "", "", "nothing, proven absent"],
        ...["verified", iso(line.since), "", "", line.recordId],
      ],
      value: { identityId, userName, absent: true, trust: "verified", ...line },
    })),
  ];
}

export const auditCommands: readonly Command[] = [
  {
    words: "audit query",
    usage:
      "audit query [--action A] [--actor NAME] [--subject TYPE:ID] [--person WHO] [--connection NAME] [--from T] [--to T] [--limit N | --all] [--format table|csv|ndjson]",
    summary: "records, newest first, by what is given; an action may end in .*",
    flags: {
      ...{ action: "string", actor: "string", subject: "string", person: "string" },
      ...{ connection: "string", from: "string", to: "string", limit: "string", all: "boolean" },
      format: "string",
    },
    run: query,
  },
  {
    words: "access",
    usage: "access --at DATE [--person WHO] [--connection NAME] [--format table|csv|ndjson]",
    summary: "who had what then, from the record, each line with how well it is known",
    flags: { at: "string", person: "string", connection: "string", format: "string" },
    run: accessAt,
  },
];
