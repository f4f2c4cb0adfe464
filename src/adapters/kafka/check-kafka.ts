import kafkajs, { type Admin, type Kafka } from "kafkajs";
import { hintTopics } from "../../events/hint-bus.ts";
import { systemClock } from "../../model/clock.ts";
import type { Logger } from "../../model/log.ts";
import { askVersions, versionGaps } from "./api-versions.ts";
import { probeMessage } from "./hint-message.ts";
import { kafkaClient, type HearClient } from "./kafka-client.ts";
import {
  kafkaErrorName,
  kafkaErrorType,
  sayKafkaError,
  sayMakingError,
  saySignInError,
} from "./kafka-error.ts";
import type { KafkaOptions } from "./kafka-options.ts";
import { groupName, makeTopics, readTopics, topicName, topicTable } from "./topics.ts";

export interface KafkaFinding {
  /** brokers, versions, sign-in, topics, publishing, groups. */
  readonly what: string;
  readonly ok: boolean;
  /** What was found, and what to do where it is not right. */
  readonly says: string;
}

/**
 * Looks at everything that Kafka must have for us, in the order in which a person would: brokers reached, versions, sign-in, addresses
 * that brokers give to clients, topics (made where missing), a write with all copies, groups. Stops where the rest cannot be asked.
 * Writes one probe message to the urgent topic, which consumers pass over. Never throws.
 */
