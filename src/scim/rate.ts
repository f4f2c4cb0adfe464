import type { Clock } from "../model/clock.ts";

interface Bucket {
  tokens: number;
  at: number;
}

/** Buckets that are kept; a caller that was forgotten begins with a full one. */
const maxBuckets = 10_000;

/** Requests per second of each caller, with a burst of two seconds' worth; so many as nobody waits for where there is no limit. */
export class RequestRate {
  private readonly buckets = new Map<string, Bucket>();
  private readonly clock: Clock;
  private readonly perSecond: number;

  constructor(clock: Clock, perSecond: number) {
    this.clock = clock;
    this.perSecond = perSecond;
  }

  /** Takes one request; answers the whole seconds until there is room where there is none. */
  take(caller: string): number | undefined {
    const now = this.clock.monotonic();
    const full = 2 * this.perSecond;
    let bucket = this.buckets.get(caller);
    if (bucket === undefined) {
      if (this.buckets.size >= maxBuckets) this.buckets.clear();
      bucket = { tokens: full, at: now };
      this.buckets.set(caller, bucket);
    }
    const gained = ((now - bucket.at) / 1_000) * this.perSecond;
    bucket.tokens = Math.min(full, bucket.tokens + gained);
    bucket.at = now;
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / this.perSecond);
    bucket.tokens -= 1;
    return undefined;
  }
}
