import type { IdpTraffic } from "../directory/traffic-store.ts";
import type { Instant } from "../model/clock.ts";

/** Silences that have to be known before one is called unusual. */
const enoughPauses = 5;
const hour = 3_600_000;

export interface Rhythm {
  /** Milliseconds between two times that the connection was heard, as a rule; undefined: not known yet. */
  readonly usualPauseMs: number | undefined;
  readonly longestPauseMs: number | undefined;
  /** From when on silence is unusual; undefined: not known yet, or nothing was ever heard. */
  readonly quietFrom: Instant | undefined;
}

/**
 * What is usual for an IdP connection. Entra ID comes every 40 minutes, Okta when somebody changes something: twice the longest
 * silence of the last 64 that ended covers nights and weekends of both.
 */
export function rhythmOf({
  pauses,
  lastRequestAt,
}: Pick<IdpTraffic, "pauses" | "lastRequestAt">): Rhythm {
  const sorted = pauses.toSorted((a, b) => a - b);
  const usualPauseMs = sorted[Math.floor(sorted.length / 2)];
  const longestPauseMs = sorted.at(-1);
  const known = sorted.length >= enoughPauses && lastRequestAt !== undefined;
  return {
    usualPauseMs,
    longestPauseMs,
    quietFrom: known ? lastRequestAt + Math.max(2 * (longestPauseMs ?? 0), hour) : undefined,
  };
}
