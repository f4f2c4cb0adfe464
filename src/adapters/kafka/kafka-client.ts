import kafkajs, { type Kafka, type LogEntry } from "kafkajs";
import type { Logger } from "../../model/log.ts";
import type { KafkaOptions } from "./kafka-options.ts";
import { calmRequestQueues } from "./request-queue.ts";

const connectMs = 3_000;
/** A request that gets no answer for this long is lost: half-open connections end here. */
const requestMs = 5_000;

/** Hears what the client tells its log alone, down to details. */
export type HearClient = (message: string, error: unknown) => void;

/** A client of kafkajs with our limits; every producer, consumer and admin made from it has connections of its own. */
export function kafkaClient(
  options: KafkaOptions,
  logger: Logger,
  retries = 2,
  hear?: HearClient,
): Kafka {
  calmRequestQueues();
  return new kafkajs.Kafka({
    clientId: options.clientId,
    brokers: [...options.brokers],
    connectionTimeout: connectMs,
    authenticationTimeout: requestMs,
    requestTimeout: requestMs,
    // Short: who is refused says so upward, where the sweep and a calm back-off stand ready.
    retry: { retries, initialRetryTime: 200, maxRetryTime: 1_000 },
    ssl:
      options.tls === undefined
        ? false
        : {
            ...(options.tls.ca === undefined ? {} : { ca: [options.tls.ca] }),
            ...(options.tls.cert === undefined ? {} : { cert: options.tls.cert }),
            ...(options.tls.key === undefined ? {} : { key: options.tls.key }),
          },
    ...(options.sasl === undefined ? {} : { sasl: saslOf(options.sasl) }),
    logLevel: hear === undefined ? kafkajs.logLevel.WARN : kafkajs.logLevel.DEBUG,
    logCreator: () => (entry) => {
      hear?.(entry.log.message, entry.log["error"]);
      if (entry.level <= kafkajs.logLevel.WARN) writeEntry(logger, entry);
    },
  });
}

function saslOf({ mechanism, username, password }: NonNullable<KafkaOptions["sasl"]>) {
  // The type of kafkajs ties each mechanism to a shape of its own; ours have the same one.
  if (mechanism === "plain") return { mechanism, username, password } as const;
  if (mechanism === "scram-sha-256") return { mechanism, username, password } as const;
  return { mechanism, username, password } as const;
}

/** What the client calls an error it mends by itself: it tries again, and where it gives up we say so in our own words. */
function writeEntry(logger: Logger, { namespace, log }: LogEntry): void {
  const { message, ...facts } = log;
  const { broker, groupId, error, retryCount, code } = facts as Readonly<Record<string, unknown>>;
  logger.debug({ namespace, says: message, broker, groupId, error, retryCount, code }, "kafkajs");
}
