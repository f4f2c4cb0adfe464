import { startChild, type Child } from "../child.ts";
import type { Findings, Measure, Row, Stage } from "../measure.ts";
import type { LoadAnswer, LoadRound, Target } from "../processes/load.ts";
import { rounds } from "../rounds.ts";
import { median, quantile } from "../statistics.ts";
import { startVendorScene, type Latency } from "../vendor-scene.ts";

export const underImport: Measure = {
  name: "under-import",
  title: "Accepted event to first vendor call, under an import",
  method:
    "As `first-call`, while a second client imports people at 16 connections without a pause and the same process recomputes each of them. " +
    "A leaver has a topic and a sweep of its own; a grant stands in line with the crowd.",
  timeoutMs: 900_000,
  run: measureUnderImport,
};

async function measureUnderImport(stage: Stage): Promise<Findings> {
  const samples = stage.size === "smoke" ? 2 : 40;
  const scene = await startVendorScene(stage, samples);
  const load = await startChild(stage, "load.ts");
  const crowd = new Crowd(load, scene.service.scim);
  crowd.start();
  const joins: Latency[] = [];
  const leaves: Latency[] = [];
  const owed: number[] = [];
  for (const at of rounds({ least: Math.min(10, samples), most: samples, seconds: 90 })) {
    const person = scene.people[at] ?? "";
    joins.push(await scene.join(person));
    leaves.push(await scene.leave(person));
    owed.push(await scene.service.owed());
  }
  const { perSecond } = await crowd.stop();
  return {
    rows: [...rows("a leaver", leaves), ...rows("a grant", joins)],
    notes: [
      `${String(joins.length)} events of each kind; the import ran at ${perSecond.toFixed(0)} people/s and had ${median(owed).toFixed(0)} people ` +
        "to recompute in the middle of it.",
    ],
  };
}

function rows(what: string, latencies: readonly Latency[]): readonly Row[] {
  const calls = latencies.map((latency) => latency.firstCall);
  return [
    {
      measure: `under an import: accepted event → first vendor call, ${what}, median`,
      ours: { value: median(calls), unit: "ms" },
    },
    {
      measure: `under an import: accepted event → first vendor call, ${what}, p95`,
      ours: { value: quantile(calls, 0.95), unit: "ms" },
    },
  ];
}

/** An import without end, in rounds, until it is told to stop. */
class Crowd {
  readonly #load: Child;
  readonly #target: Target;
  readonly #rates: number[] = [];
  #stopping = false;
  #running: Promise<void> | undefined;

  constructor(load: Child, target: Target) {
    this.#load = load;
    this.#target = target;
  }

  start(): void {
    this.#running = this.#run();
    // Looked at in stop(); a failure in between must not end the process.
    this.#running.catch(() => undefined);
  }

  async stop(): Promise<{ readonly perSecond: number }> {
    this.#stopping = true;
    await this.#running;
    return { perSecond: median(this.#rates) };
  }

  async #run(): Promise<void> {
    let from = 1_000_000;
    do {
      const round: LoadRound = {
        target: this.#target,
        connections: 16,
        seconds: 1,
        job: "create",
        from,
        ids: [],
      };
      const answer = await this.#load.ask<LoadAnswer>("load", round);
      this.#rates.push(answer.perSecond);
      from = answer.next;
    } while (!this.#stopping);
  }
}
