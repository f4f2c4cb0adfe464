import type {
  HrCandidate,
  HrMessage,
  HrPerson,
  HrRecord,
  HrSecret,
  HrSource,
  HrUpload,
  ParkedHrMessage,
} from "../../directory/hr-store.ts";
import type { Instant } from "../../model/clock.ts";
import { defaultEmploymentPolicy, type EmploymentFacts } from "../../model/employment.ts";
import type { HrSettings } from "../../model/hr-settings.ts";
import type { HrSourceId, IdentityId, TenantId } from "../../model/ids.ts";
import type { Database, Steps } from "./database.ts";
import type { Query } from "./engine.ts";
import {
  toMessage,
  toRecord,
  toUpload,
  type MessageRow,
  type RecordRow,
  type UploadRow,
} from "./hr-rows.ts";

interface OfTenant {
  readonly tenantId: TenantId;
}

interface OfPerson extends OfTenant {
  readonly sourceId: HrSourceId;
  readonly personKey: string;
}

export const getHrSettings: Query<OfTenant, HrSettings | undefined> = {
  place: "point",
  run: (db, { tenantId }) => settingsOf(db, tenantId),
};

function* settingsOf(db: Database, tenantId: TenantId): Steps<HrSettings | undefined> {
  const row = yield* db.get<{ document: string }>(
    "SELECT document FROM hr_settings WHERE tenant_id = ?",
    tenantId,
  );
  return row === undefined ? undefined : (JSON.parse(row.document) as HrSettings);
}

export const listHrSources: Query<OfTenant, readonly HrSource[]> = {
  place: "point",
  *run(db, { tenantId }) {
    const rows = yield* db.all<{
      source_id: HrSourceId;
      created_at: Instant;
      removed_at: Instant | null;
      last_message_at: Instant | null;
    }>(
      "SELECT source_id, created_at, removed_at, last_message_at FROM hr_sources WHERE tenant_id = ? ORDER BY source_id",
      tenantId,
    );
    return rows.map((row) => ({
      sourceId: row.source_id,
      createdAt: row.created_at,
      removedAt: row.removed_at ?? undefined,
      lastMessageAt: row.last_message_at ?? undefined,
    }));
  },
};

export const listHrSecrets: Query<
  OfTenant & { readonly sourceId: HrSourceId; readonly now: Instant },
  readonly HrSecret[]
> = {
  place: "point",
  *run(db, { tenantId, sourceId, now }) {
    const rows = yield* db.all<{
      source_id: HrSourceId;
      secret_name: string;
      fingerprint: string;
      created_at: Instant;
      expires_at: Instant | null;
    }>(
      `SELECT s.source_id, s.secret_name, s.fingerprint, s.created_at, s.expires_at FROM hr_sources h JOIN hr_secrets s USING (tenant_id, source_id)
       WHERE h.tenant_id = ? AND h.source_id = ? AND h.removed_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > ?)
       ORDER BY s.created_at DESC, s.secret_name`,
      tenantId,
      sourceId,
      now,
    );
    return rows.map((row) => ({
      sourceId: row.source_id,
      secretName: row.secret_name,
      fingerprint: row.fingerprint,
      createdAt: row.created_at,
      expiresAt: row.expires_at ?? undefined,
    }));
  },
};

export const getHrUpload: Query<OfTenant & { readonly uploadId: string }, HrUpload | undefined> = {
  // A body may be large: it is read beside the point reads.
  place: "scan",
  *run(db, { tenantId, uploadId }) {
    const row = yield* db.get<UploadRow>(
      "SELECT * FROM hr_uploads WHERE tenant_id = ? AND upload_id = ?",
      tenantId,
      uploadId,
    );
    return row === undefined ? undefined : toUpload(row);
  },
};

export const listUnansweredHr: Query<
  { readonly before: Instant; readonly limit: number },
  readonly { readonly tenantId: TenantId; readonly uploadId: string }[]
> = {
  place: "point",
  *run(db, { before, limit }) {
    const rows = yield* db.all<{ tenant_id: TenantId; upload_id: string }>(
      "SELECT tenant_id, upload_id FROM hr_uploads WHERE answer IS NULL AND received_at <= ? ORDER BY received_at LIMIT ?",
      before,
      limit,
    );
    return rows.map((row) => ({ tenantId: row.tenant_id, uploadId: row.upload_id }));
  },
};

