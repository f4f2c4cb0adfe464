import type {
  FoundRecord,
  RecordFilter,
  StoredRecord,
  TreeState,
} from "../../audit/audit-store.ts";
import { alertingActions } from "../../model/alerting-actions.ts";
import type { Instant } from "../../model/clock.ts";
import type { TenantId } from "../../model/ids.ts";
import type { AuditRecord } from "../../model/records.ts";
import type { Database, SqlValue, Steps } from "./database.ts";
import type { Query } from "./engine.ts";

interface OfTenant {
  readonly tenantId: TenantId;
}

interface RecordRow {
  readonly tenant_id: TenantId;
  readonly leaf_index: number | null;
  readonly body: string;
  readonly personal: string | null;
  readonly commitments: string | null;
}

const recordColumns = "r.tenant_id, r.leaf_index, r.body, r.personal, r.commitments";

function toStored(row: RecordRow): StoredRecord {
  const body = JSON.parse(row.body) as Omit<AuditRecord, "personal">;
  return {
    tenantId: row.tenant_id,
    leafIndex: row.leaf_index ?? undefined,
    record:
      row.personal === null
        ? body
        : {
            ...body,
            personal: JSON.parse(row.personal) as NonNullable<AuditRecord["personal"]>,
          },
    commitments:
      row.commitments === null ? {} : (JSON.parse(row.commitments) as StoredRecord["commitments"]),
  };
}

/** Asked often, and mostly nothing is there: one look into a partial index. */
export const tenantsToSequence: Query<null, readonly TenantId[]> = {
  place: "point",
  *run(db) {
    const rows = yield* db.all<{ tenant_id: TenantId }>(
      `SELECT DISTINCT tenant_id FROM audit_records ${db.dialect.indexedBy("audit_records_unsequenced")} WHERE leaf_index IS NULL ORDER BY tenant_id`,
    );
    return rows.map((row) => row.tenant_id);
  },
};

export const listUnsequenced: Query<
  OfTenant & { readonly limit: number },
  readonly StoredRecord[]
> = {
  place: "scan",
  *run(db, { tenantId, limit }) {
    return (yield* db.all<RecordRow>(
      `SELECT ${recordColumns} FROM audit_records r ${db.dialect.indexedBy("audit_records_unsequenced")}
         WHERE r.tenant_id = ? AND r.leaf_index IS NULL ORDER BY r.commit_order LIMIT ?`,
      tenantId,
      limit,
    )).map(toStored);
  },
};

export function* readTree(db: Database, tenantId: TenantId): Steps<TreeState> {
  const row = yield* db.get<{ size: number; frontier: string }>(
    "SELECT size, frontier FROM audit_trees WHERE tenant_id = ?",
    tenantId,
  );
  return row === undefined
    ? { size: 0, frontier: [] }
    : { size: row.size, frontier: JSON.parse(row.frontier) as string[] };
}

export const getTree: Query<OfTenant, TreeState> = {
  place: "point",
  *run(db, { tenantId }) {
    return yield* readTree(db, tenantId);
  },
};

interface LeafPage {
  readonly from: number;
  readonly limit: number;
}

export const listLeaves: Query<OfTenant & LeafPage, readonly string[]> = {
  place: "scan",
  *run(db, { tenantId, from, limit }) {
    return (yield* db.all<{ leaf_hash: string }>(
      "SELECT leaf_hash FROM audit_leaves WHERE tenant_id = ? AND leaf_index >= ? ORDER BY leaf_index LIMIT ?",
      tenantId,
      from,
      limit,
    )).map((row) => row.leaf_hash);
  },
};

export const listRecords: Query<OfTenant & LeafPage, readonly StoredRecord[]> = {
  place: "scan",
  *run(db, { tenantId, from, limit }) {
    return (yield* db.all<RecordRow>(
      `SELECT ${recordColumns} FROM audit_leaves l CROSS JOIN audit_records r
         WHERE l.tenant_id = ? AND l.leaf_index >= ? AND r.tenant_id = l.tenant_id AND r.record_id = l.record_id
         ORDER BY l.leaf_index LIMIT ?`,
      tenantId,
      from,
      limit,
    )).map(toStored);
  },
};

export const findRecords: Query<OfTenant & RecordFilter, readonly FoundRecord[]> = {
  place: "scan",
  *run(db, { tenantId, limit, ...filter }) {
    const { action, subject } = filter;
    const below = action?.endsWith(".*") === true ? action.slice(0, -1) : undefined;
    const inBody = (...path: readonly string[]) => `${db.dialect.textAt("r.body", ...path)} = ?`;
    const conditions: readonly (readonly [string, SqlValue | undefined])[] = [
      ["r.identity_id = ?", filter.identityId],
      ["r.connection_id = ?", filter.connectionId],
      ["r.action = ?", below === undefined ? action : undefined],
      // A full stop is followed by a slash: everything that begins so, in the order of bytes.
      ["r.action >= ?", below],
      ["r.action < ?", below === undefined ? undefined : `${below.slice(0, -1)}/`],
      ["r.at >= ?", filter.from],
      ["r.at < ?", filter.before],
      ["r.commit_order < ?", filter.after],
      [inBody("actor", "id"), filter.actor],
      [inBody("subject", "type"), subject?.type],
      [inBody("subject", "id"), subject?.id],
    ];
    const given = conditions.flatMap(([sql, value]) =>
      value === undefined ? [] : [{ sql, value }],
    );
    const rows = yield* db.all<RecordRow & { readonly commit_order: number }>(
      `SELECT ${recordColumns}, r.commit_order FROM audit_records r
         WHERE ${["r.tenant_id = ?", ...given.map(({ sql }) => sql)].join(" AND ")}
         ORDER BY r.commit_order DESC LIMIT ?`,
      tenantId,
      ...given.map(({ value }) => value),
      limit,
    );
    return rows.map((row) => ({ ...toStored(row), order: row.commit_order }));
  },
};

const alerting = Object.keys(alertingActions)
  .map((action) => `'${action}'`)
  .join(", ");

export const alertingRecords: Query<
  OfTenant & { readonly from: Instant; readonly limit: number },
  readonly StoredRecord[]
> = {
  place: "scan",
  *run(db, { tenantId, from, limit }) {
    return (yield* db.all<RecordRow>(
      `SELECT ${recordColumns} FROM audit_records r ${db.dialect.indexedBy("audit_records_alerting")}
         WHERE r.tenant_id = ? AND r.action IN (${alerting}) AND r.at >= ? ORDER BY r.commit_order DESC LIMIT ?`,
      tenantId,
      from,
      limit,
    )).map(toStored);
  },
};

export const auditQueries = {
  tenantsToSequence,
  listUnsequenced,
  getTree,
  listLeaves,
  listRecords,
  findRecords,
  alertingRecords,
};
