import { html, type Markup, type Piece } from "./markup.ts";
import { mayCall, neededFor, to, type Action, type Visit } from "./page.ts";

export type Tone = "good" | "busy" | "warn" | "bad" | "quiet";

/** A short word with a colour; the word says it all. */
export function badge(text: string, tone: Tone = "quiet"): Markup {
  return html`<span class="badge ${tone}">${text}</span>`;
}

const tones: Readonly<Record<string, Tone>> = {
  open: "good",
  idle: "good",
  done: "good",
  active: "good",
  present: "good",
  verified: "good",
  executed: "good",
  approved: "good",
  answers: "good",
  observed: "busy",
  due: "busy",
  waiting: "busy",
  reserved: "busy",
  executing: "busy",
  canary: "busy",
  claimed: "busy",
  submitted: "busy",
  proposed: "warn",
  held: "warn",
  warning: "warn",
  paused: "bad",
  parked: "bad",
  urgent: "bad",
  rejected: "bad",
  refused: "bad",
  departed: "bad",
};

/** The badge of a state, by its word. */
export function state(word: string): Markup {
  return badge(word.replaceAll("_", " "), tones[word] ?? "quiet");
}

/** An instant: in UTC for the eye, in full for programs, and how far it is from now. */
export function when(at: number | null | undefined, now: number): Piece {
  if (at === null || at === undefined) return html`<span class="faint">never</span>`;
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}" title="${iso}">${distance(at - now)}</time>`;
}

/** An instant in UTC, to the minute. */
export function clock(at: number | null | undefined): Piece {
  if (at === null || at === undefined) return html`<span class="faint">never</span>`;
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace("T", " ")}</time>`;
}

export function distance(ms: number): string {
  const text = duration(Math.abs(ms));
  if (text === "now") return "just now";
  return ms < 0 ? `${text} ago` : `in ${text}`;
}

/** The two largest units would be too much to read: one, rounded. */
export function duration(ms: number): string {
  const units = [
    ["day", 86_400_000],
    ["hour", 3_600_000],
    ["minute", 60_000],
    ["second", 1_000],
  ] as const;
  const found = units.find(([name, size]) => ms >= (name === "day" ? 2 * size : size));
  if (found === undefined) return "now";
  const count = Math.round(ms / found[1]);
  return `${String(count)} ${found[0]}${count === 1 ? "" : "s"}`;
}

export function count(amount: number): string {
  return amount.toLocaleString("en-GB");
}

/** `1 person`, `2 people`. */
export function many(amount: number, one: string, more = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : more}`;
}

