// Goal: hints only save time. Losing, doubling or delaying them changes nothing but when the work is done.
// Method: a mark store of twenty lines and buses that misbehave, on a clock that the test moves.
import { describe, expect, test } from "vitest";
import { createConsumer } from "../../../src/events/consumer.ts";
import type { Hint, HintBus, HintTopic } from "../../../src/events/hint-bus.ts";
import type { RecomputeMark, RecomputeStore } from "../../../src/events/recompute-store.ts";
import { recomputeBatch } from "../../../src/events/recompute-batch.ts";
import { createRelay } from "../../../src/events/relay.ts";
import { createSweep } from "../../../src/events/sweep.ts";
import { StoreError } from "../../../src/model/errors.ts";
import { asId, type IdentityId, type TenantId } from "../../../src/model/ids.ts";
import type { Logger, Metrics } from "../../../src/model/log.ts";
import { fakeClock, type FakeClock } from "../../support/fake-clock.ts";

const tenantId = asId<TenantId>("t");
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const unmeasured: Metrics = { count() {}, gauge() {}, observe() {} };

class Marks implements Pick<RecomputeStore, "listUnpublished" | "markPublished" | "listOverdue"> {
  readonly rows = new Map<string, RecomputeMark & { published: number }>();
  readonly recomputed: string[] = [];
  readonly clock: FakeClock;
  ringRelay: () => void = () => undefined;
  constructor(clock: FakeClock) {
    this.clock = clock;
  }
  want(id: string, urgent = false): void {
    const old = this.rows.get(id);
    this.rows.set(id, {
      tenantId,
      identityId: asId<IdentityId>(id),
      wanted: (old?.wanted ?? 0) + 1,
      done: old?.done ?? 0,
      published: old?.published ?? 0,
      urgent,
      cause: { kind: "scim.user" },
      since: this.clock.now(),
      dueAt: this.clock.now(),
    });
  }
  recompute = (_tenant: TenantId, ids: readonly IdentityId[]): Promise<void> => {
    for (const id of ids) {
      const row = this.rows.get(id);
      if (row === undefined || row.done >= row.wanted) continue;
      this.rows.set(id, { ...row, done: row.wanted });
      this.recomputed.push(id);
    }
    return Promise.resolve();
  };
  listUnpublished = () =>
    Promise.resolve([...this.rows.values()].filter((row) => row.published < row.wanted));
  markPublished: RecomputeStore["markPublished"] = (marks) => {
    for (const mark of marks) {
      const row = this.rows.get(mark.identityId);
      if (row !== undefined)
        this.rows.set(mark.identityId, { ...row, published: Math.max(row.published, mark.wanted) });
    }
    return Promise.resolve();
  };
  listOverdue: RecomputeStore["listOverdue"] = ({ now, ageMs, urgentAgeMs }) =>
    Promise.resolve(
      [...this.rows.values()]
        .filter(
          (row) =>
            row.done < row.wanted &&
            now - row.since >= ((row.urgent ? urgentAgeMs : ageMs) ?? Infinity),
        )
        .sort((a, b) => Number(b.urgent) - Number(a.urgent)),
    );
}

function bus(
  deliver: (topic: HintTopic, hints: readonly Hint[]) => readonly (readonly Hint[])[],
): HintBus {
  const handlers = new Map<HintTopic, (hints: readonly Hint[]) => Promise<void>>();
  return {
    async publish(topic, hints) {
      for (const batch of deliver(topic, hints)) await handlers.get(topic)?.(batch);
    },
    subscribe(topic, handler) {
      handlers.set(topic, handler);
      return Promise.resolve();
    },
    lag: () => Promise.resolve(undefined),
    ready: () => ({ ready: true }),
    live: () => ({ live: true }),
    pollAgeMs: () => undefined,
    close: () => Promise.resolve(),
  };
}

async function run(
  theBus: HintBus,
  act: (marks: Marks, clock: FakeClock) => Promise<void>,
): Promise<Marks> {
  const clock = fakeClock();
  const marks = new Marks(clock);
  const common = { clock, logger: silent, metrics: unmeasured };
  const consumer = createConsumer({ ...common, bus: theBus, recompute: marks.recompute });
  const relay = createRelay({ ...common, bus: theBus, store: marks });
  const sweep = createSweep({ ...common, store: marks, recompute: marks.recompute });
  marks.ringRelay = relay.ring;
  await consumer.start();
  relay.start();
  sweep.start();
  await act(marks, clock);
  await Promise.all([relay.stop(), sweep.stop(), consumer.stop()]);
  return marks;
}

