import { startChild } from "../child.ts";
import { Contestant, note, rate } from "../contestant.ts";
import type { Findings, Measure, Stage } from "../measure.ts";
import { rounds } from "../rounds.ts";
import { pairedRatio } from "../statistics.ts";

export const scimRead: Measure = {
  name: "scim-read",
  title: "SCIM: one person by id, 16 connections",
  method:
    "Two servers in processes of their own: the SCIM router as it is served, with a store on disk, token check, log to a file and metrics; and a " +
    "bare express route that checks the same token and answers the person's bytes, which it keeps in memory. One load generator (autocannon) " +
    "turns to one after the other, round after round; rates are medians of the rounds, the ratio that of each round's ratio.",
  timeoutMs: 240_000,
  run: measureRead,
};

async function measureRead(stage: Stage): Promise<Findings> {
  const smoke = stage.size === "smoke";
  const plan = smoke ? { least: 2, most: 2, seconds: 1 } : { least: 5, most: 10, seconds: 60 };
  const length = smoke ? { amount: 32 } : { seconds: 2 };
  const pool = smoke ? 16 : 500;
  const load = await startChild(stage, "load.ts");
  const ours = await Contestant.start(stage, load, "rolecall", pool);
  const bare = await Contestant.start(stage, load, "bare", pool);
  // Round 0 warms up and does not count.
  for (const round of rounds(plan)) {
    for (const each of [ours, bare]) await each.play(load, "read", length, round > 0);
    stage.say(`round ${String(round)}`);
  }
  return {
    rows: [
      {
        measure: "GET /Users/{id}",
        ours: rate(ours.rates("read")),
        floor: { ...rate(bare.rates("read")), what: "bare route, same token check, kept bytes" },
        ratio: pairedRatio(ours.rates("read"), bare.rates("read")),
        goal: { kind: "ratio-at-least", value: 0.5 },
      },
    ],
    notes: [note("GET /Users/{id}", "read", ours, undefined)],
  };
}
