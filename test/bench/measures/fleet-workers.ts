import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { startChild, type Child } from "../child.ts";
import type { Figure, Findings, Measure, Row, Stage } from "../measure.ts";
import type { LaneOrder, LaneWorkerStart } from "../processes/lane-worker.ts";
import type { SlowVendorStart } from "../processes/slow-vendor.ts";
import { stagePostgres } from "../real-servers.ts";
import { rounds } from "../rounds.ts";
import { median, pairedRatio, range } from "../statistics.ts";

const delayMs = 50;
/** Nothing that could be reached; by the minute, as vendors count. */
const noLimit = { capacity: 60_000_000, perMs: 60_000 };
/** Targets at once of a process that waits for the vendor, and of one as it is installed, which keeps this machine's cores busy. */
const [fewPlaces, usualPlaces] = [8, 32];

export const fleetWorkers: Measure = {
  name: "fleet-workers",
  title: "Worker processes, 16 lanes, a vendor that takes 50 ms",
  method:
    "Worker processes on one PostgreSQL, wired as the service wires them, and a vendor over HTTP in a process of its own that answers after 50 ms " +
    "and refuses nothing. A wave gives everybody the next role at every lane (a look, a write through the gate, a look); measured from the start of " +
    "the workers to the last wish that is read back. Waves of different fleets turn by turn. Floor: one process. The goal is on processes of " +
    "8 targets at once, which wait for the vendor: what a second one adds there, the store has not taken. With 32 at once, as installed, one process " +
    "and what it asks of PostgreSQL use up the processors of a small machine, and no second process makes more of those.",
  timeoutMs: 300_000,
  needs: ["postgres"],
  run: measureFleet,
};

interface Fleet {
  readonly processes: number;
  readonly places: number;
  readonly waves: Wave[];
}

interface Wave {
  readonly perSecond: number;
  /** Of the whole machine, on average. */
  readonly coresBusy: number;
}

async function measureFleet(stage: Stage): Promise<Findings> {
  const smoke = stage.size === "smoke";
  const order: LaneOrder = smoke ? { lanes: 2, people: 4 } : { lanes: 16, people: 30 };
  const plan = smoke ? { least: 1, most: 1, seconds: 1 } : { least: 2, most: 4, seconds: 100 };
  const postgres = await stagePostgres(stage);
  const database = await postgres.database();
  const vendor = await startChild(stage, "slow-vendor.ts", { delayMs } satisfies SlowVendorStart);
  const vendorUrl = await vendor.ask<string>("url");
  const fleet = (processes: number, places: number): Fleet => ({ processes, places, waves: [] });
  const few = [1, 2, ...(smoke ? [] : [4])].map((processes) => fleet(processes, fewPlaces));
  const usual = [1, 2].map((processes) => fleet(processes, usualPlaces));
  const workers: Child[] = [];
  for (let at = 0; at < (smoke ? 2 : 4); at++) {
    const start: LaneWorkerStart = { database, vendorUrl, limit: noLimit, workers: 1 };
    workers.push(await startChild(stage, "lane-worker.ts", start));
  }
  const [first] = workers;
  if (first === undefined) throw new Error("no worker");
  await first.ask("prepare", order);
  let wave = 0;
  const run = async ({ processes, places }: Fleet): Promise<Wave> => {
    wave += 1;
    await first.ask("wish", { ...order, wave });
    return runWave(stage, workers.slice(0, processes), order, places);
  };
  // The first wave makes the accounts and opens the connections of everybody.
  await run(fleet(workers.length, usualPlaces));
  for (const round of rounds(plan)) {
    for (const item of [...few, ...usual]) item.waves.push(await run(item));
    stage.say(`round ${String(round)}`);
  }
  return {
    rows: [...rowsOf(few, true), ...rowsOf(usual, false), costOf(few)],
    notes: [
      `${String(order.lanes)} lanes with ${String(order.people)} people each; a lane hands out four targets at a time to the whole fleet.`,
      `PostgreSQL and the vendor share the ${String(cpus().length)} cores with the workers. Cores busy on average: ${[...few, ...usual].map(busyText).join("; ")}.`,
    ],
  };
}

async function runWave(
  stage: Stage,
  workers: readonly Child[],
  { lanes, people }: LaneOrder,
  places: number,
): Promise<Wave> {
  const startedAt = performance.now();
  const busyBefore = busySeconds();
  await Promise.all(workers.map((worker) => worker.ask("start", places)));
  while ((await workers[0]?.ask<number>("left")) !== 0)
    await sleep(50, undefined, { signal: stage.signal });
  const seconds = (performance.now() - startedAt) / 1_000;
  const coresBusy = (busySeconds() - busyBefore) / seconds;
  await Promise.all(workers.map((worker) => worker.ask("stop")));
  return { perSecond: (lanes * people) / seconds, coresBusy };
}

/** What all cores have worked since the machine started. */
function busySeconds(): number {
  return cpus().reduce(
    (sum, { times }) => sum + (times.user + times.nice + times.sys + times.irq) / 1_000,
    0,
  );
}

/** The first fleet is the floor of the others; the goal is on the second. */
function rowsOf([one, ...others]: readonly Fleet[], goal: boolean): readonly Row[] {
  if (one === undefined) return [];
  return others.map((these, at) => ({
    measure: `${String(these.processes)} worker processes with ${String(these.places)} targets at once each, targets made right`,
    ours: rate(these),
    floor: { ...rate(one), what: "one process" },
    ratio: pairedRatio(ratesOf(these), ratesOf(one)),
    ...(goal && at === 0 && { goal: { kind: "ratio-at-least", value: 1.7 } as const }),
  }));
}

/** Of workers, PostgreSQL, vendor and whatever else runs. */
function costOf(fleets: readonly Fleet[]): Row {
  const costs = (fleets[1]?.waves ?? []).map((wave) => (1_000 * wave.coresBusy) / wave.perSecond);
  return {
    measure: "a target made right (three calls at the vendor), processor time of everybody",
    ours: { value: median(costs), unit: "ms", range: range(costs) },
  };
}

const ratesOf = ({ waves }: Fleet) => waves.map((wave) => wave.perSecond);

function rate(fleet: Fleet): Figure {
  const rates = ratesOf(fleet);
  return { value: median(rates), unit: "/s", range: range(rates) };
}

function busyText({ processes, places, waves }: Fleet): string {
  const cores = median(waves.map((wave) => wave.coresBusy)).toFixed(2);
  return `${String(processes)} × ${String(places)} targets: ${cores}`;
}
