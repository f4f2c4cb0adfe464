import type { Instant } from "../model/clock.ts";
import type { HrAttributes, HrMoment, Spell } from "../model/employment.ts";
import type { HrSettings } from "../model/hr-settings.ts";
import type { HrSourceId, IdentityId, TenantId } from "../model/ids.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Also } from "../model/records.ts";

/** An HR system that pushes to us. Removed, it is heard no more; what it said stands. */
export interface HrSource {
  readonly sourceId: HrSourceId;
  readonly createdAt: Instant;
  readonly removedAt: Instant | undefined;
  readonly lastMessageAt: Instant | undefined;
}

/** A name in the sealed secrets, by which a source signs. */
export interface HrSecret {
  readonly sourceId: HrSourceId;
  readonly secretName: string;
  /** First 12 hex digits of the SHA-256 of the secret. */
  readonly fingerprint: string;
  readonly createdAt: Instant;
  /** Undefined: good until it is rotated out. */
  readonly expiresAt: Instant | undefined;
}

/** A body as it came. */
export interface HrUpload {
  readonly tenantId: TenantId;
  readonly uploadId: string;
  readonly sourceId: HrSourceId;
  readonly kind: "event" | "bulk" | "file";
  /** The event's or batch's id at its source: the same one again is the same upload. */
  readonly key: string;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** SHA-256 (hex) of the body. */
  readonly bodyHash: string;
  readonly receivedAt: Instant;
  /** What the sender was told; undefined: not worked through yet. */
  readonly answer: JsonObject | undefined;
}

/** Why a message is kept and does nothing until a person, or a better file, helps. */
export type HrParkCode =
  /** It cannot be understood. */
  | "UNREADABLE"
  /** A date without a zone: no instant follows from it. */
  | "NO_ZONE"
  /** It names nobody. */
  | "NO_PERSON"
  /** A field that the field map reads is not there. */
  | "FIELD_MISSING"
  /** More people would be missing from an upload than may leave by absence. */
  | "ABSENCE_GUARD";

/** What one message says. */
export type HrStatement =
  | { readonly type: "hire"; readonly starts: HrMoment | undefined }
  | { readonly type: "change"; readonly starts: HrMoment | undefined }
  | { readonly type: "leave"; readonly moment: HrMoment }
  | { readonly type: "leave-withdrawn" }
  | { readonly type: "absence"; readonly from: HrMoment; readonly until: HrMoment | undefined }
  | { readonly type: "absence-ended"; readonly until: HrMoment }
  /** How things stand, from a state upload. `leaves` null: no leave is planned; undefined: the upload does not say. */
  | {
      readonly type: "state";
      readonly status: "employed" | "away" | "left";
      readonly starts: HrMoment | undefined;
      readonly leaves: HrMoment | null | undefined;
    };

/** How a person is found; each a key of the source, or of the person at an IdP. */
export interface HrPerson {
  readonly key: string;
  /** Folded. */
  readonly employeeNumber: string | undefined;
  /** Work address, folded. */
  readonly email: string | undefined;
  readonly displayName: string | undefined;
  /** Those that hr.yaml declares, and of which the message says something. */
  readonly attributes?: HrAttributes;
}

/** One understood message. */
export interface HrMessage {
  readonly uploadId: string;
  /** Its place in the upload, from 0. */
  readonly position: number;
  readonly person: HrPerson;
  readonly statement: HrStatement;
  /** When the source said it: messages count in this order, whatever order they arrive in. */
  readonly saidAt: Instant;
  readonly receivedAt: Instant;
  /** The last time at which a state upload said the same again. */
  readonly repeatedAt: Instant | undefined;
}

export interface ParkedHrMessage {
  readonly uploadId: string;
  readonly position: number;
  readonly sourceId: HrSourceId;
  readonly kind: HrUpload["kind"];
  readonly code: HrParkCode;
  /** One sentence that says what to do; it may say what the message says: for role `hr`. */
  readonly why: string;
  readonly receivedAt: Instant;
}

/** What one source says about one person, as all its messages add up to. */
export interface HrRecord {
  readonly sourceId: HrSourceId;
  readonly person: HrPerson;
  readonly spells: readonly Spell[];
  readonly version: number;
  readonly identityId: IdentityId | undefined;
  readonly joinedBy: JoinedBy | undefined;
  readonly updatedAt: Instant;
}

export type JoinedBy = "employee_number" | "email" | "operator";

/** Somebody at an IdP who may be the person of an HR record. */
export interface HrCandidate {
  readonly identityId: IdentityId;
  readonly by: "employee_number" | "email";
  /** Another record of the same source is joined with this identity. */
  readonly taken: boolean;
}

interface RecordKey {
  readonly sourceId: HrSourceId;
  readonly personKey: string;
}

/** HR sources, what they sent, and what it adds up to. */
export interface HrStore {
  setHrSettings(
    tenantId: TenantId,
    command: { readonly settings: HrSettings },
    also: Also,
  ): Promise<void>;
  getHrSettings(tenantId: TenantId): Promise<HrSettings | undefined>;

