import type { Instant } from "../model/clock.ts";
import type { GroupId, IdentityId, IdpId, SourceUserId, TenantId } from "../model/ids.ts";
import type { AccessException, IdentityFacts } from "../model/identity.ts";
import type { JsonObject } from "../model/json.ts";
import type { Also, Cause } from "../model/records.ts";
import type { DirectoryQuery, Page, PageRequest } from "./query.ts";

/** A person as one IdP connection describes them. */
export interface SourceUser {
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  readonly sourceUserId: SourceUserId;
  readonly identityId: IdentityId;
  /** As sent; unique without regard to case among the live users of the IdP connection. */
  readonly userName: string;
  readonly externalId: string | undefined;
  readonly active: boolean;
  /** Canonical SCIM attributes without id, meta, groups, schemas: what GET gives back. */
  readonly resource: JsonObject;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** What a write says about a person; the columns are taken out of `resource` by the caller so that they cannot disagree. */
export interface SourceUserDraft {
  readonly userName: string;
  readonly externalId: string | undefined;
  readonly displayName: string | undefined;
  readonly active: boolean;
  /** As sent, primary first. */
  readonly emails: readonly string[];
  readonly resource: JsonObject;
}

export interface Group {
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  readonly groupId: GroupId;
  /** As sent; unique without regard to case among the live groups of the IdP connection. */
  readonly displayName: string;
  readonly externalId: string | undefined;
  readonly memberCount: number;
  readonly version: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

export interface Member {
  /** A SourceUserId or a GroupId; whatever the IdP sent, where we know neither. */
  readonly memberId: string;
  readonly kind: "user" | "group" | "unknown";
  /** userName or group name, for `display`; undefined where unknown. */
  readonly display: string | undefined;
}

/** Applied in order, by difference, idempotent: adding a member that is there and removing one that is not change nothing. */
export type MemberChange =
  | { readonly op: "add"; readonly memberIds: readonly string[] }
  | { readonly op: "remove"; readonly memberIds: readonly string[] }
  /** The whole list; diffed in the store, only the difference is written. */
  | { readonly op: "replace"; readonly memberIds: readonly string[] };

export interface MembersChanged {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Ids among `added` that are no user and no group of this IdP connection: kept as pending members. */
  readonly unknown: readonly string[];
}

export interface Tenant {
  readonly tenantId: TenantId;
  readonly createdAt: Instant;
}

export interface IdpConnection {
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  readonly kind: "okta" | "entra" | "generic";
  /** When a person or the first quiet after the initial load said that everything has arrived; undefined: absence proves nothing yet. */
  readonly loadedAt: Instant | undefined;
  readonly lastRequestAt: Instant | undefined;
  readonly userCount: number;
  readonly groupCount: number;
  readonly createdAt: Instant;
}

/** A live or deleted group as bindings see it. */
export interface GroupName {
  readonly groupId: GroupId;
  readonly idpId: IdpId;
  readonly displayName: string;
  readonly deleted: boolean;
}

/**
 * What each tenant's sources say is true. Every write is one command with plain values; it commits its rows, the
 * recompute marks and the audit records of `also` together or not at all, and resolves only when that is durable.
 *
 * For writes that change memberships the store, which alone knows the difference, completes `also`:
 * each changed person's identity gets a mark with `memberCause`, a nested group that was added or removed marks its
 * people, more than 5,000 changed people become one fan-out; and the first record's facts get
 * `added`, `removed` (lists of member ids) and `unknown`. When nothing at all changed (equal content, no member
 * changed), no row, version, mark or record is written.
 */
export interface DirectoryStore {
  // — tenants and IdP connections —
  createTenant(tenantId: TenantId, command: { readonly now: Instant }, also: Also): Promise<Tenant>;
  listTenants(): Promise<readonly Tenant[]>;
  createIdp(
    tenantId: TenantId,
    command: { readonly idpId: IdpId; readonly kind: IdpConnection["kind"]; readonly now: Instant },
    also: Also,
  ): Promise<IdpConnection>;
  listIdps(tenantId: TenantId): Promise<readonly IdpConnection[]>;
  /** Marks an IdP connection as loaded (or, with undefined, as arriving again). The caller adds a fan-out. */
  setIdpLoaded(
    tenantId: TenantId,
    command: { readonly idpId: IdpId; readonly loadedAt: Instant | undefined },
    also: Also,
  ): Promise<void>;

