import { z } from "zod";
import { atLeastOne, readBody, refuse } from "./refusal.ts";
import { base, timestamp, workspaceOf } from "./route.ts";
import type { InstantlyRoute } from "./route.ts";
import { isOf } from "./truth.ts";
import type { Workspace } from "./truth.ts";

const current = `${base}/workspaces/current`;
const REMOVAL_DELAY_MS = 24 * 3_600_000;

const patchSchema = atLeastOne(
  z.object({ name: z.string().optional(), org_logo_url: z.string().nullish() }),
);
const ownerSchema = z.object({ email: z.email(), sec: z.string() });

export const workspaceRoutes: readonly InstantlyRoute[] = [
  {
    operation: "workspace.read",
    method: "get",
    path: current,
    kind: "read",
    scope: "workspaces:read",
    handle: (world) => ({ status: 200, body: renderWorkspace(workspaceOf(world)) }),
  },
  {
    operation: "workspace.update",
    method: "patch",
    path: current,
    kind: "write",
    scope: "workspaces:update",
    handle: (world, call) => {
      const body = readBody(patchSchema, call);
      const workspace = workspaceOf(world);
      if (body.name !== undefined) workspace.name = body.name;
      if (body.org_logo_url !== undefined) workspace.logoUrl = body.org_logo_url;
      workspace.updatedAt = world.now;
      return { status: 200, body: renderWorkspace(workspace) };
    },
  },
  {
    operation: "workspace.change_owner",
    method: "post",
    path: `${current}/change-owner`,
    kind: "write",
    scope: "workspaces:update",
    handle: (world, call) => {
      const { email, sec } = readBody(ownerSchema, call);
      const workspace = workspaceOf(world);
      if (sec !== workspace.securityToken) throw refuse(401, "Invalid security token");
      const rows = world.truth.members.filter((member) => member.workspaceId === workspace.id);
      const next = rows.find((member) => member.accepted && isOf(member, email));
      if (next === undefined) throw refuse(404, "Resource not found");
      // There is one owner, always: the old one stays as an admin.
      for (const member of rows) if (member.role === "owner") member.role = "admin";
      next.role = "owner";
      workspace.owner = next.userId;
      workspace.updatedAt = world.now;
      return { status: 200, body: renderWorkspace(workspace) };
    },
  },
  {
    operation: "workspace.schedule_removal",
    method: "post",
    path: `${current}/schedule-for-removal`,
    kind: "write",
    scope: "workspaces:delete",
    handle: (world) => {
      const workspace = workspaceOf(world);
      workspace.removalAt ??= world.now + REMOVAL_DELAY_MS;
      return { status: 200, body: renderWorkspace(workspace) };
    },
  },
  {
    operation: "workspace.cancel_removal",
    method: "delete",
    path: `${current}/schedule-for-removal`,
    kind: "write",
    scope: "workspaces:delete",
    handle: (world) => {
      const workspace = workspaceOf(world);
      workspace.removalAt = null;
      return { status: 200, body: renderWorkspace(workspace) };
    },
  },
];

function renderWorkspace(workspace: Workspace) {
  return {
    id: workspace.id,
    name: workspace.name,
    owner: workspace.owner,
    plan_id: workspace.paid ? "pid_hg_v1" : null,
    org_logo_url: workspace.logoUrl,
    timestamp_created: timestamp(workspace.createdAt),
    timestamp_updated: timestamp(workspace.updatedAt),
    scheduled_for_removal_at: workspace.removalAt === null ? null : timestamp(workspace.removalAt),
  };
}
