import { StoreError } from "../../model/errors.ts";
import type { TenantId } from "../../model/ids.ts";
import type { AuditRecord } from "../../model/records.ts";
import { writeRecord } from "./also.ts";
import { readTree } from "./audit-queries.ts";
import { documentText, type Database, type Steps } from "./database.ts";

export const auditCommands = { appendRecords, appendLeaves };

export function* appendRecords(
  db: Database,
  args: { readonly tenantId: TenantId; readonly records: readonly AuditRecord[] },
): Steps<null> {
  for (const record of args.records) yield* writeRecord(db, args.tenantId, record);
  return null;
}

export function* appendLeaves(
  db: Database,
  args: {
    readonly tenantId: TenantId;
    readonly expectSize: number;
    readonly leaves: readonly { readonly recordId: string; readonly leafHash: string }[];
    readonly frontier: readonly string[];
  },
): Steps<null> {
  const { tenantId, expectSize, leaves } = args;
  // Who extends the tree has its row: of two sequencers one is told that it comes too late.
  yield* db.tell(
    "INSERT INTO audit_trees (tenant_id, size, frontier) VALUES (?, 0, '[]') ON CONFLICT DO NOTHING",
    tenantId,
  );
  yield* db.lock("SELECT 1 FROM audit_trees WHERE tenant_id = ? FOR NO KEY UPDATE", tenantId);
  const { size } = yield* readTree(db, tenantId);
  if (size !== expectSize) {
    throw new StoreError(
      "VERSION_CONFLICT",
      `the audit tree of ${tenantId} has ${String(size)} leaves, not ${String(expectSize)}: read it again`,
    );
  }
  if (leaves.length === 0) return null;
  for (const [offset, { recordId, leafHash }] of leaves.entries()) {
    const leafIndex = size + offset;
    const found = yield* db.run(
      "UPDATE audit_records SET leaf_index = ? WHERE tenant_id = ? AND record_id = ? AND leaf_index IS NULL",
      leafIndex,
      tenantId,
      recordId,
    );
    if (found === 0) {
      throw new StoreError(
        "NOT_FOUND",
        `there is no audit record ${recordId} that waits for a leaf index`,
      );
    }
    yield* db.tell(
      "INSERT INTO audit_leaves (tenant_id, leaf_index, leaf_hash, record_id) VALUES (?, ?, ?, ?)",
      tenantId,
      leafIndex,
      leafHash,
      recordId,
    );
  }
  yield* db.tell(
    "UPDATE audit_trees SET size = ?, frontier = ? WHERE tenant_id = ?",
    size + leaves.length,
    documentText(args.frontier),
    tenantId,
  );
  return null;
}