  // — people —
  /**
   * Stores a new person with a new identity (`identityId`).
   * @throws StoreError ALREADY_EXISTS field "userName"
   */
  createUser(
    tenantId: TenantId,
    command: {
      readonly idpId: IdpId;
      readonly sourceUserId: SourceUserId;
      readonly identityId: IdentityId;
      readonly user: SourceUserDraft;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<SourceUser>;
  /** @throws StoreError NOT_FOUND, VERSION_CONFLICT (when `expect` is not the version), ALREADY_EXISTS field "userName" */
  replaceUser(
    tenantId: TenantId,
    command: {
      readonly idpId: IdpId;
      readonly sourceUserId: SourceUserId;
      readonly expect: number;
      readonly user: SourceUserDraft;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<SourceUser>;
  /** A tombstone: unreadable over SCIM, its memberships end, its userName is free; the identity stays. @throws NOT_FOUND, VERSION_CONFLICT */
  deleteUser(
    tenantId: TenantId,
    command: {
      readonly idpId: IdpId;
      readonly sourceUserId: SourceUserId;
      readonly expect: number | undefined;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  getUser(
    tenantId: TenantId,
    idpId: IdpId,
    sourceUserId: SourceUserId,
  ): Promise<SourceUser | undefined>;
  /** Stable order; total exact. `query` runs in the database. @throws StoreError INVALID field "filter" for what cannot be asked, "scanAtMost" for what would read more documents */
  listUsers(
    tenantId: TenantId,
    idpId: IdpId,
    query: DirectoryQuery,
    page: PageRequest,
  ): Promise<Page<SourceUser>>;
  /** Live groups that hold the person directly, for the `groups` attribute. */
  groupsOfUser(
    tenantId: TenantId,
    idpId: IdpId,
    sourceUserIds: readonly SourceUserId[],
  ): Promise<
    ReadonlyMap<
      SourceUserId,
      readonly { readonly groupId: GroupId; readonly displayName: string }[]
    >
  >;

  // — groups —
  /** @throws StoreError ALREADY_EXISTS field "displayName" */
  createGroup(
    tenantId: TenantId,
    command: {
      readonly idpId: IdpId;
      readonly groupId: GroupId;
      readonly displayName: string;
      readonly externalId: string | undefined;
      readonly memberIds: readonly string[];
      readonly memberCause: Cause;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<{ readonly group: Group; readonly members: MembersChanged }>;
  /**
   * Rename, externalId and member changes in one commit. Touches a constant number of rows per changed member, whatever
   * the size of the group. `expect` is only for If-Match; without it concurrent deltas all count.
   * @throws StoreError NOT_FOUND, VERSION_CONFLICT, ALREADY_EXISTS field "displayName"
   */
  updateGroup(
    tenantId: TenantId,
    command: {
      readonly idpId: IdpId;
      readonly groupId: GroupId;
      readonly expect: number | undefined;
      /** Absent: unchanged; null clears (externalId only). */
      readonly displayName?: string;
      readonly externalId?: string | null;
      readonly memberChanges: readonly MemberChange[];
      readonly memberCause: Cause;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<{ readonly group: Group; readonly members: MembersChanged }>;
  /** A tombstone: memberships are kept with it (so that its people can be marked), the name is free. @throws NOT_FOUND, VERSION_CONFLICT */
  deleteGroup(
    tenantId: TenantId,
    command: {
      readonly idpId: IdpId;
      readonly groupId: GroupId;
      readonly expect: number | undefined;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  getGroup(tenantId: TenantId, idpId: IdpId, groupId: GroupId): Promise<Group | undefined>;
  listGroups(
    tenantId: TenantId,
    idpId: IdpId,
    query: DirectoryQuery,
    page: PageRequest,
  ): Promise<Page<Group>>;
  /** Members by id, from after `after`; for streaming a big group in pages. */
  listMembers(
    tenantId: TenantId,
    groupId: GroupId,
    page: { readonly after: string | undefined; readonly limit: number },
  ): Promise<readonly Member[]>;
  /** Live and deleted groups by folded name, all IdP connections of the tenant. */
  findGroupsByName(tenantId: TenantId, names: readonly string[]): Promise<readonly GroupName[]>;
  /** Groups by id, tombstones included. */
  findGroupsById(tenantId: TenantId, groupIds: readonly GroupId[]): Promise<readonly GroupName[]>;

  // — identities —
  /** Everything mapping may ask, for up to 500 identities in one read; unknown ids are left out. */
  readIdentities(
    tenantId: TenantId,
    identityIds: readonly IdentityId[],
  ): Promise<readonly IdentityFacts[]>;
  /** Identities by what a person types: id, SCIM id, e-mail (present or former), userName, externalId. Live people first; at most 20. */
  findIdentities(tenantId: TenantId, text: string): Promise<readonly IdentityId[]>;
  /**
   * Identities in id order, from after `after`: those with a present or former address or a userName that begins with a text, or with a
   * name that has a word which does.
   */
  searchIdentities(
    tenantId: TenantId,
    page: {
      readonly text: string;
      readonly after: IdentityId | undefined;
      readonly limit: number;
    },
  ): Promise<readonly IdentityId[]>;
  /** Identities whose present address is one of these (folded). */
  findIdentitiesByEmail(
    tenantId: TenantId,
    emails: readonly string[],
  ): Promise<
    readonly {
      readonly email: string;
      readonly identityId: IdentityId;
      readonly active: boolean;
      readonly former: boolean;
    }[]
  >;
  /** All identities in id order, from after `after`. */
  listIdentities(
    tenantId: TenantId,
    page: { readonly after: IdentityId | undefined; readonly limit: number },
  ): Promise<readonly IdentityId[]>;
  countIdentities(tenantId: TenantId): Promise<{ readonly active: number; readonly total: number }>;
  /** How many active people have each attribute, for `mapping check --online`. */
  attributeCounts(tenantId: TenantId): Promise<ReadonlyMap<string, number>>;

  // — exceptions —
  /** Replaces all rows with source "file" by these; marks nobody, the caller adds a fan-out where something changed. */
  replaceFileExceptions(
    tenantId: TenantId,
    command: { readonly exceptions: readonly AccessException[] },
    also: Also,
  ): Promise<{ readonly changed: number }>;
  addException(
    tenantId: TenantId,
    command: { readonly exception: AccessException; readonly now: Instant },
    also: Also,
  ): Promise<void>;
  withdrawException(
    tenantId: TenantId,
    command: { readonly exceptionId: string; readonly now: Instant },
    also: Also,
  ): Promise<void>;
  /** Those that name one of the folded addresses or userNames; expired ones too (the caller compares `until`). */
  findExceptions(
    tenantId: TenantId,
    people: readonly string[],
  ): Promise<readonly AccessException[]>;
  listExceptions(tenantId: TenantId): Promise<readonly AccessException[]>;
}
