import type { Instant } from "../model/clock.ts";

/** A counter that starts anew with each window of domain time: `limit` requests, then none until the window ends. */
export class FixedWindow {
  readonly #limit: number;
  readonly #windowMs: number;
  #window = -1;
  #used = 0;

  constructor(limit: number, windowMs: number) {
    if (!(limit >= 1) || !(windowMs > 0)) {
      throw new RangeError(
        `A window needs a limit of at least 1 and a length above 0 ms, got ${String(limit)} and ${String(windowMs)}`,
      );
    }
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Counts one request. */
  take(now: Instant): WindowState {
    const window = Math.floor(now / this.#windowMs);
    if (window !== this.#window) {
      this.#window = window;
      this.#used = 0;
    }
    const passed = this.#used < this.#limit;
    if (passed) this.#used += 1;
    return {
      passed,
      limit: this.#limit,
      remaining: this.#limit - this.#used,
      resetAt: (window + 1) * this.#windowMs,
    };
  }
}

export interface WindowState {
  readonly passed: boolean;
  readonly limit: number;
  readonly remaining: number;
  readonly resetAt: Instant;
}
