import { setImmediate } from "node:timers/promises";
import type { Clock, Instant } from "../../src/model/clock.ts";

/** A clock that tests move by hand. Timers fire in the order of their time, then of their making. */
export interface FakeClock extends Clock {
  /** Moves on by `ms`; every timer in between fires at its own instant, and what it started gets to run. */
  advance(ms: number): Promise<void>;
  /** Jumps from timer to timer until none is left that is due within `maxMs`, for loops that end by themselves. */
  runUntilQuiet(maxMs?: number): Promise<void>;
  /** Steps the wall clock alone, as an operator or NTP does. */
  set(now: Instant): void;
  /** Timers that wait. */
  readonly pending: number;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

/** Bytes and jitter follow from `seed`: two runs of one seed are the same. */
export function fakeClock(options: { start?: Instant; seed?: number } = {}): FakeClock {
  const timers = new Set<Timer>();
  let monotonic = 0;
  let offset = options.start ?? Date.UTC(2026, 0, 5, 9);
  let order = 0;
  const random = mulberry32(options.seed ?? 1);

  const next = (): Timer | undefined =>
    [...timers].toSorted((a, b) => a.at - b.at || a.order - b.order)[0];

  const advanceTo = async (end: number) => {
    await settle();
    for (let timer = next(); timer !== undefined && timer.at <= end; timer = next()) {
      monotonic = Math.max(monotonic, timer.at);
      timers.delete(timer);
      timer.fn();
      await settle();
    }
    monotonic = Math.max(monotonic, end);
  };

  const after = (ms: number, fn: () => void) => {
    order += 1;
    const timer = { at: monotonic + Math.max(0, ms), order, fn };
    timers.add(timer);
    return () => {
      timers.delete(timer);
    };
  };

  return {
    now: () => Math.floor(monotonic + offset),
    monotonic: () => monotonic,
    after,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        const done = () => {
          cancel();
          signal?.removeEventListener("abort", done);
          resolve();
        };
        const cancel = after(ms, done);
        signal?.addEventListener("abort", done, { once: true });
      }),
    random,
    bytes: (size) => Uint8Array.from({ length: size }, () => Math.floor(random() * 256)),
    advance: (ms) => advanceTo(monotonic + ms),
    runUntilQuiet: async (maxMs = 86_400_000) => {
      const end = monotonic + maxMs;
      await settle();
      for (let timer = next(); timer !== undefined && timer.at <= end; timer = next()) {
        await advanceTo(timer.at);
      }
    },
    set: (now) => {
      offset = now - monotonic;
    },
    get pending() {
      return timers.size;
    },
  };
}

/** Lets promises and immediates that a timer set off run before time moves on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
}

/** A small, well-known generator: enough for jitter and ids, never for secrets. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
