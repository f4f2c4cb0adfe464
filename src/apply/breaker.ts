import type { Clock, Instant } from "../model/clock.ts";
import type { CallReport } from "../model/vendor-http.ts";

const windowMs = 60_000;
const callsMin = 20;
const failedFraction = 0.5;
const restFirstMs = 15_000;
const restMaxMs = 300_000;

/**
 * Rests a lane whose vendor is down: half of at least 20 calls within a minute failing. After the rest one call tries; its
 * failure rests twice as long, its success forgets everything. A rate limit is no failure: the vendor is well.
 */
export class Breaker {
  readonly #clock: Clock;
  #calls: { readonly at: number; readonly failed: boolean }[] = [];
  #restMs = 0;
  #until: Instant | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(report: CallReport): void {
    if (report.failure === "rate_limited") return;
    const failed = report.failure === "unavailable";
    const now = this.#clock.monotonic();
    if (this.#restMs > 0) {
      if (failed) this.#rest();
      else this.#restMs = 0;
      this.#calls = [];
      return;
    }
    this.#calls = this.#calls.filter((call) => call.at > now - windowMs);
    this.#calls.push({ at: now, failed });
    const failures = this.#calls.filter((call) => call.failed).length;
    if (this.#calls.length >= callsMin && failures >= this.#calls.length * failedFraction)
      this.#rest();
  }

  /** The instant until which the lane should rest, once per opening. */
  takeRest(): Instant | undefined {
    const until = this.#until;
    this.#until = undefined;
    return until;
  }

  #rest(): void {
    this.#restMs = this.#restMs === 0 ? restFirstMs : Math.min(restMaxMs, this.#restMs * 2);
    this.#until = this.#clock.now() + this.#restMs;
    this.#calls = [];
  }
}
