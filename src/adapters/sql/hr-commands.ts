import type {
  HrMessage,
  HrRecord,
  HrSecret,
  HrUpload,
  JoinedBy,
  ParkedHrMessage,
} from "../../directory/hr-store.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { HrSettings } from "../../model/hr-settings.ts";
import type { HrSourceId, IdentityId, TenantId } from "../../model/ids.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { Also } from "../../model/records.ts";
import { writeAlso } from "./also.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import { toUpload, type RecordDocument, type UploadRow } from "./hr-rows.ts";

interface Write {
  readonly tenantId: TenantId;
  readonly now: Instant;
  readonly also: Also;
}

export const hrCommands = {
  setHrSettings,
  addHrSource,
  removeHrSource,
  addHrSecret,
  keepHrUpload,
  answerHrUpload,
  parkHrMessage,
  dismissHrMessage,
  applyHrMessage,
  joinHrRecord,
};

export function* setHrSettings(
  db: Database,
  args: Write & { readonly settings: HrSettings },
): Steps<null> {
  yield* db.tell(
    "INSERT INTO hr_settings (tenant_id, document) VALUES (?, ?) ON CONFLICT (tenant_id) DO UPDATE SET document = excluded.document",
    args.tenantId,
    documentText(args.settings),
  );
  yield* writeAlso(db, args.tenantId, args.also, args.now);
  return null;
}

export function* addHrSource(
  db: Database,
  args: Write & { readonly sourceId: HrSourceId },
): Steps<null> {
  const { tenantId, sourceId, now } = args;
  const added = yield* db.run(
    `INSERT INTO hr_sources (tenant_id, source_id, created_at) VALUES (?, ?, ?)
     ON CONFLICT (tenant_id, source_id) DO UPDATE SET removed_at = NULL WHERE hr_sources.removed_at IS NOT NULL`,
    tenantId,
    sourceId,
    now,
  );
  if (added === 0)
    throw new StoreError("ALREADY_EXISTS", `there is an HR source ${sourceId} already`, {
      field: "sourceId",
    });
  yield* writeAlso(db, tenantId, args.also, now);
  return null;
}

export function* removeHrSource(
  db: Database,
  args: Write & { readonly sourceId: HrSourceId },
): Steps<null> {
  const { tenantId, sourceId, now } = args;
  const removed = yield* db.run(
    "UPDATE hr_sources SET removed_at = ? WHERE tenant_id = ? AND source_id = ? AND removed_at IS NULL",
    now,
    tenantId,
    sourceId,
  );
  if (removed === 0) throw noSource(sourceId);
  yield* db.tell(
    `UPDATE hr_secrets SET expires_at = ? WHERE tenant_id = ? AND source_id = ? AND (expires_at IS NULL OR expires_at > ?)`,
    now,
    tenantId,
    sourceId,
    now,
  );
  yield* writeAlso(db, tenantId, args.also, now);
  return null;
}

export function* addHrSecret(
  db: Database,
  args: Write & {
    readonly secret: Omit<HrSecret, "expiresAt">;
    readonly formerUntil: Instant;
  },
): Steps<null> {
  const { tenantId, secret, formerUntil } = args;
  yield* livingSource(db, tenantId, secret.sourceId);
  yield* db.tell(
    `UPDATE hr_secrets SET expires_at = ? WHERE tenant_id = ? AND source_id = ? AND (expires_at IS NULL OR expires_at > ?)`,
    formerUntil,
    tenantId,
    secret.sourceId,
    formerUntil,
  );
  yield* db.tell(
    "INSERT INTO hr_secrets (tenant_id, source_id, secret_name, fingerprint, created_at) VALUES (?, ?, ?, ?, ?)",
    tenantId,
    secret.sourceId,
    secret.secretName,
    secret.fingerprint,
    secret.createdAt,
  );
  yield* writeAlso(db, tenantId, args.also, args.now);
  return null;
}

function* livingSource(db: Database, tenantId: TenantId, sourceId: HrSourceId): Steps<void> {
  const row = yield* db.get(
    `SELECT 1 FROM hr_sources WHERE tenant_id = ? AND source_id = ? AND removed_at IS NULL ${db.dialect.forUpdate}`,
    tenantId,
    sourceId,
  );
  if (row === undefined) throw noSource(sourceId);
}

