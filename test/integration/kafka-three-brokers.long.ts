// Goal: a fleet of brokers loses one of them, and then another, and no hint that was acknowledged is lost.
// Method: three brokers of our own and three copies of each topic; hints flow without a pause while the leader of a partition is killed,
// another one takes over, the dead one comes back and a second one is killed.
import { Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Hint } from "../../src/events/hint-bus.ts";
import { systemClock } from "../../src/model/clock.ts";
import { people } from "../conformance/hint-bus-suite.ts";
import { eventually } from "../support/eventually.ts";
import { kafkaBusFor, type BusUnderTest } from "../support/kafka/kafka-bus-for.ts";
import type { KafkaCluster, KafkaNode } from "../support/kafka/kafka-cluster.ts";
import { ownKafka } from "../support/kafka/real-kafka.ts";
import { describeReal } from "../support/real-server.ts";

const clock = systemClock();
const wait = { timeoutMs: 300_000, everyMs: 200 };
const prefix = "three";

describeReal("three brokers of Apache Kafka", await ownKafka(), (startKafka) => {
  let cluster: KafkaCluster;
  const opened: BusUnderTest[] = [];

  beforeAll(async () => {
    cluster = await startKafka({ nodes: 3 });
  }, 600_000);

  afterAll(async () => {
    await Promise.all(opened.map(({ bus }) => bus.close()));
    await cluster.stop();
  }, 120_000);

  const open = (): BusUnderTest => {
    const made = kafkaBusFor(cluster.brokers, { prefix, partitions: 6, replication: 3 });
    opened.push(made);
    return made;
  };

  test("one is killed, its partitions move, it comes back, another is killed: every acknowledged hint is handled", async () => {
    const publisher = open();
    const workers = [open(), open()];
    const handled = new Set<string>();
    for (const worker of workers) {
      await worker.bus.subscribe("hints", (hints) => {
        for (const hint of hints) handled.add(hint.identityId);
        return Promise.resolve();
      });
    }
    const acknowledged: Hint[] = [];
    let refused = 0;
    let flows = true;
    const flow = (async () => {
      while (flows) {
        const hints = people(20);
        try {
          await publisher.bus.publish("hints", hints);
          acknowledged.push(...hints);
        } catch {
          // As with the relay: who was refused is hinted again or swept, and nobody counts on it.
          refused += 1;
        }
        await clock.sleep(20);
      }
    })();
    const goesOn = async () => {
      const from = acknowledged.length;
      await eventually(() => acknowledged.length > from + 200, wait);
      await eventually(() => {
        expect(
          acknowledged.slice(0, from + 200).filter((hint) => !handled.has(hint.identityId)),
        ).toHaveLength(0);
      }, wait);
    };
    await goesOn();

    for (const partition of [0, 1]) {
      const leader = await leaderOf(cluster, partition);
      const before = await leadersIn(cluster);
      expect(before).toContain(leader.nodeId);
      await cluster.killNode(leader);
      await eventually(async () => {
        const after = await leadersIn(cluster);
        expect(after).toHaveLength(before.length);
        expect(after).not.toContain(leader.nodeId);
        expect(after).not.toContain(-1);
      }, wait);
      await goesOn();
      await cluster.startNode(leader);
      await eventually(async () => {
        expect(await copiesInStep(cluster)).toBe(18);
      }, wait);
    }
    await goesOn();
    flows = false;
    await flow;
    await eventually(() => {
      expect(acknowledged.filter((hint) => !handled.has(hint.identityId))).toHaveLength(0);
    }, wait);
    expect(acknowledged.length).toBeGreaterThan(1_000);
    expect(opened.flatMap(({ fatal }) => fatal)).toEqual([]);
    process.stderr.write(
      `three brokers: ${String(acknowledged.length)} hints acknowledged and handled, ${String(refused)} batches refused\n`,
    );
  });
});

async function partitionsOf(cluster: KafkaCluster) {
  const brokers = cluster.nodes
    .filter((node) => node.pid !== undefined)
    .map((node) => node.address);
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  try {
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [`${prefix}.hints`] });
    return topics[0]?.partitions ?? [];
  } finally {
    await admin.disconnect();
  }
}

async function leadersIn(cluster: KafkaCluster): Promise<readonly number[]> {
  return (await partitionsOf(cluster)).map((partition) => partition.leader);
}

async function leaderOf(cluster: KafkaCluster, partitionId: number): Promise<KafkaNode> {
  const partitions = await partitionsOf(cluster);
  const { leader } = partitions.find((item) => item.partitionId === partitionId) ?? {};
  const node = cluster.nodes.find((item) => item.nodeId === leader);
  if (node === undefined) throw new Error(`partition ${String(partitionId)} has no leader`);
  return node;
}

/** Copies of all partitions together that have what their leader has. */
async function copiesInStep(cluster: KafkaCluster): Promise<number> {
  const partitions = await partitionsOf(cluster);
  return partitions.reduce((sum, partition) => sum + partition.isr.length, 0);
}
