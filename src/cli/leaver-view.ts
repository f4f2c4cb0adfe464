import { z } from "zod";
import {
  caseAnswer,
  type CaseAnswer,
  type clocksAnswer,
  type dutyAnswer,
} from "../console/answers/leaver-case.ts";
import { instant, table } from "./table.ts";

export const rehearsalShape = z.object({
  people: z.array(
    z.object({
      identityId: z.string(),
      userName: z.string(),
      connections: z.array(
        z.object({
          connectionId: z.string(),
          channel: z.string(),
          role: z.string().nullable(),
          lost: z.array(z.string()),
        }),
      ),
      problems: z.array(z.object({ connectionId: z.string(), code: z.string(), text: z.string() })),
    }),
  ),
  next: z.string().optional(),
});
export type RehearsalAnswer = z.infer<typeof rehearsalShape>;

/** What a leave would meet: of one person all of it, of everybody what would go wrong. */
export function renderRehearsal(answer: unknown, of: "one" | "all"): string {
  const { people } = rehearsalShape.parse(answer);
  if (people.length === 0) {
    return of === "all"
      ? "everybody could leave cleanly today\n"
      : "this person has no account at any connection\n";
  }
  return `${people.map((person) => renderPerson(person, of)).join("\n\n")}\n`;
}

function renderPerson(person: RehearsalAnswer["people"][number], of: "one" | "all"): string {
  const problems = person.problems.map(
    (problem) => `  ${problem.connectionId}: ${problem.code}: ${problem.text}`,
  );
  if (of === "all") return [person.userName, ...problems].join("\n");
  return [
    `${person.userName} has accounts at ${String(person.connections.length)} connections`,
    ...person.connections.flatMap((item) => [
      `  ${item.connectionId} (${item.channel}${item.role === null ? "" : `, ${item.role}`})`,
      ...item.lost.map((text) => `    gone for good: ${text}`),
    ]),
    ...(problems.length === 0 ? ["nothing stands in the way"] : ["in the way:", ...problems]),
  ].join("\n");
}

/** The whole story of one leaver. */
export function renderCase(answer: unknown): string {
  const story = caseAnswer.parse(answer);
  const { case: item, order } = story;
  const head = [
    `${story.userName ?? item.identityId}: ${stateLine(story)}`,
    `case ${item.caseId}`,
    `left       ${instant(item.t0)} (told by ${item.source})`,
    `HR         ${item.hrAt === undefined ? "told no leave instant" : instant(item.hrAt)}`,
    `signal     ${instant(item.signalAt)}`,
    ...(order === null
      ? []
      : [
          `ordered    ${instant(order.at)} by ${order.by}${order.emergency ? ", emergency" : ""}: ${order.why}`,
        ]),
    ...(item.reopenedAt === undefined ? [] : [`reopened   ${instant(item.reopenedAt)}`]),
  ];
  const connections = story.connections.map((part) => renderConnection(part, story.now));
  return [
    ...head,
    "",
    ...connections,
    `evidence: ${String(story.records.length)} audit records, pack ${story.packHash.slice(0, 16)}`,
    "",
  ].join("\n");
}

function stateLine({ case: item, open, now }: CaseAnswer): string {
  if (item.state !== "open") {
    const watch =
      item.watchUntil === undefined ? "" : `, watched until ${instant(item.watchUntil)}`;
    return `${item.state} ${instant(item.closedAt)}: ${item.closedWhy ?? ""}${watch}`;
  }
  const late = open.filter((each) => each.deadline <= now);
  if (late.length > 0)
    return `RED, ${String(late.length)} of ${String(open.length)} duties overdue`;
  return `open, ${String(open.length)} duties owed`;
}

function renderConnection(part: CaseAnswer["connections"][number], now: number): string {
  const rows = part.obligations.map((item) => [
    item.subject === "" ? item.kind : `${item.kind} ${item.subject}`,
    dutyState(item, now),
    instant(item.deadline),
    Object.entries(item.facts)
      .filter(([, value]) => typeof value === "string" || typeof value === "number")
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(" "),
  ]);
  const writes = part.writes.map(
    (write) => `  ${instant(write.sentAt)}  ${write.step} ${write.slot.objectId} ${write.state}`,
  );
  return [
    `${part.connectionId} (${part.channel}): contained ${took(part.contained)}, removed ${took(part.removed)}, verified ${took(part.verified)}`,
    table(["DUTY", "STATE", "DEADLINE", "FACTS"], rows, "nothing is owed"),
    ...(writes.length === 0 ? [] : ["writes:", ...writes, ""]),
  ].join("\n");
}

function dutyState(item: z.infer<typeof dutyAnswer>, now: number): string {
  if (item.state !== "open") {
    const late = item.missedAt === undefined ? "" : ", late";
    return `${item.state}${late} ${instant(item.doneAt)}`;
  }
  const minutes = Math.round((item.deadline - now) / 60_000);
  return minutes < 0 ? `OVERDUE by ${String(-minutes)} min` : `open, ${String(minutes)} min left`;
}

function took(time: z.infer<typeof clocksAnswer>): string {
  if (time === undefined) return "not yet";
  const fromHr = time.fromHr === undefined ? "" : ` (${seconds(time.fromHr)} from HR)`;
  return `${seconds(time.fromSignal)} from the signal${fromHr}`;
}

function seconds(value: number): string {
  return value < 120 ? `${value.toFixed(1)} s` : `${String(Math.round(value / 60))} min`;
}
