import { z } from "zod";
import { readFlag } from "./paging.ts";
import { readBody, refuse } from "./refusal.ts";
import { organizations } from "./route.ts";
import type { AnthropicRoute } from "./route.ts";
import type { Truth, Workspace } from "./truth.ts";
import { findWorkspace, refuseArchived } from "./workspaces.ts";

const base = `${organizations}/workspaces/:workspaceId/rate_limits`;

const limiters = [
  "requests_per_minute",
  "input_tokens_per_minute",
  "output_tokens_per_minute",
  "tokens_per_minute",
  "tokens_per_day",
] as const;

const updateSchema = z.strictObject({
  limits: z
    .array(z.strictObject({ type: z.enum(limiters), value: z.int().min(0).nullable() }))
    .min(1),
});

/** What the organisation has; a workspace may be set lower, and the lower one counts. Numbers are ours. */
const groups = [
  { id: "rl_haiku", name: "Claude Haiku", requests: 4_000, input: 400_000, output: 80_000 },
  { id: "rl_sonnet", name: "Claude Sonnet", requests: 2_000, input: 200_000, output: 40_000 },
] as const;

export const rateLimitRoutes: readonly AnthropicRoute[] = [
  {
    operation: "rate_limits.list",
    method: "get",
    path: base,
    kind: "list",
    scope: "org:admin",
    handle: ({ truth }, call) => {
      const workspace = findWorkspace(truth, call);
      const inherited = readFlag(call, "include_inherited");
      const data = groups
        .map((group) => render(truth, workspace, group))
        .map((row) => ({
          ...row,
          limits: row.limits.filter((item) => inherited || item.source.type === "workspace"),
        }))
        .filter((row) => row.limits.length > 0);
      return { status: 200, body: { data, next_page: null } };
    },
  },
  {
    operation: "rate_limits.update",
    method: "post",
    path: `${base}/:rateLimitId`,
    kind: "write",
    scope: "org:admin",
    handle: ({ truth }, call) => {
      const workspace = findWorkspace(truth, call);
      const { limits } = readBody(updateSchema, call);
      refuseArchived(workspace);
      const group = groups.find((item) => item.id === call.params["rateLimitId"]);
      if (group === undefined) throw refuse(404, "Rate limit not found");
      if (workspace.isDefault) throw refuse(400, "Limits of the default workspace are fixed");
      for (const { type, value } of limits) {
        const key = `${workspace.id}/${group.id}/${type}`;
        if (value === null) truth.rateLimits = without(truth.rateLimits, key);
        else truth.rateLimits[key] = value;
      }
      return { status: 200, body: render(truth, workspace, group) };
    },
  },
];

function without(limits: Truth["rateLimits"], key: string): Truth["rateLimits"] {
  return Object.fromEntries(Object.entries(limits).filter(([name]) => name !== key));
}

function render(truth: Truth, workspace: Workspace, group: (typeof groups)[number]) {
  const organization = {
    requests_per_minute: group.requests,
    input_tokens_per_minute: group.input,
    output_tokens_per_minute: group.output,
  };
  return {
    type: "workspace_rate_limit",
    workspace_id: workspace.id,
    rate_limit_id: group.id,
    group: { type: "model_group", id: group.id, display_name: group.name },
    models: null,
    limits: Object.entries(organization).map(([type, limit]) => {
      const own = truth.rateLimits[`${workspace.id}/${group.id}/${type}`];
      return {
        type,
        value: own ?? limit,
        org_limit: limit,
        source: { type: own === undefined ? "organization" : "workspace" },
      };
    }),
  };
}
