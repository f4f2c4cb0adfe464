import type { Findings, Measure, Row, Stage } from "../measure.ts";
import { rounds } from "../rounds.ts";
import { median, quantile } from "../statistics.ts";
import { startVendorScene, type Latency } from "../vendor-scene.ts";

export const firstCall: Measure = {
  name: "first-call",
  title: "Accepted event to first vendor call, idle",
  method:
    "Rolecall as `npm start` runs it in a process of its own, a simulated Instantly in another. One event at a time: a person enters the group that gives " +
    "the role, or is deactivated. Measured from the 2xx that the IdP sees to the first request that the vendor sees, and to the write itself. " +
    "Between events the service rests for a moment that differs each time.",
  timeoutMs: 400_000,
  run: measureFirstCall,
};

async function measureFirstCall(stage: Stage): Promise<Findings> {
  const samples = stage.size === "smoke" ? 2 : 60;
  const scene = await startVendorScene(stage, samples);
  const joins: Latency[] = [];
  const leaves: Latency[] = [];
  for (const at of rounds({ least: Math.min(20, samples), most: samples, seconds: 90 })) {
    const person = scene.people[at] ?? "";
    joins.push(await scene.join(person));
    await scene.quiet();
    leaves.push(await scene.leave(person));
    await scene.quiet();
  }
  return {
    rows: [...rows("a grant", joins), ...rows("a leaver", leaves)],
    notes: [`${String(joins.length)} events of each kind.`],
  };
}

function rows(what: string, latencies: readonly Latency[]): readonly Row[] {
  const calls = latencies.map((latency) => latency.firstCall);
  const writes = latencies.map((latency) => latency.write);
  return [
    {
      measure: `accepted event → first vendor call, ${what}, p95`,
      ours: { value: quantile(calls, 0.95), unit: "ms" },
      goal: { kind: "at-most", value: 250 },
      whenMissed: "the goal speaks of an idle machine; the load above says whether it was one",
    },
    {
      measure: `accepted event → first vendor call, ${what}, median`,
      ours: { value: median(calls), unit: "ms" },
    },
    {
      measure: `accepted event → the vendor write, ${what}, median`,
      ours: { value: median(writes), unit: "ms" },
    },
  ];
}
