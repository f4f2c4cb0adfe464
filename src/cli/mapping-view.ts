import { z } from "zod";
import { countsAnswer, peopleAnswer } from "../console/answers/simulation.ts";
import { renderChanges } from "../mapping/changes.ts";
import type { Json } from "../model/json.ts";
import { instant, table } from "./table.ts";

const json = z.json().transform((value) => value as Json);
export const changesShape = z.object({
  head: z.array(z.object({ path: z.string(), from: json, to: json })),
  rules: z.array(
    z.object({
      id: z.string(),
      change: z.enum(["added", "removed", "changed"]),
      from: json,
      to: json,
    }),
  ),
});

const versionShape = z.object({
  version: z.object({
    versionId: z.string(),
    connectionId: z.string(),
    state: z.string(),
    proposedAt: z.number(),
    author: z.string().optional(),
    proposedBy: z.string().optional(),
    changes: changesShape.optional(),
    simulation: countsAnswer.optional(),
    decision: z
      .object({
        outcome: z.string(),
        by: z.string(),
        at: z.number(),
        alone: z.boolean(),
        why: z.string().nullable(),
        simulation: z.string().nullable(),
      })
      .optional(),
    rollout: z
      .object({
        stage: z.string(),
        since: z.number(),
        stopped: z.object({ at: z.number(), why: z.string() }).nullable(),
      })
      .optional(),
  }),
  result: z
    .object({
      changed: z.number(),
      reached: z.number(),
      held: z.number(),
      parked: z.number(),
      waiting: z.number(),
    })
    .nullable(),
  people: peopleAnswer,
});

/** One version with everything that an approver should see. */
export function renderVersion(answer: unknown): string {
  const { version, people, result } = versionShape.parse(answer);
  const { decision, rollout, simulation, changes } = version;
  const lines = [
    `${version.connectionId} ${version.versionId}: ${version.state}`,
    `proposed ${instant(version.proposedAt)}, written by ${version.author ?? "nobody known"}, brought by ${version.proposedBy ?? "the files of a process"}`,
    ...(decision === undefined
      ? []
      : [
          `${decision.outcome} by ${decision.by}${decision.alone ? " (there was nobody else)" : ""} ${instant(decision.at)}${decision.why === null ? "" : `: ${decision.why}`}`,
        ]),
    ...(rollout === undefined
      ? []
      : [
          `roll-out: ${rollout.stage} since ${instant(rollout.since)}${rollout.stopped === null ? "" : `; stopped ${instant(rollout.stopped.at)}: ${rollout.stopped.why}`}`,
        ]),
    "",
    ...(changes === undefined ? [] : renderChanges(changes)),
    ...(simulation === undefined
      ? []
      : [
          "",
          `of ${String(simulation.people)} people ${String(simulation.gain)} gain (${String(simulation.privilegedGain)} something privileged), ${String(simulation.lose)} lose, ${String(simulation.blocked)} are blocked; simulation ${simulation.hash ?? "-"}`,
        ]),
    ...(result === null
      ? []
      : [
          `result now: ${String(result.changed)} people have their wish from it, ${String(result.reached)} of them reached, ${String(result.waiting)} waiting, ${String(result.held)} held, ${String(result.parked)} parked`,
        ]),
  ];
  return `${lines.join("\n")}\n${people.length === 0 ? "" : `\n${renderPeople(people)}`}`;
}

export function renderPeople(people: z.output<typeof peopleAnswer>): string {
  return table(
    ["PERSON", "GAINS", "LOSES"],
    people.map((one) => [
      one.userName ?? one.identityId,
      `${one.privileged ? "! " : ""}${one.gains.join(", ") || "-"}`,
      one.losses.join(", ") || "-",
    ]),
    "nobody is changed",
  );
}
