import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { InputError } from "../model/errors.ts";
import { asId, type TenantId } from "../model/ids.ts";
import type { AuditRecord } from "../model/records.ts";
import type { AuditStore, TreeState } from "./audit-store.ts";

/** A record as it leaves the store: with it, its commitments and its place, anybody can recompute the leaf. */
export interface ExportedRecord {
  readonly leafIndex: number;
  /** Hex, as the store kept it; the verifier computes its own and compares. */
  readonly leafHash: string | undefined;
  readonly record: AuditRecord;
  readonly commitments: Readonly<Record<string, string>>;
}

/** The whole audit record of one tenant, in leaf order, however it is kept. */
export interface AuditSource {
  readonly tenantId: TenantId;
  /** What the source says its tree is. */
  readonly tree: TreeState;
  records(): AsyncIterable<ExportedRecord>;
}

const pageSize = 1_000;

/** Reads the sequenced records of a store, page by page. */
export async function storeSource(
  store: Pick<AuditStore, "getTree" | "listRecords" | "listLeaves">,
  tenantId: TenantId,
): Promise<AuditSource> {
  const tree = await store.getTree(tenantId);
  return {
    tenantId,
    tree,
    async *records() {
      for (let from = 0; from < tree.size; from += pageSize) {
        const limit = Math.min(pageSize, tree.size - from);
        const [records, leaves] = await Promise.all([
          store.listRecords(tenantId, { from, limit }),
          store.listLeaves(tenantId, { from, limit }),
        ]);
        // A page that starts behind a gap may reach into the next one, which is read on its own.
        const page = records.filter(
          (item) => item.leafIndex !== undefined && item.leafIndex < from + limit,
        );
        // Leaf hashes come without their indexes: where one is missing, they cannot be told apart.
        const whole = page.length === limit && leaves.length === limit;
        for (const item of page) {
          const leafIndex = item.leafIndex ?? 0;
          yield {
            leafIndex,
            leafHash: whole ? leaves[leafIndex - from] : undefined,
            record: item.record,
            commitments: item.commitments,
          };
        }
      }
    },
  };
}

/**
 * The audit record of a tenant as NDJSON: a head with the tree, a line per record, and an end line with the count, without which
 * the file is not whole. `personal: false` leaves the personal values and their salts out; every proof stays valid.
 */
export async function* exportAudit(
  source: AuditSource,
  options: { readonly personal: boolean },
): AsyncGenerator<string> {
  yield line({ format: "rolecall-audit-export/1", tenantId: source.tenantId, tree: source.tree });
  let count = 0;
  for await (const item of source.records()) {
    const { personal, ...rest } = item.record;
    const record = options.personal && personal !== undefined ? { ...rest, personal } : rest;
    yield line({ ...item, record });
    count += 1;
  }
  yield line({ end: true, count });
}

/** Opens an NDJSON export. @throws InputError when it is not one; `records()` does when a line is broken or the end is missing */
export async function fileSource(path: string): Promise<AuditSource> {
  const head = await firstLine(path);
  if (head["format"] !== "rolecall-audit-export/1") {
    throw new InputError(`${path} is not an audit export`, [
      'line 1: expected "format":"rolecall-audit-export/1"',
    ]);
  }
  return {
    tenantId: asId<TenantId>(String(head["tenantId"])),
    tree: head["tree"] as TreeState,
    async *records() {
      let number = 0;
      let ended = false;
      for await (const text of createInterface({ input: createReadStream(path, "utf8") })) {
        number += 1;
        if (number === 1) continue;
        const item = parseLine(path, number, text);
        if (item["end"] === true) ended = item["count"] === number - 2;
        else yield item as unknown as ExportedRecord;
      }
      if (!ended)
        throw new InputError(`${path} is not whole`, ["its last line must be the end line"]);
    },
  };
}

async function firstLine(path: string): Promise<Record<string, unknown>> {
  const lines = createInterface({ input: createReadStream(path, "utf8") });
  for await (const text of lines) {
    lines.close();
    return parseLine(path, 1, text);
  }
  throw new InputError(`${path} is empty`, []);
}

function parseLine(path: string, number: number, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new InputError(`${path} cannot be read`, [`line ${String(number)}: not a JSON object`]);
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