describe("hints", () => {
  test("that arrive make the work immediate", async () => {
    const marks = await run(
      bus((_topic, hints) => [hints]),
      async (store, clock) => {
        store.want("ada");
        await clock.advance(300);
        expect(store.recomputed).toEqual(["ada"]);
      },
    );
    expect(marks.recomputed).toEqual(["ada"]);
  });

  test("that are all lost are made up for by the sweep, leavers after two seconds, others after ten", async () => {
    await run(
      bus(() => []),
      async (store, clock) => {
        store.want("ada");
        store.want("leaver", true);
        await clock.advance(3_000);
        expect(store.recomputed).toEqual(["leaver"]);
        await clock.advance(8_500);
        expect(store.recomputed).toEqual(["leaver", "ada"]);
      },
    );
  });

  test("that are doubled cost a look and change nothing", async () => {
    const marks = await run(
      bus((_topic, hints) => [hints, hints, [...hints, ...hints]]),
      async (store, clock) => {
        store.want("ada");
        await clock.advance(300);
      },
    );
    expect(marks.recomputed).toEqual(["ada"]);
  });

  test("to a bus that is down are published when it is back", async () => {
    let up = false;
    const published: string[] = [];
    const theBus: HintBus = {
      ...bus((_topic, hints) => [hints]),
      publish: (_topic, hints) => {
        if (!up) return Promise.reject(new Error("no broker"));
        published.push(...hints.map((hint) => hint.identityId));
        return Promise.resolve();
      },
    };
    await run(theBus, async (store, clock) => {
      store.want("ada");
      await clock.advance(5_000);
      expect(published).toEqual([]);
      up = true;
      await clock.advance(3_000);
      expect(published).toEqual(["ada"]);
    });
  });

  test("26 Kafka down for 1 h: the sweep does the work meanwhile, leavers within seconds, and hints flow when it is back", async () => {
    const hour = 3_600_000;
    let down = true;
    await run(
      bus((_topic, hints) => {
        if (down) throw new Error("no broker");
        return [hints];
      }),
      async (store, clock) => {
        for (let at = 0; at < 60; at++) {
          store.want(`ada-${String(at)}`);
          store.want(`leaver-${String(at)}`, true);
          await clock.advance(4_000);
          expect(store.recomputed).toContain(`leaver-${String(at)}`);
          await clock.advance(hour / 60 - 4_000);
          expect(store.recomputed).toContain(`ada-${String(at)}`);
        }
        down = false;
        await clock.advance(10_000);
        store.want("ben");
        await clock.advance(300);
        expect(store.recomputed).toContain("ben");
      },
    );
  });

  test("of leavers go to their own topic, first", async () => {
    const topics: string[] = [];
    await run(
      bus((topic, hints) => {
        topics.push(`${topic}:${hints.map((hint) => hint.identityId).join(",")}`);
        return [hints];
      }),
      async (store, clock) => {
        store.want("ada");
        store.want("leaver", true);
        await clock.advance(300);
      },
    );
    expect(topics).toEqual(["hints.urgent:leaver", "hints:ada"]);
  });
});

test("a recompute that throws neither ends the consumer nor loses the mark", async () => {
  const clock = fakeClock();
  const marks = new Marks(clock);
  let failures = 1;
  const theBus = bus((_topic, hints) => [hints]);
  const consumer = createConsumer({
    bus: theBus,
    clock,
    logger: silent,
    metrics: unmeasured,
    recompute: (tenant, ids) => {
      if (failures-- > 0) throw new TypeError("a fault of ours");
      return marks.recompute(tenant, ids);
    },
  });
  await consumer.start();
  marks.want("ada");
  const hint = { tenantId, identityId: asId<IdentityId>("ada") };
  await theBus.publish("hints", [hint]);
  expect(marks.recomputed).toEqual([]);
  await theBus.publish("hints", [hint]);
  expect(marks.recomputed).toEqual(["ada"]);
});

describe("leavers", () => {
  test("are hinted while a full topic makes everybody else wait", async () => {
    const published: string[] = [];
    let makeRoom: () => void = () => undefined;
    const theBus: HintBus = {
      ...bus(() => []),
      publish: async (topic, hints) => {
        if (topic === "hints") await new Promise<void>((resolve) => (makeRoom = resolve));
        published.push(...hints.map((hint) => hint.identityId));
      },
    };
    await run(theBus, async (store, clock) => {
      store.want("ada");
      await clock.advance(300);
      store.want("leaver", true);
      await clock.advance(300);
      expect(published).toEqual(["leaver"]);
      makeRoom();
      await clock.advance(0);
      expect(published).toEqual(["leaver", "ada"]);
      await clock.advance(300);
      expect(published).toEqual(["leaver", "ada"]);
    });
  });

  test("are swept while a page of others takes its time", async () => {
    const clock = fakeClock();
    const marks = new Marks(clock);
    const sweep = createSweep({
      clock,
      logger: silent,
      metrics: unmeasured,
      store: marks,
      recompute: async (tenant, ids) => {
        if (ids.includes(asId<IdentityId>("ada"))) await clock.sleep(60_000);
        await marks.recompute(tenant, ids);
      },
    });
    sweep.start();
    marks.want("ada");
    await clock.advance(11_000);
    marks.want("leaver", true);
    await clock.advance(4_000);
    expect(marks.recomputed).toEqual(["leaver"]);
    await clock.advance(60_000);
    expect(marks.recomputed).toEqual(["leaver", "ada"]);
    await sweep.stop();
  });
});

