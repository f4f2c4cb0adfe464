import { z } from "zod";
import { foldEmail } from "../../model/fold.ts";
import type { SimulatedCall } from "../simulated-api.ts";
import { pageReply } from "./paging.ts";
import { atLeastOne, readBody, readQuery, refuse } from "./refusal.ts";
import { base, timestamp, workspaceOf } from "./route.ts";
import type { InstantlyRoute, InstantlyWorld } from "./route.ts";
import { depart, isOf, putMember } from "./truth.ts";
import type { Member } from "./truth.ts";
import { memberRoles, permissions } from "./vocabulary.ts";
import type { MemberRole } from "./vocabulary.ts";

const members = `${base}/workspace-members`;

const createSchema = z.object({
  email: z.email(),
  role: z.enum(memberRoles),
  user_email: z.email().nullish(),
  nickname: z.string().max(80).nullish(),
  permissions: z.array(z.enum(permissions)).nullish(),
});
const patchSchema = atLeastOne(
  z.object({ role: z.enum(memberRoles).optional(), nickname: z.string().max(80).nullish() }),
);
const listSchema = z.object({
  accepted: z.enum(["true", "false"]).optional(),
  search: z.string().optional(),
});

/** One object is invitation and member; `accepted` tells which. An invitation never expires. */
export const memberRoutes: readonly InstantlyRoute[] = [
  {
    operation: "members.create",
    method: "post",
    path: members,
    kind: "write",
    scope: "workspace_members:create",
    creates: addressOf,
    handle: (world, call) => {
      const { truth, clock } = world;
      const workspaceId = workspaceOf(world).id;
      const body = readBody(createSchema, call);
      refuseRole(body.role);
      const taken = truth.members.some(
        (member) => member.workspaceId === workspaceId && isOf(member, body.email),
      );
      // The vendor documents no 409 here.
      if (taken) throw refuse(400, "User is already a member of this workspace");
      const made = putMember(truth, clock, {
        workspaceId,
        email: body.email,
        role: body.role,
        accepted: false,
        userEmail: body.user_email,
        nickname: body.nickname,
        permissions: body.permissions,
      });
      return { status: 200, body: renderMember(made) };
    },
  },
  {
    operation: "members.list",
    method: "get",
    path: members,
    kind: "list",
    scope: "workspace_members:read",
    handle: (world, call) => {
      const { truth } = world;
      const workspaceId = workspaceOf(world).id;
      const { accepted, search } = readQuery(listSchema, call);
      const rows = truth.members
        .filter((member) => member.workspaceId === workspaceId)
        .filter((member) => accepted === undefined || member.accepted === (accepted === "true"))
        .filter((member) => search === undefined || fits(member, search));
      return pageReply(truth, call, rows, { render: renderMember });
    },
  },
  {
    operation: "members.read",
    method: "get",
    path: `${members}/:id`,
    kind: "read",
    scope: "workspace_members:read",
    handle: (world, call) => ({ status: 200, body: renderMember(findMember(world, call)) }),
  },
  {
    operation: "members.update",
    method: "patch",
    path: `${members}/:id`,
    kind: "write",
    scope: "workspace_members:update",
    handle: (world, call) => {
      const member = findMember(world, call);
      const { role, nickname } = readBody(patchSchema, call);
      if (role !== undefined && role !== member.role) {
        refuseRole(role);
        if (member.role === "owner" || member.role === "client") {
          throw refuse(403, `The role of the ${member.role} cannot be changed`);
        }
        member.role = role;
      }
      if (nickname !== undefined) member.nickname = nickname;
      return { status: 200, body: renderMember(member) };
    },
  },
  {
    operation: "members.remove",
    method: "delete",
    path: `${members}/:id`,
    kind: "write",
    scope: "workspace_members:delete",
    handle: (world, call) => {
      const member = findMember(world, call);
      if (member.role === "owner") throw refuse(403, "The owner cannot be removed");
      world.truth.members = world.truth.members.filter((each) => each !== member);
      depart(world.truth, member);
      return { status: 200, body: renderMember(member) };
    },
  },
];

/** The folded address that a body is about. */
export function addressOf(call: SimulatedCall): string | undefined {
  const { json } = call;
  if (typeof json !== "object" || json === null || !("email" in json)) return undefined;
  return typeof json.email === "string" ? foldEmail(json.email) : undefined;
}

function refuseRole(role: MemberRole): void {
  if (role === "owner" || role === "client") {
    throw refuse(400, `The role ${role} cannot be assigned through the API`);
  }
}

function fits(member: Member, search: string): boolean {
  const wanted = foldEmail(search);
  const name = `${member.name?.first ?? ""} ${member.name?.last ?? ""}`;
  return [member.email, member.userEmail ?? "", name].some((text) =>
    foldEmail(text).includes(wanted),
  );
}

function findMember(world: InstantlyWorld, call: SimulatedCall): Member {
  const workspaceId = workspaceOf(world).id;
  const member = world.truth.members.find(
    (each) => each.id === call.params["id"] && each.workspaceId === workspaceId,
  );
  if (member === undefined) throw refuse(404, "Resource not found");
  return member;
}

function renderMember(member: Member) {
  return {
    id: member.id,
    email: member.email,
    user_id: member.userId,
    user_email: member.userEmail,
    nickname: member.nickname,
    ...(member.name === null ? {} : { name: member.name }),
    role: member.role,
    permissions: member.permissions,
    accepted: member.accepted,
    issuer_id: member.issuerId,
    workspace_id: member.workspaceId,
    timestamp_created: timestamp(member.createdAt),
  };
}
