import { z } from "zod";
import { html } from "./markup.ts";
import { ask, to, type Action, type Page } from "./page.ts";
import { recordCells, recordsShape } from "./record-rows.ts";
import { badge, button, card, count, facts, nextPage, pageHead, table } from "./widgets.ts";

const verificationShape = z.object({
  verification: z.object({
    ok: z.boolean(),
    size: z.number(),
    root: z.string(),
    checkpoints: z.number(),
    problems: z.array(z.string()),
  }),
});

const verifyAction: Action = {
  path: "/audit/verify",
  operation: "verifyAudit",
  input: () => ({}),
  told: "The record was verified",
  shows: (_visit, answer) => {
    const { ok, size, root, checkpoints, problems } = verificationShape.parse(answer).verification;
    return html`${pageHead(
        ok
          ? html`The record verifies ${badge("verified", "good")}`
          : html`The record does not verify ${badge("changed", "bad")}`,
        "The tree was recomputed from every record and compared with the stored one and with every checkpoint.",
      )}
      ${card(
        "What was compared",
        facts([
          ["Records", count(size)],
          ["Checkpoints", count(checkpoints)],
          ["Root", html`<code>${root}</code>`],
        ]),
      )}
      ${
        problems.length === 0
          ? ""
          : card(
              "What is wrong",
              html`<ul>
                ${problems.map((problem) => html`<li>${problem}</li>`)}
              </ul>`,
            )
      }
      <p><a href="${to("/audit")}">Back to the record</a></p>`;
  },
};

export const auditActions = [verifyAction];

const pageSize = 100;

export const auditPage: Page = {
  path: "/audit",
  nav: "audit",
  title: () => "Audit",
  render: async (visit) => {
    const { identity, connection, action, before } = visit.query;
    const { records } = await ask(
      visit,
      "findRecords",
      { identity, connection, action, before, limit: pageSize },
      recordsShape,
    );
    const last = records.length === pageSize ? records.at(-1)?.record.at : undefined;
    return html`${pageHead(
        "Audit",
        "Who did what, when, to whom, by which rule. Each record is a leaf of a tree that nobody can change unseen.",
        html`${button(visit, verifyAction, "Verify now")}
          <a class="button" href="${to("/audit/export.ndjson")}" download>Export</a>`,
      )}
      <form class="filter" method="get" action="${to("/audit")}">
        <label
          >Person
          <input name="identity" value="${identity ?? ""}" autocomplete="off" />
        </label>
        <label
          >Connection
          <input name="connection" value="${connection ?? ""}" autocomplete="off" />
        </label>
        <label
          >Action
          <input
            name="action"
            value="${action ?? ""}"
            placeholder="hold.approved"
            autocomplete="off"
          />
        </label>
        <button type="submit">Search</button>
      </form>
      ${card(
        "Records, newest first",
        html`${table(
          "Audit records",
          ["When", "What", "By", "About", "Where", "Facts", "Leaf"],
          records.map((row) => recordCells(row)),
          "No record fits.",
        )}
        ${nextPage(
          last === undefined
            ? undefined
            : to("/audit", { identity, connection, action, before: last }),
        )}`,
      )}
      <p class="faint">
        An export holds no personal value and verifies on any machine:
        <code>npx rolecall audit verify --export FILE</code>
      </p>`;
  },
};
