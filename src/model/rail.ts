import type { Instant } from "./clock.ts";
import type { Slot } from "./entitlement.ts";

/**
 * removals: anything that a person who stays loses · leavers: anything that a leaver loses, counted over the tenant ·
 * source: losses whose only cause is a deleted group, always decided by a person · one_cause: grants that one act brings ·
 * privileged: grants of privileged roles.
 */
export type Rail = "removals" | "leavers" | "source" | "one_cause" | "privileged";

/** One intended change that a rail counts: reserved when it is decided, not when it is sent. */
export interface RailWish {
  readonly slot: Slot;
  /** loss: the slot ends or gets a lower role · gain: it begins or gets a higher one. */
  readonly direction: "loss" | "gain";
  readonly roleFrom: string | null;
  readonly roleTo: string | null;
  readonly rail: Rail;
  /** Groups what one act causes: the key of `one_cause` and `source`; "" elsewhere. */
  readonly causeKey: string;
  /** May not run before: debounce and grace. */
  readonly notBefore: Instant;
}

/** The count key of leavers whom two sources name. */
export const confirmedLeave = "confirmed";
