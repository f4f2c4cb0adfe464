import { setTimeout as sleep } from "node:timers/promises";
import { startChild, type Child } from "../child.ts";
import type { Findings, Measure, Stage } from "../measure.ts";
import type { LoadAnswer, LoadRound, Target } from "../processes/load.ts";
import type { ListAnswer } from "../processes/load.ts";
import { ruleBook } from "../rule-book.ts";
import { startService, type Service } from "../service.ts";

export const companyImport: Measure = {
  name: "import",
  title: "A company imported over SCIM, recomputed and listed",
  method:
    "`rolecall serve` in a process of its own with a mapping of 200 rules. A client pushes everybody and then every group with its members " +
    "at 16 connections, waits until nobody's recompute is owed, and then reads every page of /Users and /Groups. Memory is what the kernel " +
    "says of the whole process (VmHWM), caches of SQLite and both store threads included. The vendor has no credential: nothing is applied.",
  timeoutMs: 1_500_000,
  run: measureImport,
};

interface Phase {
  readonly seconds: number;
  readonly peakMb: number;
}

async function measureImport(stage: Stage): Promise<Findings> {
  const [people, groups, rules] = stage.size === "smoke" ? [100, 2, 10] : [100_000, 1_000, 200];
  const service = await startService(stage, {
    mappings: {
      "tenant.yaml": { version: 1, idps: { okta: { kind: "okta" } } },
      "anthropic.yaml": ruleBook(rules),
    },
  });
  const load = await startChild(stage, "load.ts");
  const empty = service.memory().now;
  const phase = async (name: string, work: () => Promise<void>): Promise<Phase> => {
    const startedAt = performance.now();
    await work();
    const seconds = (performance.now() - startedAt) / 1_000;
    const peakMb = service.memory().peak;
    stage.say(`${name}: ${seconds.toFixed(1)} s, peak ${peakMb.toFixed(0)} MB`);
    return { seconds, peakMb };
  };
  const created = await phase("people", () => pushPeople(load, service.scim, people));
  const grouped = await phase("groups", () => pushGroups(load, service.scim, groups));
  const settled = await phase("recompute", () => nobodyOwed(service, stage.signal));
  const listed = await phase("lists", () => listAll(load, service.scim, people, groups));
  const status = await service.operator<{
    readonly lanes: readonly { readonly targets: object }[];
  }>("GET", "/status");
  const size = `${people.toLocaleString("en-GB")} people and ${groups.toLocaleString("en-GB")} groups`;
  return {
    rows: [
      {
        measure: `${size} imported, recomputed and listed: peak memory`,
        ours: { value: listed.peakMb, unit: "MB" },
        goal: { kind: "at-most", value: 400 },
      },
      {
        measure: `${size} imported over SCIM`,
        ours: { value: created.seconds + grouped.seconds, unit: "s" },
      },
      {
        measure: `${people.toLocaleString("en-GB")} people recomputed, time left after the last group`,
        ours: { value: settled.seconds, unit: "s" },
      },
      { measure: `${size} listed, every page`, ours: { value: listed.seconds, unit: "s" } },
    ],
    notes: [
      `Memory before the first request ${empty.toFixed(0)} MB; peaks so far after the people ${created.peakMb.toFixed(0)} MB, the groups ` +
        `${grouped.peakMb.toFixed(0)} MB, the recompute ${settled.peakMb.toFixed(0)} MB, the lists ${listed.peakMb.toFixed(0)} MB.`,
      `People arrived at ${(people / created.seconds).toFixed(0)}/s while each was recomputed in the same process.`,
      `Targets at the end, by state: ${status.lanes.map((lane) => JSON.stringify(lane.targets)).join(", ")}.`,
    ],
  };
}

async function pushPeople(load: Child, target: Target, people: number): Promise<void> {
  await push(load, target, "create", people);
}

/** Groups of a hundred, by the ids that the people's creates answered. */
async function pushGroups(load: Child, target: Target, groups: number): Promise<void> {
  await push(load, target, "group", groups);
}

async function push(load: Child, target: Target, job: LoadRound["job"], amount: number) {
  const round: LoadRound = {
    target,
    connections: Math.min(16, amount),
    amount,
    job,
    from: 0,
    ids: [],
  };
  const answer = await load.ask<LoadAnswer>("load", round);
  if (answer.answered !== amount)
    throw new Error(`${String(answer.answered)} of ${String(amount)} answered`);
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
