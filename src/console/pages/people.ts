import { z } from "zod";
import { html } from "./markup.ts";
import { ask, to, type Page } from "./page.ts";
import { badge, card, nextPage, pageHead, person, state, table } from "./widgets.ts";

const peopleShape = z.object({
  people: z.array(
    z.object({
      identityId: z.string(),
      userName: z.string(),
      displayName: z.string(),
      emails: z.array(z.string()),
      presence: z.string(),
      sources: z.array(z.string()),
    }),
  ),
  next: z.string().optional(),
});

export const presenceWords: Readonly<Record<string, string>> = {
  present: "active",
  "not-yet": "not here yet",
  away: "away",
  departed: "left",
};

export function presence(word: string) {
  return word === "present" || word === "departed"
    ? badge(presenceWords[word] ?? word, word === "present" ? "good" : "quiet")
    : state(presenceWords[word] ?? word);
}

const pageSize = 50;

export const peoplePage: Page = {
  path: "/people",
  nav: "people",
  title: () => "People",
  render: async (visit) => {
    const { q, after } = visit.query;
    const { people, next } = await ask(
      visit,
      "findPeople",
      { q, after, limit: pageSize },
      peopleShape,
    );
    return html`${pageHead(
        "People",
        "Everybody whom an identity provider or HR told us of, with what they have and why.",
      )}
      <form class="filter" method="get" action="${to("/people")}">
        <label
          >Name, e-mail, user name or id
          <input type="search" name="q" value="${q ?? ""}" autocomplete="off" />
        </label>
        <button type="submit">Search</button>
      </form>
      ${card(
        q === undefined ? "Everybody" : `Found for “${q}”`,
        html`${table(
          "People",
          ["Name", "User name", "E-mail", "Source", "State"],
          people.map((one) => [
            person(one.identityId, one.displayName || one.userName),
            one.userName,
            one.emails[0] ?? "",
            one.sources.join(", "),
            presence(one.presence),
          ]),
          q === undefined
            ? html`Nobody has arrived yet. Connect an identity provider under
                <a href="${to("/connect")}">Connect</a>.`
            : "Nobody is known by that. Try the beginning of a name or an e-mail address.",
        )}
        ${nextPage(next === undefined ? undefined : to("/people", { q, after: next }))}`,
      )}`;
  },
};
