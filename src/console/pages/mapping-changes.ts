import { z } from "zod";
import type { peopleAnswer } from "../answers/simulation.ts";
import { html, type Markup } from "./markup.ts";
import { badge, person, table } from "./widgets.ts";

export const changesShape = z.object({
  head: z.array(z.object({ path: z.string(), from: z.unknown(), to: z.unknown() })),
  rules: z.array(
    z.object({ id: z.string(), change: z.string(), from: z.unknown(), to: z.unknown() }),
  ),
});
/** What differs between two documents, old over new. */
export function changeList({ head, rules }: z.output<typeof changesShape>): Markup {
  if (head.length + rules.length === 0)
    return html`<p class="empty">The file says the same as before.</p>`;
  return html`<ul class="plain-list">
    ${head.map(({ path, from, to }) => html`<li><strong>${path}</strong> ${pair(from, to)}</li>`)}
    ${rules.map(
      ({ id, change, from, to }) =>
        html`<li>
          Rule
          <code>${id}</code>
          ${badge(change, change === "removed" ? "bad" : change === "added" ? "good" : "busy")}
          ${pair(from, to)}
        </li>`,
    )}
  </ul>`;
}

function pair(from: unknown, to: unknown): Markup {
  return html`${from === null ? "" : html`<div class="loss">− <code>${JSON.stringify(from)}</code></div>`}
  ${to === null ? "" : html`<div class="gain">+ <code>${JSON.stringify(to)}</code></div>`}`;
}

export function peopleTable(people: z.output<typeof peopleAnswer>): Markup {
  return table(
    "People who gain or lose",
    ["Person", "Gains", "Loses"],
    people.map((one) => [
      person(one.identityId, one.userName),
      html`${one.privileged ? badge("privileged", "warn") : ""}
        <span class="gain">${one.gains.join(", ")}</span>`,
      html`<span class="loss">${one.losses.join(", ")}</span>`,
    ]),
    "Nobody gains or loses anything.",
  );
}
