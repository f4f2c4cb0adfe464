import { startChild, type Child } from "../child.ts";
import type { Findings, Measure, Stage } from "../measure.ts";
import { userNameOf } from "../people.ts";
import type { Target } from "../processes/load.ts";
import type { Ask, ProbeRound } from "../processes/probe.ts";
import type { ScimServerStart } from "../processes/scim-server.ts";
import { rounds } from "../rounds.ts";
import { median, pairedRatio, quantile } from "../statistics.ts";

export const lookup: Measure = {
  name: "lookup",
  title: "GET /Users?filter=userName eq, by the size of the company",
  method:
    "Two servers with a small and a large company; one client asks for one person at a time, at random, turn by turn in blocks of 100. " +
    "The floor of the large company is the small one.",
  timeoutMs: 600_000,
  run: measureLookup,
};

async function measureLookup(stage: Stage): Promise<Findings> {
  const smoke = stage.size === "smoke";
  const [small, large] = smoke ? [20, 200] : [1_000, 100_000];
  const probe = await startChild(stage, "probe.ts");
  const seats = [await seat(stage, probe, large), await seat(stage, probe, small)] as const;
  for (const round of rounds({ least: smoke ? 2 : 6, most: smoke ? 2 : 21, seconds: 60 })) {
    for (const each of seats) await each.ask(smoke ? 10 : 100, round > 0);
  }
  const [ours, floor] = seats;
  const size = (people: number) => people.toLocaleString("en-GB");
  return {
    rows: [
      {
        measure: `userName eq among ${size(large)} people, median`,
        ours: { value: median(ours.times.flat()), unit: "ms" },
        floor: {
          value: median(floor.times.flat()),
          unit: "ms",
          what: `among ${size(small)}`,
        },
        ratio: pairedRatio(ours.times.map(median), floor.times.map(median)),
        goal: { kind: "ratio-at-most", value: 1.3 },
      },
      {
        measure: `userName eq among ${size(large)} people, p95`,
        ours: { value: quantile(ours.times.flat(), 0.95), unit: "ms" },
        floor: {
          value: quantile(floor.times.flat(), 0.95),
          unit: "ms",
          what: `among ${size(small)}`,
        },
      },
    ],
    notes: [`${String(ours.times.length)} blocks of each.`],
  };
}

async function seat(stage: Stage, probe: Child, people: number) {
  const start: ScimServerStart = { kind: "rolecall", folder: await stage.company(people) };
  const server = await startChild(stage, "scim-server.ts", start);
  const target = await server.ask<Target>("address");
  const times: (readonly number[])[] = [];
  let serial = 0;
  return {
    times,
    async ask(count: number, counts: boolean): Promise<void> {
      const asks = Array.from({ length: count }, (): Ask => {
        // A walk that visits everybody in no order.
        serial = (serial * 1_103_515_245 + 12_345) % 2_147_483_648;
        const userName = userNameOf(serial % people);
        const filter = encodeURIComponent(`userName eq "${userName}"`);
        return { method: "GET", path: `/Users?filter=${filter}`, status: 200, holds: userName };
      });
      const round: ProbeRound = { target, asks };
      const taken = await probe.ask<readonly number[]>("probe", round);
      if (counts) times.push(taken);
    },
  };
}
