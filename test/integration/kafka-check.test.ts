// Goal: what is wrong with brokers, versions, topics or rights is said in words that a person can act on.
// Method: the check against a real Apache Kafka, with one thing wrong at a time; versions also against answers that we make up.
import { createServer, type AddressInfo } from "node:net";
import { Kafka, logLevel } from "kafkajs";
import { expect, test } from "vitest";
import { askVersions, versionGaps } from "../../src/adapters/kafka/api-versions.ts";
import { checkKafka } from "../../src/adapters/kafka/check-kafka.ts";
import type { KafkaOptions } from "../../src/adapters/kafka/kafka-options.ts";
import { kafkaOptions } from "../support/kafka/kafka-bus-for.ts";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { describeReal } from "../support/real-server.ts";

describeReal("a look at Apache Kafka", await sharedKafka(), (kafka) => {
  const wrong = async (more: Partial<KafkaOptions>): Promise<Readonly<Record<string, string>>> => {
    const options = kafkaOptions(kafka.brokers, { prefix: kafka.freshPrefix(), ...more });
    const findings = await checkKafka(options);
    return Object.fromEntries(
      findings.filter((finding) => !finding.ok).map(({ what, says }) => [what, says]),
    );
  };
  const make = async (topics: readonly { topic: string; policy: string }[]): Promise<void> => {
    const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({
      topics: topics.map(({ topic, policy }) => ({
        topic,
        configEntries: [{ name: "cleanup.policy", value: policy }],
      })),
    });
    await admin.disconnect();
  };

  test("finds nothing wrong where all is well, twice", async () => {
    const options = kafkaOptions(kafka.brokers, { prefix: kafka.freshPrefix() });
    for (let round = 0; round < 2; round += 1) {
      const findings = await checkKafka(options);
      expect(findings.filter((finding) => !finding.ok)).toEqual([]);
      expect(findings.map((finding) => finding.what)).toEqual([
        "brokers",
        "versions",
        "sign-in",
        "topics",
        "publishing",
        "groups",
      ]);
    }
  });

  test("names a broker that refuses connections and a host that nobody knows, beside one that answers", async () => {
    const says = await wrong({
      brokers: [...kafka.brokers, "127.0.0.1:1", "no-such-host.invalid:9092"],
    });
    expect(says["brokers"]).toContain("127.0.0.1:1: refuses connections");
    expect(says["brokers"]).toContain("no-such-host.invalid:9092: no such host name");
    expect(Object.keys(says)).toEqual(["brokers"]);
  });

  test("says that a port speaks no TLS, or no Kafka", async () => {
    const tls = { ca: undefined, cert: undefined, key: undefined };
    expect((await wrong({ tls }))["brokers"]).toMatch(/TLS/);
    const other = createServer((socket) => socket.resume().end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    expect((await wrong({ brokers: [`127.0.0.1:${String(port)}`] }))["brokers"]).toMatch(
      /no Kafka/,
    );
    await new Promise((resolve) => other.close(resolve));
  });

  test("says that there are fewer brokers than copies, and which setting to lower", async () => {
    const says = await wrong({ replication: 3 });
    expect(says["copies"]).toContain("lower KAFKA_REPLICATION");
    expect(says["topics"]).toMatch(/cannot be made: .*KAFKA_REPLICATION/);
  });

  test("says that a topic is cleaned up in the wrong way", async () => {
    const prefix = kafka.freshPrefix();
    await make([
      { topic: `${prefix}.hints`, policy: "delete" },
      { topic: `${prefix}.audit`, policy: "compact" },
    ]);
    const says = await wrong({ prefix });
    expect(says["topics"]).toContain(`${prefix}.hints is not compacted`);
    expect(says["topics"]).toContain(`${prefix}.audit is compacted and would forget records`);
  });

  test("knows that client and broker have versions in common, and says where they would not", async () => {
    const ranges = await askVersions(kafka.brokers[0] ?? "", { tls: undefined, clientId: "test" });
    expect(versionGaps(ranges, true)).toEqual([]);
    const [produce, fetch] = [0, 1];
    const newer = new Map(ranges).set(produce, [8, 13]);
    expect(versionGaps(newer, false)).toEqual([
      "Produce: the broker speaks 8 to 13, the client up to 7",
    ]);
    newer.delete(fetch);
    expect(versionGaps(newer, false)).toContain("Fetch: not known to the broker");
  });
});
