import { localBus } from "./adapters/local/local-bus.ts";
import type { KafkaOptions } from "./adapters/kafka/kafka-options.ts";
import type { Store } from "./adapters/store.ts";
import { createAuditStream } from "./audit/stream-out.ts";
import type { Config } from "./config/config.ts";
import type { KafkaConfig } from "./config/kafka-settings.ts";
import { deadLetter, type DeadLetterStore } from "./events/dead-letter-store.ts";
import type { HintBus } from "./events/hint-bus.ts";
import { systemClock, type Clock } from "./model/clock.ts";
import type { Logger, Metrics } from "./model/log.ts";

interface BusParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Unique per process life. */
  readonly owner: string;
  readonly store: Pick<DeadLetterStore, "keepDeadLetter">;
  /** Only a new process helps. */
  readonly onFatal: (error: Error) => void;
}

/** The bus that the environment asks for. Kafka's client is loaded only where it is wanted. */
export async function openBus(config: Config, parts: BusParts): Promise<HintBus> {
  const bus =
    config.kafka === undefined
      ? localBus({ clock: parts.clock, logger: parts.logger })
      : await openKafka(config.kafka, parts);
  return config.dropHints ? deafBus(bus) : bus;
}

async function openKafka(kafka: KafkaConfig, parts: BusParts): Promise<HintBus> {
  const { kafkaBus } = await import("./adapters/kafka/kafka-bus.ts");
  const { clock, metrics, owner, onFatal, store } = parts;
  const logger = parts.logger.child({ room: "kafka" });
  const options = { ...kafka, clientId: `rolecall-${owner}` };
  // Beside the start, which never waits for Kafka.
  void tellKafka(options, logger);
  return kafkaBus({
    options,
    // Sessions and brokers live in wall time, however fast domain time runs.
    clock: systemClock(),
    logger,
    metrics,
    keepUndecodable: (message) => store.keepDeadLetter(deadLetter(message, clock.now())),
    onFatal,
  });
}

/** Looks at all that Kafka must have, and says what a person must mend. */
async function tellKafka(options: KafkaOptions, logger: Logger): Promise<void> {
  const { checkKafka } = await import("./adapters/kafka/check-kafka.ts");
  const findings = await checkKafka(options, logger);
  for (const { what, says } of findings.filter((finding) => !finding.ok)) {
    logger.error({ what, says }, "Kafka is not as it must be; the sweep does the work meanwhile");
  }
}

/** The audit record as a topic, where there is Kafka and this process has the role `scheduler`. */
export async function openAuditStream(
  config: Config,
  parts: Omit<BusParts, "onFatal"> & { readonly store: Store },
): Promise<{ stop(): Promise<void> } | undefined> {
  if (config.kafka === undefined || !config.roles.has("scheduler")) return undefined;
  const { auditTopic } = await import("./adapters/kafka/audit-topic.ts");
  const sink = auditTopic(
    { ...config.kafka, clientId: `rolecall-audit-${parts.owner}` },
    parts.logger.child({ room: "kafka" }),
  );
  const stream = createAuditStream({ ...parts, sink });
  stream.start();
  return {
    async stop() {
      await stream.stop();
      await sink.close();
    },
  };
}

/** A bus that loses every hint, to show that hints only save time. */
function deafBus(bus: HintBus): HintBus {
  return {
    publish: () => Promise.resolve(),
    subscribe: (topic, handler) => bus.subscribe(topic, handler),
    lag: (topic) => bus.lag(topic),
    ready: () => bus.ready(),
    live: () => bus.live(),
    pollAgeMs: (topic) => bus.pollAgeMs(topic),
    close: () => bus.close(),
  };
}
