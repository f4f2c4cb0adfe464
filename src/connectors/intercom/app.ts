import { z } from "zod";
import type { VendorApp } from "../../model/vendor-app.ts";
import { restFacts } from "./facts.ts";

const answerWire = z.object({
  token: z.string().min(1).optional(),
  access_token: z.string().min(1).optional(),
});

const noticeWire = z.object({
  type: z.literal("notification_event"),
  app_id: z.string().min(1),
  id: z.string().min(1).nullish(),
  topic: z.string().min(1).max(200),
});

/** Topics after which a look is worth its calls (developer pages, webhook topics, 2026-08). Teams and roles have none of their own. */
const looks = new Set([
  "admin.added_to_workspace",
  "admin.removed_from_workspace",
  "admin.activity_log_event.created",
]);

/** Scopes with the calls that need them, as the facts say. */
function scopes(): VendorApp["scopes"] {
  const named = new Map<string, string[]>();
  for (const { scope, operation } of restFacts.endpoints) {
    if (scope === undefined) continue;
    named.set(scope, [...(named.get(scope) ?? []), operation]);
  }
  return [...named].map(([scope, operations]) => ({ scope, operations }));
}

/** Installation and webhooks of an Intercom app. Scopes are ticked in the Developer Hub, not asked for; tokens never end by themselves. */
export const intercomApp: VendorApp = {
  authorizeUrl(baseUrl) {
    const region = /^api\.(eu|au)\.intercom\.io$/.exec(new URL(baseUrl).hostname)?.[1];
    return `https://app${region === undefined ? "" : `.${region}`}.intercom.com/oauth`;
  },
  exchangePath: "/auth/eagle/token",
  scopes: scopes(),
  tokenOf(answer) {
    const { data } = answerWire.safeParse(answer);
    return data?.access_token ?? data?.token;
  },
  signature: { header: "x-hub-signature", algorithm: "sha1", prefix: "sha1=" },
  noticeOf(body) {
    const { data } = noticeWire.safeParse(body);
    if (data === undefined) return undefined;
    const means = data.topic === "ping" ? "ping" : looks.has(data.topic) ? "look" : "other";
    return { organizationId: data.app_id, noticeId: data.id ?? "", topic: data.topic, means };
  },
};
