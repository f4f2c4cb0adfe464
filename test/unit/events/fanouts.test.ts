import { describe, expect, test } from "vitest";
import { createFanouts } from "../../../src/events/fanouts.ts";
import type { LeasedFanout, RecomputeStore } from "../../../src/events/recompute-store.ts";
import { StoreError } from "../../../src/model/errors.ts";
import { asId, type TenantId } from "../../../src/model/ids.ts";
import type { Logger, Metrics } from "../../../src/model/log.ts";
import { fakeClock, type FakeClock } from "../../support/fake-clock.ts";

const tenantId = asId<TenantId>("t");
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const unmeasured: Metrics = { count() {}, gauge() {}, observe() {} };

/** One fan-out over numbered people, leased as the port says. */
class Fanout implements Pick<RecomputeStore, "leaseFanout" | "workFanout"> {
  readonly marked: number[] = [];
  readonly people: number;
  finished = false;
  failures = 0;
  #cursor = 0;
  #fence = 0;
  #leaseUntil = 0;
  #leaseMs = 0;
  constructor(people: number) {
    this.people = people;
  }
  leaseFanout: RecomputeStore["leaseFanout"] = ({ now, leaseMs }) => {
    if (this.finished || now < this.#leaseUntil) return Promise.resolve(undefined);
    this.#fence += 1;
    this.#leaseMs = leaseMs;
    this.#leaseUntil = now + leaseMs;
    const leased: LeasedFanout = {
      tenantId,
      fanoutId: "f",
      scope: { kind: "tenant" },
      cause: { kind: "mapping", key: "mapping:v" },
      urgent: false,
      cursor: this.#cursor === 0 ? undefined : String(this.#cursor),
      fence: this.#fence,
    };
    return Promise.resolve(leased);
  };
  workFanout: RecomputeStore["workFanout"] = ({ fanout, now, limit }) => {
    if (fanout.fence !== this.#fence)
      return Promise.reject(new StoreError("VERSION_CONFLICT", "in other hands"));
    if (this.failures > 0) {
      this.failures -= 1;
      return Promise.reject(new StoreError("UNAVAILABLE", "disk full"));
    }
    const from = Number(fanout.cursor ?? 0);
    const to = Math.min(this.people, from + limit);
    for (let person = from; person < to; person += 1) this.marked.push(person);
    this.#cursor = to;
    this.#leaseUntil = now + this.#leaseMs;
    this.finished = to === this.people;
    return Promise.resolve({
      finished: this.finished,
      marked: to - from,
      cursor: this.finished ? undefined : String(to),
    });
  };
}

function worker(store: Fanout, clock: FakeClock, owner: string) {
  const begun: string[] = [];
  let pages = 0;
  const loop = createFanouts({
    store,
    clock,
    logger: silent,
    metrics: unmeasured,
    owner,
    beforeFanout: (fanout) => {
      begun.push(fanout.fanoutId);
      return Promise.resolve();
    },
    afterPage: () => {
      pages += 1;
    },
  });
  return { loop, begun, pages: () => pages };
}

describe("a fan-out", () => {
  test("marks everybody once, in pages of 500, prepared once at its beginning", async () => {
    const clock = fakeClock();
    const store = new Fanout(1_200);
    const { loop, begun, pages } = worker(store, clock, "a");
    loop.start();
    await clock.advance(5_000);
    expect(store.finished).toBe(true);
    expect(store.marked).toEqual(Array.from({ length: 1_200 }, (_, at) => at));
    expect([begun, pages()]).toEqual([["f"], 3]);
    await loop.stop();
  });

  test("whose worker stops in the middle is resumed at its page when the lease runs out", async () => {
    const clock = fakeClock();
    const store = new Fanout(5_000);
    const first = worker(store, clock, "a");
    first.loop.start();
    await clock.advance(30);
    const done = store.marked.length;
    expect(done).toBeGreaterThan(0);
    const stopping = first.loop.stop();
    await clock.advance(100);
    await stopping;
    expect(store.finished).toBe(false);
    const second = worker(store, clock, "b");
    second.loop.start();
    await clock.advance(20_000);
    expect(store.finished).toBe(false);
    await clock.advance(15_000);
    expect(store.finished).toBe(true);
    expect(store.marked).toEqual(Array.from({ length: 5_000 }, (_, at) => at));
    expect(second.begun).toEqual([]);
    await second.loop.stop();
  });

  test("that fails is tried again, whatever failed", async () => {
    const clock = fakeClock();
    const store = new Fanout(10);
    store.failures = 2;
    const { loop } = worker(store, clock, "a");
    loop.start();
    await clock.advance(120_000);
    expect(store.finished).toBe(true);
    await loop.stop();
  });

  test("that another worker took over is left to it", async () => {
    const clock = fakeClock();
    const store = new Fanout(5_000);
    const { loop } = worker(store, clock, "a");
    loop.start();
    await clock.advance(30);
    // Somebody whose clock runs ahead believes that the lease has run out.
    await store.leaseFanout({ owner: "b", now: clock.now() + 60_000, leaseMs: 30_000 });
    const before = store.marked.length;
    await clock.advance(5_000);
    expect(store.marked.length).toBe(before);
    await loop.stop();
  });
});
