// Goal: while Kafka is away, or there and silent, people are stored, leavers and everybody else are still done, and all drains when it
// is back.
// Method: SCIM over HTTP on a real store, the real engine, and a broker of our own behind a proxy: killed, restarted, cut off half-open.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine, type Engine } from "../../src/engine.ts";
import { systemClock } from "../../src/model/clock.ts";
import { newId } from "../../src/model/ids.ts";
import type { LogFacts, Logger, Metrics } from "../../src/model/log.ts";
import { eventually } from "../support/eventually.ts";
import { faultProxy, type FaultProxy } from "../support/fault-proxy.ts";
import { kafkaBusFor, type BusUnderTest } from "../support/kafka/kafka-bus-for.ts";
import type { KafkaCluster } from "../support/kafka/kafka-cluster.ts";
import { ownKafka } from "../support/kafka/real-kafka.ts";
import { describeReal } from "../support/real-server.ts";
import { person } from "../support/scim-client.ts";
import { startScimService, type ScimService } from "../support/scim-service.ts";

const clock = systemClock();
const long = { timeoutMs: 90_000, everyMs: 50 };

describeReal("an outage of Apache Kafka", await ownKafka(), (startKafka) => {
  let proxy: FaultProxy;
  let cluster: KafkaCluster;
  let service: ScimService;
  let under: BusUnderTest;
  let engine: Engine;
  const lines: string[] = [];
  const counts = new Map<string, number>();
  const counted = (name: string) => counts.get(name) ?? 0;

  beforeAll(async () => {
    proxy = await faultProxy();
    cluster = await startKafka({ through: proxy });
    under = kafkaBusFor([`127.0.0.1:${String(proxy.port)}`], { prefix: "outage" });
    let ring: () => void = () => undefined;
    service = await startScimService({
      deps: {
        onCommit: () => {
          ring();
        },
      },
    });
    const log = (_facts: LogFacts, message: string) => {
      lines.push(message);
    };
    const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
    const metrics: Metrics = {
      count: (name, _labels, by = 1) => counts.set(name, counted(name) + by),
      gauge() {},
      observe() {},
    };
    engine = createEngine({
      store: service.store,
      bus: under.bus,
      clock,
      logger,
      metrics,
      owner: newId(clock),
      connectorOf: () => undefined,
      openHttp: () => Promise.reject(new Error("no vendor in this story")),
    });
    ring = engine.ringRelay;
    await engine.start();
  }, 200_000);

  afterAll(async () => {
    await engine.stop();
    await under.bus.close();
    await service.close();
    await cluster.stop();
    await proxy.close();
  }, 60_000);

  const owed = async () => (await service.store.recomputeBacklog(clock.now())).owed;
  const allDone = () =>
    eventually(async () => {
      expect(await owed()).toBe(0);
    }, long);
  const works = () =>
    eventually(() => {
      expect(under.bus.ready()).toEqual({ ready: true });
    }, long);
  /** A group that was away takes a while to gather again; from some moment on nobody waits for the sweep any more. */
  const hintsDoTheWork = () => {
    let tries = 0;
    return eventually(async () => {
      tries += 1;
      const swept = counted("rolecall_sweep_found_total");
      await hire(`hinted-${String(clock.now())}-${String(tries)}`);
      await allDone();
      expect(counted("rolecall_sweep_found_total")).toBe(swept);
    }, long);
  };
  const hire = async (name: string): Promise<string> => {
    const reply = await service.client.post("/Users", person(`${name}@example.com`));
    expect(reply.status).toBe(201);
    return String(reply.body["id"]);
  };
  const leave = async (id: string): Promise<void> => {
    const reply = await service.client.patch(`/Users/${id}`, {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
      Operations: [{ op: "replace", value: { active: false } }],
    });
    expect(reply.status).toBe(200);
  };

  test("does not happen yet: hints do the work, and the sweep finds nothing", async () => {
    await hire("ada");
    await allDone();
    await works();
    const swept = counted("rolecall_sweep_found_total");
    const hinted = counted("rolecall_hints_published_total");
    await hire("bob");
    await allDone();
    expect(counted("rolecall_hints_published_total")).toBeGreaterThan(hinted);
    expect(counted("rolecall_sweep_found_total")).toBe(swept);
  });

  test("by a killed broker: SCIM answers, the sweep works, leavers first, and hints flow again after the restart", async () => {
    const leaver = await hire("cyd");
    await allDone();
    await cluster.killNode();
    const swept = counted("rolecall_sweep_found_total");
    const names = Array.from({ length: 20 }, (_, at) => `joiner-${String(at)}`);
    const startedAt = clock.monotonic();
    for (const name of names) await hire(name);
    await leave(leaver);
    expect(clock.monotonic() - startedAt).toBeLessThan(10_000);
    const leftAt = clock.monotonic();
    await eventually(async () => {
      const { urgentOwed } = await service.store.recomputeBacklog(clock.now());
      expect(urgentOwed).toBe(0);
    }, long);
    expect(clock.monotonic() - leftAt).toBeLessThan(15_000);
    await allDone();
    expect(counted("rolecall_sweep_found_total")).toBeGreaterThanOrEqual(swept + names.length);
    expect(counted("rolecall_hints_refused_total")).toBeGreaterThan(0);
    expect(under.bus.ready().ready).toBe(false);
    expect(under.bus.live()).toEqual({ live: true });

    // What the sweep works off needs no hint any more: who comes now is hinted.
    const hinted = counted("rolecall_hints_published_total");
    await hire("while-it-starts");
    await cluster.startNode();
    await works();
    await allDone();
    await hintsDoTheWork();
    expect(counted("rolecall_hints_published_total")).toBeGreaterThan(hinted);
    await eventually(async () => {
      expect(await under.bus.lag("hints")).toBe(0);
    }, long);
    expect(under.fatal).toEqual([]);
  });

  describe("by a connection that is cut half-open", () => {
    test("is noticed, made up for by the sweep, and over when the network heals", async () => {
      await works();
      const leaver = await hire("eve");
      await allDone();
      proxy.swallow();
      const startedAt = clock.monotonic();
      await leave(leaver);
      await hire("fay");
      expect(clock.monotonic() - startedAt).toBeLessThan(5_000);
      await eventually(async () => {
        const { urgentOwed } = await service.store.recomputeBacklog(clock.now());
        expect(urgentOwed).toBe(0);
      }, long);
      expect(clock.monotonic() - startedAt).toBeLessThan(15_000);
      await allDone();
      await eventually(() => {
        expect(under.bus.ready().ready).toBe(false);
      }, long);
      proxy.heal();
      await works();
      await hintsDoTheWork();
      expect(under.fatal).toEqual([]);
    });
  });
});
