import type { Hint, HintBus, HintTopic } from "../../events/hint-bus.ts";
import type { Clock } from "../../model/clock.ts";
import type { Logger } from "../../model/log.ts";

export interface LocalBusOptions {
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Hints that a topic keeps at most, doubles counted once; above it `publish` waits. Default 10,000. */
  readonly capacity?: number;
  /** Pause before a failed batch is handed out again, doubled up to 32 times as long. Default 100 ms. */
  readonly retryMs?: number;
}

const batchMax = 200;

/** The hint bus of one process. What it holds is lost with the process: the sweep does that work. */
export function localBus(options: LocalBusOptions): HintBus {
  const topics: Record<HintTopic, Topic> = {
    hints: new Topic("hints", options),
    "hints.urgent": new Topic("hints.urgent", options),
  };
  let closed = false;
  return {
    publish: (topic, hints) => {
      if (closed) return Promise.reject(new Error("the hint bus is closed"));
      return topics[topic].publish(hints);
    },
    subscribe: (topic, handler) => {
      if (closed) return Promise.reject(new Error("the hint bus is closed"));
      return topics[topic].subscribe(handler);
    },
    lag: (topic) => Promise.resolve(topics[topic].lag),
    ready: () => (closed ? { ready: false, why: "the hint bus is closed" } : { ready: true }),
    live: () => ({ live: true }),
    pollAgeMs: () => undefined,
    close: async () => {
      closed = true;
      await Promise.all(Object.values(topics).map((topic) => topic.close()));
    },
  };
}

type Handler = (hints: readonly Hint[]) => Promise<void>;

class Topic {
  private readonly name: HintTopic;
  private readonly clock: Clock;
  private readonly logger: Logger | undefined;
  private readonly capacity: number;
  private readonly retryMs: number;
  /** In the order of arrival; a hint that waits already is the same hint. */
  private readonly queue = new Map<string, Hint>();
  private readonly abort = new AbortController();
  private inHand = 0;
  private handler: Handler | undefined;
  private running: Promise<void> | undefined;
  /** Publishers that wait for room, in their order. */
  private readonly waiting: (() => void)[] = [];

  constructor(name: HintTopic, options: LocalBusOptions) {
    this.name = name;
    this.clock = options.clock;
    this.logger = options.logger;
    this.capacity = options.capacity ?? 10_000;
    this.retryMs = options.retryMs ?? 100;
  }

  get lag(): number {
    return this.queue.size + this.inHand;
  }

  async publish(hints: readonly Hint[]): Promise<void> {
    for (const hint of hints) {
      const key = `${hint.tenantId} ${hint.identityId}`;
      while (!this.queue.has(key) && this.queue.size >= this.capacity) {
        if (this.abort.signal.aborted) throw new Error("the hint bus is closed");
        await new Promise<void>((resolve) => this.waiting.push(resolve));
      }
      if (this.abort.signal.aborted) throw new Error("the hint bus is closed");
      this.queue.set(key, hint);
      this.start();
    }
  }

  subscribe(handler: Handler): Promise<void> {
    if (this.handler !== undefined) {
      return Promise.reject(new Error(`${this.name} has its subscriber already`));
    }
    this.handler = handler;
    this.start();
    return Promise.resolve();
  }

  /** Takes nothing more, lets a running handler finish, and hands out no further batch. */
  async close(): Promise<void> {
    this.abort.abort();
    this.wakePublishers();
    await this.running;
    this.queue.clear();
  }

  private start(): void {
    if (this.handler === undefined || this.running !== undefined || this.queue.size === 0) return;
    this.running = this.work(this.handler).finally(() => {
      this.running = undefined;
      this.start();
    });
  }

  private async work(handler: Handler): Promise<void> {
    // Lets the publisher finish its turn, so that hints of one turn share a batch.
    await Promise.resolve();
    while (this.queue.size > 0 && !this.abort.signal.aborted) {
      const batch = this.take();
      this.inHand = batch.length;
      try {
        await this.handle(handler, batch);
      } finally {
        this.inHand = 0;
      }
    }
  }

  private take(): readonly Hint[] {
    const batch: Hint[] = [];
    for (const [key, hint] of this.queue) {
      if (batch.length >= batchMax) break;
      this.queue.delete(key);
      batch.push(hint);
    }
    this.wakePublishers();
    return batch;
  }

  /** Until it succeeds: a batch that is dropped would wait for the sweep, and the fault would go unseen. */
  private async handle(handler: Handler, batch: readonly Hint[]): Promise<void> {
    for (let tries = 0; !this.abort.signal.aborted; tries += 1) {
      try {
        await handler(batch);
        return;
      } catch (error) {
        const pauseMs = this.retryMs * 2 ** Math.min(tries, 5);
        this.logger?.warn(
          { topic: this.name, hints: batch.length, tries: tries + 1, pauseMs, error },
          "hints could not be handled; trying again",
        );
        await this.clock.sleep(pauseMs, this.abort.signal);
      }
    }
  }

  private wakePublishers(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }
}
