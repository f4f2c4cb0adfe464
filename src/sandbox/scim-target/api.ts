import { foldEmail } from "../../model/fold.ts";
import type { Clock } from "../../model/clock.ts";
import type { SimulatedApi, SimulatedCall } from "../simulated-api.ts";
import { discoveryRoutes } from "./discovery.ts";
import { groupRoutes } from "./groups.ts";
import { shortenList } from "./paging.ts";
import { errorReply, refuse } from "./refusal.ts";
import type { Caller } from "./route.ts";
import { emptyTruth, putUser, truthSchema } from "./truth.ts";
import type { Truth } from "./truth.ts";
import { addressOf, userRoutes } from "./users.ts";

const failureText = {
  "409": "Conflict",
  "429": "Too many requests",
  "500": "Internal error",
  "503": "Unavailable",
  "529": "Overloaded",
} as const;

/** A SCIM 2.0 server (RFC 7643, 7644) whose habits are switches of its truth. Its base URL is the simulator's own. */
export function scimTargetApi(clock: Clock, anchor: string): SimulatedApi<Truth, Caller> {
  return {
    vendor: "scim-target",
    truthSchema,
    routes: [...discoveryRoutes, ...userRoutes, ...groupRoutes],
    admit: (truth, call, route) => {
      const { quirks } = truth;
      const secret = /^Bearer\s+(\S+)$/i.exec(call.headers.authorization ?? "")?.[1];
      const key = truth.keys.find((each) => each.secret === secret && !each.revoked);
      if (key === undefined) throw refuse(quirks, 401, "The token is not valid");
      if (!truth.paid) throw refuse(quirks, 402, "Provisioning is not in the plan");
      if (!key.scopes.some((scope) => scope === route.scope)) {
        throw refuse({ ...quirks, errorBodies: "scim" }, 403, "The token may not do that");
      }
      checkForm(truth, call);
      return { scopes: key.scopes };
    },
    unknownRoute: (truth) => errorReply(truth.quirks, 404, "There is no such endpoint"),
    tooLarge: () => ({ status: 413, text: { type: "text/plain", content: "Too large" } }),
    failure: (kind) => ({
      status: Number(kind),
      // Without a body: clients that count on one have gone wrong here.
      text: { type: "text/plain", content: kind === "429" ? "" : failureText[kind] },
    }),
    shorten: shortenList,
    seal: (_truth, reply) => reply,
    foreign: (truth) => strangers(clock, truth, anchor),
    subjects: (truth, call) => subjectsOf(truth, call),
    view: ({ keys, ...rest }) => ({ vendor: "scim-target", ...rest, keys: keys.length }),
  };
}

function checkForm(truth: Truth, call: SimulatedCall): void {
  if (!["POST", "PUT", "PATCH"].includes(call.method)) return;
  if (!/^application\/(?:scim\+)?json\b/i.test(call.headers["content-type"] ?? "")) {
    throw refuse(truth.quirks, 415, "Bodies are application/scim+json");
  }
  if (call.json === undefined) {
    throw refuse(truth.quirks, 400, "The body is not JSON", "invalidSyntax");
  }
}

function subjectsOf(truth: Truth, call: SimulatedCall): readonly string[] {
  const user = truth.users.find((each) => each.id === call.params["id"]);
  return [addressOf(call), user?.userName].flatMap((text) =>
    text === undefined ? [] : [foldEmail(text)],
  );
}

/** Another customer, whose anchor has the same name and another id. */
function strangers(clock: Clock, truth: Truth, anchor: string): Truth {
  const other = emptyTruth(truth.quirks);
  putUser(other, clock, { id: "00000000-0000-4000-8000-00000000f0e1", userName: anchor });
  return other;
}
