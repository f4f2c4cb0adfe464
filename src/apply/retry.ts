import type { LeasedTarget } from "../accounts/target.ts";
import type { Clock } from "../model/clock.ts";
import type { SyncError } from "../model/errors.ts";
import { DAY_MS } from "../model/policy.ts";
import type { Verdict } from "./verdict.ts";

const firstMs = 1_000;
const capMs = 5 * 60_000;
/** How long a joiner or mover is tried before a person is asked; a leaver is tried until it is done. */
const budgetMs = DAY_MS;

/** Exponential with full jitter: 1 s to 5 min. `attempts` counts from 0. */
export function backoffMs(clock: Clock, attempts: number): number {
  const top = Math.min(capMs, firstMs * 2 ** Math.min(attempts, 20));
  return Math.max(250, Math.floor(clock.random() * top));
}

/** When a `retry` error is tried again. The vendor's own time is waited in full and costs no attempt. */
export function retryVerdict(clock: Clock, target: LeasedTarget, error: SyncError): Verdict {
  const now = clock.now();
  const reason = { code: error.code, text: error.message };
  if (error.retryAfterMs !== undefined) {
    return {
      state: "waiting",
      reason,
      dueAt: now + error.retryAfterMs,
      attempts: target.attempts,
      reached: false,
      notes: target.notes,
    };
  }
  const attempts = target.attempts + 1;
  const leaver = target.desired.lifecycle === "departed";
  if (!leaver && attempts > 10 && now - target.wishedAt > budgetMs) {
    return { state: "parked", reason, dueAt: null, attempts, reached: false, notes: target.notes };
  }
  return {
    state: "waiting",
    reason,
    dueAt: now + backoffMs(clock, target.attempts),
    attempts,
    reached: false,
    notes: target.notes,
  };
}
