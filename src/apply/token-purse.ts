import type { AccountStore } from "../accounts/account-store.ts";
import type { Clock } from "../model/clock.ts";
import type { ConnectionId, TenantId } from "../model/ids.ts";
import type { BucketFacts } from "../model/vendor-facts.ts";

/** A token is kept for a tenth of its bucket's period, at most so long; of a smaller bucket none is. */
const keepMaxMs = 1_000;
const keptFrom = 10;
/** More are never drawn ahead of the calls that want them. */
const aheadMax = 50;

interface PurseDeps {
  readonly store: Pick<AccountStore, "drawTokens">;
  readonly clock: Clock;
}

export interface PurseOf {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly bucket: BucketFacts;
  /** The fraction of the bucket that this caller may not touch. */
  readonly reserve: number;
}

/**
 * The tokens that this process has drawn and not used yet. Calls that want one at the same time draw together, and while the bucket is
 * more than half full some are drawn ahead, as many as were used in the time that a token keeps. An unused token is thrown away when that
 * time is over; the bucket in the store never fills further than what refills meanwhile leaves room for (`keepMs` of `drawTokens`), so that all
 * processes together stay inside the vendor's limit whatever they hold.
 */
export class TokenPurses {
  readonly #deps: PurseDeps;
  readonly #purses = new Map<string, Purse>();

  constructor(deps: PurseDeps) {
    this.#deps = deps;
  }

  /** One token; 0 when it was taken, else the milliseconds until one can be had. */
  async take(of: PurseOf): Promise<number> {
    const key = [of.tenantId, of.connectionId, of.bucket.name, String(of.reserve)].join("\n");
    const known = this.#purses.get(key);
    const purse = known ?? new Purse(this.#deps, of);
    if (known === undefined) this.#purses.set(key, purse);
    return purse.take();
  }

  /** The vendor said "not before": what is held of the bucket is gone. */
  empty(tenantId: TenantId, connectionId: ConnectionId, bucket: string): void {
    const prefix = [tenantId, connectionId, bucket, ""].join("\n");
    for (const [key, purse] of this.#purses) if (key.startsWith(prefix)) purse.empty();
  }
}

class Purse {
  readonly #deps: PurseDeps;
  readonly #of: PurseOf;
  /** Drawn ahead, good until `#keepUntil`. */
  #held = 0;
  #keepUntil = 0;
  #ahead = 0;
  /** Calls that wait for a draw that is not asked yet, and tokens of the last one for those that waited for it. */
  #waiting = 0;
  #drawn = 0;
  #drawing: Promise<number> | undefined;
  #asked = false;

  constructor(deps: PurseDeps, of: PurseOf) {
    this.#deps = deps;
    this.#of = of;
  }

  async take(): Promise<number> {
    if (this.#spend()) return 0;
    for (;;) {
      // A draw that is under way was asked for those before: this call counts for the next one.
      if (!this.#asked) this.#waiting += 1;
      const waitMs = await (this.#drawing ??= this.#draw().finally(() => {
        this.#drawing = undefined;
        this.#asked = false;
      }));
      if (waitMs > 0) return waitMs;
      if (this.#drawn > 0) {
        this.#drawn -= 1;
        return 0;
      }
      if (this.#spend()) return 0;
    }
  }

  empty(): void {
    this.#held = 0;
  }

  #spend(): boolean {
    if (this.#held === 0) return false;
    if (this.#deps.clock.monotonic() > this.#keepUntil) {
      // Too many were drawn ahead.
      this.#ahead = Math.floor(this.#ahead / 2);
      this.#held = 0;
      return false;
    }
    this.#held -= 1;
    return true;
  }

  async #draw(): Promise<number> {
    // Whoever found the purse empty at the same moment asks in the same draw.
    await Promise.resolve();
    const { store, clock } = this.#deps;
    const { tenantId, connectionId, bucket, reserve } = this.#of;
    const want = this.#waiting;
    this.#waiting = 0;
    this.#asked = true;
    const keepMs = bucket.capacity < keptFrom ? 0 : Math.min(bucket.perMs / 10, keepMaxMs);
    const startedAt = clock.monotonic();
    // The last ones were used up while they were good: as many again and some more. Leavers take what they need and leave the rest.
    if (startedAt > this.#keepUntil || reserve === 0) this.#ahead = Math.floor(this.#ahead / 2);
    else this.#ahead = Math.min(aheadMax, this.#ahead + want);
    const drawn = await store.drawTokens(tenantId, {
      connectionId,
      bucket: bucket.name,
      capacity: bucket.capacity,
      perMs: bucket.perMs,
      want,
      ahead: keepMs === 0 ? 0 : this.#ahead,
      keepMs,
      reserve,
      now: clock.now(),
    });
    if (drawn.granted === 0) return Math.max(1, drawn.waitMs);
    const handed = Math.min(drawn.granted, want);
    // Those that waited for the draw before may not have taken theirs yet.
    this.#drawn += handed;
    this.#held = drawn.granted - handed;
    this.#keepUntil = startedAt + keepMs;
    return 0;
  }
}
