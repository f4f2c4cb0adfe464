import type { LedgerEntry, Link, ObservedAccount } from "../../accounts/account-store.ts";
import type { Hold, RailEntry, RailState } from "../../accounts/rail.ts";
import type { LeasedTarget, Priority, Target, TargetState } from "../../accounts/target.ts";
import type { ObservedGrant } from "../../model/account.ts";
import type { Instant } from "../../model/clock.ts";
import {
  asId,
  type AccountId,
  type ConnectionId,
  type HoldId,
  type IdentityId,
  type TenantId,
} from "../../model/ids.ts";
import type { Rail } from "../../model/rail.ts";
import { parsed, parsedOrNull } from "./account-args.ts";

/** Columns and the shape of their rows stand beside each other here, one pair per noun. */
export const targetColumns =
  "tenant_id, connection_id, identity_id, generation, applied_generation, wake, due_at, priority, state, reason, hash, attempts, wished_at, verified_at, cause, trace, lease_until, fence, notes, desired";

export interface TargetRow {
  readonly tenant_id: string;
  readonly connection_id: string;
  readonly identity_id: string;
  readonly generation: number;
  readonly applied_generation: number;
  readonly wake: number;
  readonly due_at: Instant | null;
  readonly priority: Priority;
  readonly state: TargetState;
  readonly reason: string | null;
  readonly hash: string;
  readonly attempts: number;
  readonly wished_at: Instant;
  readonly verified_at: Instant | null;
  readonly cause: string;
  readonly trace: string | null;
  readonly lease_until: Instant;
  readonly fence: number;
  readonly notes: string;
  readonly desired: string;
}

export function toTarget(row: TargetRow): Target {
  return {
    tenantId: asId<TenantId>(row.tenant_id),
    connectionId: asId<ConnectionId>(row.connection_id),
    identityId: asId<IdentityId>(row.identity_id),
    generation: row.generation,
    appliedGeneration: row.applied_generation,
    wake: row.wake,
    dueAt: row.due_at,
    priority: row.priority,
    state: row.state,
    reason: parsedOrNull(row.reason),
    desired: parsed(row.desired),
    attempts: row.attempts,
    wishedAt: row.wished_at,
    verifiedAt: row.verified_at,
    notes: parsed(row.notes),
    cause: row.cause,
    ...(row.trace !== null && { trace: row.trace }),
  };
}

export function toLeasedTarget(row: TargetRow): LeasedTarget {
  return { ...toTarget(row), fence: row.fence, leaseUntil: row.lease_until };
}

export const linkColumns = "connection_id, identity_id, account_id, email, origin, since";

export interface LinkRow {
  readonly connection_id: string;
  readonly identity_id: string;
  readonly account_id: string;
  readonly email: string;
  readonly origin: Link["origin"];
  readonly since: Instant;
}

export function toLink(row: LinkRow): Link {
  return {
    connectionId: asId<ConnectionId>(row.connection_id),
    identityId: asId<IdentityId>(row.identity_id),
    accountId: asId<AccountId>(row.account_id),
    email: row.email,
    origin: row.origin,
    since: row.since,
  };
}

export const ledgerColumns =
  "connection_id, identity_id, kind, object_id, role, origin, since, because";

export interface LedgerRow {
  readonly connection_id: string;
  readonly identity_id: string;
  readonly kind: string;
  readonly object_id: string;
  readonly role: string;
  readonly origin: LedgerEntry["origin"];
  readonly since: Instant;
  readonly because: string;
}

export function toLedgerEntry(row: LedgerRow): LedgerEntry {
  return {
    connectionId: asId<ConnectionId>(row.connection_id),
    identityId: asId<IdentityId>(row.identity_id),
    kind: row.kind,
    objectId: row.object_id,
    role: row.role,
    origin: row.origin,
    since: row.since,
    because: parsed(row.because),
  };
}

export const observedColumns =
  "o.connection_id, o.account_id, o.email, o.other_emails, o.state, o.role, o.display_name, o.created_at, o.expires_at, o.read_at, o.gone";

