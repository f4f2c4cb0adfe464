import { z } from "zod";
import type { Reply, SimulatedCall } from "../simulated-api.ts";
import { readBody, refuse, refuseWith } from "./refusal.ts";
import { organizations, timestamp } from "./route.ts";
import type { AnthropicRoute } from "./route.ts";
import type { Truth } from "./truth.ts";
import { findUser } from "./users.ts";

const groups = `${organizations}/rbac_groups`;
const signOutBeta = "admin-user-sign-out-2026-10-08";
const privileged = ["owner", "primary_owner", "membership_admin", "managed"] as const;

type Group = Truth["groups"][number];

/** Groups of Enterprise organisations (SDK 1.12.0, 2026-11), and the end of a member's sessions. */
export const groupRoutes: readonly AnthropicRoute[] = [
  {
    operation: "rbac_groups.list",
    method: "get",
    path: groups,
    kind: "list",
    scope: "read:rbac_groups",
    handle: ({ truth }, call) => cursorPage(call, truth.groups, renderGroup),
  },
  {
    operation: "rbac_group_members.list",
    method: "get",
    path: `${groups}/:groupId/members`,
    kind: "list",
    scope: "read:rbac_groups",
    handle: ({ truth }, call) => {
      const group = findGroup(truth, call);
      return cursorPage(call, group.members, (row) => renderMember(truth, group, row));
    },
  },
  {
    operation: "rbac_group_members.add",
    method: "post",
    path: `${groups}/:groupId/members`,
    kind: "write",
    scope: "write:rbac_groups",
    handle: ({ truth, now }, call) => {
      const group = findGroup(truth, call);
      const { user_id: userId } = readBody(z.strictObject({ user_id: z.string() }), call);
      refuseFixed(truth, group);
      if (!truth.users.some((user) => user.id === userId)) throw refuse(404, "User not found");
      if (group.members.some((member) => member.userId === userId))
        throw refuse(400, "The user is already in the group");
      const row = { userId, at: now };
      group.members.push(row);
      return { status: 200, body: renderMember(truth, group, row) };
    },
  },
  {
    operation: "rbac_group_members.remove",
    method: "delete",
    path: `${groups}/:groupId/members/:userId`,
    kind: "write",
    scope: "write:rbac_groups",
    handle: ({ truth }, call) => {
      const group = findGroup(truth, call);
      const userId = call.params["userId"];
      refuseFixed(truth, group);
      if (!group.members.some((member) => member.userId === userId))
        throw refuse(404, "The user is not in the group");
      group.members = group.members.filter((member) => member.userId !== userId);
      return {
        status: 200,
        body: { rbac_group_id: group.id, user_id: userId, type: "rbac_group_member_deleted" },
      };
    },
  },
  {
    operation: "users.sign_out",
    method: "post",
    path: `${organizations}/users/:userId/sign_out`,
    kind: "write",
    scope: "write:members",
    handle: ({ truth }, call) => {
      const user = findUser(truth, call);
      if (call.headers["anthropic-beta"] !== signOutBeta)
        throw refuse(400, "anthropic-beta: header is required for this endpoint");
      if (truth.settings.signOut === false)
        throw refuseWith("organization_not_enrolled_in_beta", "The organization is not enrolled");
      const held = privileged.find((role) => role === user.role);
      if (held !== undefined)
        throw refuse(403, `A member with the role ${held} cannot be signed out`, {
          error_code:
            held === "managed" ? "cannot_sign_out_managed_member" : "cannot_sign_out_owner",
        });
      truth.signOuts[user.id] = (truth.signOuts[user.id] ?? 0) + 1;
      const { id, email, name, role, addedAt } = user;
      return {
        status: 200,
        body: { type: "user", id, email, name, role, added_at: timestamp(addedAt) },
      };
    },
  },
];

/** Opaque cursors; a page may be shorter than asked for while more remain, and the first of several is here. */
function cursorPage<Row>(
  call: SimulatedCall,
  rows: readonly Row[],
  render: (row: Row) => unknown,
): Reply {
  const limit = Number(call.query.get("limit") ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
    throw refuse(400, "limit: Input should be a whole number from 1 to 1000");
  const page = call.query.get("page");
  const from = page === null ? 0 : Number(Buffer.from(page, "base64url").toString());
  if (!Number.isInteger(from)) throw refuse(400, "page: Input is no page of this list");
  const size = from === 0 && rows.length > 1 ? Math.min(limit, rows.length - 1) : limit;
  const next = from + size;
  return {
    status: 200,
    body: {
      data: rows.slice(from, next).map(render),
      next_page: next < rows.length ? Buffer.from(String(next)).toString("base64url") : null,
    },
  };
}

function findGroup(truth: Truth, call: SimulatedCall): Group {
  const group = truth.groups.find((each) => each.id === call.params["groupId"]);
  if (group === undefined) throw refuse(404, "Group not found");
  return group;
}

function refuseFixed(truth: Truth, group: Group): void {
  if (group.grantsOwner)
    throw refuseWith(
      "rbac_group_grants_owner_access",
      "The group grants owner access; change it in the settings",
    );
  if (group.source === "scim" && truth.settings.provisioning === "scim")
    throw refuse(400, "The group is managed by your identity provider");
}

function renderGroup(group: Group) {
  return {
    type: "rbac_group",
    id: group.id,
    name: group.name,
    source_type: group.source,
    role_ids: [],
    created_at: timestamp(group.createdAt),
    updated_at: timestamp(group.createdAt),
  };
}

function renderMember(truth: Truth, group: Group, row: Group["members"][number]) {
  return {
    type: "rbac_group_member",
    rbac_group_id: group.id,
    user_id: row.userId,
    email: truth.users.find((user) => user.id === row.userId)?.email ?? "",
    created_at: timestamp(row.at),
  };
}
