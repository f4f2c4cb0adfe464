import { html, type Markup, type Piece } from "./markup.ts";
import { ask, to, type Action, type Page, type Visit } from "./page.ts";
import { laneAsk, railTable } from "./rail-words.ts";
import {
  bySeverity,
  findingList,
  findingsShape,
  laneState,
  peopleByState,
  statusShape,
  type LaneRow,
} from "./today.ts";
import {
  badge,
  button,
  card,
  connectionLink,
  count,
  decision,
  duration,
  facts,
  pageHead,
  table,
  when,
} from "./widgets.ts";

const pauseAction: Action = {
  path: "/vendors/:connection/pause",
  operation: "pauseLane",
  input: (form, { connection }) => ({ connection, why: form.one("why") }),
  told: "Paused: nothing is asked of this vendor until it is resumed.",
};
const resumeAction: Action = {
  path: "/vendors/:connection/resume",
  operation: "resumeLane",
  input: (form, { connection }) => ({
    connection,
    why: form.one("why"),
    acceptOrganization: form.one("organization"),
  }),
  told: "Resumed: everybody there is looked at again.",
};
const reconcileAction: Action = {
  path: "/vendors/:connection/reconcile",
  operation: "reconcile",
  input: (_form, { connection }) => ({ connection }),
  told: "Everybody there is being looked at again.",
};
const stopInput: Action["input"] = (form) => ({
  connection: form.one("connection"),
  covers: form.one("covers"),
  why: form.one("why"),
});
const stopAction: Action = {
  path: "/stop",
  operation: "stop",
  input: stopInput,
  told: "Stopped: no new change is sent. What was under way ends, and is on record.",
};
const startAction: Action = {
  path: "/start",
  operation: "start",
  input: stopInput,
  told: "Started again: everybody is looked at again.",
};

export const vendorActions = [pauseAction, resumeAction, reconcileAction, stopAction, startAction];

export const vendorsPage: Page = {
  path: "/vendors",
  nav: "vendors",
  title: () => "Vendors",
  render: async (visit) => {
    const status = await ask(visit, "status", {}, statusShape);
    return html`${pageHead(
      "Vendors",
      "Each connection is one workspace or organisation at one vendor. One that fails rests by itself; one that needs repair pauses and says why.",
      stopForm(visit, undefined),
    )}
    ${status.stops.map(
      (stop) =>
        html`<div class="alarm" role="alert">
          <p>
            <strong>Stopped: ${stop.connectionId ?? "every vendor"}</strong> (${stop.covers}) by
            ${stop.by} ${when(stop.since, visit.now)}: ${stop.why}
          </p>
          ${decision(visit, startAction, {
            label: "Start again",
            explain: "Changes are sent again, through the same rails as before.",
            fields: html`<input type="hidden" name="covers" value="${stop.covers}" /> ${
                stop.connectionId === undefined
                  ? ""
                  : html`<input type="hidden" name="connection" value="${stop.connectionId}" />`
              }`,
          })}
        </div>`,
    )}
    ${card(
      "Connections",
      table(
        "Connections",
        [
          "Connection",
          "Vendor",
          "State",
          "Mode",
          "Answers for",
          "Accounts",
          "Invited",
          "People",
          "Last read",
        ],
        status.lanes.map((lane) => [
          connectionLink(lane.connectionId),
          `${lane.vendor} ${lane.profile === "default" ? "" : lane.profile}`,
          laneState(lane, visit.now),
          lane.mode,
          lane.organization?.name ?? html`<span class="faint">nobody yet</span>`,
          count(lane.managedAccounts),
          count(lane.openInvitations),
          peopleByState(lane),
          when(lane.listedAt, visit.now),
        ]),
        html`No vendor is connected yet. A mapping file makes a connection: see
          <a href="${to("/mappings")}">Mappings</a>.`,
      ),
    )}`;
  },
};

