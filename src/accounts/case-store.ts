import type { Instant } from "../model/clock.ts";
import type { CaseId, ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { Also } from "../model/records.ts";
import type { Channel } from "../model/vendor-facts.ts";
import type {
  CaseState,
  Departure,
  LeaverCase,
  Obligation,
  ObligationDraft,
  ObligationKind,
  ObligationState,
} from "./leaver-case.ts";

/** Which duty of a case. */
export interface ObligationKey {
  readonly kind: ObligationKind;
  readonly subject: string;
}

/** A case that is looked at, as it was when it was taken. */
export interface DueCase {
  readonly leaverCase: LeaverCase;
  /** How many changes it has seen: what `restCase` compares. */
  readonly wake: number;
}

/**
 * Leaver cases and what they owe. Cases open and end in `AccountStore.commitSync`, in the commit of the recompute that saw the
 * person gone or back. Instants are the caller's domain time.
 */
export interface CaseStore {
  /** The case that is a person's now: the last one, until they are seen active again. */
  currentCase(tenantId: TenantId, identityId: IdentityId): Promise<LeaverCase | undefined>;
  getCase(tenantId: TenantId, caseId: CaseId): Promise<LeaverCase | undefined>;
  /** Open ones first, oldest first; then the others, newest first. */
  listCases(
    tenantId: TenantId,
    filter: {
      readonly state?: CaseState;
      readonly identityId?: IdentityId;
      readonly limit: number;
    },
  ): Promise<readonly LeaverCase[]>;
  /** In the order of their work: connection by connection, contain first. */
  listObligations(
    tenantId: TenantId,
    filter: {
      readonly caseId?: CaseId;
      readonly identityId?: IdentityId;
      readonly connectionId?: ConnectionId;
      readonly state?: ObligationState;
      readonly limit: number;
    },
  ): Promise<readonly Obligation[]>;

  /**
   * What a look at one connection showed, for the person's current case: duties that are done now (`settle`), ones that the look
   * found (`found`, inserted where they are new), and ones that are owed again because the account is back (`again`: a done case
   * opens). Answers what really changed; writes nothing, nor `also`, where nothing does or there is no current case.
   */
  noteDuties(
    tenantId: TenantId,
    command: {
      readonly identityId: IdentityId;
      readonly connectionId: ConnectionId;
      readonly settle: readonly (ObligationKey & { readonly facts: JsonObject })[];
      readonly found: readonly ObligationDraft[];
      readonly again: {
        readonly kinds: readonly ObligationKind[];
        readonly why: string;
        /** Of the kinds, from now. */
        readonly deadlines: Readonly<Partial<Record<ObligationKind, Instant>>>;
      } | null;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<{ readonly settled: number; readonly found: number; readonly reopened: boolean }>;
  /** A person says that a duty is done by hand or needs not be done. @throws StoreError NOT_FOUND where it is not open */
  decideObligation(
    tenantId: TenantId,
    command: ObligationKey & {
      readonly caseId: CaseId;
      readonly connectionId: ConnectionId | undefined;
      readonly state: "done" | "waived";
      readonly facts: JsonObject;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  /**
   * Ends a case in which nothing but evidence is owed: settles the evidence, and watches until `watchUntil`. Answers false, and writes nothing, where
   * something else is owed.
   */
  closeCase(
    tenantId: TenantId,
    command: {
      readonly caseId: CaseId;
      readonly facts: JsonObject;
      readonly watchUntil: Instant;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<boolean>;
  /** The earliest instant at which some case is due; undefined: none is by itself. */
  nextCaseDueAt(): Promise<Instant | undefined>;
  /**
   * Takes cases that are due, the longest first; nobody else gets one of them before `leaseMs` are over, unless it changes. Every command that changes
   * a case or what it owes, and a leaver's task that ends, makes the case due in its own commit.
   */
  takeDueCases(command: {
    readonly now: Instant;
    readonly leaseMs: number;
    readonly limit: number;
  }): Promise<readonly DueCase[]>;
  /**
   * Ends a look: the case is due again with the next alarm of what it still owes. Where it changed since it was taken, it stays due now.
   */
  restCase(
    tenantId: TenantId,
    command: { readonly caseId: CaseId; readonly wake: number },
  ): Promise<void>;
  /**
   * Takes the open obligations of a case whose warning or deadline has come, each once: the answer says which, and its row knows it was
   * told. A missed one comes again after a day.
   */
  takeAlarms(
    tenantId: TenantId,
    command: { readonly caseId: CaseId; readonly now: Instant },
  ): Promise<readonly { readonly alarm: "warning" | "missed"; readonly obligation: Obligation }[]>;
  /** For metrics: open cases and duties by connection, kind and channel, the earliest deadline, and how many were missed. */
  caseCounts(): Promise<
    readonly {
      readonly tenantId: TenantId;
      readonly connectionId: ConnectionId | undefined;
      readonly kind: ObligationKind;
      readonly channel: Channel;
      readonly open: number;
      readonly overdue: number;
      readonly earliestDeadline: Instant;
    }[]
  >;
  countCases(): Promise<
    readonly {
      readonly tenantId: TenantId;
      readonly state: "open" | "watched";
      readonly count: number;
    }[]
  >;

  // — departures —
  /**
   * Orders that somebody's access ends now. An emergency also lets their held leaver entries run. Ordering again changes nothing but an
   * ordinary order into an emergency.
   */
  orderDeparture(
    tenantId: TenantId,
    command: {
      readonly identityId: IdentityId;
      readonly by: string;
      readonly why: string;
      readonly emergency: boolean;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  /** @throws StoreError NOT_FOUND where there is no order */
  liftDeparture(
    tenantId: TenantId,
    command: { readonly identityId: IdentityId; readonly by: string; readonly now: Instant },
    also: Also,
  ): Promise<void>;
  /** The order that counts now. */
  getDeparture(tenantId: TenantId, identityId: IdentityId): Promise<Departure | undefined>;
}
