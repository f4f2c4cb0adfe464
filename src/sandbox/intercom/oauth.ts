import { z } from "zod";
import type { SimulatedCall } from "../simulated-api.ts";
import { errorReply } from "./refusal.ts";
import type { IntercomRoute } from "./route.ts";
import { putActivity, secretOf } from "./truth.ts";
import { scopes } from "./vocabulary.ts";

const exchangeSchema = z.object({
  code: z.string(),
  client_id: z.string(),
  client_secret: z.string(),
});

/** An installed app gets its token: no scopes in the request, no refresh token, no end. */
export const oauthRoutes: readonly IntercomRoute[] = [
  {
    operation: "oauth.token",
    method: "post",
    path: "/auth/eagle/token",
    kind: "write",
    scope: "oauth",
    handle: (world, call) => {
      const { truth, clock } = world;
      const parsed = exchangeSchema.safeParse(call.json ?? formOf(call));
      const adminId = parsed.success ? truth.app.codes[parsed.data.code] : undefined;
      const known =
        parsed.success &&
        parsed.data.client_id === truth.app.clientId &&
        parsed.data.client_secret === truth.app.clientSecret;
      if (!known || adminId === undefined) {
        return errorReply(401, "unauthorized", "Unauthorized Code");
      }
      // A code is good once.
      truth.app.codes = Object.fromEntries(
        Object.entries(truth.app.codes).filter(([code]) => code !== parsed.data.code),
      );
      const token = secretOf(clock);
      truth.tokens.push({ token, adminId, scopes: [...scopes], revoked: false });
      putActivity(truth, clock, {
        type: "app_package_installation",
        description: "An app was installed",
        byId: adminId,
      });
      return { status: 200, body: { token, access_token: token, token_type: "Bearer" } };
    },
  },
];

/** The exchange is sent as JSON or as a form. */
function formOf(call: SimulatedCall): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(call.raw.toString("utf8")));
}
