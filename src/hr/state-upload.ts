import { z } from "zod";
import { CsvError, readCsv } from "../csv/csv-file.ts";
import type { HrUpload } from "../directory/hr-store.ts";
import type { JsonObject } from "../model/json.ts";
import { readInstant } from "./dates.ts";
import { problemsOf, type Reading } from "./event.ts";
import { MessageFault } from "./message-fault.ts";

/** The most rows of one upload. */
export const rowsMax = 10_000;

/** @throws MessageFault that says where, without the text */
export function parseJson(body: Uint8Array): unknown {
  const text = Buffer.from(body).toString("utf8");
  try {
    return JSON.parse(text);
  } catch (error) {
    const position = /position \d+/.exec(String(error))?.[0];
    throw new MessageFault(
      "UNREADABLE",
      `the body is no JSON${position === undefined ? "" : ` at ${position}`}`,
    );
  }
}

/** How everybody stands, as one upload says it. */
export interface StateUpload {
  readonly asOf: number;
  readonly rows: readonly JsonObject[];
  /** Whether the upload names everybody: only then may a missing person mean something. */
  readonly complete: boolean;
}

const bulkShape = z.strictObject({
  batch: z.string().trim().min(1).max(200),
  asOf: z.string().max(64),
  complete: z.boolean().default(false),
  /** How many records the sender meant to send, where `complete` is said. */
  count: z.number().int().min(0).optional(),
  records: z.array(z.record(z.string(), z.unknown())).max(rowsMax),
});

/** The batch id of a bulk body, or why there is none. */
export function batchOf(
  body: Uint8Array,
): { readonly batch: string } | { readonly problem: string } {
  try {
    const parsed = z
      .looseObject({ batch: z.string().trim().min(1).max(200) })
      .safeParse(parseJson(body));
    return parsed.success
      ? { batch: parsed.data.batch }
      : { problem: problemsOf(parsed.error).join("; ") };
  } catch (error) {
    if (error instanceof MessageFault) return { problem: error.message };
    throw error;
  }
}

export function bulkRows(upload: HrUpload, { receivedAt }: Reading): StateUpload {
  const parsed = bulkShape.safeParse(parseJson(upload.body));
  if (!parsed.success) throw new MessageFault("UNREADABLE", problemsOf(parsed.error).join("; "));
  const { asOf, complete, count, records } = parsed.data;
  if (complete && count !== records.length)
    throw new MessageFault(
      "UNREADABLE",
      `count: says ${String(count ?? "nothing")} and ${String(records.length)} records came: a complete upload says how many it has`,
    );
  return {
    asOf: Math.min(readInstant(asOf, "asOf"), receivedAt),
    rows: records as readonly JsonObject[],
    complete,
  };
}

/** A file holds as of when it was received, unless its content type says more: `text/csv; asOf=…`. */
export function fileRows(upload: HrUpload, { source, receivedAt }: Reading): StateUpload {
  const rows = tableOf(new TextDecoder("utf-8").decode(upload.body), source.delimiter);
  if (rows.length > rowsMax)
    throw new MessageFault(
      "UNREADABLE",
      `the file has ${String(rows.length)} rows, at most ${String(rowsMax)} are read at once: split it`,
    );
  const asOf = /asOf=([^;\s]+)/.exec(upload.contentType)?.[1];
  return {
    asOf: asOf === undefined ? receivedAt : Math.min(readInstant(asOf, "asOf"), receivedAt),
    rows,
    complete: /complete=yes/.test(upload.contentType),
  };
}

function tableOf(text: string, delimiter: string): readonly Readonly<Record<string, string>>[] {
  try {
    return readCsv(text, delimiter).map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value.trim()])),
    );
  } catch (error) {
    if (error instanceof CsvError) throw new MessageFault("UNREADABLE", error.message);
    throw error;
  }
}