/** A table with a name for screen readers; nothing in it: one friendly line instead. */
export function table(
  caption: string,
  head: readonly Piece[],
  rows: readonly (readonly Piece[])[],
  empty: Piece,
): Markup {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption class="sr">
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A part of a page under its own heading. */
export function card(title: Piece, body: Piece, extra?: Piece): Markup {
  return html`<section class="card">
    <header class="card-head">
      <h2>${title}</h2>
      ${extra}
    </header>
    ${body}
  </section>`;
}

/** One number that matters, and where it leads. */
export function stat(
  label: string,
  value: Piece,
  options: { readonly href?: string; readonly tone?: Tone; readonly note?: Piece } = {},
): Markup {
  const inner = html`<span class="stat-label">${label}</span>
    <span class="stat-value">${value}</span>
    <span class="stat-note">${options.note ?? ""}</span>`;
  const tone = options.tone ?? "quiet";
  return options.href === undefined
    ? html`<div class="stat ${tone}">${inner}</div>`
    : html`<a class="stat ${tone}" href="${options.href}">${inner}</a>`;
}

/** Facts as pairs. */
export function facts(pairs: readonly (readonly [string, Piece])[]): Markup {
  return html`<dl class="facts">
    ${pairs.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

export function pageHead(title: Piece, lead: Piece, actions?: Piece): Markup {
  return html`<header class="page-head">
    <div>
      <h1>${title}</h1>
      <p class="lead">${lead}</p>
    </div>
    ${actions === undefined ? "" : html`<div class="page-actions">${actions}</div>`}
  </header>`;
}

/** What every form of an action begins with: where it goes, that it is ours, where it comes back to. */
export function formOf(
  visit: Visit,
  action: Action,
  params: Readonly<Record<string, string>>,
  body: Piece,
): Markup {
  return html`<form method="post" action="${to(filled(action.path, params))}">
    <input type="hidden" name="form" value="${visit.formToken}" />
    <input type="hidden" name="back" value="${visit.here}" />
    ${body}
  </form>`;
}

/** A button that does something small at once. Who may not sees who may. */
export function button(
  visit: Visit,
  action: Action,
  label: string,
  options: {
    readonly params?: Readonly<Record<string, string>>;
    readonly hidden?: Readonly<Record<string, string>>;
    readonly about?: string;
  } = {},
): Markup {
  if (!mayCall(visit, action.operation)) return html``;
  const { params = {}, hidden = {}, about } = options;
  return formOf(
    visit,
    action,
    params,
    html`${Object.entries(hidden).map(
        ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
      )}
      <button type="submit" class="secondary small">
        ${label}${about === undefined ? "" : html`<span class="sr"> ${about}</span>`}
      </button>`,
  );
}

/** Something that wants thought: opened by a word, with its fields and a reason that is kept. */
export function decision(
  visit: Visit,
  action: Action,
  options: {
    readonly label: string;
    readonly explain: Piece;
    readonly params?: Readonly<Record<string, string>>;
    readonly fields?: Piece;
    readonly tone?: "danger" | "primary";
    /** What the reason is called; null: none is asked for. */
    readonly why?: string | null;
    readonly submit?: string;
  },
): Markup {
  if (!mayCall(visit, action.operation)) {
    return html`<p class="faint">
      ${options.label}: needs the role ${neededFor(visit, action.operation)}.
    </p>`;
  }
  const why = options.why === undefined ? "Why (kept in the audit record)" : options.why;
  return html`<details class="decision">
    <summary role="button" class="${options.tone === "danger" ? "contrast" : "secondary"} outline">
      ${options.label}
    </summary>
    ${formOf(
      visit,
      action,
      options.params ?? {},
      html`<p>${options.explain}</p>
        ${options.fields ?? ""}
        ${
          why === null
            ? ""
            : html`<label
                >${why}
                <input name="why" required minlength="3" maxlength="500" autocomplete="off" />
              </label>`
        }
        <button type="submit" class="${options.tone === "danger" ? "danger" : ""}">
          ${options.submit ?? options.label}
        </button>`,
    )}
  </details>`;
}

/** The path of an action with its parameters in their places. */
function filled(path: string, params: Readonly<Record<string, string>>): string {
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
}

/** A choice of what a list shows, as links. */
export function tabs(
  label: string,
  items: readonly { readonly text: string; readonly href: string; readonly here: boolean }[],
): Markup {
  return html`<nav class="tabs" aria-label="${label}">
    <ul>
      ${items.map(
        (item) =>
          html`<li>
            <a href="${item.href}" ${item.here ? html`aria-current="page"` : ""}>${item.text}</a>
          </li>`,
      )}
    </ul>
  </nav>`;
}

export function nextPage(href: string | undefined): Piece {
  return href === undefined
    ? ""
    : html`<p>
        <a class="button" href="${href}" rel="next">Next page</a>
      </p>`;
}

/** The way to a person's page. */
export function person(identityId: string, userName: string | null | undefined): Markup {
  return html`<a href="${to(`/people/${encodeURIComponent(identityId)}`)}"
    >${userName ?? identityId}</a
  >`;
}

export function connectionLink(connectionId: string | null | undefined): Piece {
  return connectionId === null || connectionId === undefined
    ? "all"
    : html`<a href="${to(`/vendors/${encodeURIComponent(connectionId)}`)}">${connectionId}</a>`;
}
