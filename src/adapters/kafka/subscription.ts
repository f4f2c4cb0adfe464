import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";
import type { Hint, HintTopic } from "../../events/hint-bus.ts";
import type { Clock } from "../../model/clock.ts";
import type { Logger, Metrics } from "../../model/log.ts";
import { readMessage } from "./hint-message.ts";
import { isProgrammingError, sayKafkaError } from "./kafka-error.ts";

/** Bytes that nobody can read, kept for a person to look at. */
export interface UndecodableMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array | undefined;
  readonly why: string;
}

export interface SubscriptionDeps {
  readonly kafka: Kafka;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Resolves when the message is kept; rejects where it must be handed out again. */
  readonly keepUndecodable: (message: UndecodableMessage) => Promise<void>;
  /** The client is broken inside; only a new process helps. */
  readonly onFatal: (error: Error) => void;
  /** Resolves when the topics are there. */
  readonly prepare: () => Promise<void>;
}

type Handler = (hints: readonly Hint[]) => Promise<void>;

const handMax = 200;
const heartbeatMs = 3_000;
/** Long: a worker that is slow for a while keeps its partitions, and the sweep does what a dead one leaves. */
const sessionMs = 45_000;
const rebalanceMs = 60_000;
/** How long the broker holds a fetch open when there is nothing: also how long a stop may have to wait. */
const fetchMs = 1_000;
/** Some 600 hints: what is fetched and not handled when the group rebalances is fetched twice. */
const partitionBytes = 64 * 1_024;
const retryMs = 100;
const restartMs = 1_000;
const restartMaxMs = 30_000;
const disconnectMs = 15_000;
/** Beyond this without a sign of life, a consumer that believes itself in its group has gone silent. */
const silentMs = 120_000;

type State = "connecting" | "member" | "resting" | "closed";

/**
 * One topic in one consumer group, for as long as the process lives. Where the client gives up (the brokers are gone, an ACL was
 * taken away) a new consumer is made after a growing pause; nothing that a handler throws reaches the client.
 */
export class Subscription {
  readonly #deps: SubscriptionDeps;
  readonly #topic: HintTopic;
  readonly #topicName: string;
  readonly #groupId: string;
  readonly #handler: Handler;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #state: State = "connecting";
  #why: string | undefined;
  #lastPollAt: number;
  #failures = 0;

  constructor(
    deps: SubscriptionDeps,
    names: { readonly topic: HintTopic; readonly topicName: string; readonly groupId: string },
    handler: Handler,
  ) {
    this.#deps = deps;
    this.#topic = names.topic;
    this.#topicName = names.topicName;
    this.#groupId = names.groupId;
    this.#handler = handler;
    this.#lastPollAt = deps.clock.monotonic();
  }

  start(): void {
    this.#running ??= this.#live();
  }

