import { z } from "zod";
import type { SimulatedCall } from "../simulated-api.ts";
import { uuid } from "../simulated-id.ts";
import { pageReply } from "./paging.ts";
import { readBody, refuse } from "./refusal.ts";
import { base, timestamp, workspaceOf } from "./route.ts";
import type { InstantlyRoute, InstantlyWorld } from "./route.ts";
import { depart, nextSeq } from "./truth.ts";
import type { GroupMember, Truth } from "./truth.ts";

const groupMembers = `${base}/workspace-group-members`;
const createSchema = z.object({ sub_workspace_id: z.string() });

/** An agency's workspaces: a hierarchy of workspaces, not of people. The sub-workspace's owner must accept. */
export const workspaceGroupRoutes: readonly InstantlyRoute[] = [
  {
    operation: "workspace_groups.create",
    method: "post",
    path: groupMembers,
    kind: "write",
    scope: "workspace_group_members:create",
    handle: (world, call) => {
      const { truth, clock, now } = world;
      const { sub_workspace_id: subWorkspaceId } = readBody(createSchema, call);
      const admin = workspaceOf(world);
      const sub = truth.workspaces.find((each) => each.id === subWorkspaceId);
      if (sub === undefined) throw refuse(404, "Resource not found");
      if (sub === admin) throw refuse(400, "A workspace cannot be its own sub workspace");
      const bound = truth.groupMembers.some(
        (each) => each.subWorkspaceId === sub.id && each.status !== "rejected",
      );
      if (bound) throw refuse(409, "The sub workspace already has an active parent or invitation");
      const made: GroupMember = {
        id: uuid(clock),
        seq: nextSeq(truth),
        adminWorkspaceId: admin.id,
        subWorkspaceId: sub.id,
        status: "pending",
        createdAt: now,
        updatedAt: now,
      };
      truth.groupMembers.push(made);
      return { status: 200, body: render(truth, made) };
    },
  },
  {
    operation: "workspace_groups.list",
    method: "get",
    path: groupMembers,
    kind: "list",
    scope: "workspace_group_members:read",
    handle: (world, call) => {
      const workspaceId = workspaceOf(world).id;
      const rows = world.truth.groupMembers.filter((each) => each.adminWorkspaceId === workspaceId);
      return pageReply(world.truth, call, rows, { render: (row) => render(world.truth, row) });
    },
  },
  {
    operation: "workspace_groups.admin",
    method: "get",
    path: `${groupMembers}/admin`,
    kind: "read",
    scope: "workspace_group_members:read",
    handle: (world) => {
      const workspaceId = workspaceOf(world).id;
      const own = world.truth.groupMembers.find(
        (each) => each.subWorkspaceId === workspaceId && each.status === "accepted",
      );
      return {
        status: 200,
        body: {
          has_admin_workspace: own !== undefined,
          // The vendor writes the word, not a null, where there is none.
          workspace_name: nameOf(world.truth, own?.adminWorkspaceId) ?? "Undefined",
          ...(own === undefined ? {} : { workspace_group_member_id: own.id }),
        },
      };
    },
  },
  {
    operation: "workspace_groups.read",
    method: "get",
    path: `${groupMembers}/:id`,
    kind: "read",
    scope: "workspace_group_members:read",
    handle: (world, call) => ({ status: 200, body: render(world.truth, find(world, call)) }),
  },
  {
    operation: "workspace_groups.remove",
    method: "delete",
    path: `${groupMembers}/:id`,
    kind: "write",
    scope: "workspace_group_members:delete",
    handle: (world, call) => {
      const { truth } = world;
      const row = find(world, call);
      truth.groupMembers = truth.groupMembers.filter((each) => each !== row);
      depart(truth, row);
      return { status: 200, body: render(truth, row) };
    },
  },
];

/** Both sides see it; a sub-workspace leaves by deleting it. */
function find(world: InstantlyWorld, call: SimulatedCall): GroupMember {
  const workspaceId = workspaceOf(world).id;
  const row = world.truth.groupMembers.find(
    (each) =>
      each.id === call.params["id"] &&
      [each.adminWorkspaceId, each.subWorkspaceId].includes(workspaceId),
  );
  if (row === undefined) throw refuse(404, "Resource not found");
  return row;
}

function nameOf(truth: Truth, workspaceId: string | undefined): string | undefined {
  return truth.workspaces.find((each) => each.id === workspaceId)?.name;
}

function render(truth: Truth, row: GroupMember) {
  return {
    id: row.id,
    admin_workspace_id: row.adminWorkspaceId,
    sub_workspace_id: row.subWorkspaceId,
    status: row.status,
    sub_workspace_name: nameOf(truth, row.subWorkspaceId) ?? null,
    admin_workspace_name: nameOf(truth, row.adminWorkspaceId) ?? null,
    timestamp_created: timestamp(row.createdAt),
    timestamp_updated: timestamp(row.updatedAt),
  };
}
