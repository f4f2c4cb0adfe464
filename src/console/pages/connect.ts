import { z } from "zod";
import { reportAnswer, type Report } from "../answers/connection-report.ts";
import { trafficAnswer } from "../answers/idp-traffic.ts";
import { html, type Markup, type Piece } from "./markup.ts";
import { ask, to, type Action, type Page } from "./page.ts";
import { statusShape } from "./today.ts";
import {
  badge,
  button,
  card,
  clock,
  connectionLink,
  count,
  decision,
  duration,
  facts,
  pageHead,
  state,
  table,
  when,
} from "./widgets.ts";

const idpShape = z.object({
  idpId: z.string(),
  kind: z.string(),
  loadedAt: z.number().optional(),
  lastRequestAt: z.number().optional(),
  userCount: z.number(),
  groupCount: z.number(),
});
const showIdpShape = z.object({
  scimUrl: z.string(),
  idp: idpShape,
  traffic: trafficAnswer,
  tokens: z.array(
    z.object({
      tokenId: z.string(),
      label: z.string(),
      fingerprint: z.string(),
      expiresAt: z.number().optional(),
      revokedAt: z.number().optional(),
      lastUsedAt: z.number().optional(),
    }),
  ),
});

const loadedAction: Action = {
  path: "/connect/idps/:idp/loaded",
  operation: "idpLoaded",
  input: (form, { idp }) => ({ idp, loaded: form.one("loaded") === "yes" }),
  told: "Noted. From now on absence counts, or does not, as you said.",
};
const lookAction: Action = {
  path: "/connect/:connection/look",
  operation: "connect",
  input: (_form, { connection }) => ({ connection }),
  told: "A look at the connection",
  shows: (_visit, answer) => reportView(reportAnswer.parse(answer).report),
};

export const connectActions = [loadedAction, lookAction];

export const connectPage: Page = {
  path: "/connect",
  nav: "connect",
  title: () => "Connect",
  render: async (visit) => {
    const [{ scimUrl, idps }, status] = await Promise.all([
      ask(visit, "listIdps", {}, z.object({ scimUrl: z.string(), idps: z.array(idpShape) })),
      ask(visit, "status", {}, statusShape),
    ]);
    return html`${pageHead(
      "Connect",
      "Who tells us about people, and where their access is. Each with what was last heard and whether it can be trusted.",
    )}
    ${card(
      "Identity providers",
      html`${table(
          "Identity providers",
          ["Name", "Kind", "People", "Groups", "Loaded", "Last heard"],
          idps.map((idp) => [
            html`<a href="${to(`/connect/idps/${idp.idpId}`)}">${idp.idpId}</a>`,
            idp.kind,
            count(idp.userCount),
            count(idp.groupCount),
            loaded(idp.loadedAt, visit.now),
            when(idp.lastRequestAt, visit.now),
          ]),
          "No identity provider is connected.",
        )}
        <p class="faint">SCIM base URL for all of them: <code>${scimUrl}</code></p>`,
    )}
    ${card(
      "Vendors",
      table(
        "Vendor connections",
        ["Connection", "Vendor", "Mode", "Answers for", ""],
        status.lanes.map((lane) => [
          connectionLink(lane.connectionId),
          `${lane.vendor} ${lane.profile === "default" ? "" : lane.profile}`,
          lane.mode,
          lane.organization?.name ?? html`<span class="faint">nobody yet</span>`,
          html`<a href="${to(`/connect/${lane.connectionId}`)}">Check</a>`,
        ]),
        "No vendor is connected yet.",
      ),
    )}`;
  },
};

