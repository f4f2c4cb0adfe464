import { z } from "zod";
import type { Instant } from "../../model/clock.ts";
import type { SimulatedCall } from "../simulated-api.ts";
import { pageReply, userPosition } from "./paging.ts";
import { readBody, refuse, refuseWith } from "./refusal.ts";
import { organizations } from "./route.ts";
import type { AnthropicRoute } from "./route.ts";
import { workspaceRoles } from "./truth.ts";
import type { Member, Truth, User, Workspace, WorkspaceRole } from "./truth.ts";
import { findWorkspace, refuseArchived } from "./workspaces.ts";

const members = `${organizations}/workspaces/:workspaceId/members`;

const addSchema = z.strictObject({
  user_id: z.string().min(1),
  workspace_role: z.enum(workspaceRoles).exclude(["workspace_billing"]),
});
const updateSchema = z.strictObject({ workspace_role: z.enum(workspaceRoles) });

export const workspaceMemberRoutes: readonly AnthropicRoute[] = [
  {
    operation: "workspace_members.list",
    method: "get",
    path: members,
    kind: "list",
    scope: "org:admin",
    handle: ({ truth }, call) => {
      const workspace = findMembered(truth, call);
      return pageReply(call, {
        rows: listed(truth, workspace),
        order: "oldest-first",
        seqOf: ({ user }) => user.seq,
        idOf: ({ user }) => user.id,
        position: (id) => userPosition(truth, id),
        render: ({ user, role }) => renderMember(workspace, user.id, role),
      });
    },
  },
  {
    operation: "workspace_members.add",
    method: "post",
    path: members,
    kind: "write",
    scope: "org:admin",
    handle: ({ truth, now }, call) => {
      const workspace = findMembered(truth, call);
      const { user_id: userId, workspace_role: role } = readBody(addSchema, call);
      refuseArchived(workspace);
      const user = truth.users.find((each) => each.id === userId);
      if (user === undefined) throw refuse(404, "User not found");
      const row = rowOf(truth, workspace, userId);
      const implied = impliedRole(user);
      if (implied !== undefined && !raisesBilling(user, role)) throw heldByOrgRole(user);
      if (row !== undefined && (implied === undefined || row.role === role)) {
        throw refuse(400, "The user is already a member of the workspace");
      }
      refuseFull(truth, workspace);
      write(truth, { workspace, user, role, now });
      return { status: 200, body: renderMember(workspace, userId, role) };
    },
  },
  {
    operation: "workspace_members.read",
    method: "get",
    path: `${members}/:userId`,
    kind: "read",
    scope: "org:admin",
    handle: ({ truth, now }, call) => {
      const workspace = findMembered(truth, call);
      const userId = call.params["userId"] ?? "";
      const cached = truth.cachedMembers[cacheKey(workspace, userId)];
      const user = truth.users.find((each) => each.id === userId);
      const role =
        cached !== undefined && now < cached.until
          ? cached.role
          : user && effectiveRole(user, rowOf(truth, workspace, userId));
      if (role === null || role === undefined) throw refuse(404, "Workspace member not found");
      return { status: 200, body: renderMember(workspace, userId, role) };
    },
  },
  {
    operation: "workspace_members.update",
    method: "post",
    path: `${members}/:userId`,
    kind: "write",
    scope: "org:admin",
    handle: ({ truth, now }, call) => {
      const workspace = findMembered(truth, call);
      const { workspace_role: role } = readBody(updateSchema, call);
      refuseArchived(workspace);
      const user = findSettled(truth, workspace, call, now);
      if (impliedRole(user) !== undefined) {
        const lowers = user.role === "billing" && role === "workspace_billing";
        if (!raisesBilling(user, role) && !lowers) throw heldByOrgRole(user);
      } else if (role === "workspace_billing") {
        throw refuse(400, "workspace_billing comes from the organization role billing only");
      }
      write(truth, { workspace, user, role: role === "workspace_billing" ? null : role, now });
      return { status: 200, body: renderMember(workspace, user.id, role) };
    },
  },
  {
    operation: "workspace_members.remove",
    method: "delete",
    path: `${members}/:userId`,
    kind: "write",
    scope: "org:admin",
    handle: ({ truth, now }, call) => {
      const workspace = findMembered(truth, call);
      refuseArchived(workspace);
      const user = findSettled(truth, workspace, call, now);
      if (impliedRole(user) !== undefined) throw heldByOrgRole(user);
      write(truth, { workspace, user, role: null, now });
      const body = {
        type: "workspace_member_deleted",
        user_id: user.id,
        workspace_id: workspace.id,
      };
      return { status: 200, body };
    },
  },
];

