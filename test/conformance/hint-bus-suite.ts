import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Hint, HintBus, HintTopic } from "../../src/events/hint-bus.ts";
import { asId, newId, type IdentityId, type TenantId } from "../../src/model/ids.ts";
import { systemClock } from "../../src/model/clock.ts";
import { eventually } from "../support/eventually.ts";

export interface OpenBus {
  /** A bus that nobody else publishes to; each call after the first is another process on the same one, where that is possible. */
  open(): HintBus;
  /** Whether what a closed bus had taken comes out of the next one. */
  readonly keeps: boolean;
}

const tenantId = asId<TenantId>("acme");
const clock = systemClock();
const waitMs = { timeoutMs: 30_000 };

export function people(count: number): readonly Hint[] {
  return Array.from({ length: count }, () => ({ tenantId, identityId: newId<IdentityId>(clock) }));
}

/** What a handler was given, hint by hint and hand by hand. */
class Received {
  readonly hands: (readonly Hint[])[] = [];
  readonly handler = (hints: readonly Hint[]): Promise<void> => {
    this.hands.push(hints);
    return Promise.resolve();
  };
  get ids(): ReadonlySet<IdentityId> {
    return new Set(this.hands.flat().map((hint) => hint.identityId));
  }
  async has(hints: readonly Hint[]): Promise<void> {
    await eventually(() => {
      const { ids } = this;
      expect(hints.filter((hint) => !ids.has(hint.identityId))).toEqual([]);
    }, waitMs);
  }
}

