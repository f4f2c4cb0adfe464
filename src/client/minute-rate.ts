import type { Clock } from "../model/clock.ts";

/** People that are counted at one time; beyond that the one who was away longest begins anew. */
const countedMax = 100_000;
const minuteMs = 60_000;

/** Requests a minute for each name: as many at once as the limit says, and they come back evenly. */
export class MinuteRate {
  readonly #clock: Pick<Clock, "monotonic">;
  /** In the order of their last request. */
  readonly #buckets = new Map<string, { left: number; at: number }>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** 0: taken; else how long until one is there, milliseconds. */
  take(name: string, perMinute: number): number {
    const now = this.#clock.monotonic();
    const known = this.#buckets.get(name) ?? { left: perMinute, at: now };
    const left = Math.min(perMinute, known.left + ((now - known.at) * perMinute) / minuteMs);
    this.#buckets.delete(name);
    this.#buckets.set(name, { left: left >= 1 ? left - 1 : left, at: now });
    if (this.#buckets.size > countedMax) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    return left >= 1 ? 0 : Math.max(1, ((1 - left) * minuteMs) / perMinute);
  }
}
