import type { Entitlement, Slot } from "../model/entitlement.ts";
import type { ErrorCode } from "../model/errors.ts";
import type { TaskLine } from "../model/manual-work.ts";
import type { JsonObject } from "../model/json.ts";

export type StepAction =
  | "create_account"
  | "set_account_role"
  | "remove_account"
  | "cancel_invitation"
  | "grant"
  | "revoke";

/** One write that would bring the account closer to the wish. */
export interface Step {
  readonly action: StepAction;
  readonly slot: Slot;
  readonly roleFrom: string | null;
  readonly roleTo: string | null;
  /** loss: the person can do less afterwards; those pass a rail. */
  readonly direction: "loss" | "gain";
  readonly privileged: boolean;
  /** Rules and exceptions that wish it; empty for removals. */
  readonly because: readonly string[];
}

/** Something that should change and may not: each becomes a parked or manual target with its reason. */
export interface Blocked {
  readonly code: ErrorCode | "MANUAL_STEP";
  readonly text: string;
  readonly slot: Slot | null;
  /** Of a MANUAL_STEP: what a person does. */
  readonly line?: TaskLine;
}

/** A fact for people that stops nothing. */
export interface Observation {
  readonly kind: "unmanaged_admin" | "unmanaged_grant" | "drift" | "protected_account";
  readonly text: string;
  readonly slot: Slot | null;
  readonly facts: JsonObject;
}

/** The ordered difference between what one person should hold at one vendor and what they hold. A value: printed, judged and replayed. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly blocked: readonly Blocked[];
  readonly observations: readonly Observation[];
  /** Wishes that an open invitation has to be accepted for first. */
  readonly afterAcceptance: readonly Entitlement[];
  /** What an authoritative set takes over because it is already as wished. */
  readonly adopt: readonly Entitlement[];
  /** Ledger slots that are neither wished nor held any more. */
  readonly forget: readonly Slot[];
}