export const vendorPage: Page = {
  path: "/vendors/:connection",
  nav: "vendors",
  title: (visit) => visit.params["connection"] ?? "Vendor",
  render: async (visit) => {
    const { connection = "" } = visit.params;
    const [status, detail, { findings }] = await Promise.all([
      ask(visit, "status", {}, statusShape),
      laneAsk(visit),
      ask(visit, "listFindings", { connection, limit: 200 }, findingsShape),
    ]);
    const row = status.lanes.find((lane) => lane.connectionId === connection);
    const { lane, credential } = detail;
    return html`${pageHead(
        html`${connection} ${row === undefined ? "" : laneState({ ...row, pause: null }, visit.now)}`,
        `${lane.vendor}, profile ${lane.profile}, ${detail.policy.mode}`,
        html`${button(visit, reconcileAction, "Look at everybody now", { params: { connection } })}
          <a class="button" href="${to(`/connect/${connection}`)}">Check the connection</a>`,
      )}
      ${repair(visit, detail.lane, connection)} ${row === undefined ? "" : numbers(row)}
      <div class="grid-2">
        ${card(
          "Health",
          facts([
            ["State", lane.state],
            ["Breaker", breaker(lane.breakerUntil, visit.now)],
            ["Last complete read", when(lane.listedAt, visit.now)],
            ["Next read", when(lane.nextListAt, visit.now)],
            [
              "Answers for",
              lane.organization === null
                ? "nobody yet"
                : `${lane.organization.name} (${lane.organization.id})`,
            ],
            ["Organisation compared", when(lane.checkedAt, visit.now)],
          ]),
        )}
        ${card(
          "Credential",
          facts([
            ["Reference", html`<code>${credential.reference}</code>`],
            [
              "Fingerprint",
              credential.fingerprint === null
                ? html`<span class="faint">not sealed here</span>`
                : html`<code>${credential.fingerprint}</code>`,
            ],
            ["Changed", when(credential.updatedAt, visit.now)],
            ...(lane.probeAt === null
              ? []
              : ([["Tried again", when(lane.probeAt, visit.now)]] as const)),
          ]),
        )}
      </div>
      ${card("Rails", railTable(detail))} ${card("Guards", guards(detail.policy))}
      ${card(
        "Drift and findings",
        findingList(
          bySeverity(findings),
          visit.now,
          "Nothing was found here: the vendor is as the mapping says, as far as it was read.",
        ),
      )}
      ${card(
        "Stop and pause",
        html`<div class="row-actions">
          ${
            lane.state === "paused"
              ? ""
              : decision(visit, pauseAction, {
                  label: "Pause",
                  params: { connection },
                  explain:
                    "Nothing is read or written there until it is resumed by hand. What is owed stays owed.",
                })
          }
          ${stopForm(visit, connection)}
        </div>`,
      )}`;
  },
};

function repair(
  visit: Visit,
  lane: {
    readonly pause: { readonly code: string; readonly text: string; readonly since: number } | null;
    readonly organization: { readonly id: string } | null;
  },
  connection: string,
): Piece {
  if (lane.pause === null) return "";
  const { code, text, since } = lane.pause;
  const other = code === "WRONG_ORGANIZATION";
  return html`<div class="alarm" role="alert">
    <p>
      <strong>Paused ${when(since, visit.now)}</strong>
      ${code === "OPERATOR" ? "by hand" : badge(code, "bad")}: ${text}
    </p>
    ${decision(visit, resumeAction, {
      label: "Resume",
      params: { connection },
      explain: "Its organisation is compared again before anything that it answers is used.",
      ...(other
        ? {
            fields: html`<label
              >Id of the organisation that it shall answer for from now on, if it really is another
              <input name="organization" autocomplete="off" />
            </label>`,
          }
        : {}),
    })}
  </div>`;
}

function numbers(row: LaneRow): Markup {
  return html`<div class="stats">
    ${[
      ["As wished", row.targets["idle"] ?? 0],
      ["Under way", (row.targets["due"] ?? 0) + (row.targets["waiting"] ?? 0)],
      ["Held", row.targets["held"] ?? 0],
      ["Parked", row.targets["parked"] ?? 0],
      ["By hand", row.targets["manual"] ?? 0],
    ].map(
      ([label, amount]) =>
        html`<div class="stat">
          <span class="stat-label">${label}</span>
          <span class="stat-value">${typeof amount === "number" ? count(amount) : amount}</span>
        </div>`,
    )}
  </div>`;
}

function breaker(until: number | null, now: number): Piece {
  return until !== null && until > now
    ? html`${badge("open", "bad")} next try ${when(until, now)}`
    : html`${badge("closed", "good")} calls go through`;
}

function guards(policy: Awaited<ReturnType<typeof laneAsk>>["policy"]): Markup {
  return facts([
    ["A removal waits", duration(policy.timing.debounceMs)],
    [
      "A mover keeps what they lose",
      policy.timing.graceMs === 0 ? "not at all" : duration(policy.timing.graceMs),
    ],
    ["A leaver's account is", policy.leaver === "remove" ? "removed" : "kept, and a task opens"],
    ["New accounts are", policy.create === "invite" ? "invited" : "never made"],
    ["Admins at least", policy.adminsMin],
    ["Never touched", policy.protectedAccounts.join(", ") || "nobody"],
  ]);
}

function stopForm(visit: Visit, connection: string | undefined): Markup {
  return decision(visit, stopAction, {
    label: connection === undefined ? "Stop every vendor" : "Stop changes here",
    tone: "danger",
    explain:
      "The kill switch: no new change is sent from this second on. Calls in flight end and are recorded. Starting again needs an approver.",
    fields: html`${
        connection === undefined
          ? ""
          : html`<input type="hidden" name="connection" value="${connection}" />`
      }
      <label
        >What is stopped
        <select name="covers">
          <option value="all">every change</option>
          <option value="all-but-leavers">every change but those of leavers</option>
          <option value="removals">removals (leavers go on)</option>
          <option value="grants">grants</option>
        </select>
      </label>`,
  });
}
