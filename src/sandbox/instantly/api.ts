import { foldEmail } from "../../model/fold.ts";
import type { Clock } from "../../model/clock.ts";
import { RateBucket, takeAll } from "../rate-bucket.ts";
import { edgePage, Refusal } from "../simulated-api.ts";
import type { SimulatedApi, SimulatedCall } from "../simulated-api.ts";
import { apiKeyRoutes } from "./api-keys.ts";
import { addressOf, memberRoutes } from "./members.ts";
import { shortenPage } from "./paging.ts";
import { errorReply, refuse } from "./refusal.ts";
import type { Caller, InstantlyRoute } from "./route.ts";
import { resourceRoutes } from "./resources.ts";
import { tagRoutes } from "./tags.ts";
import { emptyTruth, putWorkspace, truthSchema } from "./truth.ts";
import type { Key, Truth, Workspace } from "./truth.ts";
import { allows } from "./vocabulary.ts";
import { workspaceGroupRoutes } from "./workspace-groups.ts";
import { workspaceRoutes } from "./workspaces.ts";

export interface RateLimits {
  readonly perSecond: number;
  readonly perMinute: number;
}

/** Whole workspace, all keys together (developer.instantly.ai, rate limits, 2026-08). */
export const documentedLimits: RateLimits = { perSecond: 100, perMinute: 6_000 };

/** Default agents of HTTP clients, which the edge blocks (vendor's starter kit, SDK, 2026-08); the list is ours. */
const bannedAgents =
  /^$|^(node|undici|node-fetch|axios|got|curl|wget|okhttp|java|ruby|python-requests|python-urllib|aiohttp|go-http-client|libwww-perl)\b/i;

const failureText = {
  "409": "Conflict",
  "429": "Rate limit exceeded",
  "500": "Internal Server Error",
  "503": "Service Unavailable",
  "529": "Overloaded",
} as const;

/** API v2 as far as it is about people, keys, tags and workspaces. */
export function instantlyApi(clock: Clock, limits: RateLimits): SimulatedApi<Truth, Caller> {
  const buckets = new Map<string, readonly RateBucket[]>();
  const bucketsOf = (workspaceId: string): readonly RateBucket[] => {
    const known = buckets.get(workspaceId) ?? [
      new RateBucket(limits.perSecond, 1_000),
      new RateBucket(limits.perMinute, 60_000),
    ];
    buckets.set(workspaceId, known);
    return known;
  };
  const routes: readonly InstantlyRoute[] = [
    ...workspaceRoutes,
    ...memberRoutes,
    ...apiKeyRoutes,
    ...tagRoutes,
    ...resourceRoutes,
    ...workspaceGroupRoutes,
  ];
  return {
    vendor: "instantly",
    truthSchema,
    routes,
    admit: (truth, call, route) => {
      refuseAgent(call);
      const key = authenticate(truth, call);
      const workspace = actingIn(truth, call, key);
      if (!workspace.paid) {
        throw refuse(402, "Workspace does not have an active paid plan");
      }
      const waitMs = takeAll(bucketsOf(workspace.id), call.at);
      if (waitMs > 0) throw rateLimited(truth, waitMs);
      if (!allows(key.scopes, route.scope)) {
        const status = truth.settings.scopeRefusal;
        throw refuse(status, `API key lacks the required scope ${route.scope}`);
      }
      checkForm(call);
      return { keyId: key.id, workspaceId: workspace.id };
    },
    unknownRoute: (_truth, call) => errorReply(404, `Route ${call.method}:${call.path} not found`),
    tooLarge: () => errorReply(413, "Request body is too large"),
    failure: (kind) => errorReply(Number(kind), failureText[kind]),
    shorten: shortenPage,
    seal: (_truth, reply) => reply,
    foreign: () => strangers(clock),
    subjects: subjectsOf,
    view: (truth) => ({
      vendor: "instantly",
      ...truth,
      keys: truth.keys.map(({ secret, ...rest }) => ({ ...rest, hint: secret.slice(0, 4) })),
      workspaces: truth.workspaces.map(({ securityToken: _token, ...rest }) => rest),
    }),
  };
}

function refuseAgent(call: SimulatedCall): void {
  if (bannedAgents.test(call.headers["user-agent"] ?? "")) {
    throw new Refusal("banned user agent", edgePage(403, "Error 1010: Access denied"));
  }
}

function authenticate(truth: Truth, call: SimulatedCall): Key {
  const { authorization } = call.headers;
  if (authorization === undefined) throw refuse(401, "Missing Authorization header");
  const secret = /^Bearer\s+(\S+)$/i.exec(authorization)?.[1];
  const key = truth.keys.find((each) => each.secret === secret && each.revokedAt === null);
  if (key === undefined) throw refuse(401, "Invalid API key");
  return key;
}

/** The key's own workspace, or with `x-as-workspace` one that accepted to be its sub-workspace (starter kit, 2026-08). */
function actingIn(truth: Truth, call: SimulatedCall, key: Key): Workspace {
  const wanted = call.headers["x-as-workspace"];
  const id = typeof wanted === "string" ? wanted : key.workspaceId;
  const allowed =
    id === key.workspaceId ||
    truth.groupMembers.some(
      (each) =>
        each.adminWorkspaceId === key.workspaceId &&
        each.subWorkspaceId === id &&
        each.status === "accepted",
    );
  if (!allowed) throw refuse(403, "The workspace is not one of your sub workspaces");
  const workspace = truth.workspaces.find((each) => each.id === id);
  const gone =
    workspace === undefined || (workspace.removalAt !== null && call.at >= workspace.removalAt);
  if (gone) throw refuse(401, "Invalid API key");
  return workspace;
}

function rateLimited(truth: Truth, waitMs: number): Refusal {
  const headers: Record<string, string> = truth.settings.retryAfter
    ? { "retry-after": String(Math.ceil(waitMs / 1000)) }
    : {};
  return new Refusal(failureText["429"], errorReply(429, failureText["429"], headers));
}

/** As Fastify reads bodies: none is fine, but not one that is announced as JSON and then empty. */
function checkForm(call: SimulatedCall): void {
  if (call.method === "GET" || call.method === "HEAD") return;
  const type = call.headers["content-type"];
  if (call.raw.length === 0) {
    if (type === undefined) return;
    throw refuse(400, "Body cannot be empty when content-type is set to 'application/json'");
  }
  if (type === undefined || !/^application\/json\b/i.test(type)) {
    throw refuse(415, `Unsupported Media Type: ${type ?? "undefined"}`);
  }
  if (call.json === undefined) throw refuse(400, "Body is not valid JSON");
}

function subjectsOf(truth: Truth, call: SimulatedCall): readonly string[] {
  const member = truth.members.find((each) => each.id === call.params["id"]);
  const found = [addressOf(call), call.query.get("search"), member?.email];
  return found.flatMap((text) => (typeof text === "string" ? [foldEmail(text)] : []));
}

/** Another customer, always the same one. */
function strangers(clock: Clock): Truth {
  const truth = emptyTruth({});
  putWorkspace(truth, clock, {
    id: "0d7f7c1e-3f0a-4f57-9c1d-5a4b8a0e6f11",
    name: "Somebody Else",
    ownerEmail: "owner@somebody-else.example",
  });
  return truth;
}
