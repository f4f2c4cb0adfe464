import type { Instant } from "../model/clock.ts";
import type { IdentityId, TenantId } from "../model/ids.ts";
import type { Cause, FanoutRequest } from "../model/records.ts";
import type { TraceParent } from "../model/trace.ts";

/**
 * The mark of one identity: `wanted` counts the reasons to look, `published` what was hinted, `done` what was recomputed.
 * `done < wanted` is work owed; nothing else is a queue.
 */
export interface RecomputeMark {
  readonly tenantId: TenantId;
  readonly identityId: IdentityId;
  readonly wanted: number;
  readonly done: number;
  readonly urgent: boolean;
  /** The newest cause with a key since the last recompute, else the newest cause. */
  readonly cause: Cause;
  /** When the oldest reason that is still owed arrived. */
  readonly since: Instant;
  readonly dueAt: Instant;
  /** Where the reasons that are owed were given, as far as that was traced: the oldest first, at most eight. */
  readonly traces?: readonly TraceParent[];
}

export interface LeasedFanout extends FanoutRequest {
  readonly tenantId: TenantId;
  /** Where the next page starts; undefined: at the beginning. */
  readonly cursor: string | undefined;
  readonly fence: number;
}

/** Bookkeeping of marks and fan-outs. No truth changes here, so these commands take no `also`. */
export interface RecomputeStore {
  /** Due marks with `wanted > published`, urgent first, oldest first. */
  listUnpublished(command: {
    readonly now: Instant;
    readonly limit: number;
  }): Promise<readonly RecomputeMark[]>;
  /** Sets `published` to the `wanted` that was read, where it is still below. */
  markPublished(
    marks: readonly {
      readonly tenantId: TenantId;
      readonly identityId: IdentityId;
      readonly wanted: number;
    }[],
  ): Promise<void>;
  /** Due marks with `wanted > done` that are older than the given ages: urgent first, then round robin by tenant, oldest first. A kind without an age is not asked for. */
  listOverdue(command: {
    readonly now: Instant;
    readonly ageMs: number | undefined;
    readonly urgentAgeMs: number | undefined;
    readonly limit: number;
  }): Promise<readonly RecomputeMark[]>;
  /** The marks of these identities, those without owed work too. */
  readMarks(
    tenantId: TenantId,
    identityIds: readonly IdentityId[],
  ): Promise<readonly RecomputeMark[]>;
  /** Counts for metrics and readiness. */
  recomputeBacklog(now: Instant): Promise<{
    readonly owed: number;
    readonly urgentOwed: number;
    readonly oldestSince: Instant | undefined;
    readonly oldestUrgentSince: Instant | undefined;
  }>;

  /** Takes the oldest fan-out that nobody works on, or whose lease ran out; urgent first. */
  leaseFanout(command: {
    readonly owner: string;
    readonly now: Instant;
    readonly leaseMs: number;
  }): Promise<LeasedFanout | undefined>;
  /**
   * Marks up to `limit` identities of the scope after the cursor (`wanted += 1`) and moves the cursor, in one commit;
   * at the end deletes the row. Answers whether it is finished. @throws StoreError VERSION_CONFLICT when the fence is old.
   */
  workFanout(command: {
    readonly fanout: LeasedFanout;
    readonly now: Instant;
    readonly limit: number;
  }): Promise<{
    readonly finished: boolean;
    readonly marked: number;
    readonly cursor: string | undefined;
  }>;

  /** A leased row per scheduled job and tenant: true where this owner may run it now; `nextAt` moves only by `finishSchedule`. */
  leaseSchedule(command: {
    readonly tenantId: TenantId;
    readonly job: string;
    readonly owner: string;
    readonly now: Instant;
    readonly leaseMs: number;
  }): Promise<boolean>;
  finishSchedule(command: {
    readonly tenantId: TenantId;
    readonly job: string;
    readonly owner: string;
    readonly nextAt: Instant;
  }): Promise<void>;
}
