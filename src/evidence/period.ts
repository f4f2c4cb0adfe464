import { createHash } from "node:crypto";
import type { AuditStore, StoredRecord } from "../audit/audit-store.ts";
import type { Instant } from "../model/clock.ts";
import { InputError } from "../model/errors.ts";
import type { TenantId } from "../model/ids.ts";

/** From its first instant to before its last. */
export interface Period {
  readonly from: Instant;
  readonly to: Instant;
}

/** `2026`, `2026-Q3`, `2026-09` or `2026-09-01..2026-09-30` (both days inside), in UTC. @throws InputError */
export function readPeriod(text: string): Period {
  const month = (year: number, at: number) => Date.UTC(year, at, 1);
  const quarter = /^(\d{4})-Q([1-4])$/.exec(text);
  if (quarter !== null) {
    const [year, first] = [Number(quarter[1]), (Number(quarter[2]) - 1) * 3];
    return { from: month(year, first), to: month(year, first + 3) };
  }
  const one = /^(\d{4})(?:-(0[1-9]|1[0-2]))?$/.exec(text);
  if (one !== null) {
    const year = Number(one[1]);
    if (one[2] === undefined) return { from: month(year, 0), to: month(year + 1, 0) };
    const at = Number(one[2]) - 1;
    return { from: month(year, at), to: month(year, at + 1) };
  }
  const days = /^(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})$/.exec(text);
  const [from, last] = [Date.parse(days?.[1] ?? ""), Date.parse(days?.[2] ?? "")];
  if (!(from <= last))
    throw new InputError("the period cannot be read", [
      "write 2026, 2026-Q3, 2026-09 or 2026-09-01..2026-09-30",
    ]);
  return { from, to: last + 86_400_000 };
}

export const isWithin = ({ from, to }: Period, at: Instant | undefined): boolean =>
  at !== undefined && at >= from && at < to;

const page = 1_000;

/** Records of one action in a period, oldest first. */
export async function recordsOf(
  store: Pick<AuditStore, "findRecords">,
  tenantId: TenantId,
  action: string,
  { from, to }: Period,
): Promise<readonly StoredRecord[]> {
  const found = new Map<string, StoredRecord>();
  let before = to;
  for (;;) {
    const records = await store.findRecords(tenantId, { action, before, limit: page });
    const known = found.size;
    for (const item of records) if (item.record.at >= from) found.set(item.record.recordId, item);
    const oldest = Math.min(...records.map((item) => item.record.at));
    if (records.length < page || oldest < from) break;
    // Those of the same instant may stand on the next page: it begins with them once more.
    if (found.size === known && before === oldest + 1)
      throw new Error(`more than ${String(page)} records of ${action} at one instant`);
    before = oldest + 1;
  }
  return [...found.values()].toSorted((a, b) => a.record.at - b.record.at);
}

/**
 * A sample that anybody can draw again: the rows with the least SHA-256 over seed and id.
 * @param idOf what names a row
 */
export function sampleOf<Row>(
  rows: readonly Row[],
  count: number,
  seed: string,
  idOf: (row: Row) => string,
): readonly Row[] {
  const mark = (row: Row) =>
    createHash("sha256")
      .update(`${seed}\n${idOf(row)}`)
      .digest("hex");
  return rows
    .map((row) => ({ row, mark: mark(row) }))
    .toSorted((a, b) => (a.mark < b.mark ? -1 : 1))
    .slice(0, count)
    .map(({ row }) => row);
}
