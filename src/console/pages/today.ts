import { z } from "zod";
import { html, type Markup, type Piece } from "./markup.ts";
import { ask, to, type Page, type Visit } from "./page.ts";
import { caseRows, casesShape } from "./leaver-rows.ts";
import { holdRows, holdsShape } from "./hold-rows.ts";
import { trends } from "./trends.ts";
import {
  badge,
  card,
  count,
  duration,
  many,
  pageHead,
  state,
  stat,
  table,
  when,
  connectionLink,
} from "./widgets.ts";

export const statusShape = z.object({
  world: z.string(),
  people: z.object({ active: z.number(), total: z.number() }),
  idps: z.array(
    z.object({
      idpId: z.string(),
      kind: z.string(),
      loadedAt: z.number().optional(),
      lastRequestAt: z.number().optional(),
      userCount: z.number(),
      groupCount: z.number(),
    }),
  ),
  lanes: z.array(
    z.object({
      connectionId: z.string(),
      vendor: z.string(),
      profile: z.string(),
      mode: z.string(),
      state: z.string(),
      pause: z.object({ code: z.string(), text: z.string(), since: z.number() }).nullable(),
      organization: z.object({ id: z.string(), name: z.string() }).nullable(),
      listedAt: z.number().nullable(),
      breakerUntil: z.number().nullable(),
      managedAccounts: z.number(),
      openInvitations: z.number(),
      targets: z.record(z.string(), z.number()),
    }),
  ),
  openHolds: z.number(),
  stops: z.array(
    z.object({
      connectionId: z.string().optional(),
      covers: z.string(),
      by: z.string(),
      why: z.string(),
      since: z.number(),
    }),
  ),
  backlog: z.object({
    owed: z.number(),
    urgentOwed: z.number(),
    oldestSince: z.number().nullable(),
  }),
  audit: z.object({ size: z.number() }),
});
export type Status = z.output<typeof statusShape>;
export type LaneRow = Status["lanes"][number];

export const findingsShape = z.object({
  findings: z.array(
    z.object({
      key: z.string(),
      kind: z.string(),
      severity: z.string(),
      connectionId: z.string().optional(),
      identityId: z.string().optional(),
      text: z.string(),
      openedAt: z.number(),
    }),
  ),
});
export type FindingRow = z.output<typeof findingsShape>["findings"][number];

const tasksShape = z.object({ tasks: z.array(z.object({ overdue: z.boolean() })) });
const mappingsShape = z.object({
  mappings: z.array(
    z.object({ versionId: z.string(), connectionId: z.string(), state: z.string() }),
  ),
});
const recoveryShape = z.object({ braked: z.boolean(), reasons: z.array(z.string()).optional() });

const severities = ["urgent", "warning", "info"];

/** The most pressing first, older before newer. */
export function bySeverity(findings: readonly FindingRow[]): readonly FindingRow[] {
  return findings.toSorted(
    (a, b) =>
      severities.indexOf(a.severity) - severities.indexOf(b.severity) || a.openedAt - b.openedAt,
  );
}

export function findingList(findings: readonly FindingRow[], now: number, empty: string): Markup {
  return table(
    "Findings",
    ["How urgent", "What", "Where", "Since"],
    findings.map((item) => [
      state(item.severity),
      html`${item.text}
      ${
        item.identityId === undefined
          ? ""
          : html`<a href="${to(`/people/${item.identityId}`)}">Whom it is about</a>`
      }`,
      item.connectionId === undefined ? "" : connectionLink(item.connectionId),
      when(item.openedAt, now),
    ]),
    empty,
  );
}

export const todayPage: Page = {
  path: "/",
  nav: "today",
  title: () => "Today",
  render: async (visit) => {
    const [status, holds, found, cases, tasks, mappings, recovery] = await Promise.all([
      ask(visit, "status", {}, statusShape),
      ask(visit, "listHolds", { state: "open" }, holdsShape),
      ask(visit, "listFindings", { limit: 200 }, findingsShape),
      ask(visit, "listCases", { state: "open", limit: 5 }, casesShape),
      ask(visit, "listTasks", { overdue: true, limit: 500 }, tasksShape),
      ask(visit, "listMappings", {}, mappingsShape),
      ask(visit, "showRecovery", {}, recoveryShape),
    ]);
    const findings = bySeverity(found.findings);
    const proposed = mappings.mappings.filter((item) => item.state === "proposed");
    const waiting = holds.holds.length + proposed.length;
    return html`${pageHead("Today", sentence(status, waiting, findings))}
      ${alarms(status, recovery)}
      <div class="stats">
        ${stat("Wait for a decision", count(waiting), {
          href: to("/approvals"),
          tone: waiting === 0 ? "good" : "warn",
          note:
            waiting === 0
              ? "nothing is held"
              : `${many(holds.holds.length, "batch", "batches")}, ${many(proposed.length, "mapping")}`,
        })}
        ${leaverStat(cases.cases, visit)}
        ${stat("Overdue by hand", count(tasks.tasks.length), {
          href: to("/tasks", { overdue: "1" }),
          tone: tasks.tasks.length === 0 ? "good" : "bad",
          note: "tasks past their time",
        })}
        ${parkedStat(status)}
        ${stat("People", count(status.people.active), {
          href: to("/people"),
          note: `active, of ${count(status.people.total)}`,
        })}
      </div>
      ${card("Waits for your decision", holdRows(holds.holds, visit.now))}
      <div class="grid-2">
        ${card("Vendors", lanes(status, visit.now))}
        ${card("Leavers, what is due first", caseRows(cases.cases, visit.now))}
      </div>
      ${card(
        "Findings",
        findingList(
          findings.slice(0, 12),
          visit.now,
          "Nothing was found that somebody should know.",
        ),
        findings.length > 12 ? html`<a href="${to("/findings")}">All ${findings.length}</a>` : "",
      )}
      ${await trends(visit)}`;
  },
};

