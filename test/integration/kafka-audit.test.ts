// Goal: every sequenced audit record reaches the audit topic, in leaf order, whole but for personal values, however often the streaming
// process dies.
// Method: a real store and sequencer, a real topic read by a plain consumer, and a sink that fails after it has sent.
import { Kafka, logLevel } from "kafkajs";
import { expect, test } from "vitest";
import { auditTopic } from "../../src/adapters/kafka/audit-topic.ts";
import type { AuditSink } from "../../src/audit/audit-sink.ts";
import type { ExportedRecord } from "../../src/audit/export.ts";
import { createSequencer } from "../../src/audit/sequencer.ts";
import { createAuditStream } from "../../src/audit/stream-out.ts";
import { verifyAudit } from "../../src/audit/verify.ts";
import { systemClock } from "../../src/model/clock.ts";
import type { TenantId } from "../../src/model/ids.ts";
import type { Logger, Metrics } from "../../src/model/log.ts";
import { newRecord } from "../../src/model/records.ts";
import { eventually } from "../support/eventually.ts";
import { kafkaOptions } from "../support/kafka/kafka-bus-for.ts";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { describeReal } from "../support/real-server.ts";
import { addTenant, openMemoryStore } from "../support/store.ts";

const clock = systemClock();
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const unmeasured: Metrics = { count() {}, gauge() {}, observe() {} };

describeReal("the audit topic of Apache Kafka", await sharedKafka(), (kafka) => {
  test("gets every record of every tenant in leaf order, provable and without personal values, after a crash twice", async () => {
    const { store, dispose } = await openMemoryStore(clock);
    const tenants = [
      (await addTenant(store, clock.now())).tenantId,
      (await addTenant(store, clock.now(), { tenant: "globex", idp: "entra" })).tenantId,
    ];
    for (const tenantId of tenants) {
      const records = Array.from({ length: 1_100 }, (_, at) =>
        newRecord(clock, {
          actor: { kind: "system", id: "test" },
          action: "user.created",
          subject: { type: "identity", id: String(at) },
          facts: { at },
          personal: { email: `person-${String(at)}@example.com` },
        }),
      );
      await store.appendRecords(tenantId, records);
    }
    const common = { store, clock, logger: silent, metrics: unmeasured };
    const sequencer = createSequencer({
      ...common,
      owner: "sequencer",
      checkpoints: {
        append: () => Promise.resolve(),
        last: () => Promise.resolve(undefined),
        setAside: () => Promise.resolve(),
        async *read() {},
      },
    });
    await sequencer.runOnce();

    const options = kafkaOptions(kafka.brokers, { prefix: kafka.freshPrefix() });
    const topic = auditTopic(options, silent);
    let crashes = 1;
    const sink: AuditSink = {
      send: async (tenantId, records) => {
        await topic.send(tenantId, records);
        if (crashes-- > 0) throw new Error("the process died after the topic had the page");
      },
    };
    await expect(createAuditStream({ ...common, sink, owner: "a" }).runOnce()).rejects.toThrow(
      /died/,
    );
    await createAuditStream({ ...common, sink, owner: "b" }).runOnce();

    const read = await readTopic(kafka.brokers, `${options.prefix}.audit`, 2_200 + 500);
    expect(JSON.stringify([...read.values()])).not.toContain("@example.com");
    for (const tenantId of tenants) {
      const records = read.get(tenantId) ?? [];
      const once = [...new Map(records.map((item) => [item.leafIndex, item])).values()];
      const tree = await store.getTree(tenantId);
      expect(once.map((item) => item.leafIndex)).toEqual(once.map((_, at) => at));
      const verified = await verifyAudit(
        {
          tenantId,
          tree,
          async *records() {
            yield* once;
          },
        },
        (async function* () {})(),
      );
      expect(verified).toMatchObject({ ok: true, size: tree.size });
      expect(await store.auditStreamedTo(tenantId)).toBe(tree.size);
    }
    await topic.close();
    await dispose();
  }, 120_000);
});

/** What the topic holds, by key, in order. */
async function readTopic(
  brokers: readonly string[],
  topic: string,
  atLeast: number,
): Promise<ReadonlyMap<TenantId, readonly ExportedRecord[]>> {
  const consumer = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).consumer({
    groupId: `${topic}.reader`,
    maxWaitTimeInMs: 200,
  });
  const read = new Map<TenantId, ExportedRecord[]>();
  let count = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) => {
      const key = message.key?.toString() as TenantId;
      const item = JSON.parse(message.value?.toString() ?? "") as ExportedRecord;
      read.set(key, [...(read.get(key) ?? []), item]);
      count += 1;
      return Promise.resolve();
    },
  });
  await eventually(() => count >= atLeast, { timeoutMs: 60_000 });
  await consumer.disconnect();
  return read;
}
