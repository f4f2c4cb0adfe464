import type { z } from "zod";
import {
  caseAnswer,
  type CaseAnswer,
  type clocksAnswer,
  type dutyAnswer,
} from "../answers/leaver-case.ts";
import { html, type Markup, type Piece } from "./markup.ts";
import { ask, to, type Action, type Page, type Visit } from "./page.ts";
import { caseRows, casesShape } from "./leaver-rows.ts";
import {
  badge,
  card,
  clock,
  connectionLink,
  decision,
  duration,
  facts,
  pageHead,
  person,
  state,
  table,
  tabs,
  when,
} from "./widgets.ts";

type Duty = z.output<typeof dutyAnswer>;

const settleAction: Action = {
  path: "/leavers/:caseId/settle",
  operation: "settleDuty",
  input: (form, { caseId }) => ({
    caseId,
    connection: form.one("connection"),
    kind: form.one("kind"),
    subject: form.one("subject") ?? "",
    outcome: form.one("outcome"),
    why: form.one("why"),
  }),
  told: "The duty is settled on your word, which is on record.",
};

export const leaverActions = [settleAction];

const dutyNames: Readonly<Record<string, string>> = {
  contain: "Nothing of theirs works any more",
  remove: "The account is gone",
  transfer: "What they held has a new owner",
  rotate_key: "A key that they knew is replaced",
  verify: "Absence was read again",
  evidence: "The evidence is made",
};

export const leaversPage: Page = {
  path: "/leavers",
  nav: "leavers",
  title: () => "Leavers",
  render: async (visit) => {
    const shown = visit.query["state"] ?? "open";
    const { cases } = await ask(visit, "listCases", { state: shown }, casesShape);
    return html`${pageHead(
      "Leavers",
      "Everybody who left, with a clock for each duty at each vendor. A duty is open as long as the vendor does not show it done.",
    )}
    ${tabs(
      "Which cases",
      (["open", "done", "cancelled"] as const).map((name) => ({
        text: { open: "Under way", done: "Done", cancelled: "Came back" }[name],
        href: to("/leavers", { state: name === "open" ? undefined : name }),
        here: shown === name,
      })),
    )}
    ${card("Cases", caseRows(cases, visit.now))}`;
  },
};

export const leaverPage: Page = {
  path: "/leavers/:caseId",
  nav: "leavers",
  title: () => "Leaver",
  render: async (visit) => {
    const { caseId } = visit.params;
    const story = await ask(visit, "showCase", { caseId }, caseAnswer);
    const { case: item, order } = story;
    return html`${pageHead(
      html`${person(item.identityId, story.userName)} ${state(item.state)}`,
      item.state === "open"
        ? `${String(story.open.length)} duties are still owed`
        : (item.closedWhy ?? ""),
      html`<a class="button" href="${to(`/leavers/${item.caseId}/evidence.json`)}" download
        >Evidence pack</a
      >`,
    )}
    ${card(
      "Both clocks",
      facts([
        ["Left", clock(item.t0)],
        ["Told by", item.source],
        ["HR said", item.hrAt === undefined ? "no leave instant" : clock(item.hrAt)],
        ["Signal", clock(item.signalAt)],
        ...(order === null
          ? []
          : ([
              [
                "Ordered",
                html`by ${order.by}${order.emergency ? ", emergency" : ""}: ${order.why}`,
              ],
            ] as const)),
        ...(item.watchUntil === undefined
          ? []
          : ([["Watched until", clock(item.watchUntil)]] as const)),
        [
          "Evidence",
          html`${story.records.length} records, pack <code>${story.packHash.slice(0, 16)}</code>`,
        ],
      ]),
    )}
    ${story.connections.map((part) => connection(visit, story, part))}`;
  },
};

function connection(
  visit: Visit,
  story: CaseAnswer,
  part: CaseAnswer["connections"][number],
): Markup {
  return card(
    html`${connectionLink(part.connectionId)} <span class="faint">${part.channel}</span>`,
    html`${facts([
      ["Contained", took(part.contained)],
      ["Removed", took(part.removed)],
      ["Verified", took(part.verified)],
    ])}
    ${table(
      `Duties at ${part.connectionId}`,
      ["Duty", "State", "Deadline", "By hand"],
      part.obligations.map((duty) => [
        html`${dutyNames[duty.kind] ?? duty.kind} <span class="faint">${duty.subject}</span>`,
        dutyState(duty, visit.now),
        clock(duty.deadline),
        duty.state === "open" ? settle(visit, story, duty) : "",
      ]),
      "Nothing is owed here.",
    )}
    ${
      part.writes.length === 0
        ? ""
        : html`<details id="writes-${part.connectionId}">
            <summary>Every change that was sent: ${part.writes.length}</summary>
            <ol class="plain-list timeline">
              ${part.writes.map(
                (write) =>
                  html`<li>
                    ${clock(write.sentAt)} ${write.step} ${write.slot.kind} ${write.slot.objectId}
                    ${state(write.state)}
                  </li>`,
              )}
            </ol>
          </details>`
    }`,
  );
}

function settle(visit: Visit, story: CaseAnswer, duty: Duty): Piece {
  const hidden = {
    connection: duty.connectionId ?? "",
    kind: duty.kind,
    subject: duty.subject,
  };
  return decision(visit, settleAction, {
    label: "Settle by word",
    params: { caseId: story.case.caseId },
    explain: "For what no vendor shows. Your word and your reason are the evidence.",
    fields: html`${Object.entries(hidden).map(
        ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
      )}
      <label
        >What is so
        <select name="outcome">
          <option value="done">it was done</option>
          <option value="waived">it needs not be done</option>
        </select>
      </label>`,
  });
}

function dutyState(duty: Duty, now: number): Piece {
  if (duty.state !== "open")
    return html`${state(duty.state)} ${duty.missedAt === undefined ? "" : badge("late", "warn")}
    ${duty.doneAt === undefined ? "" : html`<span class="faint">${clock(duty.doneAt)}</span>`}`;
  return duty.deadline <= now
    ? badge(`overdue by ${duration(now - duty.deadline)}`, "bad")
    : html`${badge("owed", "busy")} ${when(duty.deadline, now)}`;
}

function took(time: z.output<typeof clocksAnswer>): string {
  if (time === undefined) return "not yet";
  const hr = time.fromHr === undefined ? "" : `, ${seconds(time.fromHr)} from HR`;
  return `${seconds(time.fromSignal)} from the signal${hr}`;
}

function seconds(value: number): string {
  return value < 120 ? `${value.toFixed(1)} s` : `${String(Math.round(value / 60))} min`;
}
