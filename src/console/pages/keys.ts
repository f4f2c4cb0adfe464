import { z } from "zod";
import { html, type Markup } from "./markup.ts";
import { ask, to, type Action, type Page, type Visit } from "./page.ts";
import {
  badge,
  card,
  connectionLink,
  count,
  decision,
  pageHead,
  state,
  table,
  tabs,
  when,
} from "./widgets.ts";

const keyShape = z.object({
  connectionId: z.string(),
  vendor: z.string(),
  name: z.string(),
  state: z.string(),
  owner: z.string().nullable(),
  purpose: z.string().nullable(),
  usedBy: z.array(z.string()),
  environment: z.string().nullable(),
  hint: z.string().nullable(),
  createdAt: z.number().nullable(),
  dueAt: z.number().nullable(),
  lastUsedAt: z.number().nullable(),
  about: z.array(z.string()),
  notes: z.array(z.string()),
});
type Key = z.output<typeof keyShape>;
const listShape = z.object({
  keys: z.array(keyShape),
  gaps: z.array(z.object({ connectionId: z.string(), why: z.string() })),
});

const rotateAction: Action = {
  path: "/keys/rotate",
  operation: "rotateKey",
  input: (form) => ({
    connection: form.one("connection"),
    name: form.one("name"),
    why: form.one("why"),
    finish: form.one("finish") !== undefined,
  }),
  told: "The rotation goes its way; the old key works until it is finished.",
};
const revokeAction: Action = {
  path: "/keys/revoke",
  operation: "revokeKey",
  input: (form) => ({
    connection: form.one("connection"),
    name: form.one("name"),
    why: form.one("why"),
    compromised: form.one("compromised") !== undefined,
  }),
  told: "The key is ended at the vendor, or somebody has the task to end it.",
};

export const keyActions = [rotateAction, revokeAction];

export const keysPage: Page = {
  path: "/keys",
  nav: "keys",
  title: () => "Keys",
  render: async (visit) => {
    const { about } = visit.query;
    const { keys, gaps } = await ask(visit, "listKeys", { about }, listShape);
    return html`${pageHead(
      "Keys",
      "Every API key that vendors show or mappings declare: who answers for it, who works with it, how old it is, and what speaks against it.",
    )}
    ${tabs("Which keys", [
      { text: "All", href: to("/keys"), here: about === undefined },
      ...["rotate", "unused", "shared", "owner_left", "undeclared"].map((word) => ({
        text: word.replaceAll("_", " "),
        href: to("/keys", { about: word }),
        here: about === word,
      })),
    ])}
    ${gaps.map(
      (gap) =>
        html`<div class="alarm" role="alert">
          <p><strong>Keys at ${gap.connectionId} could not be read:</strong> ${gap.why}</p>
        </div>`,
    )}
    ${card(
      "Register",
      table(
        "Keys",
        [
          "Key",
          "Where",
          "State",
          "Owner and purpose",
          "Used by",
          "Last used",
          "Rotate",
          "Speaks against it",
          "",
        ],
        keys.map((key) => [
          html`<strong>${key.name}</strong>
            <code>${key.hint ?? ""}</code>
            ${key.environment === null ? "" : badge(key.environment)}`,
          connectionLink(key.connectionId),
          state(key.state),
          html`${key.owner ?? html`<span class="faint">nobody</span>`}
            <span class="faint">${key.purpose ?? ""}</span>`,
          key.usedBy.join(", "),
          when(key.lastUsedAt, visit.now),
          key.dueAt === null
            ? html`<span class="faint">on demand</span>`
            : when(key.dueAt, visit.now),
          key.notes.map((note) => html`${note}<br />`),
          hands(visit, key),
        ]),
        "No vendor shows a key, and no mapping declares one.",
      ),
      html`<span class="faint">${count(keys.length)} shown</span>`,
    )}`;
  },
};

function hands(visit: Visit, key: Key): Markup {
  const hidden = html`<input type="hidden" name="connection" value="${key.connectionId}" />
    <input type="hidden" name="name" value="${key.name}" />`;
  return html`<div class="row-actions">
    ${decision(visit, rotateAction, {
      label: "Rotate",
      explain: "Makes the key anew beside the old one; both work until the rotation is finished.",
      fields: html`${hidden}
        <label
          ><input type="checkbox" name="finish" value="1" /> Everybody has the new one: end the
          old</label
        >`,
    })}
    ${decision(visit, revokeAction, {
      label: "End",
      tone: "danger",
      explain: "The key stops at the vendor. Whoever works with it is named on record.",
      fields: html`${hidden}
        <label
          ><input type="checkbox" name="compromised" value="1" /> It is compromised: end it whoever
          works with it</label
        >`,
    })}
  </div>`;
}
