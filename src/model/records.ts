import type { Clock, Instant } from "./clock.ts";
import { newId, type ConnectionId, type GroupId, type IdentityId, type IdpId } from "./ids.ts";
import type { JsonObject } from "./json.ts";
import type { TraceParent } from "./trace.ts";

/**
 * read: looks, and changes nothing · operator: keeps things running · approver: decides too · hr: everything, and sees planned leaves.
 */
export type OperatorRole = "read" | "operator" | "approver" | "hr";

/** Who did it. `address` is the network address of the caller where there was one. */
export interface Actor {
  readonly kind: "idp" | "hr" | "operator" | "worker" | "system" | "vendor";
  /** IdP connection, operator name, worker instance, … */
  readonly id: string;
  readonly address?: string;
  /** First 12 hex digits of the SHA-256 of the credential that was used; never the credential. */
  readonly credentialFingerprint?: string;
  /** Of an operator's token; absent: it may do everything. */
  readonly role?: OperatorRole;
}

/** What the record is about. `id` is ours or the vendor's id, never a personal value. */
export interface Subject {
  readonly type:
    | "identity"
    | "source_user"
    | "group"
    | "connection"
    | "mapping"
    | "hold"
    | "tenant"
    | "idp"
    | "token"
    | "credential"
    | "switch"
    | "exception"
    | "finding"
    | "link"
    | "account"
    | "task"
    | "roster"
    | "review"
    | "dead_letter"
    | "hr_source"
    | "hr_message"
    | "store";
  readonly id: string;
}

/**
 * One entry of the audit record, in its final form. The leaf of the tree is the RFC 8785 form of this value with
 * `personal` replaced by its salted commitments, so that a personal value can be erased and every proof stays valid.
 */
export interface AuditRecord {
  /** Random UUID (v4 or v7), made by the writer; the leaf index comes later, from the sequencer. */
  readonly recordId: string;
  readonly at: Instant;
  readonly actor: Actor;
  /** Past tense, dotted: `user.created`, `group.members_changed`, `grant.added`, `hold.approved`. */
  readonly action: string;
  readonly subject: Subject;
  readonly connectionId?: ConnectionId;
  /** The vendor's or the IdP request's id. */
  readonly requestId?: string;
  /** Why: the cause of the work (`scim.group:<id>`, `mapping:<version>`, `sweep`, …). */
  readonly cause?: string;
  readonly mappingVersion?: string;
  /** Facts without personal values: ids, roles, statuses, counts, rule ids. */
  readonly facts: JsonObject;
  /** Personal values (addresses, names) by field; each stored beside the leaf with its own 16-byte salt (hex). */
  readonly personal?: Readonly<Record<string, { readonly value: string; readonly salt: string }>>;
}

/** Makes a record: adds the random id, the instant and a salt for each personal value. */
export function newRecord(
  clock: Clock,
  draft: Omit<AuditRecord, "recordId" | "at" | "personal"> & {
    readonly personal?: Readonly<Record<string, string | undefined>>;
  },
): AuditRecord {
  const { personal, ...rest } = draft;
  const record = { ...rest, recordId: newId(clock), at: clock.now() };
  const given = Object.entries(personal ?? {}).filter((entry) => entry[1] !== undefined);
  if (given.length === 0) return record;
  return {
    ...record,
    personal: Object.fromEntries(
      given.map(([field, value]) => [
        field,
        { value: value ?? "", salt: Buffer.from(clock.bytes(16)).toString("hex") },
      ]),
    ),
  };
}

/**
 * Why somebody must be recomputed. `key` groups what one act causes, for the one-cause rail:
 * `scim.group:<groupId>`, `mapping:<versionId>`; single-person causes have none.
 */
export interface Cause {
  readonly kind:
    | "scim.user"
    | "scim.group"
    | "hr"
    | "mapping"
    | "operator"
    | "observation"
    | "schedule"
    | "sweep";
  readonly key?: string;
  /** What asked for it, where that is traced; kept with the mark and its target, for spans alone. */
  readonly trace?: TraceParent;
}

/** `wanted += 1` for one identity, in the same commit as what made it stale. */
export interface RecomputeRequest {
  readonly identityId: IdentityId;
  readonly cause: Cause;
  /** A leaver or an emergency: own topic, own sweep. */
  readonly urgent: boolean;
  /** Not before this instant; absent: now. */
  readonly dueAt?: Instant;
}

/** Who a fan-out marks, in pages, under a lease. */
export type FanoutScope =
  /** Everybody of the tenant. */
  | { readonly kind: "tenant" }
  /** Everybody from one IdP connection. */
  | { readonly kind: "idp"; readonly idpId: IdpId }
  /** Members of a group, nested ones too, whether the group is alive or a tombstone. */
  | { readonly kind: "group"; readonly groupId: GroupId }
  /** Everybody who has a target at a connection. */
  | { readonly kind: "connection"; readonly connectionId: ConnectionId };

/**
 * Work that touches many people or needs sync before people: worked in pages by the scheduler role, never in a request. Those over
 * everybody because of groups join one that waits.
 */
export interface FanoutRequest {
  readonly fanoutId: string;
  readonly scope: FanoutScope;
  readonly cause: Cause;
  readonly urgent: boolean;
}

/**
 * What every writing command takes last and the adapter commits together with the rows.
 * Required, so that forgetting the audit record is a type error.
 */
export interface Also {
  readonly records: readonly AuditRecord[];
  readonly recompute: readonly RecomputeRequest[];
  readonly fanouts?: readonly FanoutRequest[];
}
