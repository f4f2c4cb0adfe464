import type { Clock } from "../../model/clock.ts";
import { RateBucket, takeAll } from "../rate-bucket.ts";
import { Refusal } from "../simulated-api.ts";
import type { Reply, SimulatedApi, SimulatedCall, SimulatedRoute } from "../simulated-api.ts";
import { firstTruth, truthSchema, type Truth } from "./truth.ts";

/** Whose key it is; null for a webhook source, which asks for none. */
export type Caller = { readonly userId: string } | null;

/** A source takes so many submissions in its life, each so large (clay.com community, 2026-08). */
export const webhookLimit = 50_000;
const webhookBytesMax = 100 * 1_024;

/** Bare messages, no codes (Public API v0, 2026-08). */
function says(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { status, headers, body: { message } };
}
const refuse = (status: number, message: string, headers: Readonly<Record<string, string>> = {}) =>
  new Refusal(message, says(status, message, headers));

const deprecated: Reply = {
  status: 404,
  body: { success: false, message: "deprecated API endpoint" },
};

/** What the public API says about people: whose key it is. No member is listed, invited or removed here, as at the vendor. */
const routes: readonly SimulatedRoute<Truth, Caller>[] = [
  {
    operation: "me.read",
    method: "get",
    path: "/public/v0/me",
    kind: "read",
    scope: "",
    handle: ({ truth, caller }) => {
      const member = truth.members.find((item) => item.userId === caller?.userId);
      // Another customer's truth, for a key that suddenly answers for somebody else.
      const user = member ?? truth.members[0];
      return {
        status: 200,
        body: {
          user: { id: user?.userId ?? "", name: user?.name ?? null },
          workspace: { id: truth.workspace.id },
        },
      };
    },
  },
  {
    operation: "webhooks.submit",
    method: "post",
    path: "/v3/sources/webhook/:id",
    kind: "write",
    scope: "",
    handle: ({ truth }, call) => {
      const source = truth.webhooks.find((item) => item.id === call.params["id"]);
      if (source === undefined) throw refuse(404, "Webhook not found");
      const { token } = source;
      if (token !== null && call.headers["x-clay-webhook-auth"] !== token)
        throw refuse(401, "Authentication failed");
      if (call.raw.length > webhookBytesMax) throw refuse(413, "Payload too large");
      if (source.submissions >= webhookLimit) throw refuse(400, "Webhook source is full");
      source.submissions += 1;
      return { status: 200, body: { success: true } };
    },
  },
];

/** The little that the vendor's public API is. */
export function clayApi(clock: Clock): SimulatedApi<Truth, Caller> {
  const bucket = new RateBucket(20, 1_000);
  // Ten records a second, twenty at once, for all sources together.
  const records = new RateBucket(20, 2_000);
  return {
    vendor: "clay",
    truthSchema,
    routes,
    admit: (truth, call, route) => {
      const webhook = route.operation === "webhooks.submit";
      const waitMs = takeAll([webhook ? records : bucket], call.at);
      if (waitMs > 0) throw rateLimited(truth, waitMs);
      if (webhook) return null;
      return { userId: userOf(truth, call) };
    },
    unknownRoute: (_truth, call) =>
      call.path.startsWith("/v1/") ? deprecated : says(404, "Not found"),
    tooLarge: () => says(413, "Payload too large"),
    failure: (status) => says(Number(status), "Something went wrong"),
    shorten: (reply) => reply,
    seal: (_truth, reply) => reply,
    foreign: () => firstTruth(clock, { workspace: { id: "ws_elsewhere" } }),
    subjects: () => [],
    view: ({ keys, ...truth }) => ({
      vendor: "clay",
      ...truth,
      webhooks: truth.webhooks.map(({ token, ...rest }) => ({ ...rest, guarded: token !== null })),
      keys: keys.map(({ name, userId }) => ({ name, userId })),
    }),
  };
}

function userOf(truth: Truth, call: SimulatedCall): string {
  const secret = call.headers["clay-api-key"];
  const key = truth.keys.find((item) => item.secret === secret);
  const lives = truth.members.some(
    (item) => item.userId === key?.userId && item.status === "active",
  );
  if (key === undefined || !lives) throw refuse(401, "Authentication failed");
  return key.userId;
}

function rateLimited(truth: Truth, waitMs: number): Refusal {
  const { retryAfter } = truth.settings;
  return refuse(
    429,
    "Too many requests",
    retryAfter ? { "retry-after": String(Math.ceil(waitMs / 1_000)) } : {},
  );
}
