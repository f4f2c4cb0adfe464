import kafkajs, { type Kafka, type Message, type Producer } from "kafkajs";
import type { KafkaOptions } from "./kafka-options.ts";
import type { SharedAdmin } from "./shared-admin.ts";
import { makeTopics, topicName, type TopicKind } from "./topics.ts";

/** A producer that connects at its first use, after the topics are there, and anew after a connect that failed. */
export class Publisher {
  readonly #kafka: Kafka;
  readonly #admin: SharedAdmin;
  readonly #options: KafkaOptions;
  #producer: Producer | undefined;
  #connecting: Promise<Producer> | undefined;
  #topicsMade: Promise<void> | undefined;

  constructor(kafka: Kafka, admin: SharedAdmin, options: KafkaOptions) {
    this.#kafka = kafka;
    this.#admin = admin;
    this.#options = options;
  }

  /** Resolves when all copies that must take the messages have them. */
  async send(topic: TopicKind, messages: Message[]): Promise<void> {
    const producer = await this.#connected();
    await producer.send({ topic: topicName(this.#options, topic), acks: -1, messages });
  }

  /** Makes the topics where they are missing, once. */
  topics(): Promise<void> {
    this.#topicsMade ??= this.#admin
      .use((admin) => makeTopics(admin, this.#options))
      .catch((error: unknown) => {
        this.#topicsMade = undefined;
        throw error;
      });
    return this.#topicsMade;
  }

  async close(): Promise<void> {
    // A connect under way would open what is closed here.
    await Promise.allSettled([this.#connecting, this.#topicsMade]);
    await this.#producer?.disconnect();
  }

  #connected(): Promise<Producer> {
    this.#connecting ??= this.#connect().catch((error: unknown) => {
      this.#connecting = undefined;
      throw error;
    });
    return this.#connecting;
  }

  async #connect(): Promise<Producer> {
    await this.topics();
    const producer = this.#kafka.producer({
      allowAutoTopicCreation: false,
      // One request at a time and all copies: what a retry sends again cannot overtake what came before it.
      maxInFlightRequests: 1,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    this.#producer = producer;
    return producer;
  }
}