export interface ObservedRow {
  readonly connection_id: string;
  readonly account_id: string;
  readonly email: string;
  readonly other_emails: string;
  readonly state: ObservedAccount["state"];
  readonly role: string;
  readonly display_name: string | null;
  readonly created_at: Instant | null;
  readonly expires_at: Instant | null;
  readonly read_at: Instant;
  readonly gone: number;
}

export function toObserved(row: ObservedRow): ObservedAccount {
  return {
    connectionId: asId<ConnectionId>(row.connection_id),
    accountId: asId<AccountId>(row.account_id),
    email: row.email,
    otherEmails: parsed(row.other_emails),
    state: row.state,
    role: row.role,
    displayName: row.display_name ?? undefined,
    createdAt: row.created_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    readAt: row.read_at,
    gone: row.gone === 1,
  };
}

export const grantColumns =
  "g.connection_id, g.account_id, g.kind, g.object_id, g.role, g.implicit, g.read_at";

export interface GrantRow {
  readonly connection_id: string;
  readonly account_id: string;
  readonly kind: string;
  readonly object_id: string;
  readonly role: string;
  readonly implicit: number;
  readonly read_at: Instant;
}

export function toGrant(row: GrantRow): ObservedGrant & { readonly accountId: AccountId } {
  return {
    accountId: asId<AccountId>(row.account_id),
    kind: row.kind,
    objectId: row.object_id,
    role: row.role,
    implicit: row.implicit === 1,
  };
}

/** Entries that are still to be done, being done, or refused by a person: what the partial indexes hold. */
export const openEntry = "state IN ('reserved', 'held', 'approved', 'executing', 'rejected')";

export const entryColumns =
  "entry_id, connection_id, identity_id, kind, object_id, direction, role_from, role_to, rail, cause_key, not_before, state, decided, hold_id, reserved_at";

export interface EntryRow {
  readonly entry_id: string;
  readonly connection_id: string;
  readonly identity_id: string;
  readonly kind: string;
  readonly object_id: string;
  readonly direction: RailEntry["direction"];
  readonly role_from: string | null;
  readonly role_to: string | null;
  readonly rail: Rail;
  readonly cause_key: string;
  readonly not_before: Instant;
  readonly state: RailState;
  readonly decided: number;
  readonly hold_id: string | null;
  readonly reserved_at: Instant;
}

export function toRailEntry(row: EntryRow): RailEntry {
  return {
    entryId: row.entry_id,
    connectionId: asId<ConnectionId>(row.connection_id),
    identityId: asId<IdentityId>(row.identity_id),
    slot: { kind: row.kind, objectId: row.object_id },
    direction: row.direction,
    roleFrom: row.role_from,
    roleTo: row.role_to,
    rail: row.rail,
    causeKey: row.cause_key,
    notBefore: row.not_before,
    state: row.state,
    holdId: row.hold_id === null ? null : asId<HoldId>(row.hold_id),
    reservedAt: row.reserved_at,
  };
}

export interface HoldRow {
  readonly hold_id: string;
  readonly scope: string;
  readonly rail: Rail;
  readonly count_key: string;
  readonly state: Hold["state"];
  readonly opened_at: Instant;
  readonly decided_at: Instant | null;
  readonly decided_by: string | null;
  readonly first_by: string | null;
  readonly tripped_count: number;
  readonly allowance: number;
  readonly people: number;
  readonly entries: number;
}

export function toHold(row: HoldRow): Hold {
  return {
    holdId: asId<HoldId>(row.hold_id),
    connectionId: row.scope === "" ? undefined : asId<ConnectionId>(row.scope),
    rail: row.rail,
    causeKey: row.count_key,
    state: row.state,
    openedAt: row.opened_at,
    decidedAt: row.decided_at ?? undefined,
    decidedBy: row.decided_by ?? undefined,
    firstBy: row.first_by ?? undefined,
    count: row.tripped_count,
    allowance: row.allowance,
    people: row.people,
    entries: row.entries,
  };
}
