import { explainAnswer, type Explained } from "../console/answers/explain.ts";
import { localName } from "../model/zoned-time.ts";
import { instant } from "./table.ts";

const presences: Readonly<Record<string, string>> = {
  present: "active",
  "not-yet": "not here yet",
  away: "away",
  departed: "left",
};

/** What HR says, with the instant that follows from a local time. */
function renderEmployment(employment: Explained["person"]["employment"]): readonly string[] {
  if (employment === null) return [];
  const { state, sourceId, spell, startsAt, leavesAt, leavesLocal, backAt } = employment;
  const parts = [
    state,
    ...(spell > 1 ? [`spell ${String(spell)}`] : []),
    ...(startsAt === undefined ? [] : [`since ${instant(startsAt)}`]),
    ...(backAt === undefined ? [] : [`back ${instant(backAt)}`]),
    ...(leavesAt === undefined
      ? []
      : [
          `leaves ${instant(leavesAt)} UTC${leavesLocal === undefined ? "" : ` (${localName(leavesLocal)})`}`,
        ]),
  ];
  return [
    `  HR ${sourceId}: ${parts.join(", ")}`,
    ...employment.contradicting.map((other) => `  HR ${other} says otherwise`),
  ];
}

/** One person's story in plain lines: what the sources say, each rule's verdict, the wish, what the vendor shows, what waits. */
export function renderExplanation(answer: unknown): string {
  const { person, connections, want } = explainAnswer.parse(answer);
  const lines = [
    `${person.displayName} <${person.userName}>  ${presences[person.presence] ?? person.presence}  (${person.identityId})`,
    `  groups: ${person.groups.map((group) => group.displayName).join(", ") || "none"}`,
    ...person.sources.map(
      (source) =>
        `  source ${source.idpId}: ${source.deleted ? "deleted" : source.active ? "active" : "inactive"}${source.loaded ? "" : ", still arriving: absence does not count yet"}`,
    ),
    ...renderEmployment(person.employment),
    ...connections.flatMap(renderConnection),
    ...(want ?? []).flatMap(renderWant),
  ];
  return `${lines.join("\n")}\n`;
}

function renderConnection(item: Explained["connections"][number]): readonly string[] {
  const slot = (kind: string, objectId: string) =>
    objectId === "" ? kind : `${kind} ${item.objectNames[objectId] ?? objectId}`;
  const rules = item.rules.filter(
    (rule) => rule.outcome !== "no_match" || rule.result === "unknown",
  );
  return [
    "",
    `${item.connectionId} (${item.mode})`,
    ...(item.desired.assignments.length === 0
      ? [`  should have: nothing${item.desired.lifecycle === "departed" ? " (left)" : ""}`]
      : item.desired.assignments.map(
          (wish) =>
            `  should have: ${slot(wish.kind, wish.objectId)} ${wish.role}  because ${wish.because.join(", ")}`,
        )),
    ...(item.observed === null
      ? ["  has:         no account that is linked to this person"]
      : [
          `  has:         ${item.observed.role} (${item.observed.state}), read ${instant(item.observed.readAt)}`,
          ...item.observed.grants.map(
            (grant) =>
              `  has:         ${slot(grant.kind, grant.objectId)} ${grant.role}${grant.implicit ? " (follows from the role)" : ""}`,
          ),
        ]),
    ...(item.target === null
      ? []
      : [
          `  state:       ${item.target.state}${item.target.reason === null ? "" : `: ${item.target.reason}`}${item.target.dueAt === null ? "" : ` (next look ${instant(item.target.dueAt)})`}`,
          ...knownLines(item.target),
        ]),
    ...item.waiting.map(
      (entry) =>
        `  waits:       ${entry.slot} ${entry.state} on the ${entry.rail} rail${entry.holdId === null ? `, not before ${instant(entry.notBefore)}` : `, hold ${entry.holdId}`}`,
    ),
    ...item.plan.map((line) => `  would do:    ${line}`),
    ...rules.map(
      (rule) =>
        `  rule:        ${rule.ruleId} is ${rule.result}, ${rule.outcome.replaceAll("_", " ")}${rule.beatenBy.length === 0 ? "" : ` (by ${rule.beatenBy.join(", ")})`}`,
    ),
    ...item.findings.map((finding) => `  finding:     [${finding.severity}] ${finding.text}`),
  ];
}

function knownLines({
  trust,
  taskId,
}: {
  readonly trust: string | null;
  readonly taskId: string | null;
}): readonly string[] {
  const task = taskId === null ? "" : `people do it: \`rolecall tasks show ${taskId}\``;
  const parts = [trust ?? "", task].filter((part) => part !== "");
  return parts.length === 0 ? [] : [`  known:       ${parts.join("; ")}`];
}

function renderWant(want: NonNullable<Explained["want"]>[number]): readonly string[] {
  const head = `${want.connectionId}: "${want.thing}" ${want.has ? "is held now" : "is not held"}`;
  if (want.ways.length === 0)
    return ["", head, "  no rule gives it: add one to the mapping file, or an exception"];
  return [
    "",
    head,
    ...want.ways.flatMap((way) => [
      `  rule ${way.ruleId} ${way.missing.length === 0 ? "matches" : "would give it"}`,
      ...way.missing.map((text) => `    needs: ${text}`),
      ...way.blockedBy.map((text) => `    blocked: ${text}`),
    ]),
  ];
}
