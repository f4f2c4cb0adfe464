import { html, type Markup, type Piece } from "./markup.ts";
import { ask, seg, to, type Action, type Page, type Visit } from "./page.ts";
import { presence } from "./people.ts";
import { explainAnswer, type Connection, type Explained } from "../answers/explain.ts";
import { recordList, recordsShape } from "./record-rows.ts";
import {
  badge,
  button,
  card,
  clock,
  connectionLink,
  decision,
  facts,
  pageHead,
  state,
  table,
  when,
} from "./widgets.ts";

const reconcileAction: Action = {
  path: "/people/:identity/reconcile",
  operation: "reconcile",
  input: (_form, { identity }) => ({ identity }),
  told: "Everything about this person is being computed and looked at again.",
};

const offboardAction: Action = {
  path: "/people/:identity/offboard",
  operation: "orderLeave",
  input: (form, { identity }) => ({
    identity,
    confirm: form.one("confirm"),
    why: form.one("why"),
    emergency: form.one("emergency") !== undefined,
  }),
  told: "This person's access is being ended at every vendor.",
};

const readmitAction: Action = {
  path: "/people/:identity/readmit",
  operation: "liftLeave",
  input: (form, { identity }) => ({ identity, why: form.one("why") }),
  told: "The order to leave was taken back: what the identity provider and HR say counts again.",
};

export const personActions = [reconcileAction, offboardAction, readmitAction];

export const personPage: Page = {
  path: "/people/:identity",
  nav: "people",
  title: () => "Person",
  render: async (visit) => {
    const { identity = "" } = visit.params;
    const { want } = visit.query;
    const [story, timeline] = await Promise.all([
      ask(visit, "explain", { identity, want }, explainAnswer),
      ask(visit, "findRecords", { identity, limit: 40 }, recordsShape),
    ]);
    const { person, connections } = story;
    const params = { identity };
    return html`${pageHead(
      html`${person.displayName || person.userName} ${presence(person.presence)}`,
      person.emails.join(", ") || person.userName,
      html`${button(visit, reconcileAction, "Reconcile now", { params })}
      ${decision(visit, offboardAction, {
        label: "End access now",
        tone: "danger",
        params,
        explain:
          "Ends this person's access at every vendor, whatever the identity provider and HR say, until the order is taken back.",
        fields: html`<label
            >Their e-mail address or user name, typed again
            <input name="confirm" required autocomplete="off" />
          </label>
          <label
            ><input type="checkbox" name="emergency" value="1" /> Emergency: not held by the leaver
            rail</label
          >`,
      })}
      ${decision(visit, readmitAction, {
        label: "Take an order back",
        params,
        explain: "What the identity provider and HR say counts again.",
      })}`,
    )}
    ${sources(story)} ${wish(visit, story)}
    ${
      connections.length === 0
        ? card("Vendors", html`<p class="empty">No vendor is connected yet.</p>`)
        : connections.map((item) => connection(visit, item))
    }
    ${card(
      "Timeline",
      recordList(timeline.records, visit.now, "Nothing is on record about this person yet."),
      html`<a href="${to("/audit", { identity: person.identityId })}">In the audit record</a>`,
    )}`;
  },
};

function sources({ person }: Explained): Markup {
  const said = person.sources.map((source) => {
    const word = source.deleted ? "deleted" : source.active ? "active" : "inactive";
    return html`<li>
      <strong>${source.idpId}</strong>:
      ${word}${source.loaded ? "" : ", still arriving: absence does not count yet"}
    </li>`;
  });
  const { employment } = person;
  return card(
    "What the sources say",
    html`<div class="grid-2">
      <div>
        <h3>Identity providers</h3>
        <ul>
          ${said}
        </ul>
        <h3>Groups</h3>
        <p>
          ${
            person.groups.length === 0
              ? html`<span class="faint">none</span>`
              : person.groups.map((group) => html`${badge(group.displayName)} `)
          }
        </p>
      </div>
      <div>
        <h3>HR</h3>
        ${
          employment === null
            ? html`<p class="faint">HR has told nothing about this person.</p>`
            : facts([
                ["State", employment.state],
                ["Source", employment.sourceId],
                ["Starts", clock(employment.startsAt)],
                ...(employment.leavesAt === undefined
                  ? []
                  : ([["Leaves", clock(employment.leavesAt)]] as const)),
                ...(employment.backAt === undefined
                  ? []
                  : ([["Back", clock(employment.backAt)]] as const)),
                ...(employment.contradicting.length === 0
                  ? []
                  : ([["Says otherwise", employment.contradicting.join(", ")]] as const)),
              ])
        }
        <p class="faint">Id ${person.identityId}</p>
      </div>
    </div>`,
  );
}

function wish(visit: Visit, { want, connections }: Explained): Piece {
  const { identity = "" } = visit.params;
  const options = connections.map((item) => html`<option value="${item.connectionId}:"></option>`);
  return card(
    "Why can they not …?",
    html`<form class="filter" method="get" action="${to(`/people/${seg(identity)}`)}">
        <label
          >What they should have, as connection:thing
          <input
            name="want"
            list="wants"
            value="${visit.query["want"] ?? ""}"
            placeholder="anthropic:Production"
            autocomplete="off"
          />
        </label>
        <datalist id="wants">${options}</datalist>
        <button type="submit" class="secondary">Explain</button>
      </form>
      ${(want ?? []).map(
        (answer) =>
          html`<p>
              <strong>${answer.connectionId}: ${answer.thing}</strong> ${
                answer.has ? "is held now." : "is not held."
              }
            </p>
            ${
              answer.ways.length === 0
                ? html`<p>No rule gives it: add one to the mapping file, or an exception.</p>`
                : html`<ul>
                    ${answer.ways.map(
                      (way) =>
                        html`<li>
                          Rule <code>${way.ruleId}</code>
                          ${
                            way.missing.length === 0
                              ? "matches"
                              : html`would give it. Missing: ${way.missing.join("; ")}`
                          }${
                            way.blockedBy.length === 0
                              ? ""
                              : html`. Blocked by ${way.blockedBy.join("; ")}`
                          }
                        </li>`,
                    )}
                  </ul>`
            }`,
      )}`,
  );
}

