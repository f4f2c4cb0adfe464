import { foldEmail } from "../../model/fold.ts";
import type { Clock } from "../../model/clock.ts";
import type { StatusFault } from "../fault-schedule.ts";
import { FixedWindow, type WindowState } from "../fixed-window.ts";
import type { Refusal } from "../simulated-api.ts";
import type { Reply, SimulatedApi, SimulatedCall } from "../simulated-api.ts";
import { activityRoutes } from "./activity.ts";
import { adminRoutes } from "./admins.ts";
import { conversationRoutes } from "./conversations.ts";
import { oauthRoutes } from "./oauth.ts";
import {
  errorReply,
  refuse,
  refuseScim,
  scimError,
  withRequestId,
  type ErrorCode,
} from "./refusal.ts";
import type { Caller, IntercomRoute, Version } from "./route.ts";
import { scimBase, scimUserRoutes } from "./scim-users.ts";
import { teamRoutes } from "./teams.ts";
import { ticketRoutes } from "./tickets.ts";
import { firstTruth, truthSchema } from "./truth.ts";
import type { Truth } from "./truth.ts";
import type { Scope } from "./vocabulary.ts";

/** A window of the vendor is ten seconds; 10,000 requests a minute make 1,666 of one (developer pages, rate limiting, 2026-08). */
export const documentedLimit = { perWindow: 1_666, windowMs: 10_000 };

const failures: Readonly<Record<StatusFault, readonly [code: ErrorCode, message: string]>> = {
  "409": ["conflict", "The members of this team are being changed by another request. Try again."],
  "429": ["rate_limit_exceeded", "Exceeded rate limit"],
  "500": ["server_error", "Internal server error"],
  "503": ["service_unavailable", "Sorry, the API service is temporarily unavailable"],
  "529": ["service_unavailable", "Sorry, the API service is temporarily unavailable"],
};

/** One workspace behind the REST API, with SCIM beside it under its own path and token, and the exchange of OAuth codes. */
export function intercomApi(
  clock: Clock,
  limit: { readonly perWindow: number; readonly windowMs: number },
): SimulatedApi<Truth, Caller> {
  const window = new FixedWindow(limit.perWindow, limit.windowMs);
  // One request is worked from here to its sealed answer in one go.
  let rate: WindowState | undefined;
  const routes: readonly IntercomRoute[] = [
    // Before the teammates: the log's path would be taken for the id of one.
    ...activityRoutes,
    ...adminRoutes,
    ...teamRoutes,
    ...conversationRoutes,
    ...ticketRoutes,
    ...scimUserRoutes,
    ...oauthRoutes,
  ];
  return {
    vendor: "intercom",
    truthSchema,
    routes,
    admit: (truth, call, route) => {
      rate = undefined;
      if (route.scope === "scim") return admitScim(truth, call);
      if (route.scope === "oauth") return { via: "app" };
      const token = authenticate(truth, call);
      rate = window.take(call.at);
      if (!rate.passed) throw limited(rate, limit.windowMs);
      const caller: Caller = {
        via: "rest",
        adminId: token.adminId,
        version: versionOf(call, truth),
      };
      if (!token.scopes.includes(route.scope as Scope)) {
        throw refuse(403, "forbidden", `You do not have the required scope (${route.scope})`);
      }
      if (call.raw.length > 0 && call.json === undefined) {
        throw refuse(400, "bad_request", "The body is not valid JSON");
      }
      return caller;
    },
    unknownRoute: (_truth, call) =>
      isScim(call.path)
        ? scimError(404, "Not found")
        : errorReply(404, "not_found", "The requested resource was not found"),
    tooLarge: () => errorReply(413, "bad_request", "The body is too large"),
    failure: (kind, _fault, path) => {
      const [code, message] = failures[kind];
      return isScim(path)
        ? scimError(Number(kind), message)
        : errorReply(Number(kind), code, message);
    },
    shorten,
    seal: (_truth, reply) => withRateHeaders(withRequestId(clock, reply), rate),
    foreign: () => strangers(clock),
    subjects: subjectsOf,
    view: (truth) => {
      const { tokens, scimToken: _scimToken, app, ...rest } = truth;
      return {
        vendor: "intercom",
        ...rest,
        tokens: tokens.map(({ token: _token, ...more }) => more),
        app: { clientId: app.clientId, redirectUris: app.redirectUris },
      };
    },
  };
}