describe("a person whose recompute fails", () => {
  const failing = (marks: Marks, broken: ReadonlySet<string>, tries: string[]) => {
    return (tenant: TenantId, ids: readonly IdentityId[]): Promise<void> => {
      tries.push(ids.join(","));
      if (ids.some((id) => broken.has(id))) throw new TypeError("a fault of ours");
      return marks.recompute(tenant, ids);
    };
  };

  test("keeps nobody else waiting, is tried again with growing pauses, and is done once repaired", async () => {
    const clock = fakeClock();
    const marks = new Marks(clock);
    const broken = new Set(["bob"]);
    const tries: string[] = [];
    const sweep = createSweep({
      clock,
      logger: silent,
      metrics: unmeasured,
      store: marks,
      recompute: failing(marks, broken, tries),
    });
    for (const id of ["ada", "bob", "cyd"]) marks.want(id);
    sweep.start();
    await clock.advance(10_500);
    expect(marks.recomputed).toEqual(["ada", "cyd"]);
    tries.length = 0;
    await clock.advance(69_000);
    expect(tries).toEqual(["bob", "bob"]);
    broken.clear();
    await clock.advance(90_000);
    expect(marks.recomputed).toEqual(["ada", "cyd", "bob"]);
    await sweep.stop();
  });

  test("is counted, and keeps nobody else of a batch of hints waiting", async () => {
    const clock = fakeClock();
    const marks = new Marks(clock);
    const counted: string[] = [];
    const theBus = bus((_topic, hints) => [hints]);
    const consumer = createConsumer({
      bus: theBus,
      clock,
      logger: silent,
      metrics: { ...unmeasured, count: (name) => counted.push(name) },
      recompute: failing(marks, new Set(["bob"]), []),
    });
    await consumer.start();
    const ids = ["ada", "bob", "cyd"];
    for (const id of ids) marks.want(id);
    await theBus.publish(
      "hints",
      ids.map((id) => ({ tenantId, identityId: asId<IdentityId>(id) })),
    );
    expect(marks.recomputed).toEqual(["ada", "cyd"]);
    expect(counted).toEqual(["rolecall_recompute_failed_total"]);
  });

  test("with the store down is one try and one line for the whole batch", async () => {
    const clock = fakeClock();
    const tries: number[] = [];
    const lines: string[] = [];
    const failed = await recomputeBatch(
      {
        logger: { ...silent, error: (_facts, message) => lines.push(message) },
        metrics: unmeasured,
        recompute: (_tenant, ids) => {
          tries.push(ids.length);
          throw new StoreError("UNAVAILABLE", `closed at ${String(clock.now())}`);
        },
      },
      tenantId,
      ["ada", "bob"].map((id) => asId<IdentityId>(id)),
    );
    expect([failed.length, tries, lines.length]).toEqual([2, [2], 1]);
  });
});

test("a bus that stays down is told of once and offered to every two seconds", async () => {
  const clock = fakeClock();
  const marks = new Marks(clock);
  const lines: string[] = [];
  let offers = 0;
  let up = false;
  const relay = createRelay({
    clock,
    metrics: unmeasured,
    logger: {
      ...silent,
      error: (_facts, message) => lines.push(message),
      info: (_facts, message) => lines.push(message),
    },
    store: marks,
    bus: {
      publish: () => {
        offers += 1;
        return up ? Promise.resolve() : Promise.reject(new Error("no broker"));
      },
    },
  });
  marks.want("ada");
  relay.start();
  await clock.advance(9_900);
  expect([offers, lines.length]).toEqual([5, 1]);
  relay.ring();
  await clock.advance(10);
  expect(offers).toBe(5);
  up = true;
  await clock.advance(2_000);
  expect(lines).toHaveLength(2);
  expect(marks.rows.get("ada")?.published).toBe(1);
  await relay.stop();
});

test("a relay that is rung does not wait for its next round", async () => {
  await run(
    bus((_topic, hints) => [hints]),
    async (store, clock) => {
      await clock.advance(10);
      store.want("ada");
      store.ringRelay();
      await clock.advance(0);
      expect(store.recomputed).toEqual(["ada"]);
    },
  );
});

test.each([
  [false, 4],
  [true, 1],
])(
  "a relay looks for others' marks; where it is rung: %s, %i times a second",
  async (isRung, times) => {
    const clock = fakeClock();
    const marks = new Marks(clock);
    let looks = 0;
    const relay = createRelay({
      ...{ clock, isRung, logger: silent, metrics: unmeasured },
      bus: bus(() => []),
      store: {
        markPublished: marks.markPublished,
        listUnpublished: () => {
          looks += 1;
          return marks.listUnpublished();
        },
      },
    });
    relay.start();
    await clock.advance(9_990);
    expect(looks).toBe(10 * times);
    marks.want("ada");
    await clock.advance(1_000);
    expect(marks.rows.get("ada")?.published).toBe(1);
    await relay.stop();
  },
);
