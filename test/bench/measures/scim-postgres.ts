import { startChild } from "../child.ts";
import { Contestant, cpuRow, note, rateRow } from "../contestant.ts";
import type { Findings, Measure, Stage } from "../measure.ts";
import { stagePostgres } from "../real-servers.ts";
import { rounds } from "../rounds.ts";

export const scimPostgres: Measure = {
  name: "scim-postgres",
  title: "SCIM writes into PostgreSQL, 16 connections",
  method:
    "As `scim-writes`, with a PostgreSQL of its own (fsync on, as it is installed) on the same machine, a database for each: the SCIM router as " +
    "it is served beside a bare express route that parses the same body and runs the same statements on as many connections. No recompute.",
  timeoutMs: 300_000,
  needs: ["postgres"],
  run: measurePostgres,
};

async function measurePostgres(stage: Stage): Promise<Findings> {
  const smoke = stage.size === "smoke";
  const plan = smoke ? { least: 2, most: 2, seconds: 1 } : { least: 4, most: 9, seconds: 60 };
  const length = smoke ? { amount: 32 } : { seconds: 2 };
  // As many people as requests of the smallest form: the bare route does not try again what two requests change at once.
  const pool = smoke ? 32 : 300;
  const postgres = await stagePostgres(stage);
  const load = await startChild(stage, "load.ts");
  const ours = await Contestant.start(stage, load, "rolecall", pool, await postgres.database());
  const bare = await Contestant.start(stage, load, "bare", pool, await postgres.database());
  // Round 0 warms up and does not count.
  for (const round of rounds(plan)) {
    for (const job of ["create", "switch"] as const) {
      for (const each of [ours, bare]) await each.play(load, job, length, round > 0);
    }
    stage.say(`round ${String(round)}`);
  }
  return {
    rows: [
      rateRow("POST /Users into PostgreSQL", "create", ours, bare, 0.7),
      rateRow("PATCH active in PostgreSQL", "switch", ours, bare, 0.7),
      cpuRow("POST /Users into PostgreSQL", "create", ours, bare),
      cpuRow("PATCH active in PostgreSQL", "switch", ours, bare),
    ],
    notes: [
      note("POST /Users", "create", ours, undefined),
      note("PATCH active", "switch", ours, undefined),
      `${String(ours.rounds.create.length)} rounds for each server and kind of request.`,
    ],
  };
}
