import { z } from "zod";
import { html } from "./markup.ts";
import { ask, mayCall, to, type Action, type Page } from "./page.ts";
import {
  badge,
  button,
  card,
  connectionLink,
  count,
  formOf,
  pageHead,
  person,
  state,
  when,
} from "./widgets.ts";

const parkedShape = z.object({
  parked: z.array(
    z.object({
      identityId: z.string(),
      userName: z.string().nullable(),
      connectionId: z.string(),
      state: z.string(),
      code: z.string().nullable(),
      reason: z.string().nullable(),
      since: z.number(),
      lifecycle: z.string(),
    }),
  ),
});

const allAction: Action = {
  path: "/parked/redrive",
  operation: "redrive",
  input: (form) => {
    const connection = form.one("connection");
    return connection === undefined ? { all: true } : { connection };
  },
  told: "They are being tried again.",
};
const someAction: Action = {
  path: "/parked/redrive-some",
  operation: "redriveSome",
  input: (form) => ({
    targets: form.all("target").map((value) => {
      const [connection = "", identity = ""] = value.split(" ");
      return { connection, identity };
    }),
  }),
  told: "They are being tried again.",
};

export const parkedActions = [allAction, someAction];

export const parkedPage: Page = {
  path: "/parked",
  nav: "parked",
  title: () => "Parked",
  render: async (visit) => {
    const { connection } = visit.query;
    const { parked } = await ask(visit, "listParked", { connection, limit: 200 }, parkedShape);
    const may = mayCall(visit, "redrive");
    const rows = parked.map(
      (item) =>
        html`<tr>
          ${
            may
              ? html`<td>
                  <input
                    type="checkbox"
                    name="target"
                    value="${item.connectionId} ${item.identityId}"
                    aria-label="Mark ${item.userName ?? item.identityId} at ${item.connectionId}"
                  />
                </td>`
              : ""
          }
          <td>${person(item.identityId, item.userName)}</td>
          <td>${connectionLink(item.connectionId)}</td>
          <td>
            ${item.code === null ? "" : badge(item.code, "bad")} ${item.reason ?? ""}
            ${item.lifecycle === "departed" ? badge("leaver", "bad") : ""}
          </td>
          <td>${when(item.since, visit.now)}</td>
          <td>${state(item.state)}</td>
        </tr>`,
    );
    const grid = html`<div class="scroll" role="region" aria-label="Parked people" tabindex="0">
      <table>
        <thead>
          <tr>
            ${
              may
                ? html`<th scope="col">
                    <label hidden
                      ><input type="checkbox" data-all="target" /><span class="sr"
                        >Mark all</span
                      ></label
                    ><span class="sr">Marked</span>
                  </th>`
                : ""
            }
            ${["Person", "Where", "Why", "Since", "State"].map(
              (head) => html`<th scope="col">${head}</th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>`;
    const body =
      parked.length === 0
        ? html`<p class="empty">
            Nobody is parked. A person is parked when their change waits for a fact or for somebody;
            all others go on.
          </p>`
        : may
          ? formOf(
              visit,
              someAction,
              {},
              html`${grid}
                <p><button type="submit" class="small">Try the marked again</button></p>`,
            )
          : grid;
    return html`${pageHead(
      "Parked",
      "People whose change waits for a fact or a person. Repair what the reason says, then try again; one that is not repaired parks again.",
      parked.length === 0
        ? undefined
        : button(visit, allAction, "Try all again", {
            hidden: connection === undefined ? {} : { connection },
          }),
    )}
    ${card(
      connection === undefined ? "Everywhere" : html`At ${connection}`,
      body,
      connection === undefined
        ? html`<span class="faint">${count(parked.length)} shown</span>`
        : html`<a href="${to("/parked")}">Everywhere</a>`,
    )}`;
  },
};
