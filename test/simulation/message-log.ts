import type { Hint, HintBus, HintTopic } from "../../src/events/hint-bus.ts";
import type { Random } from "./random.ts";
import type { Life, Scheduler } from "./scheduler.ts";

type Handler = (hints: readonly Hint[]) => Promise<void>;

interface Partition {
  readonly topic: HintTopic;
  readonly number: number;
  readonly messages: Hint[];
  owner: Life | undefined;
  /** Rises with every change of owner: what was handed out before commits nothing any more. */
  epoch: number;
  armed: boolean;
}

/** How the log treats hints; probabilities per hint. */
export interface LogWeather {
  down: boolean;
  lost: number;
  doubled: number;
  swapped: number;
  delayMaxMs: number;
}

const partitionsPerTopic = 2;
const batchMax = 5;
const retryMs = 1_000;

/**
 * A log with a consumer group, as seen from inside the processes: hints are handed out again after a crash or a change of owner, and
 * may be lost, doubled, late and out of order. Nothing that it does may change what is true in the end.
 */
export class MessageLog {
  readonly weather: LogWeather = { down: false, lost: 0, doubled: 0, swapped: 0, delayMaxMs: 20 };
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #life: Life;
  readonly #partitions: Partition[];
  readonly #consumers = new Map<Life, Map<HintTopic, Handler>>();

  constructor(scheduler: Scheduler, random: Random, life: Life) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#life = life;
    this.#partitions = (["hints", "hints.urgent"] as const).flatMap((topic) =>
      Array.from({ length: partitionsPerTopic }, (_, number): Partition => {
        return { topic, number, messages: [], owner: undefined, epoch: 0, armed: false };
      }),
    );
  }

  busOf(life: Life): HintBus {
    return {
      publish: (topic, hints) =>
        this.#scheduler.call(life, "log.publish", () => {
          if (this.weather.down) throw new Error("the brokers do not answer");
          for (const hint of hints) this.#take(topic, hint);
        }),
      subscribe: (topic, handler) =>
        this.#scheduler.call(life, "log.subscribe", () => {
          const handlers = this.#consumers.get(life) ?? new Map<HintTopic, Handler>();
          this.#consumers.set(life, handlers.set(topic, handler));
          this.rebalance();
        }),
      lag: () => Promise.resolve(undefined),
      ready: () => ({ ready: true }),
      live: () => ({ live: true }),
      pollAgeMs: () => undefined,
      close: () => Promise.resolve(),
    };
  }

  /** Gives every partition to a consumer that lives; what was in hand is handed out again. */
  rebalance(): void {
    for (const life of this.#consumers.keys()) if (!life.alive) this.#consumers.delete(life);
    for (const partition of this.#partitions) {
      const able = [...this.#consumers].filter(([, topics]) => topics.has(partition.topic));
      partition.epoch += 1;
      partition.armed = false;
      partition.owner = able.length === 0 ? undefined : this.#random.pick(able)[0];
      this.#arm(partition);
    }
  }

  #take(topic: HintTopic, hint: Hint): void {
    const { weather } = this;
    if (this.#random.chance(weather.lost)) return;
    const key = [...`${hint.tenantId}${hint.identityId}`].reduce(
      (sum, letter) => sum + letter.charCodeAt(0),
      0,
    );
    const partition = this.#partitions.find(
      (item) => item.topic === topic && item.number === key % partitionsPerTopic,
    );
    if (partition === undefined) return;
    const copies = this.#random.chance(weather.doubled) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const at = this.#random.chance(weather.swapped)
        ? this.#random.int(partition.messages.length + 1)
        : partition.messages.length;
      partition.messages.splice(at, 0, hint);
    }
    this.#arm(partition);
  }

  #arm(partition: Partition, delayMs = this.#random.int(this.weather.delayMaxMs + 1)): void {
    if (partition.armed || partition.messages.length === 0 || partition.owner === undefined) return;
    partition.armed = true;
    const { epoch } = partition;
    void this.#scheduler.call(
      this.#life,
      "log.delivers",
      () => {
        if (partition.epoch === epoch) this.#deliver(partition);
      },
      delayMs,
    );
  }

  #deliver(partition: Partition): void {
    const { owner, epoch } = partition;
    const handler =
      owner === undefined ? undefined : this.#consumers.get(owner)?.get(partition.topic);
    if (owner?.alive !== true || handler === undefined) return;
    const count = Math.min(partition.messages.length, 1 + this.#random.int(batchMax));
    const finish = (committed: boolean) => {
      if (partition.epoch !== epoch) return;
      if (committed) partition.messages.splice(0, count);
      partition.armed = false;
      this.#arm(partition, committed ? 0 : retryMs);
    };
    handler(partition.messages.slice(0, count)).then(
      () => {
        finish(true);
      },
      () => {
        finish(false);
      },
    );
  }
}
