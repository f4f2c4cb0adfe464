import type {
  HrMessage,
  HrParkCode,
  HrRecord,
  HrStatement,
  HrUpload,
  JoinedBy,
} from "../../directory/hr-store.ts";
import type { Instant } from "../../model/clock.ts";
import type { HrAttributes, Spell } from "../../model/employment.ts";
import type { HrSourceId, IdentityId, TenantId } from "../../model/ids.ts";
import type { JsonObject } from "../../model/json.ts";

export interface UploadRow {
  readonly tenant_id: TenantId;
  readonly upload_id: string;
  readonly source_id: HrSourceId;
  readonly kind: HrUpload["kind"];
  readonly upload_key: string;
  readonly content_type: string;
  readonly body: Uint8Array;
  readonly body_hash: string;
  readonly received_at: Instant;
  readonly answer: string | null;
}

export function toUpload(row: UploadRow): HrUpload {
  return {
    tenantId: row.tenant_id,
    uploadId: row.upload_id,
    sourceId: row.source_id,
    kind: row.kind,
    key: row.upload_key,
    contentType: row.content_type,
    body: row.body,
    bodyHash: row.body_hash,
    receivedAt: row.received_at,
    answer: row.answer === null ? undefined : (JSON.parse(row.answer) as JsonObject),
  };
}

export interface RecordRow {
  readonly tenant_id: TenantId;
  readonly source_id: HrSourceId;
  readonly person_key: string;
  readonly version: number;
  readonly identity_id: IdentityId | null;
  readonly joined_by: JoinedBy | null;
  readonly employee_number: string | null;
  readonly email_folded: string | null;
  readonly updated_at: Instant;
  readonly document: string;
}

/** What of a record has no column of its own. */
export interface RecordDocument {
  readonly displayName: string | null;
  readonly spells: readonly Spell[];
  readonly attributes?: HrAttributes;
}

export function toRecord(row: RecordRow): HrRecord {
  const { displayName, spells, attributes } = JSON.parse(row.document) as RecordDocument;
  return {
    sourceId: row.source_id,
    person: {
      key: row.person_key,
      employeeNumber: row.employee_number ?? undefined,
      email: row.email_folded ?? undefined,
      displayName: displayName ?? undefined,
      ...(attributes === undefined ? {} : { attributes }),
    },
    spells: spells.map(whole),
    version: row.version,
    identityId: row.identity_id ?? undefined,
    joinedBy: row.joined_by ?? undefined,
    updatedAt: row.updated_at,
  };
}

/** JSON leaves out what is undefined; readers get it back. */
export function whole(spell: Spell): Spell {
  return {
    spell: spell.spell,
    starts: spell.starts,
    leaves: spell.leaves,
    absences: spell.absences.map(({ from, until }) => ({ from, until })),
  };
}

export interface MessageRow {
  readonly upload_id: string;
  readonly position: number;
  readonly source_id: HrSourceId;
  readonly code: HrParkCode | null;
  readonly why: string | null;
  readonly said_at: Instant;
  readonly repeated_at: Instant | null;
  readonly received_at: Instant;
  readonly document: string;
}

/** What of an understood message has no column of its own. */
export interface MessageDocument {
  readonly person: {
    readonly key: string;
    readonly employeeNumber?: string;
    readonly email?: string;
    readonly displayName?: string;
    readonly attributes?: HrAttributes;
  };
  readonly statement: HrStatement;
}

export function toMessage(row: MessageRow): HrMessage {
  const { person, statement } = JSON.parse(row.document) as MessageDocument;
  return {
    uploadId: row.upload_id,
    position: row.position,
    person: {
      key: person.key,
      employeeNumber: person.employeeNumber,
      email: person.email,
      displayName: person.displayName,
      ...(person.attributes === undefined ? {} : { attributes: person.attributes }),
    },
    statement,
    saidAt: row.said_at,
    receivedAt: row.received_at,
    repeatedAt: row.repeated_at ?? undefined,
  };
}
