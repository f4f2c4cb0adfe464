import type { Instant } from "../model/clock.ts";
import type { ConnectionId, HoldId, IdentityId } from "../model/ids.ts";
import type { RailPolicy } from "../model/policy.ts";
import type { Rail, RailWish } from "../model/rail.ts";

export type { Rail, RailWish } from "../model/rail.ts";

/** reserved: counted, may run when its time is come · held: in a batch · approved · executing: past the gate · executed · cancelled: not intended any more · rejected: a person said no. */
export type RailState =
  "reserved" | "held" | "approved" | "executing" | "executed" | "cancelled" | "rejected";

export interface RailEntry extends RailWish {
  readonly entryId: string;
  readonly connectionId: ConnectionId;
  readonly identityId: IdentityId;
  readonly state: RailState;
  readonly holdId: HoldId | null;
  readonly reservedAt: Instant;
}

/**
 * The whole set of counted changes that one target intends now. The store, under the lane row:
 * - keeps open entries (reserved, held, approved, rejected) that say the same slot, direction and roleTo, with their reservedAt
 *   and the earlier notBefore; an entry whose rail or causeKey changed takes the new ones and is counted anew;
 * - inserts missing ones as `reserved`, cancels open ones that are not intended any more (a hold without open entries closes);
 * - counts people (not slots) of the rail in its window, entries `reserved`, `executing` and `executed` (approved and approved-then-executed
 *   ones were decided and do not count), and where the count is over the allowance, puts every `reserved` entry of that rail
 *   (one_cause: of that cause) into the rail's open hold, or opens one; `leavers` counts the tenant and holds only the entries
 *   that came over the cap; `source` is always held, one hold per cause; `privileged` counts the last 24 h;
 * - lets later entries of a rail with an open hold join that hold.
 */
export interface RailRequest {
  readonly policy: RailPolicy;
  readonly wishes: readonly RailWish[];
  /** Random ids for what the store may have to insert (one per wish, then one per rail for holds): plain values cross a port, functions do not. */
  readonly entryIds: readonly string[];
  readonly holdIds: readonly string[];
}

/** A batch that waits for one decision. */
export interface Hold {
  readonly holdId: HoldId;
  /** Undefined: the whole tenant (leavers). */
  readonly connectionId: ConnectionId | undefined;
  readonly rail: Rail;
  readonly causeKey: string;
  readonly state: "open" | "decided" | "lapsed";
  readonly openedAt: Instant;
  readonly decidedAt: Instant | undefined;
  readonly decidedBy: string | undefined;
  /** Who approved something of it that waits for a second person. */
  readonly firstBy: string | undefined;
  /** What tripped it, in numbers. */
  readonly count: number;
  readonly allowance: number;
  readonly people: number;
  readonly entries: number;
}
