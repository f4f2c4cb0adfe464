import { z } from "zod";
import type { Clock } from "../../model/clock.ts";
import { uuid } from "../simulated-id.ts";

/** What the product calls its roles (clay.com help, 2026-08). */
export const clayRoles = ["admin", "editor", "viewer", "sales rep"] as const;
export type ClayRole = (typeof clayRoles)[number];

const memberSchema = z.object({
  userId: z.string(),
  email: z.string(),
  name: z.string(),
  role: z.enum(clayRoles),
  status: z.enum(["active", "invited"]),
});
export type Member = z.infer<typeof memberSchema>;

const webhookSchema = z.object({
  id: z.string(),
  table: z.string(),
  /** Asked for in `x-clay-webhook-auth` where there is one. */
  token: z.string().nullable(),
  /** Lifetime count: at the limit the source takes nothing more. */
  submissions: z.int(),
});

export const truthSchema = z.object({
  workspace: z.object({
    id: z.string(),
    name: z.string(),
    plan: z.enum(["free", "launch", "growth", "enterprise"]),
  }),
  settings: z.object({
    /** What the pages call things: both are seen. */
    labels: z.enum(["team", "members"]),
    retryAfter: z.boolean(),
  }),
  members: z.array(memberSchema),
  groups: z.array(z.object({ name: z.string(), members: z.array(z.string()) })),
  /** Personal: a key dies with its user's membership. */
  keys: z.array(z.object({ secret: z.string(), userId: z.string(), name: z.string() })),
  webhooks: z.array(webhookSchema),
});
export type Truth = z.infer<typeof truthSchema>;
export type Webhook = z.infer<typeof webhookSchema>;

export function firstTruth(
  clock: Clock,
  options: {
    readonly workspace?: { readonly id?: string; readonly name?: string };
    readonly plan?: Truth["workspace"]["plan"];
    readonly adminEmail?: string;
    readonly apiKey?: string;
  },
): Truth {
  const userId = uuid(clock);
  return {
    workspace: {
      id: options.workspace?.id ?? `ws_${uuid(clock).slice(0, 8)}`,
      name: options.workspace?.name ?? "Sandbox Workspace",
      plan: options.plan ?? "enterprise",
    },
    settings: { labels: "team", retryAfter: true },
    members: [
      {
        userId,
        email: options.adminEmail ?? "clay.service@example.com",
        name: "Service User",
        role: "admin",
        status: "active",
      },
    ],
    groups: [],
    keys: [{ secret: options.apiKey ?? `clay_${uuid(clock)}`, userId, name: "sandbox" }],
    webhooks: [],
  };
}
