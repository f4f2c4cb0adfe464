import type { Kafka } from "kafkajs";
import type { Hint, HintBus, HintTopic } from "../../events/hint-bus.ts";
import type { Clock } from "../../model/clock.ts";
import type { Logger, Metrics } from "../../model/log.ts";
import { hintMessage } from "./hint-message.ts";
import { kafkaClient } from "./kafka-client.ts";
import { sayKafkaError } from "./kafka-error.ts";
import type { KafkaOptions } from "./kafka-options.ts";
import { Publisher } from "./publisher.ts";
import { SharedAdmin } from "./shared-admin.ts";
import { Subscription, type UndecodableMessage } from "./subscription.ts";
import { groupName, topicName } from "./topics.ts";

export interface KafkaBusDeps {
  readonly options: KafkaOptions;
  /** Wall time: brokers and sessions know no other. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly keepUndecodable: (message: UndecodableMessage) => Promise<void>;
  readonly onFatal: (error: Error) => void;
}

/** A look at the backlog costs two requests; probes and scrapes share it. */
const lagKeepMs = 2_000;
/** Between two questions to a broker that was away. */
const healMs = 2_000;

/**
 * The hint bus of a fleet. Opens no connection before it is used, and never keeps a start waiting: while Kafka is away, `publish`
 * rejects, subscriptions try again in the background, and the sweep does the work.
 */
export function kafkaBus(deps: KafkaBusDeps): HintBus {
  return new KafkaBus(deps);
}

class KafkaBus implements HintBus {
  readonly #deps: KafkaBusDeps;
  readonly #kafka: Kafka;
  readonly #admin: SharedAdmin;
  readonly #publisher: Publisher;
  readonly #subscriptions = new Map<HintTopic, Subscription>();
  readonly #lags = new Map<
    HintTopic,
    { readonly at: number; readonly lag: Promise<number | undefined> }
  >();
  /** Why Kafka does not answer; undefined after a publish or a question that went well. */
  #refused: string | undefined;
  #healing: Promise<void> | undefined;
  readonly #end = new AbortController();
  #closed = false;

  constructor(deps: KafkaBusDeps) {
    this.#deps = deps;
    this.#kafka = kafkaClient(deps.options, deps.logger);
    this.#admin = new SharedAdmin(this.#kafka);
    this.#publisher = new Publisher(this.#kafka, this.#admin, deps.options);
  }

  async publish(topic: HintTopic, hints: readonly Hint[]): Promise<void> {
    if (this.#closed) throw new Error("the hint bus is closed");
    if (hints.length === 0) return;
    try {
      await this.#publisher.send(topic, hints.map(hintMessage));
      this.#refused = undefined;
    } catch (error) {
      this.#refused = sayKafkaError(error);
      this.#healing ??= this.#heal();
      throw new Error(`Kafka takes no hints: ${this.#refused}`, { cause: error });
    }
  }

  subscribe(topic: HintTopic, handler: (hints: readonly Hint[]) => Promise<void>): Promise<void> {
    if (this.#closed) return Promise.reject(new Error("the hint bus is closed"));
    if (this.#subscriptions.has(topic)) {
      return Promise.reject(new Error(`${topic} has its subscriber already`));
    }
    const { options, clock, logger, metrics, keepUndecodable, onFatal } = this.#deps;
    const names = {
      topic,
      topicName: topicName(options, topic),
      groupId: groupName(options, topic),
    };
    const prepare = () => this.#publisher.topics();
    const subscription = new Subscription(
      { kafka: this.#kafka, clock, logger, metrics, keepUndecodable, onFatal, prepare },
      names,
      handler,
    );
    this.#subscriptions.set(topic, subscription);
    subscription.start();
    return Promise.resolve();
  }

  async lag(topic: HintTopic): Promise<number | undefined> {
    const known = this.#lags.get(topic);
    const now = this.#deps.clock.monotonic();
    if (known !== undefined && now - known.at < lagKeepMs) return known.lag;
    const lag = this.#readLag(topic);
    this.#lags.set(topic, { at: now, lag });
    if ((await lag) === undefined) this.#lags.delete(topic);
    return lag;
  }

  ready(): { readonly ready: boolean; readonly why?: string } {
    const why = this.#closed
      ? "the hint bus is closed"
      : (this.#refused ?? [...this.#subscriptions.values()].find((item) => item.trouble)?.trouble);
    return why === undefined ? { ready: true } : { ready: false, why };
  }

  live(): { readonly live: boolean; readonly why?: string } {
    for (const [topic, subscription] of this.#subscriptions) {
      if (!subscription.isSilent) continue;
      const seconds = Math.floor(subscription.pollAgeMs / 1_000);
      return { live: false, why: `no poll of ${topic} for ${String(seconds)} s` };
    }
    return { live: true };
  }

  pollAgeMs(topic: HintTopic): number | undefined {
    return this.#subscriptions.get(topic)?.pollAgeMs;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#end.abort();
    await this.#healing;
    await Promise.all([...this.#subscriptions.values()].map((item) => item.close()));
    await this.#publisher.close();
    await this.#admin.close();
  }

  /** The sweep leaves nothing to publish while Kafka is away, so nobody would notice that it is back: it is asked until it answers. */
  async #heal(): Promise<void> {
    const { clock, options } = this.#deps;
    const topics = [topicName(options, "hints")];
    while (this.#refused !== undefined) {
      await clock.sleep(healMs, this.#end.signal);
      if (this.#closed) break;
      try {
        await this.#admin.use((admin) => admin.fetchTopicMetadata({ topics }));
        this.#refused = undefined;
      } catch (error) {
        this.#refused = sayKafkaError(error);
      }
    }
    this.#healing = undefined;
  }

  async #readLag(topic: HintTopic): Promise<number | undefined> {
    if (this.#closed) return undefined;
    const { options, logger } = this.#deps;
    const name = topicName(options, topic);
    try {
      return await this.#admin.use(async (admin) => {
        const ends = await admin.fetchTopicOffsets(name);
        const [group] = await admin.fetchOffsets({
          groupId: groupName(options, topic),
          topics: [name],
        });
        return ends.reduce((sum, { partition, offset, low }) => {
          const done = group?.partitions.find((item) => item.partition === partition)?.offset;
          // -1: nothing was committed yet, so everything that is kept is owed.
          const from = done === undefined || done === "-1" ? BigInt(low) : BigInt(done);
          const owed = BigInt(offset) - (from < BigInt(low) ? BigInt(low) : from);
          return sum + Number(owed > 0n ? owed : 0n);
        }, 0);
      });
    } catch (error) {
      logger.debug({ topic, why: sayKafkaError(error) }, "the backlog of a topic is not known now");
      return undefined;
    }
  }
}
