import { z } from "zod";
import { dutyOf } from "../role.ts";
import { html } from "./markup.ts";
import { to, type Action, type Page } from "./page.ts";
import { button, card, clock, facts, pageHead } from "./widgets.ts";

const tokenShape = z.object({ token: z.string(), expiresAt: z.number() });

const tokenAction: Action = {
  path: "/account/token",
  operation: "ownToken",
  input: () => ({}),
  told: "Your token",
  shows: (_visit, answer) => {
    const { token, expiresAt } = tokenShape.parse(answer);
    return html`${pageHead(
      "Your token for the command line",
      "It is shown this once, has your role, and acts under your name.",
    )}
    ${card(
      "In your terminal",
      html`<pre><code>export ROLECALL_ADMIN_TOKEN=${token}
npx rolecall status</code></pre>
        <p>Ends ${clock(expiresAt)}. <a href="${to("/account")}">Back to your account</a></p>`,
    )}`;
  },
};

export const accountActions = [tokenAction];

export const accountPage: Page = {
  path: "/account",
  nav: "",
  title: () => "Your account",
  render: (visit) => {
    const { actor, tenantId } = visit.context;
    return Promise.resolve(
      html`${pageHead("Your account", "Who you are here, and what the record calls you.")}
      ${card(
        "You",
        facts([
          ["Name on record", actor.id],
          ["Role", dutyOf(actor.role)],
          ["Tenant", tenantId],
        ]),
      )}
      ${card(
        "Command line",
        html`<p>
            The command line works under your name with a token of your own. It has your role and
            ends after twelve hours.
          </p>
          ${button(visit, tokenAction, "Make a token")}`,
      )}`,
    );
  },
};
