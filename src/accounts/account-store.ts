import type { ObservedGrant, VendorAccount, VendorObject } from "../model/account.ts";
import type { DesiredState } from "../model/assignment.ts";
import type { Instant } from "../model/clock.ts";
import type { Entitlement, Slot } from "../model/entitlement.ts";
import type {
  AccountId,
  ConnectionId,
  HoldId,
  IdentityId,
  IntentId,
  TenantId,
} from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { ConnectionPolicy } from "../model/policy.ts";
import type { Also, AuditRecord, Cause } from "../model/records.ts";
import type { Finding, FindingDraft } from "./finding.ts";
import type { GateRefusal, Intent, IntentState, StepKind } from "./intent.ts";
import type { Lane, LaneChange, StopSwitch, TokenDraw } from "./lane.ts";
import type { LeaverCase, LeaverSight } from "./leaver-case.ts";
import type { Hold, RailEntry, RailRequest } from "./rail.ts";
import type { LeasedTarget, Priority, Target, TargetReason, TargetState } from "./target.ts";

/** Identity ↔ account at one connection. One account belongs to at most one identity. */
export interface Link {
  readonly connectionId: ConnectionId;
  readonly identityId: IdentityId;
  readonly accountId: AccountId;
  /** The address of the account when it was linked, folded. */
  readonly email: string;
  /** created: our invitation · matched: same address of a listed domain · manual: a person said so. */
  readonly origin: "created" | "matched" | "manual";
  readonly since: Instant;
}

/** What we gave or took over: the only things that a mover may lose. */
export interface LedgerEntry extends Entitlement {
  readonly connectionId: ConnectionId;
  readonly identityId: IdentityId;
  readonly origin: "granted" | "adopted";
  readonly since: Instant;
  readonly because: readonly string[];
}

/** An account as it was last read. */
export interface ObservedAccount extends VendorAccount {
  readonly connectionId: ConnectionId;
  readonly readAt: Instant;
  /** Gone: absent from a complete read at `readAt`. */
  readonly gone: boolean;
}

/** What `sync` wishes for one target; `hash` is the canonical one of `desired`. */
export interface TargetWish {
  readonly connectionId: ConnectionId;
  readonly desired: DesiredState;
  readonly hash: string;
  readonly priority: Priority;
  readonly rail: RailRequest;
  /** This, `cause` and `trace` are written only where the generation rises. */
  readonly record: AuditRecord;
  readonly cause: string;
  readonly trace?: Cause["trace"] | undefined;
}

/** Everything the store knows of one identity, all connections: what a recompute compares its wishes with. */
export interface PersonState {
  readonly identityId: IdentityId;
  /** The leaver case that is theirs now, if any. */
  readonly leaverCase: LeaverCase | undefined;
  readonly targets: readonly (Target & { readonly hash: string })[];
  readonly links: readonly Link[];
  readonly ledger: readonly LedgerEntry[];
  /** Open ones: reserved, held, approved, executing, rejected. */
  readonly entries: readonly RailEntry[];
  /** The linked accounts as last read. */
  readonly observed: readonly ObservedAccount[];
  readonly observedGrants: readonly (ObservedGrant & {
    readonly connectionId: ConnectionId;
    readonly accountId: AccountId;
  })[];
}

/** What one person's look showed: the accounts that were found, the linked ones that were not (`gone`), and the slots that were asked for with what they hold. */
export interface LookRecord {
  readonly accounts: readonly VendorAccount[];
  readonly gone: readonly AccountId[];
  readonly grants: readonly {
    readonly accountId: AccountId;
    readonly asked: readonly Slot[];
    readonly held: readonly ObservedGrant[];
  }[];
  readonly now: Instant;
}

/**
 * What we know and owe per identity × connection. All commands are atomic; those that change truth take `also`.
 * Instants are the caller's domain time.
 */
export interface AccountStore {
  // — sync —
  /** The state of up to 500 identities in a constant number of statements; one item per asked id, in the order asked. */
  readPeople(
    tenantId: TenantId,
    identityIds: readonly IdentityId[],
  ): Promise<readonly PersonState[]>;
  /**
   * Commits the wishes of one recompute and `done = wanted`, only where `done < wanted`; otherwise writes nothing and answers
   * `applied: false`. A wish whose hash is the target's writes no target row; its rail request still counts. A new hash:
   * generation + 1, attempts 0, state due, wake + 1, dueAt now. Targets of the identity at connections without a wish stay.
   * `nextDueAt` re-arms the mark (an exception that ends, somebody who starts), urgent with `nextUrgent` (a leave instant). Opened
   * holds write a `hold.opened` record. `leaver` opens the person's case where they are gone and have none, adds connections to an
   * open one, and ends it where they are back.
   */
  commitSync(
    tenantId: TenantId,
    command: {
      readonly identityId: IdentityId;
      readonly wanted: number;
      readonly wishes: readonly TargetWish[];
      readonly nextDueAt: Instant | undefined;
      readonly nextUrgent?: boolean;
      readonly leaver?: LeaverSight;
      /** Whether the person is gone by the word of HR, and by that of an IdP too; the record is written where the first is news. */
      readonly hrDeparted?: {
        readonly value: boolean;
        readonly confirmed: boolean;
        readonly record: AuditRecord;
      };
      readonly now: Instant;
    },
    also: Also,
  ): Promise<{
    readonly applied: boolean;
    readonly changed: readonly ConnectionId[];
    readonly opened: readonly HoldId[];
  }>;

