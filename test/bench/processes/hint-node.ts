/** One end of the hint path: publishes hints as the relay does, or takes them as the service does, or with kafkajs alone. */
import kafkajs from "kafkajs";
import { Client } from "pg";
import { kafkaBus } from "../../../src/adapters/kafka/kafka-bus.ts";
import { calmRequestQueues } from "../../../src/adapters/kafka/request-queue.ts";
import { openPostgresStore } from "../../../src/adapters/postgres/postgres-store.ts";
import { createConsumer } from "../../../src/events/consumer.ts";
import type { Hint } from "../../../src/events/hint-bus.ts";
import { systemClock } from "../../../src/model/clock.ts";
import { asId, type IdpId, type TenantId } from "../../../src/model/ids.ts";
import type { Logger, Metrics } from "../../../src/model/log.ts";
import { createRecompute } from "../../../src/sync/recompute.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { identityIdOf } from "./company.ts";
import { serveParent, startArgument } from "./serve-parent.ts";

export interface HintNodeStart {
  readonly kind: "publisher" | "worker" | "plain";
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly people: number;
  /** Of a worker. */
  readonly database?: string;
}

export interface TakeAnswer {
  /** Wall time of the last hint, to be compared with when the first was sent. */
  readonly endedAt: number;
  /** Processor time of this process for each hint, in microseconds. */
  readonly cpuUs: number;
}

const batch = 200;
const start = startArgument<HintNodeStart>();
const { kind, brokers, prefix, people } = start;
const clock = systemClock();
const tenantId = asId<TenantId>("bench");
const logger: Logger = {
  debug() {},
  info() {},
  warn: (facts, message) => void process.stderr.write(`${message} ${JSON.stringify(facts)}\n`),
  error: (facts, message) => void process.stderr.write(`${message} ${JSON.stringify(facts)}\n`),
  child: () => logger,
};
const metrics: Metrics = createMetrics({ processMetrics: false }).metrics;
const bus = kafkaBus({
  options: {
    ...{ brokers, prefix, clientId: `bench-${kind}`, partitions: 12, replication: 1 },
    ...{ tls: undefined, sasl: undefined },
  },
  clock,
  logger,
  metrics,
  keepUndecodable: () => Promise.reject(new Error("there is nothing here but hints")),
  onFatal: (error) => {
    throw error;
  },
});
const closing: (() => Promise<unknown>)[] = [() => bus.close()];
let taken = 0;
let told: () => void = () => undefined;
const note = (count: number) => {
  taken += count;
  told();
};

if (kind === "worker") await work();
if (kind === "plain") await takePlain();

serveParent(
  {
    /** Sends that many hints, people in turn. */
    publish: async (count: number) => {
      const startedAt = Date.now();
      for (let at = 0; at < count; at += batch) {
        const hints = Array.from({ length: Math.min(batch, count - at) }, (_, of): Hint => ({
          tenantId,
          identityId: identityIdOf((at + of) % people),
        }));
        await bus.publish("hints", hints);
      }
      return startedAt;
    },
    /** Resolves when that many hints more were handled. */
    take: async (count: number): Promise<TakeAnswer> => {
      const cpu = process.cpuUsage();
      const until = taken + count;
      await new Promise<void>((resolve) => {
        told = () => {
          if (taken >= until) resolve();
        };
        told();
      });
      const { user, system } = process.cpuUsage(cpu);
      return { endedAt: Date.now(), cpuUs: (user + system) / count };
    },
    ready: () => bus.ready().ready || kind === "plain",
  },
  async () => {
    for (const close of closing.toReversed()) await close();
  },
);

/** Consumer and recompute as the service has them, on people about whom nothing is owed. */
async function work(): Promise<void> {
  const url = start.database ?? "";
  const store = await openPostgresStore({ url, connectionsMax: 10, world: "test", clock });
  closing.unshift(() => store.close());
  const now = clock.now();
  await store.createTenant(tenantId, { now }, { records: [], recompute: [] });
  const idpId = asId<IdpId>("okta");
  await store.createIdp(tenantId, { idpId, kind: "okta", now }, { records: [], recompute: [] });
  await fillMarks(url, now);
  const recompute = createRecompute({
    ...{ store, clock, logger, metrics },
    vendorFacts: () => undefined,
    actor: { kind: "worker", id: "bench" },
    ringWorkers: () => undefined,
    ringRelay: () => undefined,
  });
  const consumer = createConsumer({
    ...{ clock, logger, metrics, recompute },
    // Counted where the bus hears that a hand was dealt with.
    bus: {
      publish: (topic, hints) => bus.publish(topic, hints),
      subscribe: (topic, handler) =>
        bus.subscribe(topic, async (hints) => {
          await handler(hints);
          note(hints.length);
        }),
      lag: (topic) => bus.lag(topic),
      ready: () => bus.ready(),
      live: () => bus.live(),
      pollAgeMs: (topic) => bus.pollAgeMs(topic),
      close: () => bus.close(),
    },
  });
  await consumer.start();
  closing.push(() => consumer.stop());
}

/** Marks that are done. */
async function fillMarks(url: string, now: number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const ids = Array.from({ length: people }, (_, at) => identityIdOf(at));
  await client.query(
    `INSERT INTO identities (tenant_id, identity_id, active, created_at)
     SELECT $1, id, 1, $2 FROM unnest($3::text[]) AS id`,
    [tenantId, now, ids],
  );
  await client.query(
    `INSERT INTO recompute (tenant_id, identity_id, wanted, published, done, urgent, due_at, since, cause_kind)
     SELECT $1, id, 1, 1, 1, 0, $2, $2, 'scim.user' FROM unnest($3::text[]) AS id`,
    [tenantId, now, ids],
  );
  await client.query("ANALYZE recompute");
  await client.end();
}

/** The floor: the same messages through the same client, counted and nothing else. */
async function takePlain(): Promise<void> {
  calmRequestQueues();
  const kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: "bench-plain",
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const consumer = kafka.consumer({ groupId: `${prefix}.plain`, maxWaitTimeInMs: 1_000 });
  await consumer.connect();
  closing.push(() => consumer.disconnect());
  // The topics are made by the first bus that wants them.
  await bus.publish("hints", [{ tenantId, identityId: identityIdOf(0) }]);
  await consumer.subscribe({ topics: [`${prefix}.hints`], fromBeginning: true });
  await consumer.run({
    eachBatch: ({ batch: { messages } }) => {
      note(messages.length);
      return Promise.resolve();
    },
  });
}
