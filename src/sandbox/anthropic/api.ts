import { createHash } from "node:crypto";
import { foldEmail } from "../../model/fold.ts";
import type { Clock } from "../../model/clock.ts";
import { RateBucket, takeAll } from "../rate-bucket.ts";
import { Refusal } from "../simulated-api.ts";
import type { SimulatedApi, SimulatedCall } from "../simulated-api.ts";
import { prefixedId } from "../simulated-id.ts";
import { activityRoutes } from "./activities.ts";
import { apiKeyRoutes } from "./api-keys.ts";
import { groupRoutes } from "./groups.ts";
import { addressOf, inviteRoutes } from "./invites.ts";
import { keyClasses } from "./key-class.ts";
import { shortenPage } from "./paging.ts";
import { rateLimitRoutes } from "./rate-limits.ts";
import { errorReply, refuse } from "./refusal.ts";
import type { AnthropicRoute } from "./route.ts";
import { emptyTruth, inviteStatus, putUser, truthSchema } from "./truth.ts";
import type { Credential, Truth } from "./truth.ts";
import { userRoutes } from "./users.ts";
import { workspaceMemberRoutes } from "./workspace-members.ts";
import { workspaceRoutes } from "./workspaces.ts";

/** `anthropic-version` values that the vendor takes (versioning page, 2026-11). */
const versions = ["2023-06-01", "2026-10-21"];

export interface RateLimits {
  /** Requests a minute to everything but invitations, shared by the organisation. */
  readonly adminPerMinute: number;
  readonly invitesPerHour: number;
}

/** User management guide, 2026-08. */
export const documentedLimits: RateLimits = { adminPerMinute: 100, invitesPerHour: 1_200 };

const failureText = {
  "409": "Another membership change is in progress; try again",
  "429": "This request would exceed your organization's rate limit",
  "500": "Internal server error",
  "503": "Service unavailable",
  "529": "Overloaded",
} as const;

/** The Admin API of a Console organisation. */
export function anthropicApi(clock: Clock, limits: RateLimits): SimulatedApi<Truth, Credential> {
  const admin = new RateBucket(limits.adminPerMinute, 60_000);
  const invites = new RateBucket(limits.invitesPerHour, 3_600_000);
  const routes: readonly AnthropicRoute[] = [
    ...userRoutes,
    ...inviteRoutes,
    ...workspaceRoutes,
    ...rateLimitRoutes,
    ...activityRoutes,
    ...groupRoutes,
    ...workspaceMemberRoutes,
    ...apiKeyRoutes,
  ];
  return {
    vendor: "anthropic",
    truthSchema,
    routes,
    admit: (truth, call, route) => {
      const credential = authenticate(truth, call);
      // Each type of organisation has paths that the other knows nothing of.
      const consoleOnly = /\/(workspaces|api_keys)\b/.test(route.path);
      const enterpriseOnly = /\/rbac_groups\b|\/sign_out$/.test(route.path);
      const enterprise = truth.settings.enterprise === true;
      if (enterprise ? consoleOnly : enterpriseOnly) throw refuse(404, "Not found");
      const needed = route.scope;
      if (!credential.scopes.includes(needed)) {
        throw refuse(
          403,
          `Missing required scopes. Got: [${credential.scopes.join(", ")}] Needed: [${needed}]`,
        );
      }
      const bucket = route.operation === "invites.create" ? invites : admin;
      const waitMs = takeAll([bucket], call.at);
      if (waitMs > 0) {
        const headers = { "retry-after": String(Math.ceil(waitMs / 1000)) };
        throw new Refusal(
          failureText["429"],
          errorReply(429, failureText["429"], undefined, headers),
        );
      }
      checkForm(call);
      return credential;
    },
    unknownRoute: () => errorReply(404, "Not found"),
    tooLarge: () => errorReply(413, "Request exceeds the maximum size"),
    failure: (kind) =>
      kind === "409"
        ? errorReply(409, failureText[kind], { error_code: "concurrent_membership_change" })
        : errorReply(Number(kind), failureText[kind]),
    shorten: shortenPage,
    seal: (truth, reply) => {
      const requestId = prefixedId(clock, "req");
      const { body } = reply;
      const failed = typeof body === "object" && body !== null && "error" in body;
      return {
        ...reply,
        headers: {
          ...reply.headers,
          "request-id": requestId,
          "anthropic-organization-id": truth.organization.id,
        },
        ...(failed ? { body: { ...body, request_id: requestId } } : {}),
      };
    },
    foreign: () => strangers(clock),
    subjects: subjectsOf,
    view: (truth, now) => ({
      vendor: "anthropic",
      ...truth,
      credentials: truth.credentials.map(({ secret, ...rest }) => ({
        ...rest,
        hint: `${keyClasses[rest.keyClass].prefix}...${secret.slice(-4)}`,
      })),
      invites: truth.invites.map((invite) => ({ ...invite, status: inviteStatus(invite, now) })),
    }),
  };
}

/** Either header may carry a key; an OAuth token is a bearer token only. */
function authenticate(truth: Truth, call: SimulatedCall): Credential {
  const direct = call.headers["x-api-key"];
  const bearer = /^Bearer\s+(\S+)$/i.exec(call.headers.authorization ?? "")?.[1];
  const header = typeof direct === "string" ? "x-api-key" : "authorization";
  const secret = typeof direct === "string" ? direct : bearer;
  if (secret === undefined) throw refuse(401, "x-api-key header is required");
  const credential = truth.credentials.find((each) => each.secret === secret);
  const usable =
    credential !== undefined &&
    credential.revokedAt === null &&
    (credential.expiresAt === null || call.at < credential.expiresAt) &&
    keyClasses[credential.keyClass].headers.includes(header);
  if (!usable) throw refuse(401, "invalid x-api-key");
  return credential;
}

function checkForm(call: SimulatedCall): void {
  const version = call.headers["anthropic-version"];
  if (typeof version !== "string") throw refuse(400, "anthropic-version: header is required");
  if (!versions.includes(version)) {
    throw refuse(400, `anthropic-version: "${version}" is not a valid version`);
  }
  if (call.raw.length === 0) return;
  if (call.json === undefined) throw refuse(400, "The request body is not valid JSON");
  if (!/^application\/json\b/i.test(call.headers["content-type"] ?? "")) {
    throw refuse(400, "content-type: must be application/json");
  }
}

/** The address behind an id, so that a fault can name a person whatever the request names. */
function subjectsOf(truth: Truth, call: SimulatedCall): readonly string[] {
  const { json, params } = call;
  const named = new Set(Object.values(params));
  const found = [addressOf(call), call.query.get("email") ?? undefined];
  if (typeof json === "object" && json !== null && "user_id" in json) {
    if (typeof json.user_id === "string") named.add(json.user_id);
  }
  for (const account of [...truth.users, ...truth.invites]) {
    if (named.has(account.id)) found.push(account.email);
  }
  return [...named, ...found.flatMap((text) => (text === undefined ? [] : [foldEmail(text)]))];
}

/** Another customer: its id is always the same, so that the answer looks like one organisation and not like noise. */
function strangers(clock: Clock): Truth {
  const id = createHash("sha256").update("strangers").digest("hex");
  const truth = emptyTruth(
    clock,
    {
      id: `${id.slice(0, 8)}-${id.slice(8, 12)}-4${id.slice(13, 16)}-8${id.slice(17, 20)}-${id.slice(20, 32)}`,
      name: "Somebody Else Inc.",
    },
    {},
  );
  putUser(truth, clock, { email: "admin@somebody-else.example", name: "Stranger", role: "admin" });
  return truth;
}
