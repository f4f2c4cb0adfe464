import type { Instant } from "../model/clock.ts";
import type { Slot } from "../model/entitlement.ts";
import type { AccountId, ConnectionId, IdentityId, IntentId } from "../model/ids.ts";

/** What one vendor write does. */
export type StepKind =
  | "create_account"
  | "set_account_role"
  | "remove_account"
  | "cancel_invitation"
  | "grant"
  | "revoke"
  | "contain_account"
  | "deactivate_key"
  | "hand_over";

/** sent: past the gate, no outcome yet · done · refused: the vendor said no · unsent: nothing left the process · unknown: may or may not have happened. */
export type IntentState = "sent" | "done" | "refused" | "unsent" | "unknown";

/** The row that must exist before a vendor write leaves the process. */
export interface Intent {
  readonly intentId: IntentId;
  readonly connectionId: ConnectionId;
  readonly identityId: IdentityId;
  readonly step: StepKind;
  readonly slot: Slot;
  readonly roleFrom: string | null;
  readonly roleTo: string | null;
  readonly accountId: AccountId | null;
  readonly generation: number;
  readonly fence: number;
  readonly state: IntentState;
  readonly sentAt: Instant;
  /** Nothing of this intent may reach a socket after this instant. */
  readonly notAfter: Instant;
  /** Complete reads that did not show the result of an unknown create, oldest first. */
  readonly negativeReads: readonly Instant[];
}

/** Why the gate said no. */
export type GateRefusal =
  | { readonly why: "lease_lost" | "generation_moved" | "lane_paused" | "stopped" | "report_only" }
  | { readonly why: "rail_held" | "rail_missing" | "rail_rejected" | "admin_floor" }
  | { readonly why: "rail_waiting"; readonly until: Instant };
