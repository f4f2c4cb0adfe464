import { html, type Markup, type Piece } from "./markup.ts";
import { dutyOf } from "../role.ts";
import { to, type Visit } from "./page.ts";

const navigation = [
  {
    title: "Now",
    items: [
      ["today", "Today", ""],
      ["holds", "Approvals", "/approvals"],
      ["tasks", "Tasks", "/tasks"],
      ["parked", "Parked", "/parked"],
    ],
  },
  {
    title: "Who",
    items: [
      ["people", "People", "/people"],
      ["leavers", "Leavers", "/leavers"],
      ["reviews", "Reviews", "/reviews"],
    ],
  },
  {
    title: "Where",
    items: [
      ["vendors", "Vendors", "/vendors"],
      ["mappings", "Mappings", "/mappings"],
      ["keys", "Keys", "/keys"],
      ["connect", "Connect", "/connect"],
    ],
  },
  {
    title: "Proof",
    items: [
      ["audit", "Audit", "/audit"],
      ["api", "API", "/api"],
    ],
  },
] as const;

function document(title: string, body: Piece, live: boolean): Markup {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Rolecall</title>
        <link rel="icon" href="/console/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/console/assets/pico.css" />
        <link rel="stylesheet" href="/console/assets/console.css" />
        ${live ? html`<script src="/console/assets/live.js" defer></script>` : ""}
      </head>
      ${body}
    </html>`;
}

/** A page of somebody who is signed in. */
export function framed(
  visit: Visit,
  page: {
    readonly title: string;
    readonly nav: string;
    readonly told?: string | undefined;
    readonly mark?: string;
  },
  content: Piece,
): Markup {
  const { actor, tenantId } = visit.context;
  const { world } = visit.deps;
  return document(
    page.title,
    html`<body>
      <a class="skip" href="#content">Skip to the page</a>
      <div class="frame">
        <aside class="side">
          <a class="brand" href="${to("")}"
            ><span aria-hidden="true" class="mark"></span>Rolecall</a
          >
          <nav aria-label="Main">
            ${navigation.map(
              (group) =>
                html`<p class="nav-title" id="nav-${group.title}">${group.title}</p>
                  <ul aria-labelledby="nav-${group.title}">
                    ${group.items.map(
                      ([key, text, path]) =>
                        html`<li>
                          <a href="${to(path)}" ${key === page.nav ? html`aria-current="page"` : ""}
                            >${text}</a
                          >
                        </li>`,
                    )}
                  </ul>`,
            )}
          </nav>
        </aside>
        <div class="main">
          <header class="top">
            <p>
              <strong>${tenantId}</strong>
              <span class="badge ${world === "live" ? "good" : "busy"}">${world}</span>
            </p>
            <p id="live-state" role="status" class="faint"></p>
            <form method="post" action="${to("/sign-out")}" class="who">
              <input type="hidden" name="form" value="${visit.formToken}" />
              <a href="${to("/account")}"
                >${actor.id} <span class="faint">(${dutyOf(actor.role)})</span></a
              >
              <button type="submit" class="secondary outline small">Sign out</button>
            </form>
          </header>
          <main id="content" tabindex="-1">
            ${page.told === undefined ? "" : html`<p class="told" role="status">${page.told}</p>`}
            <div id="live" ${page.mark === undefined ? "" : html`data-mark="${page.mark}"`}>
              ${content}
            </div>
          </main>
          <footer class="foot">Rolecall ${visit.deps.version} · times are UTC</footer>
        </div>
      </div>
    </body>`,
    true,
  );
}

/** A page of nobody: sign-in, and what went wrong before it. */
export function bare(title: string, content: Piece): Markup {
  return document(
    title,
    html`<body class="bare">
      <main id="content">
        <p class="brand"><span aria-hidden="true" class="mark"></span>Rolecall</p>
        ${content}
      </main>
    </body>`,
    false,
  );
}