export const findingsPage: Page = {
  path: "/findings",
  nav: "today",
  title: () => "Findings",
  render: async (visit) => {
    const { findings } = await ask(visit, "listFindings", { limit: 1_000 }, findingsShape);
    return html`${pageHead(
      "Findings",
      "What nobody asked for and somebody should know. A finding stops nothing, and goes by itself when it is not so any more.",
    )}
    ${card(
      many(findings.length, "open finding"),
      findingList(bySeverity(findings), visit.now, "Nothing was found."),
    )}`;
  },
};

/** The day in one sentence, as somebody would tell it. */
function sentence(status: Status, waiting: number, findings: readonly FindingRow[]): string {
  const broken = status.lanes.filter((lane) => lane.state !== "open").length;
  const urgent = findings.filter((item) => item.severity === "urgent").length;
  const parts = [
    ...(waiting > 0 ? [`${many(waiting, "thing")} to decide`] : []),
    ...(broken > 0 ? [`${many(broken, "vendor")} paused`] : []),
    ...(urgent > 0 ? [`${many(urgent, "urgent finding")}`] : []),
  ];
  if (parts.length > 0) return `${parts.join(", ")}.`;
  return status.lanes.length === 0
    ? "No vendor is connected yet: put a mapping file in place and propose it under Mappings."
    : "All vendors are as the mapping says. Nothing waits for you.";
}

/** What makes everything else secondary. */
function alarms(status: Status, recovery: z.output<typeof recoveryShape>): Piece {
  return [
    ...(recovery.braked
      ? [
          html`<div class="alarm" role="alert">
            <p>
              <strong>Nothing is written to any vendor:</strong> this store was restored or copied.
              ${(recovery.reasons ?? []).join("; ")}. <code>npx rolecall recover</code> says what to
              do.
            </p>
          </div>`,
        ]
      : []),
    ...status.stops.map(
      (stop) =>
        html`<div class="alarm" role="alert">
          <p>
            <strong>Stopped by hand: ${stop.connectionId ?? "every vendor"}</strong>
            (${stop.covers}), by ${stop.by}: ${stop.why}.
            <a href="${to("/vendors")}">Start again under Vendors</a>.
          </p>
        </div>`,
    ),
  ];
}

function leaverStat(cases: z.output<typeof casesShape>["cases"], visit: Visit): Markup {
  const due = cases.flatMap((item) => item.nextDeadlineAt ?? []);
  const first = due.length === 0 ? undefined : Math.min(...due);
  const late = first !== undefined && first <= visit.now;
  return stat("Leavers under way", cases.length === 5 ? "5+" : count(cases.length), {
    href: to("/leavers"),
    tone: late ? "bad" : cases.length === 0 ? "good" : "busy",
    note:
      first === undefined
        ? "nothing is due"
        : late
          ? `overdue for ${duration(visit.now - first)}`
          : `due first in ${duration(first - visit.now)}`,
  });
}

function parkedStat(status: Status): Markup {
  const parked = status.lanes.reduce((sum, lane) => sum + (lane.targets["parked"] ?? 0), 0);
  return stat("Parked", count(parked), {
    href: to("/parked"),
    tone: parked === 0 ? "good" : "bad",
    note: "people whose change waits for a fact",
  });
}

function lanes(status: Status, now: number): Markup {
  return table(
    "Vendors",
    ["Connection", "State", "Mode", "People", "Last read"],
    status.lanes.map((lane) => [
      html`${connectionLink(lane.connectionId)}
      ${lane.vendor === lane.connectionId ? "" : html`<span class="faint">${lane.vendor}</span>`}`,
      laneState(lane, now),
      lane.mode,
      peopleByState(lane),
      when(lane.listedAt, now),
    ]),
    html`No vendor is connected yet. A mapping file makes a connection:
      <a href="${to("/mappings")}">Mappings</a>.`,
  );
}

export function laneState(lane: LaneRow, now: number): Piece {
  if (lane.pause !== null)
    return html`${state("paused")} <span class="faint">${lane.pause.text}</span>`;
  if (lane.breakerUntil !== null && lane.breakerUntil > now)
    return html`${badge("resting", "warn")}
      <span class="faint">the vendor failed; next try ${when(lane.breakerUntil, now)}</span>`;
  return state("open");
}

const shownStates: Readonly<Record<string, string>> = {
  idle: "as wished",
  due: "to be looked at",
  waiting: "waiting",
  held: "held",
  parked: "parked",
  manual: "by hand",
};

export function peopleByState(lane: LaneRow): Piece {
  const parts = Object.entries(lane.targets)
    .filter(([, amount]) => amount > 0)
    .map(([name, amount]) => `${count(amount)} ${shownStates[name] ?? name}`);
  return parts.length === 0 ? "nobody yet" : parts.join(", ");
}