  // — targets —
  /**
   * Leases due targets of open lanes: priority, then dueAt; per lane at most `perLane` normal leases at once plus `perLaneUrgent` for leavers,
   * counting leases of every worker. Fence + 1 for each. A lane whose `breakerUntil` lies ahead, a paused one, a stopped lane or tenant hands out nothing (leavers only, where the switch says so).
   */
  leaseTargets(command: {
    readonly owner: string;
    readonly now: Instant;
    readonly leaseMs: number;
    readonly limit: number;
    readonly perLane: number;
    readonly perLaneUrgent: number;
  }): Promise<readonly LeasedTarget[]>;
  /** Answers false when the fence is old. */
  renewLease(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly identityId: IdentityId;
      readonly fence: number;
      readonly until: Instant;
    },
  ): Promise<boolean>;
  /**
   * Ends a lease. Where `wake` moved since the lease, dueAt becomes now and the state due, whatever is said here.
   * Writes nothing of it when the fence is old, and answers false; `look` was seen all the same, and is stored in the same commit.
   */
  releaseTarget(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly identityId: IdentityId;
      readonly fence: number;
      /** `wake` as it was leased. */
      readonly wake: number;
      readonly state: TargetState;
      readonly reason: TargetReason | null;
      readonly dueAt: Instant | null;
      readonly attempts: number;
      /** Set where a complete read-back agreed with this generation. */
      readonly applied?: { readonly generation: number; readonly at: Instant };
      readonly notes: JsonObject;
      readonly look?: LookRecord;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<boolean>;
  /** wake + 1, due now; every named target, or all of the connection; parked and held ones too. Answers how many. */
  wakeTargets(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly identityIds: readonly IdentityId[] | "all";
      readonly priority: Priority;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<number>;
  getTarget(
    tenantId: TenantId,
    connectionId: ConnectionId,
    identityId: IdentityId,
  ): Promise<Target | undefined>;
  listTargets(
    tenantId: TenantId,
    filter: {
      readonly identityId?: IdentityId;
      readonly connectionId?: ConnectionId;
      readonly states?: readonly TargetState[];
      readonly after?: string;
      readonly limit: number;
    },
  ): Promise<readonly Target[]>;
  /** Counts by connection, state and lifecycle; of wishes that are not reached the oldest, and those that failed and are tried again. */
  targetCounts(tenantId: TenantId | undefined): Promise<
    readonly {
      readonly tenantId: TenantId;
      readonly connectionId: ConnectionId;
      readonly state: TargetState;
      readonly lifecycle: "active" | "departed";
      readonly count: number;
      readonly oldestWishedAt: Instant | null;
      readonly retrying: number;
      readonly oldestRetryWishedAt: Instant | null;
    }[]
  >;
  /** The earliest dueAt of any target that may be leased, for the worker's idle wait. */
  nextTargetDueAt(): Promise<Instant | undefined>;

  // — gate and outcome —
  /**
   * The one gate. Inserts the intent row (state `sent`) on condition that the fence is the target's and its lease runs, the generation is
   * the target's, the lane is open and its mode writes for the kind, no stop switch covers it, and the rail agrees: a loss
   * needs its entry `approved`, or `reserved` with notBefore reached; a gain is refused by an entry that is held or rejected, and a
   * privileged gain needs an entry. The entry becomes `executing`. A write that takes an admin role also needs the policy's minimum of other
   * active admins who are not on their way out themselves: two who leave at the same moment are asked one after the other.
   * `look` is stored where the write may pass, in the same commit; it shows nothing as gone.
   */
  insertIntent(
    tenantId: TenantId,
    command: {
      readonly intentId: IntentId;
      readonly connectionId: ConnectionId;
      readonly identityId: IdentityId;
      readonly step: StepKind;
      readonly slot: Slot;
      readonly direction: "loss" | "gain" | "neutral";
      readonly privileged: boolean;
      readonly roleFrom: string | null;
      readonly roleTo: string | null;
      readonly accountId: AccountId | null;
      /** Of a write that takes an admin role from the account: all admin roles of the vendor. */
      readonly adminRoles?: readonly string[];
      readonly generation: number;
      readonly fence: number;
      readonly notAfter: Instant;
      readonly look?: LookRecord;
      readonly now: Instant;
    },
  ): Promise<{ readonly ok: true } | ({ readonly ok: false } & GateRefusal)>;
  /**
   * The outcome row, in one commit with what it changes. `done` makes the rail entry executed; `unsent` and `refused` give it back as it was;
   * `unknown` leaves it executing. Works whatever the fence is: an outcome is a fact. A second outcome for an intent that has
   * one writes nothing (except unknown → done, refused or unsent).
   */
  finishIntent(
    tenantId: TenantId,
    command: {
      readonly intentId: IntentId;
      readonly state: Exclude<IntentState, "sent">;
      readonly facts: JsonObject;
      readonly ledger: readonly LedgerChange[];
      readonly link: LinkChange | undefined;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  /** Intents of a target that are `sent` or `unknown`, oldest first. */
  openIntents(
    tenantId: TenantId,
    connectionId: ConnectionId,
    identityId: IdentityId,
  ): Promise<readonly Intent[]>;
  /** Notes a complete read that did not show the result of an unknown create. */
  noteNegativeRead(
    tenantId: TenantId,
    command: { readonly intentId: IntentId; readonly at: Instant },
  ): Promise<void>;
  /** Finished intents of a target, newest first: how often an invitation was sent, what was done when. */
  listIntents(
    tenantId: TenantId,
    connectionId: ConnectionId,
    identityId: IdentityId,
    limit: number,
  ): Promise<readonly Intent[]>;

  // — links, ledger, observations —
  getLink(
    tenantId: TenantId,
    connectionId: ConnectionId,
    identityId: IdentityId,
  ): Promise<Link | undefined>;
  findLinks(
    tenantId: TenantId,
    connectionId: ConnectionId,
    accountIds: readonly AccountId[],
  ): Promise<readonly Link[]>;
  listLinks(
    tenantId: TenantId,
    filter: {
      readonly connectionId?: ConnectionId;
      readonly identityId?: IdentityId;
      readonly after?: string;
      readonly limit: number;
    },
  ): Promise<readonly Link[]>;
  /** Sets or removes a link. @throws StoreError ALREADY_EXISTS field "accountId" when another identity holds the account */
  changeLink(
    tenantId: TenantId,
    command: {
      readonly change: LinkChange;
      readonly connectionId: ConnectionId;
      readonly identityId: IdentityId;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  listLedger(
    tenantId: TenantId,
    connectionId: ConnectionId,
    identityId: IdentityId,
  ): Promise<readonly LedgerEntry[]>;
  changeLedger(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly identityId: IdentityId;
      readonly changes: readonly LedgerChange[];
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  /** Stores what one person's look showed. */
  recordLook(
    tenantId: TenantId,
    command: LookRecord & { readonly connectionId: ConnectionId },
  ): Promise<void>;
  /** One page of a listing; answers the accounts whose state, role or address differ from what was stored, or are new. */
  recordListing(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly listingId: string;
      readonly accounts: readonly VendorAccount[];
      readonly now: Instant;
    },
  ): Promise<readonly AccountId[]>;
  /**
   * Ends a complete listing: accounts that it did not show become gone, unless the count fell by more than `shrinkMax` (a
   * fraction) since the last complete one and by more than 3: then nothing is marked and `implausible` is true.
   */
  finishListing(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly listingId: string;
      readonly count: number;
      readonly shrinkMax: number;
      readonly now: Instant;
    },
  ): Promise<{
    readonly implausible: boolean;
    readonly previousCount: number | undefined;
    readonly gone: readonly AccountId[];
  }>;
  listObserved(
    tenantId: TenantId,
    filter: {
      readonly connectionId: ConnectionId;
      readonly accountIds?: readonly AccountId[];
      readonly emails?: readonly string[];
      readonly unlinkedOnly?: boolean;
      readonly includeGone?: boolean;
      readonly after?: string;
      readonly limit: number;
    },
  ): Promise<readonly ObservedAccount[]>;
  listObservedGrants(
    tenantId: TenantId,
    connectionId: ConnectionId,
    accountIds: readonly AccountId[],
  ): Promise<
    readonly (ObservedGrant & { readonly accountId: AccountId; readonly readAt: Instant })[]
  >;
  /** Active, accepted accounts whose role is one of these: the admin floor. */
  countObserved(
    tenantId: TenantId,
    connectionId: ConnectionId,
    roles: readonly string[],
  ): Promise<number>;
  /** Replaces the known objects of a connection after a complete read. Answers whether anything changed. */
  recordObjects(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly objects: readonly VendorObject[];
      readonly now: Instant;
    },
  ): Promise<{ readonly changed: boolean }>;
  listObjects(
    tenantId: TenantId,
    connectionId: ConnectionId,
  ): Promise<{ readonly readAt: Instant | undefined; readonly objects: readonly VendorObject[] }>;

  // — rails and holds —
  /** The same reservation as in commitSync, for changes that only a look can know (authoritative sets, a leaver's foreign grants). Adds to the target's open entries, cancels none. */
  reserveRail(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly identityId: IdentityId;
      readonly rail: RailRequest;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<{ readonly opened: readonly HoldId[] }>;
  /** Entries of a target in open states (reserved, held, approved, executing, rejected). */
  listRailEntries(
    tenantId: TenantId,
    filter: {
      readonly connectionId?: ConnectionId;
      readonly identityId?: IdentityId;
      readonly holdId?: HoldId;
      readonly after?: string;
      readonly limit: number;
    },
  ): Promise<readonly RailEntry[]>;
  listHolds(
    tenantId: TenantId,
    filter: { readonly state?: Hold["state"]; readonly limit: number },
  ): Promise<readonly Hold[]>;
  getHold(tenantId: TenantId, holdId: HoldId): Promise<Hold | undefined>;
  /**
   * One decision for all or some people of a batch. Approved entries become `approved`, the others of `identityIds` `rejected`; their
   * targets are woken. The hold is decided when no held entry is left. In a batch of more people than `twoAbove` an approval counts once
   * another person has said it too: until then its entries stay held, and `seconding` says how many. @throws NOT_FOUND; VERSION_CONFLICT
   * when it is not open
   */
  decideHold(
    tenantId: TenantId,
    command: {
      readonly holdId: HoldId;
      readonly decision: "approve" | "reject";
      readonly identityIds: readonly IdentityId[] | "all";
      readonly by: string;
      /** Undefined: one person is enough. */
      readonly twoAbove?: number | undefined;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<{
    readonly entries: number;
    readonly people: number;
    readonly open: boolean;
    /** Entries that wait for a second person's approval. */
    readonly seconding: number;
  }>;

  // — lanes —
  /** Made or updated when a mapping version is activated; keeps state, pin and listing. */
  upsertLane(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly vendor: string;
      readonly profile: string;
      readonly credential: string;
      readonly baseUrl: string | undefined;
      readonly policy: ConnectionPolicy;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  getLane(tenantId: TenantId, connectionId: ConnectionId): Promise<Lane | undefined>;
  listLanes(tenantId: TenantId | undefined): Promise<readonly Lane[]>;
  /** Changes the named fields. @throws NOT_FOUND */
  updateLane(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly set: LaneChange;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  /** `granted` 0 comes with `waitMs` until a token can be had; a resting bucket (retry-after) grants nothing until then. */
  drawTokens(
    tenantId: TenantId,
    command: TokenDraw,
  ): Promise<{ readonly granted: number; readonly waitMs: number }>;
  /** The vendor said "not before": the bucket grants nothing until then; never shortened. */
  restBucket(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly bucket: string;
      readonly until: Instant;
      readonly now: Instant;
    },
  ): Promise<void>;
  setStop(
    tenantId: TenantId,
    command: { readonly stop: StopSwitch; readonly on: boolean; readonly now: Instant },
    also: Also,
  ): Promise<void>;
  listStops(tenantId: TenantId): Promise<readonly StopSwitch[]>;

  // — findings —
  /** Opens findings or refreshes those whose key is open; writes `also` only for those that were not open. */
  raiseFindings(
    tenantId: TenantId,
    command: { readonly findings: readonly FindingDraft[]; readonly now: Instant },
  ): Promise<{ readonly opened: readonly string[] }>;
  /** Resolves open findings by key or by key prefix. */
  resolveFindings(
    tenantId: TenantId,
    command: { readonly keys?: readonly string[]; readonly prefix?: string; readonly now: Instant },
  ): Promise<number>;
  listFindings(
    tenantId: TenantId,
    filter: {
      readonly identityId?: IdentityId;
      readonly connectionId?: ConnectionId;
      readonly open?: boolean;
      readonly limit: number;
    },
  ): Promise<readonly Finding[]>;
}

export type LedgerChange =
  | {
      readonly op: "set";
      readonly entitlement: Entitlement;
      readonly origin: LedgerEntry["origin"];
      readonly because: readonly string[];
    }
  | { readonly op: "remove"; readonly slot: Slot };

export type LinkChange =
  | {
      readonly op: "set";
      readonly accountId: AccountId;
      readonly email: string;
      readonly origin: Link["origin"];
    }
  | { readonly op: "remove" };