  /** Leaves the group: the hints of this member go to the others at once. A handler that runs ends first. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    this.#state = "closed";
  }

  /** Undefined where it works; else why it does not. */
  get trouble(): string | undefined {
    if (this.#state === "member") return undefined;
    return this.#why ?? `${this.#topicName}: joining the group`;
  }

  /** Milliseconds since the last fetch or heartbeat that was answered. */
  get pollAgeMs(): number {
    return this.#deps.clock.monotonic() - this.#lastPollAt;
  }

  /** Believes itself in its group and shows no sign of it. */
  get isSilent(): boolean {
    return this.#state === "member" && this.pollAgeMs > silentMs;
  }

  async #live(): Promise<void> {
    const { clock, logger } = this.#deps;
    while (!this.#abort.signal.aborted) {
      const error = await this.#oneConsumer();
      if (error === undefined) return;
      this.#state = "resting";
      this.#why = `${this.#topicName}: ${sayKafkaError(error)}`;
      if (isProgrammingError(error)) {
        logger.error({ err: error, topic: this.#topic }, "the Kafka client broke");
        this.#deps.onFatal(error);
        return;
      }
      const pauseMs = Math.min(restartMaxMs, restartMs * 2 ** Math.min(this.#failures, 10));
      this.#failures += 1;
      logger.warn(
        { topic: this.#topic, why: sayKafkaError(error), pauseMs },
        "hints are not read; a new consumer follows, and the sweep does the work until then",
      );
      await clock.sleep(pauseMs, this.#abort.signal);
    }
  }

  /** From connect to leave; answers why it ended where nobody asked it to. */
  async #oneConsumer(): Promise<Error | undefined> {
    this.#state = "connecting";
    const consumer = this.#deps.kafka.consumer({
      groupId: this.#groupId,
      sessionTimeout: sessionMs,
      rebalanceTimeout: rebalanceMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTimeInMs: fetchMs,
      maxBytesPerPartition: partitionBytes,
      allowAutoTopicCreation: false,
      // Never by itself: its own restarts know no end, no growing pause and no close.
      retry: { retries: 3, initialRetryTime: 300, restartOnFailure: () => Promise.resolve(false) },
    });
    const ended = this.#watch(consumer);
    try {
      await this.#deps.prepare();
      await consumer.connect();
      await consumer.subscribe({ topics: [this.#topicName], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.#batch(payload),
      });
      return await ended;
    } catch (error) {
      return this.#abort.signal.aborted ? undefined : asError(error);
    } finally {
      await this.#disconnect(consumer);
    }
  }

  /** Resolves with the error of a crash, or with nothing when the subscription is closed. */
  #watch(consumer: Consumer): Promise<Error | undefined> {
    const alive = () => {
      this.#lastPollAt = this.#deps.clock.monotonic();
    };
    consumer.on(consumer.events.FETCH, alive);
    consumer.on(consumer.events.HEARTBEAT, alive);
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      alive();
      this.#state = "member";
      this.#why = undefined;
      this.#failures = 0;
      this.#deps.metrics.count("rolecall_bus_joins_total", { topic: this.#topic });
      this.#deps.logger.info(
        { topic: this.#topic, partitions: payload.memberAssignment[this.#topicName] ?? [] },
        "joined the group of workers",
      );
    });
    return new Promise((resolve) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        resolve(payload.error);
      });
      this.#abort.signal.addEventListener("abort", () => {
        resolve(undefined);
      });
      if (this.#abort.signal.aborted) resolve(undefined);
    });
  }

  async #disconnect(consumer: Consumer): Promise<void> {
    const timer = new AbortController();
    const late = this.#deps.clock.sleep(disconnectMs, timer.signal).then(() => "late" as const);
    try {
      const how = await Promise.race([consumer.disconnect().then(() => "left" as const), late]);
      if (how === "late") {
        this.#deps.logger.warn({ topic: this.#topic }, "the consumer did not leave in time");
      }
    } catch (error) {
      this.#deps.logger.warn({ topic: this.#topic, err: error }, "the consumer left badly");
    } finally {
      timer.abort();
    }
  }

  /** Only errors of the client itself leave this: it needs them to join its group again. */
  async #batch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    for (let at = 0; at < batch.messages.length; at += handMax) {
      const hand = batch.messages.slice(at, at + handMax);
      const last = hand.at(-1);
      if (last === undefined) return;
      if (!(await this.#hand(payload, hand))) return;
      const next = (BigInt(last.offset) + 1n).toString();
      payload.resolveOffset(last.offset);
      await payload.commitOffsetsIfNecessary({
        topics: [
          { topic: batch.topic, partitions: [{ partition: batch.partition, offset: next }] },
        ],
      });
      await payload.heartbeat();
    }
  }

  /**
   * Until it is handled: what is dropped would wait for the sweep, and the fault would go unseen. Answers false where these hints are
   * somebody else's now or later: the subscription closes, or the group rebalances.
   */
  async #hand(payload: EachBatchPayload, messages: readonly KafkaMessage[]): Promise<boolean> {
    const { clock, logger } = this.#deps;
    for (let tries = 0; ; tries += 1) {
      if (this.#abort.signal.aborted || !payload.isRunning() || payload.isStale()) return false;
      try {
        await this.#beating(payload, () => this.#handle(payload, messages));
        return true;
      } catch (error) {
        if (error instanceof LostPlace) throw error.cause;
        const pauseMs = retryMs * 2 ** Math.min(tries, 5);
        logger.warn(
          { topic: this.#topic, hints: messages.length, tries: tries + 1, pauseMs, err: error },
          "hints could not be handled; trying again",
        );
        await clock.sleep(pauseMs, this.#abort.signal);
        await payload.heartbeat();
      }
    }
  }

  async #handle(payload: EachBatchPayload, messages: readonly KafkaMessage[]): Promise<void> {
    const hints: Hint[] = [];
    for (const message of messages) {
      const read = readMessage(message);
      if (read.kind === "hint") hints.push(read.hint);
      if (read.kind === "undecodable") await this.#keep(payload, message, read.why);
    }
    if (hints.length > 0) await this.#handler(hints);
  }

  async #keep(payload: EachBatchPayload, message: KafkaMessage, why: string): Promise<void> {
    const { topic, partition } = payload.batch;
    const { offset, key, value } = message;
    await this.#deps.keepUndecodable({
      topic,
      partition,
      offset,
      key: key ?? undefined,
      value: value ?? undefined,
      why,
    });
    this.#deps.metrics.count("rolecall_dead_letters_total", { topic: this.#topic });
    this.#deps.logger.error(
      { topic, partition, offset, why },
      "a message cannot be read; it is kept: see `rolecall dead-letter list`",
    );
  }

  /**
   * Runs `work` with heartbeats beside it, so that a slow database does not cost us our place in the group. Where the place is lost all
   * the same, `work` ends and LostPlace is thrown.
   */
  async #beating(payload: EachBatchPayload, work: () => Promise<void>): Promise<void> {
    let lost: Error | undefined;
    let cancel: () => void = () => undefined;
    const beat = () => {
      cancel = this.#deps.clock.after(heartbeatMs, () => {
        payload.heartbeat().then(beat, (error: unknown) => {
          lost = asError(error);
        });
      });
    };
    beat();
    try {
      await work();
    } catch (error) {
      if (lost === undefined) throw error;
    } finally {
      cancel();
    }
    // Read through a function: the timer sets it while work is awaited.
    const lostNow = (): Error | undefined => lost;
    const cause = lostNow();
    if (cause !== undefined) throw new LostPlace(cause);
  }
}

/** The group went on without us while a handler ran. */
class LostPlace extends Error {
  override readonly cause: Error;
  constructor(cause: Error) {
    super(cause.message);
    this.cause = cause;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
