import { kafkaBus, type KafkaBusDeps } from "../../../src/adapters/kafka/kafka-bus.ts";
import type { KafkaOptions } from "../../../src/adapters/kafka/kafka-options.ts";
import type { UndecodableMessage } from "../../../src/adapters/kafka/subscription.ts";
import type { HintBus } from "../../../src/events/hint-bus.ts";
import { systemClock } from "../../../src/model/clock.ts";
import type { LogFacts, Logger, Metrics } from "../../../src/model/log.ts";

export interface BusUnderTest {
  readonly bus: HintBus;
  readonly options: KafkaOptions;
  /** Messages of every level, with their facts. */
  readonly lines: { readonly level: string; readonly message: string; readonly facts: LogFacts }[];
  readonly undecodable: UndecodableMessage[];
  readonly fatal: Error[];
  readonly counted: string[];
}

export function kafkaOptions(
  brokers: readonly string[],
  more: Partial<KafkaOptions> = {},
): KafkaOptions {
  return {
    brokers,
    clientId: "rolecall-test",
    prefix: "test",
    partitions: 3,
    replication: 1,
    tls: undefined,
    sasl: undefined,
    ...more,
  };
}

/** A Kafka bus whose log, metrics and dead letters a test can look at. */
export function kafkaBusFor(
  brokers: readonly string[],
  more: Partial<KafkaOptions> = {},
  deps: Partial<KafkaBusDeps> = {},
): BusUnderTest {
  const options = kafkaOptions(brokers, more);
  const lines: BusUnderTest["lines"] = [];
  const undecodable: UndecodableMessage[] = [];
  const fatal: Error[] = [];
  const counted: string[] = [];
  const at = (level: string) => (facts: LogFacts, message: string) => {
    lines.push({ level, message, facts });
  };
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => logger,
  };
  const metrics: Metrics = { count: (name) => counted.push(name), gauge() {}, observe() {} };
  const bus = kafkaBus({
    options,
    clock: systemClock(),
    logger,
    metrics,
    keepUndecodable: (message) => {
      undecodable.push(message);
      return Promise.resolve();
    },
    onFatal: (error) => {
      fatal.push(error);
    },
    ...deps,
  });
  return { bus, options, lines, undecodable, fatal, counted };
}