type Settled = "applied" | "parked" | "replayed" | "dismissed";

export const settledHrMessages: Query<
  OfTenant & { readonly uploadId: string },
  ReadonlyMap<number, Settled>
> = {
  place: "scan",
  *run(db, { tenantId, uploadId }) {
    const rows = yield* db.all<{ position: number; state: Settled }>(
      "SELECT position, state FROM hr_messages WHERE tenant_id = ? AND upload_id = ?",
      tenantId,
      uploadId,
    );
    return new Map(rows.map((row) => [row.position, row.state]));
  },
};

interface Place {
  readonly receivedAt: Instant;
  readonly uploadId: string;
  readonly position: number;
}

export const listParkedHr: Query<
  OfTenant & { readonly after: Place | undefined; readonly limit: number },
  readonly ParkedHrMessage[]
> = {
  place: "scan",
  *run(db, { tenantId, after, limit }) {
    const rows = yield* db.all<MessageRow & { kind: HrUpload["kind"] }>(
      `SELECT m.upload_id, m.position, m.source_id, m.code, m.why, m.received_at, u.kind
       FROM hr_messages m JOIN hr_uploads u USING (tenant_id, upload_id)
       WHERE m.tenant_id = ? AND m.state = 'parked' AND (m.received_at, m.upload_id, m.position) > (?, ?, ?)
       ORDER BY m.received_at, m.upload_id, m.position LIMIT ?`,
      tenantId,
      after?.receivedAt ?? 0,
      after?.uploadId ?? "",
      after?.position ?? -1,
      limit,
    );
    return rows.map((row) => ({
      uploadId: row.upload_id,
      position: row.position,
      sourceId: row.source_id,
      kind: row.kind,
      code: row.code ?? "UNREADABLE",
      why: row.why ?? "",
      receivedAt: row.received_at,
    }));
  },
};

export const readHrPerson: Query<
  OfPerson,
  { readonly record: HrRecord | undefined; readonly messages: readonly HrMessage[] }
> = {
  place: "point",
  snapshot: true,
  *run(db, key) {
    const messages = yield* db.all<MessageRow>(
      `SELECT upload_id, position, source_id, code, why, said_at, repeated_at, received_at, document FROM hr_messages
       WHERE tenant_id = ? AND source_id = ? AND person_key = ? AND state = 'applied'`,
      key.tenantId,
      key.sourceId,
      key.personKey,
    );
    return { record: yield* getHrRecord.run(db, key), messages: messages.map(toMessage) };
  },
};

export const getHrRecord: Query<OfPerson, HrRecord | undefined> = {
  place: "point",
  *run(db, { tenantId, sourceId, personKey }) {
    const row = yield* db.get<RecordRow>(
      "SELECT * FROM hr_records WHERE tenant_id = ? AND source_id = ? AND person_key = ?",
      tenantId,
      sourceId,
      personKey,
    );
    return row === undefined ? undefined : toRecord(row);
  },
};

export const listHrRecords: Query<
  OfTenant & {
    readonly sourceId: HrSourceId;
    readonly after: string | undefined;
    readonly limit: number;
  },
  readonly HrRecord[]
> = {
  place: "scan",
  *run(db, { tenantId, sourceId, after, limit }) {
    const rows = yield* db.all<RecordRow>(
      "SELECT * FROM hr_records WHERE tenant_id = ? AND source_id = ? AND person_key > ? ORDER BY person_key LIMIT ?",
      tenantId,
      sourceId,
      after ?? "",
      limit,
    );
    return rows.map(toRecord);
  },
};

export const findHrCandidates: Query<
  OfPerson & Pick<HrPerson, "employeeNumber" | "email">,
  readonly HrCandidate[]
