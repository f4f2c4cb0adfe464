import type { Logger } from "../../model/log.ts";
import { kafkaClient } from "./kafka-client.ts";
import type { KafkaOptions } from "./kafka-options.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** Takes away the topics and consumer groups of a prefix that was made for one run. Nobody may use them any more. */
export async function dropScratchTopics(options: KafkaOptions): Promise<void> {
  const admin = kafkaClient(options, silent, 6).admin();
  await admin.connect();
  try {
    const ours = (name: string) => name.startsWith(`${options.prefix}.`);
    const { groups } = await admin.listGroups();
    const groupIds = groups.map((group) => group.groupId).filter(ours);
    if (groupIds.length > 0) await admin.deleteGroups(groupIds);
    const topics = (await admin.listTopics()).filter(ours);
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } finally {
    await admin.disconnect();
  }
}
