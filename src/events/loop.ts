import type { Clock } from "../model/clock.ts";
import type { Logger } from "../model/log.ts";

/** Something that runs round after round until it is stopped. */
export interface Loop {
  start(): void;
  /** There may be work: do not wait for the next round. */
  ring(): void;
  /** Resolves when the round that runs has ended. */
  stop(): Promise<void>;
}

/** Given, so that no exception with its stack is made for each of the many times that a loop is rung. */
const awake = "awake";

const pauseAfterErrorMs = 1_000;
const pauseAfterErrorMaxMs = 30_000;

/**
 * Runs `round` again and again. It answers how long to rest, 0 for at once; an error is logged, waited out with growing pauses and
 * never ends the loop.
 */
export function createLoop(options: {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly round: () => Promise<number>;
}): Loop {
  const { name, clock, logger } = options;
  let running: Promise<void> | undefined;
  let stopping = false;
  let rung = false;
  let rest: AbortController | undefined;
  // Asked through functions: others set these while a round is awaited.
  const isStopping = () => stopping;
  const isRung = () => rung;

  const run = async (): Promise<void> => {
    let failures = 0;
    while (!isStopping()) {
      rung = false;
      let restMs: number;
      try {
        restMs = await options.round();
        failures = 0;
      } catch (error) {
        failures += 1;
        restMs = Math.min(
          pauseAfterErrorMaxMs,
          pauseAfterErrorMs * 2 ** Math.min(failures - 1, 10),
        );
        logger.error({ err: error, loop: name, failures }, "a round failed; it is tried again");
      }
      if (restMs > 0 && !isRung()) {
        rest = new AbortController();
        if (!isStopping()) await clock.sleep(restMs, rest.signal);
        rest = undefined;
      }
    }
  };

  return {
    start() {
      running ??= run();
    },
    ring() {
      rung = true;
      rest?.abort(awake);
    },
    async stop() {
      stopping = true;
      rest?.abort(awake);
      await running;
    },
  };
}
