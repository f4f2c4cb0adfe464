import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Companies } from "./companies.ts";
import type { Findings, Measure, Size, Stage } from "./measure.ts";

/** What became of one measure. */
export type Outcome =
  | { readonly measure: Measure; readonly tookMs: number; readonly findings: Findings }
  | { readonly measure: Measure; readonly tookMs: number; readonly failure: string };

export interface RunOptions {
  readonly size: Size;
  readonly say: (text: string) => void;
  readonly profileFolder?: string;
  /** Stops the run: the measure in hand is given up and cleaned up, the others are told as not run. */
  readonly signal?: AbortSignal;
}

/** Runs measures one after the other, each in bounded time and with its folders and processes removed after it. */
export async function runMeasures(
  measures: readonly Measure[],
  options: RunOptions,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const companies = new Companies();
  for (const measure of measures) {
    if (options.signal?.aborted === true) {
      outcomes.push({ measure, tookMs: 0, failure: "not run: the bench was stopped before it" });
      continue;
    }
    options.say(`${measure.name}: ${measure.title}`);
    const outcome = await runOne(measure, options, companies);
    options.say(
      "failure" in outcome
        ? `${measure.name}: FAILED: ${outcome.failure}`
        : `${measure.name}: done in ${(outcome.tookMs / 1_000).toFixed(1)} s`,
    );
    outcomes.push(outcome);
  }
  await companies.remove();
  return outcomes;
}

async function runOne(
  measure: Measure,
  options: RunOptions,
  companies: Companies,
): Promise<Outcome> {
  const startedAt = performance.now();
  const abort = new AbortController();
  const cleanups: (() => Promise<void> | void)[] = [];
  const stage: Stage = {
    size: options.size,
    signal: abort.signal,
    profileFolder: options.profileFolder,
    say: (text) => {
      options.say(`  ${text}`);
    },
    company: (people) => companies.copy(stage, people),
    cleanUp: (work) => cleanups.push(work),
    folder: async () => {
      const folder = await mkdtemp(join(tmpdir(), `rolecall-bench-${String(process.pid)}-`));
      cleanups.push(() => rm(folder, { recursive: true, force: true }));
      return folder;
    },
  };
  const took = () => performance.now() - startedAt;
  const stop = () => {
    abort.abort(new Error("stopped by hand"));
  };
  options.signal?.addEventListener("abort", stop);
  const timer = setTimeout(() => {
    abort.abort(new Error(`given up after ${String(measure.timeoutMs / 1_000)} s`));
  }, measure.timeoutMs);
  try {
    const findings = await Promise.race([measure.run(stage), aborted(abort.signal)]);
    return { measure, tookMs: took(), findings };
  } catch (error) {
    return { measure, tookMs: took(), failure: messageOf(error) };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", stop);
    abort.abort(new Error("the measure is over"));
    for (const work of cleanups.toReversed()) {
      try {
        await work();
      } catch (error) {
        options.say(`  not cleaned up: ${messageOf(error)}`);
      }
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const give = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) give();
    else signal.addEventListener("abort", give);
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
