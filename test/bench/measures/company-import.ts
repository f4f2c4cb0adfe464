import { setTimeout as sleep } from "node:timers/promises";
import { startChild, type Child } from "../child.ts";
import type { Findings, Measure, Stage } from "../measure.ts";
import type { ListAnswer, LoadAnswer, LoadRound, Target } from "../processes/load.ts";
import { rounds } from "../rounds.ts";
import { ruleBook } from "../rule-book.ts";
import { startService, type Service } from "../service.ts";

export const companyImport: Measure = {
  name: "import",
  title: "A company imported over SCIM, recomputed and listed",
  method:
    "Rolecall as `npm start` runs it, in a process of its own with a mapping of 200 rules. A client pushes everybody and then every group with its members " +
    "at 16 connections, waits until nobody's recompute is owed, and then reads every page of /Users and /Groups. Memory is what the kernel " +
    "says of the whole process (VmHWM), caches of SQLite and both store threads included. The vendor has no credential: nothing is applied.",
  timeoutMs: 1_500_000,
  run: measureImport,
};

async function measureImport(stage: Stage): Promise<Findings> {
  const [goal, rules, pushSeconds] = stage.size === "smoke" ? [200, 10, 60] : [100_000, 200, 600];
  const service = await startService(stage, {
    mappings: {
      "tenant.yaml": { version: 1, idps: { okta: { kind: "okta" } } },
      "anthropic.yaml": ruleBook(rules),
    },
  });
  const load = await startChild(stage, "load.ts");
  const empty = service.memory().now;
  const phase = async <Answer>(name: string, work: () => Promise<Answer>) => {
    const startedAt = performance.now();
    const answer = await work();
    const seconds = (performance.now() - startedAt) / 1_000;
    const peakMb = service.memory().peak;
    stage.say(`${name}: ${seconds.toFixed(1)} s, peak ${peakMb.toFixed(0)} MB`);
    return { answer, seconds, peakMb };
  };
  const created = await phase("people", () => pushPeople(load, service.scim, goal, pushSeconds));
  const people = created.answer;
  const groups = Math.floor(people / 100);
  const grouped = await phase("groups", () => push(load, service.scim, "group", 0, groups));
  const settled = await phase("recompute", () => nobodyOwed(service, stage.signal));
  const listed = await phase("lists", () => listAll(load, service.scim, people, groups));
  const { lanes } = await service.operator<{
    readonly lanes: readonly { readonly targets: object }[];
  }>("GET", "/status");
  const size = `${people.toLocaleString("en-GB")} people and ${groups.toLocaleString("en-GB")} groups`;
  return {
    rows: [
      {
        measure: `${size} imported, recomputed and listed: peak memory`,
        ours: { value: listed.peakMb, unit: "MB" },
        ...(people === goal ? { goal: { kind: "at-most", value: 400 } } : {}),
      },
      {
        measure: `${size} imported over SCIM`,
        ours: { value: created.seconds + grouped.seconds, unit: "s" },
      },
      {
        measure: "people recomputed, time left after the last group",
        ours: { value: settled.seconds, unit: "s" },
      },
      { measure: `${size} listed, every page`, ours: { value: listed.seconds, unit: "s" } },
    ],
    notes: [
      ...(people === goal
        ? []
        : [
            `Only ${people.toLocaleString("en-GB")} of ${goal.toLocaleString("en-GB")} people arrived in the ${String(pushSeconds)} s that they ` +
              "were given on this machine at that hour: the goal (400 MB at 100,000) was NOT judged.",
          ]),
      `Memory before the first request ${empty.toFixed(0)} MB; peaks so far after the people ${created.peakMb.toFixed(0)} MB, the groups ` +
        `${grouped.peakMb.toFixed(0)} MB, the recompute ${settled.peakMb.toFixed(0)} MB, the lists ${listed.peakMb.toFixed(0)} MB.`,
      `People arrived at ${(people / created.seconds).toFixed(0)}/s while each was recomputed in the same process.`,
      `Targets at the end, by state: ${lanes.map((lane) => JSON.stringify(lane.targets)).join(", ")}.`,
    ],
  };
}

/** In batches, until everybody is there or the time is over. Answers how many are. */
async function pushPeople(
  load: Child,
  target: Target,
  goal: number,
  seconds: number,
): Promise<number> {
  const batch = Math.min(2_500, goal);
  let people = 0;
  for (const _ of rounds({ least: 1, most: goal / batch, seconds })) {
    await push(load, target, "create", people, batch);
    people += batch;
  }
  return people;
}

async function push(
  load: Child,
  target: Target,
  job: LoadRound["job"],
  from: number,
  amount: number,
): Promise<void> {
  const connections = Math.min(16, amount);
  const keep = job === "create";
  const round: LoadRound = { target, connections, amount, job, from, keep, ids: [] };
  const { answered } = await load.ask<LoadAnswer>("load", round);
  if (answered !== amount) throw new Error(`${String(answered)} of ${String(amount)} answered`);
}

async function nobodyOwed(service: Service, signal: AbortSignal): Promise<void> {
  while ((await service.owed()) > 0) await sleep(250, undefined, { signal });
}

async function listAll(load: Child, target: Target, people: number, groups: number): Promise<void> {
  for (const [path, expected] of [
    ["/Users", people],
    ["/Groups", groups],
  ] as const) {
    const { seen } = await load.ask<ListAnswer>("list", { target, path });
    if (seen !== expected) throw new Error(`${path} lists ${String(seen)} of ${String(expected)}`);
  }
}
