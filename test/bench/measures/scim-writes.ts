import { startChild } from "../child.ts";
import { connections, Contestant, cpuRow, note, rate, rateRow, type Job } from "../contestant.ts";
import type { Findings, Measure, Row, Stage } from "../measure.ts";
import { rounds } from "../rounds.ts";
import { pairedRatio } from "../statistics.ts";

export const scimWrites: Measure = {
  name: "scim-writes",
  title: "SCIM writes, durable, 16 connections",
  method:
    "Four servers in processes of their own, each with a store of its own on disk (WAL, synchronous FULL, group commit): the SCIM router " +
    "as it is served, with token check, log to a file and metrics; a bare express route that parses the same body and calls the same store " +
    "command; express over scimmy's own resources with people in a map, nothing durable; and a route that stores nothing. One load generator (autocannon) turns to one after the other, round after round; rates are " +
    "medians of the rounds, ratios medians of each round's ratio. Recompute runs in none of them, as in a process with the role `api` alone.",
  timeoutMs: 400_000,
  run: measureWrites,
};

async function measureWrites(stage: Stage): Promise<Findings> {
  const smoke = stage.size === "smoke";
  const plan = smoke ? { least: 2, most: 2, seconds: 1 } : { least: 4, most: 10, seconds: 180 };
  const length = smoke ? { amount: 32 } : { seconds: 2 };
  const loopSeconds = smoke ? 0.1 : 1;
  // As many people as requests of the smallest form: the bare route does not try again what two requests change at once.
  const pool = smoke ? 32 : 500;
  const load = await startChild(stage, "load.ts");
  const start = (kind: Parameters<typeof Contestant.start>[2]) =>
    Contestant.start(stage, load, kind, pool);
  const ours = await start("rolecall");
  const bare = await start("bare");
  const scimmy = await start("scimmy");
  const empty = await start("empty");
  const all = [ours, bare, scimmy, empty];
  const storeLoop: number[] = [];
  const rawLoop: number[] = [];
  // Round 0 warms up and does not count.
  for (const round of rounds(plan)) {
    for (const job of ["create", "switch"] as const) {
      for (const each of all) await each.play(load, job, length, round > 0);
    }
    const loops = [
      await bare.loop("storeLoop", loopSeconds),
      await bare.loop("rawLoop", loopSeconds),
    ] as const;
    if (round > 0) {
      storeLoop.push(loops[0]);
      rawLoop.push(loops[1]);
    }
    stage.say(`round ${String(round)}`);
  }
  return {
    rows: [
      rateRow("POST /Users", "create", ours, bare, 0.8),
      rateRow("PATCH active", "switch", ours, bare, 0.8),
      cpuRow("POST /Users", "create", ours, bare),
      cpuRow("PATCH active", "switch", ours, bare),
      {
        measure: "POST /Users beside the store command alone, no HTTP",
        ours: rate(ours.rates("create")),
        floor: { ...rate(storeLoop), what: `${String(connections)} callers of the command` },
        ratio: pairedRatio(ours.rates("create"), storeLoop),
      },
      {
        measure: "the store command alone beside plain statements of SQLite",
        ours: rate(storeLoop),
        floor: { ...rate(rawLoop), what: "same bytes, 16 in a synced commit" },
        ratio: pairedRatio(storeLoop, rawLoop),
      },
      besideScimmy("POST /Users", "create", ours, scimmy),
      besideScimmy("PATCH active", "switch", ours, scimmy),
    ],
    notes: [
      note("POST /Users", "create", ours, empty),
      note("PATCH active", "switch", ours, empty),
      `${String(storeLoop.length)} rounds for each server and kind of request.`,
      "Processor time counts all threads of the server: it tells on a busy machine what rates cannot.",
    ],
  };
}

/** No floor: another way to do the work, with less of it, since nothing is durable. */
function besideScimmy(name: string, job: Job, ours: Contestant, scimmy: Contestant): Row {
  return {
    measure: `${name} beside a bare scimmy server`,
    ours: rate(ours.rates(job)),
    floor: { ...rate(scimmy.rates(job)), what: "bare scimmy, in memory" },
    ratio: pairedRatio(ours.rates(job), scimmy.rates(job)),
  };
}
