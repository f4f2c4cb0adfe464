import type { Clock } from "../model/clock.ts";

/** Resolves when the part works; throws, or answers a sentence, when it does not. */
export type HealthCheck = () => Promise<string | void> | string | void;

export interface HealthAnswer {
  readonly ok: boolean;
  /** `ok`, or why not, by name of the check. */
  readonly checks: Readonly<Record<string, string>>;
}

export interface Health {
  /** Whether this process should go on: false is a reason to start it anew. */
  live(): Promise<HealthAnswer>;
  /** Whether requests should be sent here now. */
  ready(): Promise<HealthAnswer>;
  /** From now on not ready: whoever balances requests sends them elsewhere. */
  drain(): void;
}

/** A result counts this long, so that many probes cost one look. */
const keepMs = 1_000;
const timeoutMs = 2_000;

interface Result {
  readonly says: string;
  readonly at: number;
}

/**
 * Liveness and readiness from named checks. A check that hangs is answered for after two seconds and not begun again before it
 * ends. Times are those of `clock`; a service on scaled time passes an unscaled one.
 */
export function createHealth(options: {
  readonly clock: Clock;
  /** What readiness asks. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** What liveness asks; a process that answers at all is alive unless these object. */
  readonly liveChecks?: Readonly<Record<string, HealthCheck>>;
}): Health {
  const { clock } = options;
  const ready = new Map(
    Object.entries(options.checks).map(([name, check]) => [name, probe(clock, check)]),
  );
  const live = new Map(
    Object.entries(options.liveChecks ?? {}).map(([name, check]) => [name, probe(clock, check)]),
  );
  let draining = false;
  const ask = async (probes: ReadonlyMap<string, () => Promise<string>>): Promise<HealthAnswer> => {
    const answers = await Promise.all(
      [...probes].map(async ([name, look]) => [name, await look()] as const),
    );
    return {
      ok: answers.every(([, says]) => says === "ok"),
      checks: Object.fromEntries(answers),
    };
  };
  return {
    live: () => ask(live),
    async ready() {
      const answer = await ask(ready);
      if (!draining) return answer;
      return { ok: false, checks: { ...answer.checks, process: "stopping" } };
    },
    drain() {
      draining = true;
    },
  };
}

/** One check with its memory: the last result while it is fresh, the run under way instead of a second one. */
function probe(clock: Clock, check: HealthCheck): () => Promise<string> {
  let last: Result | undefined;
  let running: Promise<string> | undefined;
  const run = async (): Promise<string> => {
    let says: string;
    try {
      says = (await check()) ?? "ok";
    } catch (error) {
      says = error instanceof Error ? error.message : String(error);
    }
    last = { says, at: clock.monotonic() };
    running = undefined;
    return says;
  };
  return async () => {
    if (last !== undefined && clock.monotonic() - last.at < keepMs) return last.says;
    running ??= run();
    const abort = new AbortController();
    const late = clock
      .sleep(timeoutMs, abort.signal)
      .then(() => `no answer within ${String(timeoutMs / 1_000)} s`);
    const says = await Promise.race([running, late]);
    abort.abort();
    return says;
  };
}