function isScim(path: string): boolean {
  return path.startsWith(`${scimBase}/`);
}

function bearerOf(call: SimulatedCall): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(call.headers.authorization ?? "")?.[1];
}

function authenticate(truth: Truth, call: SimulatedCall) {
  const secret = bearerOf(call);
  const token = truth.tokens.find((each) => each.token === secret && !each.revoked);
  if (token === undefined) throw refuse(401, "unauthorized", "Access Token Invalid");
  return token;
}

function admitScim(truth: Truth, call: SimulatedCall): Caller {
  if (bearerOf(call) !== truth.scimToken) throw refuseScim(401, "Unauthorized");
  if (!truth.settings.scim) throw refuseScim(403, "SCIM is not available for this workspace");
  return { via: "scim" };
}

/** The header, or the version that the app is set to. */
function versionOf(call: SimulatedCall, truth: Truth): Version {
  const asked = call.headers["intercom-version"];
  const text = typeof asked === "string" && asked !== "" ? asked : truth.settings.defaultVersion;
  if (/^(preview|unstable)$/i.test(text)) return "preview";
  const [, major = "", minor = ""] = /^(\d+)\.(\d+)$/.exec(text) ?? [];
  if (major === "") {
    throw refuse(400, "intercom_version_invalid", "The requested version does not exist.");
  }
  // 2.9 is before 2.16.
  return Number(major) + Number(minor.padStart(2, "0")) / 100;
}

function limited(rate: WindowState, windowMs: number): Refusal {
  const span = `${String(Math.round(windowMs / 1000))}_seconds`;
  return refuse(
    429,
    "rate_limit_exceeded",
    `Exceeded rate limit of ${String(rate.limit)} in ${span}`,
  );
}

/** Answers without a good token tell nothing about limits. */
function withRateHeaders(reply: Reply, rate: WindowState | undefined): Reply {
  if (rate === undefined) return reply;
  return {
    ...reply,
    headers: {
      ...reply.headers,
      "x-ratelimit-limit": String(rate.limit),
      "x-ratelimit-remaining": String(rate.remaining),
      "x-ratelimit-reset": String(Math.ceil(rate.resetAt / 1000)),
    },
  };
}

const listFields = [
  "admins",
  "teams",
  "data",
  "activity_logs",
  "conversations",
  "tickets",
  "Resources",
];

function shorten(reply: Reply, keep: (count: number) => number): Reply {
  const { body } = reply;
  if (typeof body !== "object" || body === null) return reply;
  const entries = Object.entries(body).map(([name, value]): [string, unknown] => {
    if (listFields.includes(name) && Array.isArray(value)) {
      return [name, value.slice(0, keep(value.length))];
    }
    return name === "pages" && typeof value === "object"
      ? [name, { ...value, next: null }]
      : [name, value];
  });
  return { ...reply, body: Object.fromEntries(entries) };
}

function subjectsOf(truth: Truth, call: SimulatedCall): readonly string[] {
  const { id } = call.params;
  const admin = truth.admins.find((each) => each.id === id || each.scimId === id);
  const filter = /^userName eq "(.*)"$/i.exec(call.query.get("filter") ?? "")?.[1];
  const { json } = call;
  const created =
    typeof json === "object" && json !== null && "userName" in json ? json.userName : undefined;
  return [admin?.email, filter, created].flatMap((text) =>
    typeof text === "string" ? [foldEmail(text)] : [],
  );
}

/** Another customer, always the same one. */
function strangers(clock: Clock): Truth {
  return firstTruth(clock, {
    workspace: { idCode: "zz9stranger", name: "Somebody Else", region: "US" },
    admin: { email: "owner@somebody-else.example", name: "Somebody Else" },
  });
}
