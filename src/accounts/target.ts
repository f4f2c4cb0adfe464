import type { DesiredState } from "../model/assignment.ts";
import type { Instant } from "../model/clock.ts";
import type { ErrorCode } from "../model/errors.ts";
import type { ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { TraceParent } from "../model/trace.ts";

/**
 * idle: as wished, or report-only with its plan noted · due: to be looked at · waiting: for a time, an acceptance or the
 * vendor · held: by a rail, until a batch is decided · parked: needs a fact or a person · manual: a person does it at the vendor.
 */
export type TargetState = "idle" | "due" | "waiting" | "held" | "parked" | "manual";

/** Leavers first, then what the IdP just said, then sweeps and drift. */
export const priorities = { leaver: 0, change: 1, background: 2 } as const;
export type Priority = (typeof priorities)[keyof typeof priorities];

/** Why a target is where it is; `code` is stable, `text` is for people and holds no personal value. */
export interface TargetReason {
  readonly code: ErrorCode | WaitCode;
  readonly text: string;
}

/** Waits that are no errors. */
export type WaitCode =
  | "INVITATION_OPEN"
  | "DEBOUNCE"
  | "SETTLING"
  | "AMBIGUOUS"
  | "VERIFY_AGAIN"
  | "RETRY"
  | "REPORT_ONLY"
  | "STOPPED"
  | "LANE_PAUSED"
  | "MANUAL_STEP";

/** Identity × connection: the unit of reconcile, lease and generation. */
export interface Target {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly identityId: IdentityId;
  /** Rises only when the hash of `desired` changes. */
  readonly generation: number;
  /** The generation that was last read back as reached; 0: none. */
  readonly appliedGeneration: number;
  /** Rises with every reason to look again. */
  readonly wake: number;
  /** Null: nothing to do until a wake. */
  readonly dueAt: Instant | null;
  readonly priority: Priority;
  readonly state: TargetState;
  readonly reason: TargetReason | null;
  readonly desired: DesiredState;
  /** Consecutive tries that ended in `retry`; reset by success and by a new generation. */
  readonly attempts: number;
  /** When the present generation was first wished: the clock of latency and of leaver deadlines. */
  readonly wishedAt: Instant;
  /** When the last complete read-back agreed. */
  readonly verifiedAt: Instant | null;
  /** What the worker keeps between looks: last plan in words, verification rounds left. */
  readonly notes: JsonObject;
  readonly cause: string;
  /** Where the present generation was wished, where that was traced. */
  readonly trace?: TraceParent;
}

/** A target in the hands of one worker until `leaseUntil`; every write of it carries the fence. */
export interface LeasedTarget extends Target {
  readonly fence: number;
  readonly leaseUntil: Instant;
}