function noSource(sourceId: HrSourceId): StoreError {
  return new StoreError(
    "NOT_FOUND",
    `there is no HR source ${sourceId}: \`rolecall hr source add ${sourceId}\``,
  );
}

export function* keepHrUpload(
  db: Database,
  args: { readonly tenantId: TenantId; readonly upload: Omit<HrUpload, "tenantId" | "answer"> },
): Steps<{ readonly known: HrUpload | undefined }> {
  const { tenantId, upload } = args;
  yield* livingSource(db, tenantId, upload.sourceId);
  // The row of the source is held: of two that bring one key at once, one is second.
  const known = yield* db.get<UploadRow>(
    "SELECT * FROM hr_uploads WHERE tenant_id = ? AND source_id = ? AND kind = ? AND upload_key = ?",
    tenantId,
    upload.sourceId,
    upload.kind,
    upload.key,
  );
  if (known !== undefined) return { known: toUpload(known) };
  yield* db.tell(
    `INSERT INTO hr_uploads (tenant_id, upload_id, source_id, kind, upload_key, content_type, body, body_hash, received_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    tenantId,
    upload.uploadId,
    upload.sourceId,
    upload.kind,
    upload.key,
    upload.contentType,
    upload.body,
    upload.bodyHash,
    upload.receivedAt,
  );
  yield* db.tell(
    "UPDATE hr_sources SET last_message_at = ? WHERE tenant_id = ? AND source_id = ?",
    upload.receivedAt,
    tenantId,
    upload.sourceId,
  );
  return { known: undefined };
}

export function* answerHrUpload(
  db: Database,
  args: { readonly tenantId: TenantId; readonly uploadId: string; readonly answer: JsonObject },
): Steps<null> {
  yield* db.tell(
    "UPDATE hr_uploads SET answer = ? WHERE tenant_id = ? AND upload_id = ? AND answer IS NULL",
    documentText(args.answer),
    args.tenantId,
    args.uploadId,
  );
  return null;
}

export function* parkHrMessage(
  db: Database,
  args: Write & { readonly message: ParkedHrMessage & { readonly document: Json } },
): Steps<null> {
  const { tenantId, message } = args;
  const kept = yield* db.run(
    `INSERT INTO hr_messages (tenant_id, upload_id, position, source_id, state, code, why, said_at, received_at, document)
     VALUES (?, ?, ?, ?, 'parked', ?, ?, ?, ?, ?)
     ON CONFLICT (tenant_id, upload_id, position) DO UPDATE SET code = excluded.code, why = excluded.why, document = excluded.document
       WHERE hr_messages.state = 'parked' AND (hr_messages.code <> excluded.code OR hr_messages.why <> excluded.why)`,
    tenantId,
    message.uploadId,
    message.position,
    message.sourceId,
    message.code,
    message.why,
    message.receivedAt,
    message.receivedAt,
    documentText(message.document),
  );
  if (kept > 0) yield* writeAlso(db, tenantId, args.also, args.now);
  return null;
}

export function* dismissHrMessage(
  db: Database,
  args: Write & { readonly uploadId: string; readonly position: number },
): Steps<null> {
  const dismissed = yield* db.run(
    "UPDATE hr_messages SET state = 'dismissed' WHERE tenant_id = ? AND upload_id = ? AND position = ? AND state = 'parked'",
    args.tenantId,
    args.uploadId,
    args.position,
  );
  if (dismissed === 0)
    throw new StoreError("NOT_FOUND", `${args.uploadId}/${String(args.position)} is not parked`);
  yield* writeAlso(db, args.tenantId, args.also, args.now);
  return null;
}

export function* applyHrMessage(
  db: Database,
  args: Write & {
    readonly message: HrMessage;
    readonly sourceId: HrSourceId;
    readonly repeats: { readonly uploadId: string; readonly position: number } | undefined;
    readonly expect: number;
    readonly record: Omit<HrRecord, "version">;
  },
): Steps<null> {
  const { tenantId, message, sourceId, record } = args;
  yield* writeRecordRow(db, tenantId, args.expect, record);
  if (args.repeats === undefined) yield* writeMessageRow(db, tenantId, sourceId, message);
  else {
    yield* db.tell(
      `UPDATE hr_messages SET repeated_at = ${db.dialect.greatest("coalesce(repeated_at, said_at)", "?")} WHERE tenant_id = ? AND upload_id = ? AND position = ?`,
      message.saidAt,
      tenantId,
      args.repeats.uploadId,
      args.repeats.position,
    );
    yield* db.tell(
      "UPDATE hr_messages SET state = 'replayed' WHERE tenant_id = ? AND upload_id = ? AND position = ? AND state = 'parked'",
      tenantId,
      message.uploadId,
      message.position,
    );
  }
  yield* writeAlso(db, tenantId, args.also, args.now);
  return null;
}

/** @throws StoreError VERSION_CONFLICT */
function* writeRecordRow(
  db: Database,
  tenantId: TenantId,
  expect: number,
  record: Omit<HrRecord, "version">,
): Steps<void> {
  const { person } = record;
  const document: RecordDocument = {
    displayName: person.displayName ?? null,
    ...(person.attributes === undefined ? {} : { attributes: person.attributes }),
    spells: record.spells,
  };
  const written = yield* db.run(
    `INSERT INTO hr_records (tenant_id, source_id, person_key, version, identity_id, joined_by, employee_number, email_folded, updated_at, document)
     VALUES (?1, ?2, ?3, ?11, ?5, ?6, ?7, ?8, ?9, ?10)
     ON CONFLICT (tenant_id, source_id, person_key) DO UPDATE SET version = excluded.version, identity_id = excluded.identity_id, joined_by = excluded.joined_by,
       employee_number = excluded.employee_number, email_folded = excluded.email_folded, updated_at = excluded.updated_at, document = excluded.document
     WHERE hr_records.version = ?4`,
    tenantId,
    record.sourceId,
    person.key,
    expect,
    record.identityId ?? null,
    record.joinedBy ?? null,
    person.employeeNumber ?? null,
    person.email ?? null,
    record.updatedAt,
    documentText(document),
    expect + 1,
  );
  if (written === 0) throw moved(person.key);
}

function moved(personKey: string): StoreError {
  return new StoreError("VERSION_CONFLICT", `the HR record ${personKey} moved: read it again`);
}

function* writeMessageRow(
  db: Database,
  tenantId: TenantId,
  sourceId: HrSourceId,
  message: HrMessage,
): Steps<void> {
  yield* db.tell(
    `INSERT INTO hr_messages (tenant_id, upload_id, position, source_id, person_key, state, said_at, repeated_at, received_at, document)
     VALUES (?, ?, ?, ?, ?, 'applied', ?, ?, ?, ?)
     ON CONFLICT (tenant_id, upload_id, position) DO UPDATE SET person_key = excluded.person_key, state = 'applied', code = NULL, why = NULL,
       said_at = excluded.said_at, document = excluded.document`,
    tenantId,
    message.uploadId,
    message.position,
    sourceId,
    message.person.key,
    message.saidAt,
    message.repeatedAt ?? null,
    message.receivedAt,
    documentText({ person: message.person, statement: message.statement }),
  );
}

export function* joinHrRecord(
  db: Database,
  args: Write & {
    readonly sourceId: HrSourceId;
    readonly personKey: string;
    readonly expect: number;
    readonly identityId: IdentityId | undefined;
    readonly by: JoinedBy | undefined;
  },
): Steps<null> {
  const { tenantId, sourceId, personKey } = args;
  const former = yield* db.get<{ identity_id: string | null }>(
    `SELECT identity_id FROM hr_records WHERE tenant_id = ? AND source_id = ? AND person_key = ? AND version = ? ${db.dialect.forUpdate}`,
    tenantId,
    sourceId,
    personKey,
    args.expect,
  );
  if (former === undefined) throw moved(personKey);
  yield* db.tell(
    "UPDATE hr_records SET identity_id = ?, joined_by = ?, version = version + 1 WHERE tenant_id = ? AND source_id = ? AND person_key = ?",
    args.identityId ?? null,
    args.by ?? null,
    tenantId,
    sourceId,
    personKey,
  );
  if (former.identity_id !== null && former.identity_id !== args.identityId)
    yield* db.tell(
      "UPDATE identities SET hr_departed = 0 WHERE tenant_id = ? AND identity_id = ?",
      tenantId,
      former.identity_id,
    );
  yield* writeAlso(db, tenantId, args.also, args.now);
  return null;
}
