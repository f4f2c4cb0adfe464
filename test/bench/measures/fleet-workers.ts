import { setTimeout as sleep } from "node:timers/promises";
import { startChild, type Child } from "../child.ts";
import type { Figure, Findings, Measure, Row, Stage } from "../measure.ts";
import type { LaneOrder, LaneWorkerStart } from "../processes/lane-worker.ts";
import type { SlowVendorStart } from "../processes/slow-vendor.ts";
import { stagePostgres } from "../real-servers.ts";
import { rounds } from "../rounds.ts";
import { median, pairedRatio, range } from "../statistics.ts";

const delayMs = 50;
/** Nothing that could be reached. */
const noLimit = { capacity: 1_000_000, perMs: 1_000 };

export const fleetWorkers: Measure = {
  name: "fleet-workers",
  title: "One to four worker processes, 16 lanes, a vendor that takes 50 ms",
  method:
    "Worker processes on one PostgreSQL, wired as the service wires them, and a vendor over HTTP in a process of its own that answers after 50 ms " +
    "and refuses nothing. A wave gives everybody the next role at every lane (a look, a write through the gate, a look); measured from the start of " +
    "the workers to the last wish that is read back. Waves with one, two, three and four processes turn by turn. Floor: one process.",
  timeoutMs: 300_000,
  needs: ["postgres"],
  run: measureFleet,
};

async function measureFleet(stage: Stage): Promise<Findings> {
  const smoke = stage.size === "smoke";
  const order: LaneOrder = smoke ? { lanes: 2, people: 4 } : { lanes: 16, people: 30 };
  const plan = smoke ? { least: 1, most: 1, seconds: 1 } : { least: 2, most: 4, seconds: 60 };
  const most = smoke ? 2 : 4;
  const postgres = await stagePostgres(stage);
  const database = await postgres.database();
  const vendor = await startChild(stage, "slow-vendor.ts", { delayMs } satisfies SlowVendorStart);
  const vendorUrl = await vendor.ask<string>("url");
  const workers: Child[] = [];
  for (let at = 0; at < most; at++) {
    const start: LaneWorkerStart = { database, vendorUrl, limit: noLimit, workers: 1 };
    workers.push(await startChild(stage, "lane-worker.ts", start));
  }
  const [first] = workers;
  if (first === undefined) throw new Error("no worker");
  await first.ask("prepare", order);
  const rates: number[][] = Array.from({ length: most }, () => []);
  let wave = 0;
  const run = async (processes: number): Promise<number> => {
    wave += 1;
    await first.ask("wish", { ...order, wave });
    return waveRate(stage, workers.slice(0, processes), order);
  };
  // The first wave makes the accounts and opens the connections of everybody.
  await run(most);
  for (const round of rounds(plan)) {
    for (let processes = 1; processes <= most; processes++)
      rates[processes - 1]?.push(await run(processes));
    stage.say(`round ${String(round)}`);
  }
  const [one = []] = rates;
  return {
    rows: rates.slice(1).map((these, at): Row => ({
      measure: `${String(at + 2)} worker processes, targets made right`,
      ours: rate(these),
      floor: { ...rate(one), what: "one process" },
      ratio: pairedRatio(these, one),
      ...(at === 0 && { goal: { kind: "ratio-at-least", value: 1.7 } as const }),
    })),
    notes: [
      `${String(order.lanes)} lanes with ${String(order.people)} people each; a lane hands out four targets at a time to the whole fleet, a worker takes 32.`,
      "PostgreSQL and the vendor share the cores with the workers: from some number on they are the wall.",
    ],
  };
}

async function waveRate(
  stage: Stage,
  workers: readonly Child[],
  { lanes, people }: LaneOrder,
): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(workers.map((worker) => worker.ask("start")));
  while ((await workers[0]?.ask<number>("left")) !== 0)
    await sleep(25, undefined, { signal: stage.signal });
  const seconds = (performance.now() - startedAt) / 1_000;
  await Promise.all(workers.map((worker) => worker.ask("stop")));
  return (lanes * people) / seconds;
}

function rate(rates: readonly number[]): Figure {
  return { value: median(rates), unit: "/s", range: range(rates) };
}
