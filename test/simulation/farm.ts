import { Worker } from "node:worker_threads";
import type { Action } from "./actions.ts";
import type { PlantedBug } from "./plant.ts";
import type { Outcome } from "./run.ts";
import type { Shrunk } from "./shrink.ts";

/** One run to do. `actions` instead of what the seed says: a run that was kept. */
export interface Job {
  readonly seed: number;
  readonly actions?: readonly Action[];
}

export interface FarmStart {
  readonly bug: PlantedBug | undefined;
}

export interface FarmQuestion extends Job {
  readonly shrink: boolean;
}

export type FarmAnswer =
  | { readonly kind: "outcome"; readonly outcome: Omit<Outcome, "trace"> }
  | { readonly kind: "shrunk"; readonly shrunk: Shrunk };

/** A thread that runs seeds on the sources as they are, or with one bug planted. */
class Hand {
  readonly #worker: Worker;
  #waiting: { resolve: (answer: FarmAnswer) => void; reject: (error: Error) => void } | undefined;

  constructor(bug: PlantedBug | undefined) {
    this.#worker = new Worker(new URL("./farm-worker.ts", import.meta.url), {
      workerData: { bug } satisfies FarmStart,
      name: bug?.name ?? "simulation",
    });
    this.#worker.on("message", (answer: FarmAnswer) => {
      this.#waiting?.resolve(answer);
    });
    this.#worker.on("error", (error: unknown) => {
      this.#waiting?.reject(error instanceof Error ? error : new Error(String(error)));
    });
  }

  ask(question: FarmQuestion): Promise<FarmAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker.postMessage(question);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Runs jobs on several threads; stops taking new ones where `onOutcome` answers false. */
export async function farm(
  jobs: readonly Job[],
  options: {
    readonly bug?: PlantedBug;
    readonly hands?: number;
    readonly onOutcome: (outcome: Omit<Outcome, "trace">, job: Job) => boolean;
  },
): Promise<void> {
  let next = 0;
  let going = true;
  const one = async (): Promise<void> => {
    const hand = new Hand(options.bug);
    try {
      for (let job = jobs[next++]; job !== undefined && going; job = jobs[next++]) {
        const answer = await hand.ask({ ...job, shrink: false });
        if (answer.kind === "outcome" && !options.onOutcome(answer.outcome, job)) going = false;
      }
    } finally {
      await hand.end();
    }
  };
  await Promise.all(Array.from({ length: options.hands ?? 2 }, one));
}

/** Makes a failing run as short as it gets, with the trace of what is left. */
export async function shrink(job: Job): Promise<Shrunk> {
  const hand = new Hand(undefined);
  try {
    const answer = await hand.ask({ ...job, shrink: true });
    if (answer.kind !== "shrunk") throw new Error("asked to shrink, and something else was done");
    return answer.shrunk;
  } finally {
    await hand.end();
  }
}
