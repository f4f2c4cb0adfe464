// Goal: what goes wrong with single messages, handlers and members of a group costs time and never work.
// Method: the bus on a real Apache Kafka, two of them where a fleet is meant, and plain producers for bytes of others.
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { afterEach, describe, expect, test } from "vitest";
import type { KafkaBusDeps } from "../../src/adapters/kafka/kafka-bus.ts";
import type { Hint } from "../../src/events/hint-bus.ts";
import { systemClock } from "../../src/model/clock.ts";
import { people } from "../conformance/hint-bus-suite.ts";
import { eventually } from "../support/eventually.ts";
import { kafkaBusFor, type BusUnderTest } from "../support/kafka/kafka-bus-for.ts";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { describeReal } from "../support/real-server.ts";

const clock = systemClock();
const wait = { timeoutMs: 60_000 };
const idsOf = (hints: readonly Hint[]) => new Set(hints.map((hint) => hint.identityId));

describeReal("hints on Apache Kafka", await sharedKafka(), (kafka) => {
  const opened: BusUnderTest[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map(({ bus }) => bus.close()));
  });
  const open = (prefix: string, deps: Partial<KafkaBusDeps> = {}): BusUnderTest => {
    const made = kafkaBusFor(kafka.brokers, { prefix }, deps);
    opened.push(made);
    return made;
  };

  describe("a message that nobody can read", () => {
    const poison = [
      { key: "acme:x", value: Buffer.from([0xff, 0x00, 0xfe]) },
      { key: "{}", value: "{}" },
      { key: "acme:y", value: null },
      { key: "acme:z", value: '{"v":2,"tenant":"acme","identity":"x"}' },
      { key: "Acme Inc:z", value: '{"v":1,"tenant":"Acme Inc","identity":"x"}' },
    ];

    test("27 poison bytes: kept with their place, told of, and nobody behind them waits", async () => {
      const one = open(kafka.freshPrefix());
      const handled: Hint[] = [];
      await one.bus.publish("hints", people(1));
      await produce(kafka.brokers, `${one.options.prefix}.hints`, poison);
      const behind = people(30);
      await one.bus.publish("hints", behind);
      await one.bus.subscribe("hints", (hints) => {
        handled.push(...hints);
        return Promise.resolve();
      });
      await eventually(() => {
        expect(behind.every((hint) => idsOf(handled).has(hint.identityId))).toBe(true);
        // At least once: a batch that is handed out again brings its letters again, and the
        // producer of the others sends again what was not acknowledged in time.
        expect(
          new Set(one.undecodable.map(({ key }) => Buffer.from(key ?? []).toString())),
        ).toEqual(new Set(poison.map(({ key }) => key)));
      }, wait);
      const kept = one.undecodable.find(
        (item) => Buffer.from(item.key ?? []).toString() === "acme:x",
      );
      expect(Buffer.from(kept?.value ?? [])).toEqual(Buffer.from([0xff, 0x00, 0xfe]));
      expect(kept).toMatchObject({ topic: `${one.options.prefix}.hints`, why: "no JSON" });
      expect(one.undecodable.map((item) => item.why)).toContain("no value");
      const alerts = one.lines.filter((line) => line.level === "error");
      expect(alerts.length).toBeGreaterThanOrEqual(poison.length);
      const counted = one.counted.filter((name) => name === "rolecall_dead_letters_total");
      expect(counted.length).toBeGreaterThanOrEqual(poison.length);
    });

    test("is handed out again while it cannot be kept", async () => {
      const kept: string[] = [];
      let failures = 2;
      const one = open(kafka.freshPrefix(), {
        keepUndecodable: (message) => {
          if (failures-- > 0) return Promise.reject(new Error("the database is away"));
          kept.push(message.why);
          return Promise.resolve();
        },
      });
      await one.bus.subscribe("hints", () => Promise.resolve());
      await one.bus.publish("hints", people(1));
      await produce(kafka.brokers, `${one.options.prefix}.hints`, poison.slice(0, 1));
      await eventually(() => {
        expect(new Set(kept)).toEqual(new Set(["no JSON"]));
      }, wait);
      expect(await lagOf(one)).toBe(0);
    });
  });

  test("27 handler TypeError: it neither ends its consumer nor makes it join again", async () => {
    const one = open(kafka.freshPrefix());
    let failures = 0;
    const handled: Hint[] = [];
    await one.bus.subscribe("hints", (hints) => {
      if (failures-- > 0) throw new TypeError("a fault of ours");
      handled.push(...hints);
      return Promise.resolve();
    });
    const handledAll = (hints: readonly Hint[]) =>
      eventually(() => {
        expect(hints.every((hint) => idsOf(handled).has(hint.identityId))).toBe(true);
      }, wait);
    const joins = () => one.counted.filter((name) => name === "rolecall_bus_joins_total").length;
    const before = people(1);
    await one.bus.publish("hints", before);
    await handledAll(before);
    const joinsBefore = joins();
    failures = 4;
    const hints = people(5);
    await one.bus.publish("hints", hints);
    await handledAll(hints);
    expect(one.fatal).toEqual([]);
    expect(joins()).toBe(joinsBefore);
    expect(one.lines.filter((line) => line.message.startsWith("hints could not"))).toHaveLength(4);
  });

  test("a second worker takes its share while the first is in the middle of a batch, and nothing is lost", async () => {
    const prefix = kafka.freshPrefix();
    const handled: Hint[] = [];
    const byWorker = [0, 0];
    const slow = (worker: number) => async (hints: readonly Hint[]) => {
      await clock.sleep(400);
      handled.push(...hints);
      byWorker[worker] = (byWorker[worker] ?? 0) + hints.length;
    };
    const first = open(prefix);
    await first.bus.subscribe("hints", slow(0));
    const hints = people(2_000);
    await first.bus.publish("hints", hints);
    await eventually(() => handled.length > 0, wait);
    const second = open(prefix);
    await second.bus.subscribe("hints", slow(1));
    await eventually(() => {
      expect(second.counted).toContain("rolecall_bus_joins_total");
    }, wait);
    const more = people(600);
    await first.bus.publish("hints", more);
    await eventually(() => {
      const ids = idsOf(handled);
      expect([...hints, ...more].filter((hint) => !ids.has(hint.identityId))).toHaveLength(0);
    }, wait);
    expect(byWorker[1]).toBeGreaterThan(0);
    expect(await lagOf(first)).toBe(0);
    expect([...first.fatal, ...second.fatal]).toEqual([]);
  });

  test("a worker that leaves hands its share to the others at once, not after its session", async () => {
    const prefix = kafka.freshPrefix();
    const handled: Hint[] = [];
    const take = (hints: readonly Hint[]) => {
      handled.push(...hints);
      return Promise.resolve();
    };
    const [first, second] = [open(prefix), open(prefix)];
    await first.bus.subscribe("hints", take);
    await second.bus.subscribe("hints", take);
    await eventually(() => {
      expect(second.counted).toContain("rolecall_bus_joins_total");
    }, wait);
    await second.bus.close();
    const leftAt = clock.monotonic();
    const hints = people(60);
    await first.bus.publish("hints", hints);
    await eventually(() => {
      expect(hints.every((hint) => idsOf(handled).has(hint.identityId))).toBe(true);
    }, wait);
    expect(clock.monotonic() - leftAt).toBeLessThan(30_000);
  });

  test("a leaver is handled within a second behind 100,000 joiners", async () => {
    const one = open(kafka.freshPrefix());
    const joiners = people(100_000);
    for (let at = 0; at < joiners.length; at += 5_000) {
      await one.bus.publish("hints", joiners.slice(at, at + 5_000));
    }
    let joined = 0;
    const urgent = Promise.withResolvers<void>();
    await one.bus.subscribe("hints.urgent", () => {
      urgent.resolve();
      return Promise.resolve();
    });
    await one.bus.subscribe("hints", async (hints) => {
      // What a recompute of 200 people costs a database.
      await clock.sleep(50);
      joined += hints.length;
    });
    await eventually(() => joined > 1_000, wait);
    const sentAt = clock.monotonic();
    await one.bus.publish("hints.urgent", people(1));
    await urgent.promise;
    expect(clock.monotonic() - sentAt).toBeLessThan(1_000);
    expect(joined).toBeLessThan(50_000);
  });
});

async function lagOf({ bus }: BusUnderTest): Promise<number | undefined> {
  let lag: number | undefined;
  await eventually(async () => {
    lag = await bus.lag("hints");
    return lag === 0;
  }, wait);
  return lag;
}

/** What somebody else might write to our topic. */
async function produce(
  brokers: readonly string[],
  topic: string,
  messages: readonly { readonly key: string | null; readonly value: string | Buffer | null }[],
): Promise<void> {
  const producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  await producer.send({ topic, messages: [...messages] });
  await producer.disconnect();
}