  // — sources and their secrets —
  /** A removed source comes back by being added again. @throws StoreError ALREADY_EXISTS */
  addHrSource(
    tenantId: TenantId,
    command: { readonly sourceId: HrSourceId; readonly now: Instant },
    also: Also,
  ): Promise<void>;
  /** @throws StoreError NOT_FOUND */
  removeHrSource(
    tenantId: TenantId,
    command: { readonly sourceId: HrSourceId; readonly now: Instant },
    also: Also,
  ): Promise<void>;
  listHrSources(tenantId: TenantId): Promise<readonly HrSource[]>;
  /** The secrets before it, those that end earlier excepted, are good until `formerUntil`. @throws StoreError NOT_FOUND */
  addHrSecret(
    tenantId: TenantId,
    command: {
      readonly secret: Omit<HrSecret, "expiresAt">;
      readonly formerUntil: Instant;
    },
    also: Also,
  ): Promise<void>;
  /** Those that have not expired at `now`, of a source that is not removed; newest first. */
  listHrSecrets(
    tenantId: TenantId,
    sourceId: HrSourceId,
    now: Instant,
  ): Promise<readonly HrSecret[]>;

  // — what came —
  /**
   * Keeps a body. `known`: the upload with this key that is there already, which may have another body. No truth changes.
   * @throws StoreError NOT_FOUND where there is no such source
   */
  keepHrUpload(
    tenantId: TenantId,
    upload: Omit<HrUpload, "tenantId" | "answer">,
  ): Promise<{ readonly known: HrUpload | undefined }>;
  getHrUpload(tenantId: TenantId, uploadId: string): Promise<HrUpload | undefined>;
  /** Sets the answer where there is none. */
  answerHrUpload(
    tenantId: TenantId,
    command: { readonly uploadId: string; readonly answer: JsonObject },
  ): Promise<void>;
  /** Uploads of all tenants that came before `before` and were not worked through. */
  listUnansweredHr(
    before: Instant,
    limit: number,
  ): Promise<readonly { readonly tenantId: TenantId; readonly uploadId: string }[]>;
  /** Messages of an upload that were settled: position → what became of them. */
  settledHrMessages(
    tenantId: TenantId,
    uploadId: string,
  ): Promise<ReadonlyMap<number, "applied" | "parked" | "replayed" | "dismissed">>;

  // — messages —
  /** Parks a message, in place of its earlier parking. */
  parkHrMessage(
    tenantId: TenantId,
    message: ParkedHrMessage & { readonly document: Json },
    also: Also,
  ): Promise<void>;
  /** Oldest first, from after `after`. */
  listParkedHr(
    tenantId: TenantId,
    page: {
      readonly after:
        | { readonly receivedAt: Instant; readonly uploadId: string; readonly position: number }
        | undefined;
      readonly limit: number;
    },
  ): Promise<readonly ParkedHrMessage[]>;
  /** A person decided that it stays without effect. @throws StoreError NOT_FOUND where it is not parked */
  dismissHrMessage(
    tenantId: TenantId,
    command: { readonly uploadId: string; readonly position: number },
    also: Also,
  ): Promise<void>;

  // — records —
  /** A record and all messages that it is made of, in no order. */
  readHrPerson(
    tenantId: TenantId,
    key: RecordKey,
  ): Promise<{ readonly record: HrRecord | undefined; readonly messages: readonly HrMessage[] }>;
  /**
   * Applies a message: writes it (or, with `repeats`, notes on an earlier one that it was said again), the record that follows from it, and
   * that its source was heard. A parked message of the same place becomes `replayed` by this one.
   * @throws StoreError VERSION_CONFLICT when the record moved meanwhile
   */
  applyHrMessage(
    tenantId: TenantId,
    command: {
      readonly message: HrMessage;
      readonly sourceId: HrSourceId;
      readonly repeats: { readonly uploadId: string; readonly position: number } | undefined;
      /** Of the record that was read; 0: there was none. */
      readonly expect: number;
      readonly record: Omit<HrRecord, "version">;
    },
    also: Also,
  ): Promise<void>;
  /** Who may be the person of a record: by employee number among living users, by a present address. */
  findHrCandidates(
    tenantId: TenantId,
    person: RecordKey & Pick<HrPerson, "employeeNumber" | "email">,
  ): Promise<readonly HrCandidate[]>;
  /** Records that no identity is joined with and that one of these people may be. */
  findWaitingHr(
    tenantId: TenantId,
    identityIds: readonly IdentityId[],
  ): Promise<readonly HrRecord[]>;
  /** Joins a record with an identity, or parts them. @throws StoreError VERSION_CONFLICT; ALREADY_EXISTS where another record of the source has the identity */
  joinHrRecord(
    tenantId: TenantId,
    command: RecordKey & {
      readonly expect: number;
      readonly identityId: IdentityId | undefined;
      readonly by: JoinedBy | undefined;
    },
    also: Also,
  ): Promise<void>;
  /** Records of a source by key, from after `after`. */
  listHrRecords(
    tenantId: TenantId,
    page: {
      readonly sourceId: HrSourceId;
      readonly after: string | undefined;
      readonly limit: number;
    },
  ): Promise<readonly HrRecord[]>;
  getHrRecord(tenantId: TenantId, key: RecordKey): Promise<HrRecord | undefined>;
}
