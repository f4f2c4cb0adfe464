import type { ClientBase } from "pg";
import type { Clock } from "../../model/clock.ts";

/** A connection that is busy for longer makes us ask whether the server is still there. */
const busyMs = 5_000;

interface Busy {
  readonly client: ClientBase;
  readonly since: number;
}

/**
 * Ends connections over which no answer will come. A network that swallows every byte looks like a slow statement, and TCP takes a quarter of
 * an hour to tell: while a connection is busy for long, somebody new asks the server something; where two in a row hear nothing, the
 * connections that are busy that long are cut, and whoever waits for them is told.
 */
export class ConnectionWatch {
  private readonly clock: Clock;
  private readonly serverAnswers: () => Promise<boolean>;
  private readonly busy = new Set<Busy>();
  private asking = false;
  private cancel: (() => void) | undefined;

  /** @param serverAnswers never rejects, and answers within a time of its own */
  constructor(clock: Clock, serverAnswers: () => Promise<boolean>) {
    this.clock = clock;
    this.serverAnswers = serverAnswers;
  }

  /** The client is busy until the answered function is called. */
  begin(client: ClientBase): () => void {
    const busy = { client, since: this.clock.monotonic() };
    this.busy.add(busy);
    this.lookLater();
    return () => {
      this.busy.delete(busy);
      if (this.busy.size > 0) return;
      this.cancel?.();
      this.cancel = undefined;
    };
  }

  private lookLater(): void {
    if (this.asking || this.busy.size === 0) return;
    this.cancel ??= this.clock.after(busyMs, () => {
      this.cancel = undefined;
      void this.look();
    });
  }

  private async look(): Promise<void> {
    const limit = this.clock.monotonic() - busyMs;
    const long = [...this.busy].filter((item) => item.since <= limit);
    if (long.length > 0) {
      this.asking = true;
      const there = (await this.serverAnswers()) || (await this.serverAnswers());
      this.asking = false;
      if (!there) for (const item of long) if (this.busy.has(item)) cut(item.client);
    }
    this.lookLater();
  }
}

/** The driver's own end waits for the other side, which is what does not answer. */
export function cut(client: ClientBase): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
}
