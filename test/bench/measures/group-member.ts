import { patchOf } from "../../support/scim-client.ts";
import { startChild } from "../child.ts";
import type { Findings, Measure, Row, Stage } from "../measure.ts";
import { everybodyId, sourceUserIdOf, tenId } from "../processes/company.ts";
import type { Target } from "../processes/load.ts";
import type { Ask, ProbeRound } from "../processes/probe.ts";
import type { ScimServerStart } from "../processes/scim-server.ts";
import { rounds } from "../rounds.ts";
import { median, pairedRatio } from "../statistics.ts";

export const groupMember: Measure = {
  name: "group-member",
  title: "PATCH one member into a group, by the size of the group",
  method:
    "One server and one company with a group of everybody and a group of ten. One client adds and removes one member at a time, turn by " +
    "turn in blocks of 20, durable each time. The floor of the large group is the small one.",
  timeoutMs: 600_000,
  run: measureGroupMember,
};

interface Times {
  readonly add: (readonly number[])[];
  readonly remove: (readonly number[])[];
}

async function measureGroupMember(stage: Stage): Promise<Findings> {
  const smoke = stage.size === "smoke";
  const [people, block] = smoke ? [200, 5] : [100_000, 20];
  const start: ScimServerStart = { kind: "rolecall", folder: await stage.company(people) };
  const server = await startChild(stage, "scim-server.ts", start);
  const target = await server.ask<Target>("address");
  const probe = await startChild(stage, "probe.ts");
  const ask = (asks: readonly Ask[]) =>
    probe.ask<readonly number[]>("probe", { target, asks } satisfies ProbeRound);
  const large: Times = { add: [], remove: [] };
  const small: Times = { add: [], remove: [] };
  for (const round of rounds({ least: smoke ? 2 : 6, most: smoke ? 2 : 21, seconds: 60 })) {
    const persons = Array.from({ length: block }, (_, at) =>
      sourceUserIdOf(50 + (((round * block + at) * 37) % (people - 50))),
    );
    // Everybody is in the large group, so they leave and come back; in the small one they come and go.
    const order = [
      [large.remove, everybodyId, "remove"],
      [small.add, tenId, "add"],
      [large.add, everybodyId, "add"],
      [small.remove, tenId, "remove"],
    ] as const;
    for (const [times, groupId, op] of order) {
      const taken = await ask(persons.map((person) => change(groupId, op, person)));
      if (round > 0) times.push(taken);
    }
  }
  const memory = server.memory();
  const name = people.toLocaleString("en-GB");
  return {
    rows: [
      {
        ...row(`PATCH add one member, group of ${name}, median`, large.add, small.add),
        goal: { kind: "ratio-at-most", value: 1.5 },
      },
      row(`PATCH remove one member, group of ${name}, median`, large.remove, small.remove),
    ],
    notes: [
      `${String(large.add.length)} blocks of each. Peak memory of the server with ${name} people on disk: ${memory.peak.toFixed(0)} MB.`,
    ],
  };
}

function row(measure: string, large: Times["add"], small: Times["add"]): Row {
  return {
    measure,
    ours: { value: median(large.flat()), unit: "ms" },
    floor: { value: median(small.flat()), unit: "ms", what: "group of 10" },
    ratio: pairedRatio(large.map(median), small.map(median)),
  };
}

function change(groupId: string, op: "add" | "remove", person: string): Ask {
  const operation =
    op === "add"
      ? { op, path: "members", value: [{ value: person }] }
      : { op, path: `members[value eq "${person}"]` };
  return { method: "PATCH", path: `/Groups/${groupId}`, body: patchOf(operation), status: 204 };
}
