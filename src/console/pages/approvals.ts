import { z } from "zod";
import { html, type Markup, type Piece } from "./markup.ts";
import { ask, mayCall, neededFor, to, type Action, type Page, type Visit } from "./page.ts";
import { holdRows, holdShape, holdsShape, holdTitle, type HoldRow } from "./hold-rows.ts";
import { railWords } from "./rail-words.ts";
import {
  card,
  connectionLink,
  count,
  decision,
  facts,
  formOf,
  many,
  nextPage,
  pageHead,
  person,
  state,
  tabs,
  when,
} from "./widgets.ts";
import { mappingRows, mappingsShape } from "./mapping-rows.ts";

const entryShape = z.object({
  entryId: z.string(),
  identityId: z.string(),
  userName: z.string().nullable(),
  connectionId: z.string(),
  slot: z.object({ kind: z.string(), objectId: z.string() }),
  objectName: z.string().nullable(),
  direction: z.enum(["loss", "gain"]),
  roleFrom: z.string().nullable(),
  roleTo: z.string().nullable(),
  state: z.string(),
});
const showShape = z.object({
  hold: holdShape,
  entries: z.array(entryShape),
  next: z.string().optional(),
});
type Entry = z.output<typeof entryShape>;

/** The whole batch, or who is marked. */
const decideAction: Action = {
  path: "/approvals/:holdId/decide",
  operation: "decideHold",
  input: (form, { holdId }) => {
    const people = form.all("people");
    return {
      holdId,
      decision: form.one("decision"),
      why: form.one("why"),
      ...(form.one("scope") === "marked" ? { people } : {}),
    };
  },
  then: ({ holdId = "" }, answer) =>
    z.object({ open: z.boolean() }).parse(answer).open ? `/approvals/${holdId}` : "/approvals",
  told: "Your decision is on record, and what you approved is on its way.",
};

export const approvalActions = [decideAction];

export const approvalsPage: Page = {
  path: "/approvals",
  nav: "holds",
  title: () => "Approvals",
  render: async (visit) => {
    const shown = visit.query["state"] ?? "open";
    const [{ holds }, { mappings }] = await Promise.all([
      ask(visit, "listHolds", { state: shown }, holdsShape),
      ask(visit, "listMappings", {}, mappingsShape),
    ]);
    const waiting = mappings.filter((item) => item.state === "proposed" || item.state === "canary");
    return html`${pageHead(
      "Approvals",
      "What is larger than its rail allows waits here, whole, before anything is sent. You approve or reject all of it, or person by person.",
    )}
    ${tabs(
      "Which batches",
      ["open", "decided", "lapsed"].map((name) => ({
        text: name === "open" ? "Waiting" : name === "decided" ? "Decided" : "Lapsed",
        href: to("/approvals", { state: name === "open" ? undefined : name }),
        here: shown === name,
      })),
    )}
    ${card("Batches", holdRows(holds, visit.now))}
    ${
      shown === "open"
        ? card(
            "Mapping versions",
            mappingRows(waiting, visit.now, "No mapping waits for approval."),
          )
        : ""
    }`;
  },
};

export const approvalPage: Page = {
  path: "/approvals/:holdId",
  nav: "holds",
  title: () => "Batch",
  render: async (visit) => {
    const { holdId = "" } = visit.params;
    const { q, after } = visit.query;
    const { hold, entries, next } = await ask(
      visit,
      "showHold",
      { holdId, after, limit: 200 },
      showShape,
    );
    const shown = entries.filter((entry) => fits(entry, q));
    const rail = await railWords(visit, hold);
    return html`${pageHead(
      holdTitle(hold),
      html`${many(hold.people, "person", "people")}, ${many(hold.entries, "change")},
      ${connectionLink(hold.connectionId)}, opened ${when(hold.openedAt, visit.now)}`,
      state(hold.state === "open" ? "held" : hold.state),
    )}
    ${card(
      "Why it is held",
      html`${facts([
        ["Counted", html`${count(hold.count)} of ${count(hold.allowance)} allowed`],
        ["Rail", hold.rail.replaceAll("_", " ")],
        ["Cause", hold.causeKey === "" ? "many separate changes" : hold.causeKey],
        ...(hold.decidedBy === undefined
          ? []
          : ([
              ["Decided", html`by ${hold.decidedBy} ${when(hold.decidedAt, visit.now)}`],
            ] as const)),
      ])}
      ${rail}`,
    )}
    ${hold.state === "open" ? whole(visit, hold) : ""}
    ${card(
      "Who and what",
      html`<form class="filter" method="get" action="${to(`/approvals/${holdId}`)}">
          <label
            >Filter by person, thing or role
            <input type="search" name="q" value="${q ?? ""}" autocomplete="off" />
          </label>
          <button type="submit" class="secondary">Filter</button>
        </form>
        ${list(visit, hold, shown)}
        ${nextPage(next === undefined ? undefined : to(`/approvals/${holdId}`, { q, after: next }))}`,
      html`<span class="faint">${count(shown.length)} shown</span>`,
    )}`;
  },
};