/**
 * What a member is in every workspace by organisation role (workspaces guide, 2026-08): admins `workspace_admin`,
 * billing members `workspace_billing`. Rows that were assigned before stay, hidden, and show again after a demotion.
 */
export function impliedRole(user: User): WorkspaceRole | undefined {
  if (user.role === "billing") return "workspace_billing";
  return user.role === "admin" || user.role === "owner" || user.role === "primary_owner"
    ? "workspace_admin"
    : undefined;
}

function effectiveRole(user: User, row: Member | undefined): WorkspaceRole | undefined {
  const implied = impliedRole(user);
  if (implied === undefined) return row?.role;
  return row?.role === "workspace_admin" ? "workspace_admin" : implied;
}

/** The one exception: a billing member may be raised to workspace admin. */
function raisesBilling(user: User, role: WorkspaceRole): boolean {
  return user.role === "billing" && role === "workspace_admin";
}

function listed(truth: Truth, workspace: Workspace) {
  const rows = new Map(
    truth.members
      .filter((member) => member.workspaceId === workspace.id)
      .map((member) => [member.userId, member]),
  );
  return truth.users.flatMap((user) => {
    const row = rows.get(user.id);
    const role = effectiveRole(user, row);
    if (role === undefined) return [];
    const assigned = row !== undefined && row.role === role;
    return assigned || truth.settings.listImplicitMembers ? [{ user, role }] : [];
  });
}

function findMembered(truth: Truth, call: SimulatedCall): Workspace {
  const workspace = findWorkspace(truth, call);
  if (workspace.isDefault) throw refuse(400, "The default workspace has no members of its own");
  return workspace;
}

/** Absent, or added so recently that the vendor does not see it yet: 400, never 404 (seen live). */
function findSettled(truth: Truth, workspace: Workspace, call: SimulatedCall, now: Instant): User {
  const user = truth.users.find((each) => each.id === call.params["userId"]);
  const row = user && rowOf(truth, workspace, user.id);
  const settled =
    row !== undefined
      ? now >= row.addedAt + truth.settings.memberSettleMs
      : user !== undefined && impliedRole(user) !== undefined;
  if (user === undefined || !settled) throw refuse(400, "The user is not in the workspace");
  return user;
}

function refuseFull(truth: Truth, workspace: Workspace): void {
  const limit = truth.settings.workspaceMemberLimit;
  const count = truth.members.filter((member) => member.workspaceId === workspace.id).length;
  if (limit === null || count < limit) return;
  throw refuseWith(
    "workspace_member_limit_exceeded",
    "The workspace has as many members as it may",
  );
}

function heldByOrgRole(user: User) {
  return refuse(
    400,
    `The member's workspace role follows the organization role ${user.role}; change that first`,
  );
}

interface MemberWrite {
  readonly workspace: Workspace;
  readonly user: User;
  /** Null: no row. */
  readonly role: WorkspaceRole | null;
  readonly now: Instant;
}

function write(truth: Truth, { workspace, user, role, now }: MemberWrite): void {
  const row = rowOf(truth, workspace, user.id);
  const { staleMemberReadMs } = truth.settings;
  if (staleMemberReadMs > 0) {
    const key = cacheKey(workspace, user.id);
    const cached = truth.cachedMembers[key];
    if (cached === undefined || now >= cached.until) {
      const before = effectiveRole(user, row) ?? null;
      truth.cachedMembers[key] = { role: before, until: now + staleMemberReadMs };
    }
  }
  if (role === null) truth.members = truth.members.filter((member) => member !== row);
  else if (row !== undefined) row.role = role;
  else truth.members.push({ workspaceId: workspace.id, userId: user.id, role, addedAt: now });
}

function rowOf(truth: Truth, workspace: Workspace, userId: string): Member | undefined {
  return truth.members.find(
    (member) => member.workspaceId === workspace.id && member.userId === userId,
  );
}

function cacheKey(workspace: Workspace, userId: string): string {
  return `${workspace.id}/${userId}`;
}

function renderMember(workspace: Workspace, userId: string, role: WorkspaceRole) {
  return {
    type: "workspace_member",
    user_id: userId,
    workspace_id: workspace.id,
    workspace_role: role,
  };
}
