import type { Clock, Instant } from "../model/clock.ts";

interface Held {
  readonly startedAt: Instant;
  readonly value: Promise<unknown>;
}

/** So old a read may be, from its start, for another look to believe it. */
const maxAgeMs = 30_000;

/**
 * Whole lists that many looks of one lane need at the same time are read once for all of them: a thousand joiners of a vendor whose search
 * proves no absence would else each read everybody. Held in this process for a moment, never written.
 */
export class SharedReads {
  readonly #held = new Map<string, Held>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `key` names the lane, the credential and what is read: the same key is always the same kind of value. */
  async share<T>(key: string, read: () => Promise<T>): Promise<T> {
    const now = this.#clock.now();
    for (const [name, { startedAt }] of this.#held)
      if (now - startedAt >= maxAgeMs || now < startedAt) this.#held.delete(name);
    const held = this.#held.get(key);
    if (held !== undefined) {
      try {
        return (await held.value) as T;
      } catch {
        // It failed whoever began it, for reasons that may be theirs alone: this look reads for itself and says what it met.
        return read();
      }
    }
    const value = read();
    this.#held.set(key, { startedAt: now, value });
    try {
      return await value;
    } catch (error) {
      if (this.#held.get(key)?.value === value) this.#held.delete(key);
      throw error;
    }
  }
}