function whole(visit: Visit, hold: HoldRow): Markup {
  const fields = (value: string) => html`<input type="hidden" name="decision" value="${value}" />`;
  const params = { holdId: hold.holdId };
  return html`<div class="row-actions card">
    ${decision(visit, decideAction, {
      label: "Approve the whole batch",
      params,
      fields: fields("approve"),
      explain: html`Lets ${many(hold.entries, "change")} of ${many(hold.people, "person", "people")}
      run. Each is checked once more when it runs: what is not wanted any more by then is left out.`,
    })}
    ${decision(visit, decideAction, {
      label: "Reject the whole batch",
      tone: "danger",
      params,
      fields: fields("reject"),
      explain:
        "Nothing of it runs. The rejection is written as exceptions for 90 days, so that the same batch does not come back tomorrow.",
    })}
  </div>`;
}

/** The list, and where it can be decided about, with a box for each person. */
function list(visit: Visit, hold: HoldRow, entries: readonly Entry[]): Markup {
  if (entries.length === 0) return html`<p class="empty">Nothing fits.</p>`;
  const people = [...Map.groupBy(entries, (entry) => entry.identityId)];
  const open = hold.state === "open";
  const may = mayCall(visit, decideAction.operation);
  const rows = people.map(([identityId, own]) => {
    const name = own[0]?.userName ?? identityId;
    const held = own.some((entry) => entry.state === "held");
    return html`<tr>
      ${
        open && may
          ? html`<td>
              ${
                held
                  ? html`<input
                      type="checkbox"
                      name="people"
                      value="${identityId}"
                      aria-label="Mark ${name}"
                    />`
                  : ""
              }
            </td>`
          : ""
      }
      <td>${person(identityId, name)}</td>
      <td>${own.map((entry) => change(entry))}</td>
      <td>${[...new Set(own.map((entry) => entry.state))].map((word) => state(word))}</td>
    </tr>`;
  });
  const grid = html`<div class="scroll" role="region" aria-label="People in the batch" tabindex="0">
    <table>
      <thead>
        <tr>
          ${
            open && may
              ? html`<th scope="col">
                  <label hidden
                    ><input type="checkbox" data-all="people" /><span class="sr"
                      >Mark all</span
                    ></label
                  ><span class="sr">Marked</span>
                </th>`
              : ""
          }
          <th scope="col">Person</th>
          <th scope="col">Change</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
  if (!open) return grid;
  if (!may)
    return html`${grid}
      <p class="faint">To decide needs the role ${neededFor(visit, decideAction.operation)}.</p>`;
  return formOf(
    visit,
    decideAction,
    { holdId: hold.holdId },
    html`<input type="hidden" name="scope" value="marked" />
      ${grid}
      <fieldset class="marked">
        <legend>For the marked people</legend>
        <label
          >Why (kept in the audit record)
          <input name="why" required minlength="3" maxlength="500" autocomplete="off" />
        </label>
        <div class="row-actions">
          <button type="submit" name="decision" value="approve">Approve marked</button>
          <button type="submit" name="decision" value="reject" class="danger">Reject marked</button>
        </div>
      </fieldset>`,
  );
}

function change(entry: Entry): Piece {
  const what =
    `${entry.slot.kind.replaceAll("_", " ")} ${entry.objectName ?? entry.slot.objectId}`.trim();
  return html`<div class="${entry.direction}">
    ${entry.direction === "loss" ? "−" : "+"} ${what} at ${entry.connectionId}:
    ${entry.roleFrom ?? "nothing"} → ${entry.roleTo ?? "nothing"}
  </div>`;
}

function fits(entry: Entry, q: string | undefined): boolean {
  if (q === undefined) return true;
  const text = [
    entry.userName ?? "",
    entry.slot.kind,
    entry.slot.objectId,
    entry.objectName ?? "",
    entry.roleFrom ?? "",
    entry.roleTo ?? "",
    entry.connectionId,
  ]
    .join(" ")
    .toLowerCase();
  return text.includes(q.toLowerCase());
}
