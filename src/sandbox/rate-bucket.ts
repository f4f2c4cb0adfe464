import type { Instant } from "../model/clock.ts";

/** A token bucket in domain time: `limit` requests at once, refilled evenly over `windowMs`. */
export class RateBucket {
  readonly #limit: number;
  readonly #windowMs: number;
  #tokens: number;
  #filledAt: Instant | undefined;

  constructor(limit: number, windowMs: number) {
    if (!(limit >= 1) || !(windowMs > 0)) {
      throw new RangeError(
        `A rate bucket needs a limit of at least 1 and a window above 0 ms, got ${String(limit)} and ${String(windowMs)}`,
      );
    }
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#tokens = limit;
  }

  /** Milliseconds until the next request may pass; 0 when one may pass now. Takes nothing. */
  waitMs(now: Instant): number {
    this.#refill(now);
    if (this.#tokens >= 1) return 0;
    return Math.ceil(((1 - this.#tokens) * this.#windowMs) / this.#limit);
  }

  /** Takes one request's token. @throws RangeError when there is none: ask `waitMs` first. */
  take(now: Instant): void {
    if (this.waitMs(now) > 0) throw new RangeError("The rate bucket is empty");
    this.#tokens -= 1;
  }

  #refill(now: Instant): void {
    // A clock that was set back refills nothing and takes nothing away.
    const elapsedMs = Math.max(0, now - (this.#filledAt ?? now));
    this.#filledAt = now;
    this.#tokens = Math.min(this.#limit, this.#tokens + (elapsedMs * this.#limit) / this.#windowMs);
  }
}

/** Takes one token of every bucket, or none and answers the longest wait in milliseconds. */
export function takeAll(buckets: readonly RateBucket[], now: Instant): number {
  const waitMs = Math.max(0, ...buckets.map((bucket) => bucket.waitMs(now)));
  if (waitMs === 0) for (const bucket of buckets) bucket.take(now);
  return waitMs;
}