export async function checkKafka(
  options: KafkaOptions,
  logger: Logger = silent,
): Promise<readonly KafkaFinding[]> {
  const { findings, reached } = await checkBrokers(options);
  if (!reached) return findings;
  const coordinators = new CoordinatorSearch();
  // Patient: a broker that has just started loads its groups first.
  const kafka = kafkaClient(options, logger, 6, coordinators.hear);
  const admin = kafka.admin();
  try {
    await admin.connect();
    findings.push({
      what: "sign-in",
      ok: true,
      says: options.sasl === undefined ? "without SASL" : `as ${options.sasl.username}`,
    });
    await checkCluster(admin, options, findings);
    if (await checkTopics(admin, options, findings)) {
      await checkPublish(kafka, options, findings);
      await checkGroups(admin, options, findings, coordinators);
    }
  } catch (error) {
    const says = saySignInError(error, options.sasl !== undefined);
    findings.push({ what: "sign-in", ok: false, says });
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
  return findings;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

async function checkBrokers(
  options: KafkaOptions,
): Promise<{ readonly findings: KafkaFinding[]; readonly reached: boolean }> {
  const asked = await Promise.all(
    options.brokers.map(async (address) => {
      try {
        return {
          address,
          gaps: versionGaps(await askVersions(address, options), options.sasl !== undefined),
        };
      } catch (error) {
        return { address, why: sayConnection(error) };
      }
    }),
  );
  const away = asked.filter((item) => item.why !== undefined);
  const here = asked.filter((item) => item.gaps !== undefined);
  const findings: KafkaFinding[] = [
    away.length === 0
      ? { what: "brokers", ok: true, says: options.brokers.join(", ") }
      : {
          what: "brokers",
          ok: false,
          says: away.map((item) => `${item.address}: ${item.why}`).join("; "),
        },
  ];
  if (here.length === 0) return { findings, reached: false };
  const gaps = here.flatMap((item) => item.gaps.map((gap) => `${item.address}: ${gap}`));
  findings.push(
    gaps.length === 0
      ? { what: "versions", ok: true, says: "client and brokers have versions in common" }
      : {
          what: "versions",
          ok: false,
          says: `${gaps.join("; ")}: run brokers that still speak these, or look for a newer Rolecall`,
        },
  );
  return { findings, reached: gaps.length === 0 };
}

/** Brokers tell clients where they are; an address that only they can reach is the most common mistake. */
async function checkCluster(
  admin: Admin,
  options: KafkaOptions,
  findings: KafkaFinding[],
): Promise<void> {
  const { brokers } = await admin.describeCluster();
  const unreachable: string[] = [];
  for (const { nodeId, host, port } of brokers) {
    const address = `${host}:${String(port)}`;
    try {
      await askVersions(address, options);
    } catch (error) {
      unreachable.push(
        `broker ${String(nodeId)} says it is at ${address}: ${sayConnection(error)}`,
      );
    }
  }
  if (unreachable.length > 0) {
    findings.push({
      what: "addresses",
      ok: false,
      says: `${unreachable.join("; ")}; correct its advertised.listeners, or the names and routes of this host`,
    });
  }
  if (brokers.length < options.replication) {
    findings.push({
      what: "copies",
      ok: false,
      says: `${String(brokers.length)} brokers cannot keep ${String(options.replication)} copies: add brokers or lower KAFKA_REPLICATION`,
    });
  }
}

/** Answers whether the topics are there. */
async function checkTopics(
  admin: Admin,
  options: KafkaOptions,
  findings: KafkaFinding[],
): Promise<boolean> {
  const what = "topics";
  let refused: string | undefined;
  try {
    await makeTopics(admin, options);
  } catch (error) {
    refused = sayMakingError(error);
  }
  const states = await readTopics(admin, options);
  const missing = topicTable.filter((row) => !states.some((state) => state.kind === row.kind));
  if (missing.length > 0) {
    const names = missing.map((row) => topicName(options, row.kind));
    findings.push({
      what,
      ok: false,
      says: `${names.join(", ")} cannot be made: ${refused ?? "the brokers do not say why"}`,
    });
    return false;
  }
  const problems = states.flatMap((state) => {
    const row = topicTable.find((item) => item.kind === state.kind);
    const wrong: string[] = [];
    if (row?.cleanup === "compact" && state.cleanup?.includes("compact") === false) {
      wrong.push(`${state.topic} is not compacted: set cleanup.policy=compact,delete`);
    }
    if (row?.cleanup === "delete" && state.cleanup?.includes("compact") === true) {
      wrong.push(`${state.topic} is compacted and would forget records: set cleanup.policy=delete`);
    }
    if (state.replication < options.replication) {
      wrong.push(
        `${state.topic} has ${String(state.replication)} copies, not ${String(options.replication)}: reassign it with more`,
      );
    }
    if (state.minInsync !== undefined && state.minInsync > state.replication) {
      wrong.push(`${state.topic} takes no write: min.insync.replicas exceeds its copies`);
    }
    return wrong;
  });
  findings.push(
    problems.length === 0
      ? {
          what,
          ok: true,
          says: states
            .map((state) => `${state.topic} (${String(state.partitions)} partitions)`)
            .join(", "),
        }
      : { what, ok: false, says: problems.join("; ") },
  );
  return true;
}

async function checkPublish(
  kafka: Kafka,
  options: KafkaOptions,
  findings: KafkaFinding[],
): Promise<void> {
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  try {
    await producer.connect();
    const topic = topicName(options, "hints.urgent");
    await producer.send({ topic, acks: -1, messages: [probeMessage()] });
    findings.push({ what: "publishing", ok: true, says: "all copies took a probe" });
  } catch (error) {
    findings.push({ what: "publishing", ok: false, says: sayKafkaError(error) });
  } finally {
    await producer.disconnect();
  }
}

async function checkGroups(
  admin: Admin,
  options: KafkaOptions,
  findings: KafkaFinding[],
  coordinators: CoordinatorSearch,
): Promise<void> {
  try {
    for (const topic of hintTopics) {
      const groupId = groupName(options, topic);
      await fetchPatiently(admin, groupId, topicName(options, topic), coordinators);
    }
    findings.push({ what: "groups", ok: true, says: `${options.prefix}.workers.*` });
  } catch (error) {
    findings.push({ what: "groups", ok: false, says: sayKafkaError(error) });
  }
}

/** What brokers say while they make the topic of groups, agree on who keeps a group, or load it. */
const passing = new Set([
  "GROUP_COORDINATOR_NOT_AVAILABLE",
  "NOT_COORDINATOR_FOR_GROUP",
  "GROUP_LOAD_IN_PROGRESS",
]);
const groupsMs = 20_000;

/** Why the client found nobody who keeps a group: its error does not say it, its log does. */
class CoordinatorSearch {
  private last: unknown;

  readonly hear: HearClient = (message, error) => {
    if (message === "Tried to find group coordinator") this.last = error;
  };

  causeOf(error: unknown): unknown {
    return kafkaErrorName(error) === "KafkaJSGroupCoordinatorNotFound"
      ? (this.last ?? error)
      : error;
  }
}

/** Brokers that have just started make and load groups first, and the client does not wait for that. */
async function fetchPatiently(
  admin: Admin,
  groupId: string,
  topic: string,
  coordinators: CoordinatorSearch,
): Promise<void> {
  const clock = systemClock();
  const until = clock.monotonic() + groupsMs;
  for (;;) {
    try {
      await admin.fetchOffsets({ groupId, topics: [topic] });
      return;
    } catch (thrown) {
      const error = coordinators.causeOf(thrown);
      if (!passing.has(kafkaErrorType(error)) || clock.monotonic() > until) throw error;
      await clock.sleep(250);
    }
  }
}

/** Node's own words for a socket that fails, with what to do. */
function sayConnection(error: unknown): string {
  const code = (error as { readonly code?: unknown }).code;
  if (code === "ECONNREFUSED")
    return "refuses connections: does the broker run, is the port right?";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "no such host name here";
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return "does not speak TLS on this port: unset KAFKA_TLS or use the TLS port";
  }
  return sayKafkaError(error);
}