function connection(visit: Visit, item: Connection): Markup {
  const slot = (kind: string, objectId: string) =>
    objectId === ""
      ? kind.replaceAll("_", " ")
      : `${kind} ${item.objectNames[objectId] ?? objectId}`;
  const { target } = item;
  return card(
    html`${connectionLink(item.connectionId)} <span class="faint">${item.mode}</span>`,
    html`${item.findings.map((finding) => html`<p>${state(finding.severity)} ${finding.text}</p>`)}
      ${known(item, visit.now)}
      <div class="grid-2">
        <div>
          <h3>Should have</h3>
          ${table(
            `Should have at ${item.connectionId}`,
            ["What", "Role", "Because of"],
            item.desired.assignments.map((wanted) => [
              slot(wanted.kind, wanted.objectId),
              html`${wanted.role} ${wanted.privileged ? badge("privileged", "warn") : ""}`,
              wanted.because.map((because) => html`<code>${because}</code> `),
            ]),
            item.desired.lifecycle === "departed"
              ? "Nothing: this person left."
              : "Nothing: no rule gives this person anything here.",
          )}
        </div>
        <div>
          <h3>Has</h3>
          ${
            item.observed === null
              ? html`<p class="empty">No account is linked to this person.</p>`
              : html`${table(
                    `Has at ${item.connectionId}`,
                    ["What", "Role"],
                    [
                      ["account", html`${item.observed.role} ${state(item.observed.state)}`],
                      ...item.observed.grants.map((grant) => [
                        grant.objectName === null
                          ? slot(grant.kind, grant.objectId)
                          : `${grant.kind} ${grant.objectName}`,
                        html`${grant.role}
                        ${
                          grant.implicit
                            ? html`<span class="faint">follows from the role</span>`
                            : ""
                        }`,
                      ]),
                    ],
                    "",
                  )}
                  <p class="faint">read ${when(item.observed.readAt, visit.now)}</p>`
          }
        </div>
      </div>
      ${
        item.plan.length === 0
          ? ""
          : html`<h3>Would be done next</h3>
              <ul>
                ${item.plan.map((line) => html`<li>${named(item, line)}</li>`)}
              </ul>`
      }
      ${
        item.waiting.length === 0
          ? ""
          : html`<h3>Waits</h3>
              <ul>
                ${item.waiting.map(
                  (entry) =>
                    html`<li>
                      ${named(item, entry.slot)}: ${entry.state} on the ${entry.rail} rail
                      ${
                        entry.holdId === null
                          ? html`, not before ${when(entry.notBefore, visit.now)}`
                          : html`, in <a href="${to(`/approvals/${entry.holdId}`)}">a batch</a>`
                      }
                    </li>`,
                )}
              </ul>`
      }
      ${rules(item)}`,
    target === null ? badge("nothing to do") : state(target.state),
  );
}

/** A line with names in the place of the vendor's ids. */
function named(item: Connection, line: string): string {
  return Object.entries(item.objectNames).reduce(
    (text, [objectId, name]) => text.replaceAll(objectId, name),
    line,
  );
}

function known(item: Connection, now: number): Piece {
  const { target } = item;
  if (target === null) return "";
  const trust =
    target.trust === null
      ? html`<span class="faint">a change is under way</span>`
      : html`${state(target.trust)} <span class="faint">${trustWords[target.trust]}</span>`;
  return facts([
    ["How well it is known", trust],
    ["Verified", when(target.verifiedAt, now)],
    ...(target.dueAt === null ? [] : ([["Next look", when(target.dueAt, now)]] as const)),
    ...(target.reason === null ? [] : ([["Why it waits", target.reason]] as const)),
    ...(target.taskId === null
      ? []
      : ([["By hand", html`<a href="${to(`/tasks/${target.taskId}`)}">the task</a>`]] as const)),
  ]);
}

const trustWords: Readonly<Record<string, string>> = {
  attested: "a person says so",
  observed: "a file, a picture or a second person shows it",
  verified: "read at the vendor",
};

function rules(item: Connection): Piece {
  const told = item.rules.filter(
    (rule) => rule.outcome !== "no_match" || rule.result === "unknown",
  );
  const quiet = item.rules.length - told.length;
  return html`<details id="rules-${item.connectionId}">
    <summary>Rules that speak of this person: ${told.length}, that do not: ${quiet}</summary>
    ${table(
      `Rules of ${item.connectionId}`,
      ["Rule", "Is", "Outcome", "Conditions"],
      (told.length > 0 ? told : item.rules).map((rule) => [
        html`<code>${rule.ruleId}</code>`,
        rule.result,
        html`${rule.outcome.replaceAll("_", " ")}${
          rule.beatenBy.length === 0
            ? ""
            : html` <span class="faint">by ${rule.beatenBy.join(", ")}</span>`
        }`,
        rule.conditions.map(
          (condition) =>
            html`${condition.text}: <strong>${condition.result}</strong>${
                condition.why === undefined
                  ? ""
                  : html` <span class="faint">${condition.why}</span>`
              }<br />`,
        ),
      ]),
      "This mapping has no rules.",
    )}
  </details>`;
}