/** What every hint bus has to do; `begin` gives one that is empty. */
export function hintBusSuite(name: string, begin: () => OpenBus): void {
  describe(`hint bus: ${name}`, () => {
    const open: HintBus[] = [];
    let world: OpenBus;
    const bus = (): HintBus => {
      const made = world.open();
      open.push(made);
      return made;
    };
    beforeEach(() => {
      world = begin();
    });
    afterEach(async () => {
      await Promise.all(open.splice(0).map((item) => item.close()));
    });

    test("hands out what was published, ids only, each topic to its own subscriber", async () => {
      const one = bus();
      const received: Record<HintTopic, Received> = {
        hints: new Received(),
        "hints.urgent": new Received(),
      };
      await one.subscribe("hints", received.hints.handler);
      await one.subscribe("hints.urgent", received["hints.urgent"].handler);
      const [joiners, leavers] = [people(3), people(2)];
      await one.publish("hints", joiners);
      await one.publish("hints.urgent", leavers);
      await received.hints.has(joiners);
      await received["hints.urgent"].has(leavers);
      expect(received.hints.ids.size).toBe(3);
      expect(received["hints.urgent"].ids.size).toBe(2);
      expect(received.hints.hands.flat()).toContainEqual(joiners[0]);
    });

    test("keeps what is published before anybody subscribes", async () => {
      const one = bus();
      const early = people(5);
      await one.publish("hints", early);
      const received = new Received();
      await one.subscribe("hints", received.handler);
      await received.has(early);
    });

    test("takes a doubled hint and hands it out at least once", async () => {
      const one = bus();
      const received = new Received();
      const hints = people(2);
      await one.publish("hints", [...hints, ...hints]);
      await one.publish("hints", hints);
      await one.subscribe("hints", received.handler);
      await received.has(hints);
      expect(received.ids.size).toBe(2);
    });

    test("takes nothing as nothing", async () => {
      const one = bus();
      const received = new Received();
      await one.subscribe("hints", received.handler);
      await one.publish("hints", []);
      const after = people(1);
      await one.publish("hints", after);
      await received.has(after);
      expect(received.hands.every((hand) => hand.length > 0)).toBe(true);
    });

    test("hands out at most 200 at a time, one hand after the other, and waits for a slow handler", async () => {
      const one = bus();
      const received = new Received();
      let running = 0;
      let most = 0;
      await one.subscribe("hints", async (hints) => {
        running += 1;
        most = Math.max(most, running);
        await clock.sleep(5);
        await received.handler(hints);
        running -= 1;
      });
      const many = people(1_500);
      for (let at = 0; at < many.length; at += 500) {
        await one.publish("hints", many.slice(at, at + 500));
      }
      await received.has(many);
      expect(most).toBe(1);
      expect(Math.max(...received.hands.map((hand) => hand.length))).toBeLessThanOrEqual(200);
    });

    test("hands out leavers while everybody else's handler is stuck", async () => {
      const one = bus();
      const urgent = new Received();
      const stuck = Promise.withResolvers<void>();
      const reached = Promise.withResolvers<void>();
      await one.subscribe("hints", () => {
        reached.resolve();
        return stuck.promise;
      });
      await one.subscribe("hints.urgent", urgent.handler);
      await one.publish("hints", people(300));
      await reached.promise;
      const leaver = people(1);
      await one.publish("hints.urgent", leaver);
      await urgent.has(leaver);
      stuck.resolve();
    });

    test("calls a handler again that rejects, whatever it rejects with, and loses nothing", async () => {
      const one = bus();
      const received = new Received();
      const failures: (() => Promise<void>)[] = [
        () => Promise.reject(new TypeError("a fault of ours")),
        () => {
          throw new RangeError("a fault of ours, thrown");
        },
        () => Promise.reject(new Error("the database is away")),
      ];
      await one.subscribe("hints", (hints) => failures.shift()?.() ?? received.handler(hints));
      const hints = people(10);
      await one.publish("hints", hints);
      await received.has(hints);
      expect(failures).toEqual([]);
      const later = people(1);
      await one.publish("hints", later);
      await received.has(later);
    });

    test("says how much was taken and not handled", async () => {
      const one = bus();
      const gate = Promise.withResolvers<void>();
      const received = new Received();
      await one.publish("hints", people(50));
      await one.subscribe("hints", async (hints) => {
        await gate.promise;
        await received.handler(hints);
      });
      await eventually(async () => {
        // More where the bus sent some of them twice.
        expect(await one.lag("hints")).toBeGreaterThanOrEqual(50);
      }, waitMs);
      gate.resolve();
      await eventually(async () => {
        expect(await one.lag("hints")).toBe(0);
      }, waitMs);
      expect(received.ids.size).toBe(50);
    });

    test("is ready and alive while it works", async () => {
      const one = bus();
      const received = new Received();
      await one.subscribe("hints", received.handler);
      const hints = people(1);
      await one.publish("hints", hints);
      await received.has(hints);
      expect(one.ready()).toEqual({ ready: true });
      expect(one.live()).toEqual({ live: true });
    });

    test("refuses a second subscriber of a topic", async () => {
      const one = bus();
      await one.subscribe("hints", () => Promise.resolve());
      await expect(one.subscribe("hints", () => Promise.resolve())).rejects.toThrow(/already/);
    });

    test("closes after the handler that runs, hands out nothing more and takes nothing more", async () => {
      const one = bus();
      const gate = Promise.withResolvers<void>();
      const reached = Promise.withResolvers<void>();
      let hands = 0;
      let ended = false;
      await one.subscribe("hints", async () => {
        hands += 1;
        reached.resolve();
        await gate.promise;
        ended = true;
      });
      await one.publish("hints", people(700));
      await reached.promise;
      let closed = false;
      const closing = one.close().then(() => {
        closed = true;
        expect(ended).toBe(true);
      });
      await expect(one.publish("hints", people(1))).rejects.toThrow(/closed/);
      await expect(one.subscribe("hints.urgent", () => Promise.resolve())).rejects.toThrow(
        /closed/,
      );
      expect(one.ready().ready).toBe(false);
      expect(closed).toBe(false);
      gate.resolve();
      await closing;
      expect(hands).toBe(1);
      await one.close();
    });

    test("closes while a handler fails and is tried again and again", async () => {
      const one = bus();
      const reached = Promise.withResolvers<void>();
      await one.subscribe("hints", () => {
        reached.resolve();
        return Promise.reject(new Error("the database is away"));
      });
      await one.publish("hints", people(1));
      await reached.promise;
      await one.close();
    });

    test("gives the next process what the last one had not handled, where it keeps hints", async () => {
      const one = bus();
      const hints = people(20);
      await one.publish("hints", hints);
      await one.close();
      if (!world.keeps) return;
      const two = bus();
      const received = new Received();
      await two.subscribe("hints", received.handler);
      await received.has(hints);
    });
  });
}
