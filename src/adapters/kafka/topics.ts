import kafkajs, { type Admin } from "kafkajs";
import type { HintTopic } from "../../events/hint-bus.ts";
import { systemClock } from "../../model/clock.ts";
import type { KafkaOptions } from "./kafka-options.ts";

export type TopicKind = HintTopic | "audit";

interface TopicRow {
  readonly kind: TopicKind;
  /** What must hold of the topic's own settings, also where somebody else made it. */
  readonly cleanup: "compact" | "delete";
  /** Given at its making. */
  readonly settings: Readonly<Record<string, string>>;
}

const leaderTries = 30;
const leaderMs = 100;
const day = 86_400_000;
/** Compacted by person: a topic never holds much more than one hint for each. What is older than a day was swept long ago. */
const hintSettings = {
  "cleanup.policy": "compact,delete",
  "retention.ms": String(day),
  "segment.ms": String(day / 24),
  "min.cleanable.dirty.ratio": "0.2",
};

export const topicTable: readonly TopicRow[] = [
  { kind: "hints", cleanup: "compact", settings: hintSettings },
  { kind: "hints.urgent", cleanup: "compact", settings: hintSettings },
  {
    kind: "audit",
    cleanup: "delete",
    settings: { "cleanup.policy": "delete", "retention.ms": String(30 * day) },
  },
];

export function topicName(options: Pick<KafkaOptions, "prefix">, kind: TopicKind): string {
  return `${options.prefix}.${kind}`;
}

/** The consumer group of one hint topic: every worker of the fleet is a member. */
export function groupName(options: Pick<KafkaOptions, "prefix">, kind: HintTopic): string {
  return `${options.prefix}.workers.${kind}`;
}

/** Makes the topics that are not there. Safe to call from many processes at once. */
export async function makeTopics(admin: Admin, options: KafkaOptions): Promise<void> {
  const known = new Set(await admin.listTopics());
  const missing = topicTable.filter((row) => !known.has(topicName(options, row.kind)));
  if (missing.length === 0) return;
  // Two of three copies must take a write before it counts, so that the loss of one broker loses nothing.
  const enough = options.replication >= 3 ? { "min.insync.replicas": "2" } : {};
  await admin.createTopics({
    // Its wait for leaders gives up where a broker has not heard of the topic yet; ours does not.
    waitForLeaders: false,
    topics: missing.map((row) => ({
      topic: topicName(options, row.kind),
      numPartitions: options.partitions,
      replicationFactor: options.replication,
      configEntries: Object.entries({ ...row.settings, ...enough }).map(([name, value]) => ({
        name,
        value,
      })),
    })),
  });
  await waitForLeaders(
    admin,
    missing.map((row) => topicName(options, row.kind)),
  );
}

/** Resolves when every partition of the topics has a leader. A broker learns of new topics some moments after they are made. */
async function waitForLeaders(admin: Admin, names: readonly string[]): Promise<void> {
  const clock = systemClock();
  for (let tries = 1; ; tries += 1) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
      const leads = (topic: (typeof topics)[number]) =>
        topic.partitions.length > 0 && topic.partitions.every((item) => item.leader >= 0);
      if (topics.length === names.length && topics.every(leads)) return;
      if (tries >= leaderTries) throw new Error("the new topics got no leaders");
    } catch (error) {
      if (tries >= leaderTries) throw error;
    }
    await clock.sleep(leaderMs);
  }
}

export interface TopicState {
  readonly kind: TopicKind;
  readonly topic: string;
  readonly partitions: number;
  readonly replication: number;
  readonly cleanup: string | undefined;
  readonly minInsync: number | undefined;
}

/** What the topics are now; those that are not there are left out. */
export async function readTopics(
  admin: Admin,
  options: KafkaOptions,
): Promise<readonly TopicState[]> {
  const known = new Set(await admin.listTopics());
  const rows = topicTable.filter((row) => known.has(topicName(options, row.kind)));
  if (rows.length === 0) return [];
  const names = rows.map((row) => topicName(options, row.kind));
  const { topics } = await admin.fetchTopicMetadata({ topics: names });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: ["cleanup.policy", "min.insync.replicas"],
    })),
  });
  return rows.map(({ kind }) => {
    const topic = topicName(options, kind);
    const partitions = topics.find((item) => item.name === topic)?.partitions ?? [];
    const settings = resources.find((item) => item.resourceName === topic)?.configEntries ?? [];
    const value = (name: string) => settings.find((item) => item.configName === name)?.configValue;
    const minInsync = value("min.insync.replicas");
    return {
      kind,
      topic,
      partitions: partitions.length,
      replication: Math.min(...partitions.map((partition) => partition.replicas.length)),
      cleanup: value("cleanup.policy"),
      minInsync: minInsync === undefined ? undefined : Number(minInsync),
    };
  });
}