> = {
  place: "point",
  *run(db, { tenantId, sourceId, personKey, employeeNumber, email }) {
    const rows = yield* db.all<{
      identity_id: IdentityId;
      matched_by: HrCandidate["by"];
      taken: number;
    }>(
      `SELECT c.identity_id, c.matched_by, CASE WHEN EXISTS (
           SELECT 1 FROM hr_records h WHERE h.tenant_id = ?1 AND h.identity_id = c.identity_id AND h.source_id = ?2 AND h.person_key <> ?3
         ) THEN 1 ELSE 0 END AS taken
       FROM (
         SELECT u.identity_id, 'employee_number' AS matched_by FROM users u
           WHERE u.tenant_id = ?1 AND u.employee_number = ?4 AND u.deleted_at IS NULL
         UNION
         SELECT u.identity_id, 'email' AS matched_by FROM user_emails e CROSS JOIN users u
           WHERE e.tenant_id = ?1 AND e.email_folded = ?5 AND e.position IS NOT NULL
             AND u.tenant_id = e.tenant_id AND u.source_user_id = e.source_user_id AND u.deleted_at IS NULL
       ) AS c ORDER BY c.matched_by DESC, c.identity_id`,
      tenantId,
      sourceId,
      personKey,
      // No user has an empty one.
      employeeNumber ?? "",
      email ?? "",
    );
    return rows.map((row) => ({
      identityId: row.identity_id,
      by: row.matched_by,
      taken: row.taken === 1,
    }));
  },
};

export const findWaitingHr: Query<
  OfTenant & { readonly identityIds: readonly IdentityId[] },
  readonly HrRecord[]
> = {
  place: "point",
  *run(db, { tenantId, identityIds }) {
    // Most tenants have nobody that waits: one look into a partial index.
    const waiting = yield* db.get(
      "SELECT 1 FROM hr_records WHERE tenant_id = ? AND identity_id IS NULL LIMIT 1",
      tenantId,
    );
    if (waiting === undefined) return [];
    const list = JSON.stringify(identityIds);
    const rows = yield* db.all<RecordRow>(
      `SELECT h.* FROM ${db.dialect.values("ids")} CROSS JOIN users u CROSS JOIN hr_records h
       WHERE u.tenant_id = ? AND u.identity_id = ids.value AND u.deleted_at IS NULL AND u.employee_number IS NOT NULL
         AND h.tenant_id = u.tenant_id AND h.identity_id IS NULL AND h.employee_number = u.employee_number`,
      list,
      tenantId,
    );
    rows.push(
      ...(yield* db.all<RecordRow>(
        `SELECT h.* FROM ${db.dialect.values("ids")} CROSS JOIN users u CROSS JOIN user_emails e CROSS JOIN hr_records h
         WHERE u.tenant_id = ? AND u.identity_id = ids.value AND u.deleted_at IS NULL
           AND e.tenant_id = u.tenant_id AND e.source_user_id = u.source_user_id AND e.position IS NOT NULL
           AND h.tenant_id = e.tenant_id AND h.identity_id IS NULL AND h.email_folded = e.email_folded`,
        list,
        tenantId,
      )),
    );
    const found = new Map(rows.map((row) => [`${row.source_id}\n${row.person_key}`, row]));
    return [...found.values()].map(toRecord);
  },
};

/** What HR says about each of these people; the others are left out. */
export function* employmentOf(
  db: Database,
  tenantId: TenantId,
  identityIds: readonly IdentityId[],
): Steps<ReadonlyMap<string, EmploymentFacts>> {
  const rows = yield* db.all<RecordRow>(
    `SELECT h.* FROM ${db.dialect.values("ids")} CROSS JOIN hr_records h WHERE h.tenant_id = ? AND h.identity_id = ids.value`,
    JSON.stringify(identityIds),
    tenantId,
  );
  if (rows.length === 0) return new Map();
  const settings = yield* settingsOf(db, tenantId);
  const policy = settings?.employment ?? defaultEmploymentPolicy;
  const records = rows.map(toRecord).filter((record) => record.spells.length > 0);
  const people = Map.groupBy(records, (record) => record.identityId ?? "");
  return new Map(
    [...people].map(([identityId, own]) => [
      identityId,
      {
        policy,
        records: own.map(({ sourceId, person, spells }) => ({
          sourceId,
          personKey: person.key,
          spells,
          ...(person.attributes === undefined ? {} : { attributes: person.attributes }),
        })),
      },
    ]),
  );
}

export const hrQueries = {
  getHrSettings,
  listHrSources,
  listHrSecrets,
  getHrUpload,
  listUnansweredHr,
  settledHrMessages,
  listParkedHr,
  readHrPerson,
  getHrRecord,
  listHrRecords,
  findHrCandidates,
  findWaitingHr,
};
