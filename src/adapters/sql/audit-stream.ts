import { StoreError } from "../../model/errors.ts";
import type { TenantId } from "../../model/ids.ts";
import type { Database, Steps } from "./database.ts";
import type { Query } from "./engine.ts";

function* streamedTo(db: Database, tenantId: TenantId): Steps<number> {
  const row = yield* db.get<{ next_index: number }>(
    "SELECT next_index FROM audit_streams WHERE tenant_id = ?",
    tenantId,
  );
  return row?.next_index ?? 0;
}

export function* moveAuditStream(
  db: Database,
  args: { readonly tenantId: TenantId; readonly expect: number; readonly next: number },
): Steps<null> {
  yield* db.run(
    "INSERT INTO audit_streams (tenant_id, next_index) VALUES (?, 0) ON CONFLICT DO NOTHING",
    args.tenantId,
  );
  const moved = yield* db.run(
    "UPDATE audit_streams SET next_index = ? WHERE tenant_id = ? AND next_index = ?",
    args.next,
    args.tenantId,
    args.expect,
  );
  if (moved === 0) {
    throw new StoreError(
      "VERSION_CONFLICT",
      `the audit record of ${args.tenantId} is not streamed up to ${String(args.expect)} any more`,
    );
  }
  return null;
}

export const auditStreamedTo: Query<{ readonly tenantId: TenantId }, number> = {
  place: "point",
  run: (db, { tenantId }) => streamedTo(db, tenantId),
};

export const tenantsToStream: Query<null, readonly TenantId[]> = {
  place: "point",
  *run(db) {
    const rows = yield* db.all<{ tenant_id: TenantId }>(
      `SELECT t.tenant_id FROM audit_trees t LEFT JOIN audit_streams s ON s.tenant_id = t.tenant_id
       WHERE t.size > coalesce(s.next_index, 0) ORDER BY t.tenant_id`,
    );
    return rows.map((row) => row.tenant_id);
  },
};

export const auditStreamCommands = { moveAuditStream };
export const auditStreamQueries = { auditStreamedTo, tenantsToStream };
