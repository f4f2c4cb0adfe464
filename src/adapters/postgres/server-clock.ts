import type { Clock, Instant } from "../../model/clock.ts";
import type { Logger } from "../../model/log.ts";

/** How often the server is asked for its time. */
const everyMs = 60_000;
/** A clock that is off by more is worth a line: somebody's time service is broken. */
const tellMs = 1_000;

/**
 * The time of the database's server, so that leases and deadlines mean the same in every process, whatever the clocks of their hosts say:
 * monotonic time plus an offset, which is measured again and again. It never goes back while the process lives.
 */
export class ServerClock implements Clock {
  private readonly host: Clock;
  private offset: number;
  private last = 0;
  private cancel: (() => void) | undefined;

  /** Until it is first set it says what the host says. */
  constructor(host: Clock) {
    this.host = host;
    this.offset = host.now() - host.monotonic();
  }

  now(): Instant {
    this.last = Math.max(this.last, Math.floor(this.host.monotonic() + this.offset));
    return this.last;
  }

  monotonic = () => this.host.monotonic();
  sleep: Clock["sleep"] = (ms, signal) => this.host.sleep(ms, signal);
  after: Clock["after"] = (ms, fn) => this.host.after(ms, fn);
  random = () => this.host.random();
  bytes: Clock["bytes"] = (size) => this.host.bytes(size);

  /** Sets the clock by one question, whose answer was given half way between asking and hearing. Answers by how much it moved. */
  async set(ask: () => Promise<Instant>): Promise<number> {
    const asked = this.host.monotonic();
    const said = await ask();
    const heard = this.host.monotonic();
    const offset = said - (asked + heard) / 2;
    const moved = offset - this.offset;
    this.offset = offset;
    return moved;
  }

  /** Keeps the clock set until `stop`; a question without answer changes nothing. */
  follow(ask: () => Promise<Instant>, logger: Logger | undefined): void {
    const again = async () => {
      try {
        const moved = await this.set(ask);
        if (Math.abs(moved) > tellMs)
          logger?.warn({ movedMs: Math.round(moved) }, "the clock was set by the database's");
      } catch (error) {
        logger?.debug({ error }, "the database did not say what time it is");
      }
      if (this.cancel !== undefined) this.cancel = this.host.after(everyMs, () => void again());
    };
    this.cancel = this.host.after(everyMs, () => void again());
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }
}
