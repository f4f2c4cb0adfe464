import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "../child.ts";
import type { Findings, Measure, Stage } from "../measure.ts";
import type { LaneOrder, LaneWorkerStart } from "../processes/lane-worker.ts";
import type { SlowVendorStart, VendorCounts } from "../processes/slow-vendor.ts";
import { stagePostgres } from "../real-servers.ts";

export const laneLimit: Measure = {
  name: "lane-limit",
  title: "Ten workers at one lane, and the vendor's limit",
  method:
    "Ten workers in two processes on one PostgreSQL, all for one lane, whose vendor keeps a token bucket as vendors do and refuses what exceeds it. " +
    "Everybody wants work at once, for several times what the bucket holds. Over: calls that were refused. Floor of the rate: what the limit allows " +
    "without the fifth that is kept for leavers.",
  timeoutMs: 240_000,
  needs: ["postgres"],
  run: measureLimit,
};

async function measureLimit(stage: Stage): Promise<Findings> {
  const smoke = stage.size === "smoke";
  const limit = { capacity: 40, perMs: 1_000 };
  const order: LaneOrder = { lanes: 1, people: smoke ? 20 : 250 };
  const waves = smoke ? 1 : 2;
  const postgres = await stagePostgres(stage);
  const database = await postgres.database();
  const vendor = await startChild(stage, "slow-vendor.ts", {
    delayMs: 5,
    limit,
  } satisfies SlowVendorStart);
  const vendorUrl = await vendor.ask<string>("url");
  const start: LaneWorkerStart = { database, vendorUrl, limit, workers: 5 };
  const workers = [
    await startChild(stage, "lane-worker.ts", start),
    await startChild(stage, "lane-worker.ts", start),
  ];
  const [first] = workers;
  await first?.ask("prepare", order);
  await Promise.all(workers.map((worker) => worker.ask("start")));
  for (let wave = 1; wave <= waves; wave++) {
    await first?.ask("wish", { ...order, wave });
    while ((await first?.ask<number>("left")) !== 0)
      await sleep(50, undefined, { signal: stage.signal });
  }
  await Promise.all(workers.map((worker) => worker.ask("stop")));
  const { answered, refused, spanMs } = await vendor.ask<VendorCounts>("counts");
  const allowed = limit.capacity / (limit.perMs / 1_000);
  return {
    rows: [
      {
        measure: "calls beyond the vendor's limit, ten workers at one lane",
        ours: { value: (100 * refused) / (answered + refused), unit: "%" },
        goal: { kind: "at-most", value: 0 },
      },
      {
        measure: "calls at that lane",
        ours: { value: (answered + refused) / (spanMs / 1_000), unit: "/s" },
        floor: { value: allowed, unit: "/s", what: "what the limit allows" },
      },
    ],
    notes: [
      `${String(answered + refused)} calls in ${(spanMs / 1_000).toFixed(1)} s; the bucket holds ${String(limit.capacity)} and fills at ${String(allowed)} a second.`,
    ],
  };
}
