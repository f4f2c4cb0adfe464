import { randomBytes } from "node:crypto";

/** A moment as UTC milliseconds since 1970, an integer below 2^53. */
export type Instant = number;

/**
 * The only door to time and randomness, so that tests and the simulator can own both.
 * All values are *domain* time: a scaled clock (the demo) runs its seconds faster than the wall.
 * Transport timeouts of one HTTP exchange are wall time and belong to the HTTP client.
 */
export interface Clock {
  /** Domain time now. May step when the operating system's clock is set. */
  now(): Instant;
  /** Milliseconds that never step back; compare only with values of the same clock. */
  monotonic(): number;
  /** Resolves after `ms` of domain time, at once when `signal` aborts (never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fn` once after `ms` of domain time; the returned function cancels it. */
  after(ms: number, fn: () => void): () => void;
  /** A number in [0, 1), for jitter only. */
  random(): number;
  /** Cryptographic random bytes: ids, salts, secrets. */
  bytes(size: number): Uint8Array;
}

/** The longest wait that setTimeout keeps (2^31 - 1 ms); longer ones are cut and simply wake early. */
const TIMER_MAX_MS = 2_147_483_647;

/**
 * The operating system's clock. `scale` 60 makes a wall second a domain minute, counted from `anchor`
 * (a wall instant; default: this call). A process that comes back after a crash passes the same anchor,
 * so that domain time never runs backwards between two lives of one store.
 */
export function systemClock(options: { scale?: number; anchor?: Instant } = {}): Clock {
  const scale = options.scale ?? 1;
  const anchor = options.anchor ?? Date.now();
  const domainNow = () =>
    scale === 1 ? Date.now() : Math.floor(anchor + (Date.now() - anchor) * scale);
  const after = (ms: number, fn: () => void) => {
    const timer = setTimeout(fn, Math.min(Math.max(0, ms / scale), TIMER_MAX_MS));
    return () => {
      clearTimeout(timer);
    };
  };
  return {
    now: domainNow,
    monotonic: () => performance.now() * scale,
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
    random: Math.random,
    bytes: pooledBytes(),
  };
}

const poolBytes = 4_096;

/** Ids and salts ask for 16 bytes several times a request, and asking the operating system is the dear part: it is asked for many. */
function pooledBytes(): (size: number) => Uint8Array {
  let pool = new Uint8Array(0);
  let used = 0;
  return (size) => {
    if (size > poolBytes / 16) return randomBytes(size);
    if (used + size > pool.length) {
      pool = randomBytes(poolBytes);
      used = 0;
    }
    used += size;
    // A copy: the caller may write into it, and no byte is handed out twice.
    return new Uint8Array(pool.subarray(used - size, used));
  };
}