export const idpPage: Page = {
  path: "/connect/idps/:idp",
  nav: "connect",
  title: (visit) => visit.params["idp"] ?? "Identity provider",
  render: async (visit) => {
    const { idp: name = "" } = visit.params;
    const { scimUrl, idp, traffic, tokens } = await ask(
      visit,
      "showIdp",
      { idp: name },
      showIdpShape,
    );
    return html`${pageHead(
      html`${idp.idpId} ${traffic.quiet ? badge("gone quiet", "bad") : badge("heard", "good")}`,
      `${idp.kind}, ${count(idp.userCount)} people, ${count(idp.groupCount)} groups`,
      decision(visit, loadedAction, {
        label: idp.loadedAt === undefined ? "Everybody has arrived" : "It is loading again",
        params: { idp: name },
        why: null,
        fields: html`<input
          type="hidden"
          name="loaded"
          value="${idp.loadedAt === undefined ? "yes" : "no"}"
        />`,
        explain:
          idp.loadedAt === undefined
            ? "From then on absence counts: who is not there is taken for gone, through the rails."
            : "While it loads, nobody loses anything because they are absent.",
      }),
    )}
    ${card(
      "Health",
      facts([
        ["Loaded", loaded(idp.loadedAt, visit.now)],
        ["Last heard", when(idp.lastRequestAt, visit.now)],
        ["Requests", count(traffic.requests)],
        ["Refused", count(traffic.refused)],
        ["Failed", count(traffic.failed)],
        [
          "Silence as a rule",
          traffic.usualPauseMs === null || traffic.usualPauseMs === undefined
            ? "not known yet"
            : duration(traffic.usualPauseMs),
        ],
        ["SCIM base URL", html`<code>${scimUrl}</code>`],
      ]),
    )}
    ${card(
      "Last requests",
      table(
        "Last requests",
        ["When", "Request", "Verdict", "What it asked"],
        traffic.recent.map((one) => [
          when(one.at, visit.now),
          html`<code>${one.method} ${one.route}</code>`,
          html`${badge(String(one.status), one.status < 400 ? "good" : "bad")} ${one.scimType ?? ""}`,
          [...(one.operations ?? []), ...(one.dropped ?? []).map((path) => `dropped ${path}`)].join(
            "; ",
          ),
        ]),
        "No request was heard yet.",
      ),
    )}
    ${card(
      "Tokens",
      table(
        "Tokens",
        ["Label", "Fingerprint", "Last used", "Ends", "State"],
        tokens.map((token) => [
          token.label,
          html`<code>${token.fingerprint}</code>`,
          when(token.lastUsedAt, visit.now),
          token.expiresAt === undefined ? "not by itself" : clock(token.expiresAt),
          token.revokedAt === undefined ? badge("live", "good") : badge("revoked", "quiet"),
        ]),
        "It has no token: `npx rolecall token create` makes one.",
      ),
    )}`;
  },
};

export const connectionPage: Page = {
  path: "/connect/:connection",
  nav: "connect",
  title: (visit) => visit.params["connection"] ?? "Connection",
  render: (visit) => {
    const { connection = "" } = visit.params;
    return Promise.resolve(
      html`${pageHead(
        html`Check ${connection}`,
        "Looks at the vendor through the connection's credential: for whom it answers, what it may read, and every call that will ever be made. It only reads.",
      )}
      ${card(
        "Look now",
        button(visit, lookAction, "Look at the vendor", { params: { connection } }),
      )}`,
    );
  },
};

function reportView(report: Report): Markup {
  const { organization, problem } = report;
  return html`${pageHead(
      html`${report.connectionId}
      ${problem === null ? badge("usable", "good") : badge("not usable", "bad")}`,
      problem === null
        ? organization === null
          ? "answers for nobody yet"
          : `answers for ${organization.name} (${organization.id}), ${report.pin === "new" ? "pinned from now on" : "the one it is pinned to"}`
        : `${problem.code}: ${problem.text}`,
    )}
    ${
      report.vendorOwnsMembership
        ? html`<div class="alarm" role="alert">
            <p>
              The vendor's own SCIM or JIT provisioning owns membership: only the rest is managed
              here.
            </p>
          </div>`
        : ""
    }
    ${card(
      "Credential",
      facts([
        ["Kind", report.credential?.kind ?? "not known"],
        ["Owner", report.credential?.owner ?? "the vendor does not tell"],
        ...report.notes.map((note, at) => [`Note ${String(at + 1)}`, note] as const),
      ]),
    )}
    ${card(
      "Reads",
      table(
        "Reads",
        ["What", "Outcome", "Seen"],
        report.reads.map((item) => [item.what, state(item.outcome), item.text]),
        "Nothing was read.",
      ),
    )}
    <div class="grid-2">
      ${listCard("Scopes that are missing", report.scopesMissing)}
      ${listCard("Scopes too many: nothing here needs them", report.scopesBeyond)}
      ${listCard("Scopes that are needed", report.scopes)}
      ${listCard("Not in the vendor's plan", report.planGates)}
      ${listCard(
        "Limits that are kept",
        report.limits.map(
          (item) => `${item.name}: ${String(item.calls)} calls in ${duration(item.perMs)}`,
        ),
      )}
      ${listCard("Done by people, as tasks", report.byHand)}
      ${listCard(
        "Impossible there",
        report.impossible.map((item) => `${item.what}: ${item.instead}`),
      )}
    </div>
    ${card(
      "Every call that will ever be made",
      table(
        "Calls",
        ["Access", "Call", "Scope"],
        report.endpoints.map((item) => [
          badge(item.access, item.access === "write" ? "warn" : "quiet"),
          html`<code>${item.method} ${item.path}</code>`,
          item.scope ?? "",
        ]),
        "None.",
      ),
    )}`;
}

function listCard(title: string, lines: readonly string[]): Piece {
  return lines.length === 0
    ? ""
    : card(
        title,
        html`<ul>
          ${lines.map((line) => html`<li>${line}</li>`)}
        </ul>`,
      );
}

function loaded(at: number | undefined, now: number): Piece {
  return at === undefined
    ? html`${badge("still arriving", "warn")} <span class="faint">absence does not count yet</span>`
    : html`${badge("loaded", "good")} ${when(at, now)}`;
}
