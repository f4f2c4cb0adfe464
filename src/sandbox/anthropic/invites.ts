import { z } from "zod";
import { emailDomain, foldEmail } from "../../model/fold.ts";
import type { Instant } from "../../model/clock.ts";
import type { SimulatedCall } from "../simulated-api.ts";
import { pageReply, readMany } from "./paging.ts";
import { readBody, refuse, refuseWith } from "./refusal.ts";
import { organizations, timestamp } from "./route.ts";
import type { AnthropicRoute } from "./route.ts";
import { givenRoles } from "./users.ts";
import { inviteStatus, orgRoles, putInvite } from "./truth.ts";
import type { Invite, Truth } from "./truth.ts";

const createSchema = (truth: Truth) =>
  z.strictObject({ email: z.email().max(320), role: givenRoles(truth) });

export const inviteRoutes: readonly AnthropicRoute[] = [
  {
    operation: "invites.create",
    method: "post",
    path: `${organizations}/invites`,
    kind: "write",
    scope: "write:members",
    creates: addressOf,
    handle: ({ truth, clock, now }, call) => {
      const { email, role } = readBody(createSchema(truth), call);
      refuseInvite(truth, email, now);
      return { status: 200, body: renderInvite(putInvite(truth, clock, email, role), now) };
    },
  },
  {
    operation: "invites.list",
    method: "get",
    path: `${organizations}/invites`,
    kind: "list",
    scope: "read:members",
    handle: ({ truth, now }, call) => {
      const email = call.query.get("email");
      const roles = readMany(call, "roles", orgRoles);
      const statuses = readMany(call, "statuses", ["pending", "accepted", "expired"]);
      const rows = truth.invites
        .filter((invite) => invite.state !== "deleted")
        .filter((invite) => email === null || foldEmail(invite.email) === foldEmail(email))
        .filter((invite) => roles?.includes(invite.role) ?? true)
        .filter((invite) => statuses?.includes(inviteStatus(invite, now)) ?? true)
        .toReversed();
      return pageReply(call, {
        rows,
        order: "newest-first",
        seqOf: (invite) => invite.seq,
        idOf: (invite) => invite.id,
        position: (id) => truth.invites.find((invite) => invite.id === id)?.seq,
        render: (invite) => renderInvite(invite, now),
      });
    },
  },
  {
    operation: "invites.read",
    method: "get",
    path: `${organizations}/invites/:inviteId`,
    kind: "read",
    scope: "read:members",
    handle: ({ truth, now }, call) => ({
      status: 200,
      body: renderInvite(findInvite(truth, call), now),
    }),
  },
  {
    operation: "invites.remove",
    method: "delete",
    path: `${organizations}/invites/:inviteId`,
    kind: "write",
    scope: "write:members",
    handle: ({ truth, now }, call) => {
      const invite = findInvite(truth, call);
      const status = inviteStatus(invite, now);
      if (status === "deleted") throw refuse(404, "Invite not found");
      if (status !== "pending") throw refuse(400, `An invite that is ${status} cannot be deleted`);
      invite.state = "deleted";
      return { status: 200, body: { id: invite.id, type: "invite_deleted" } };
    },
  },
];

/** The folded address that a body is about. */
export function addressOf(call: SimulatedCall): string | undefined {
  const { json } = call;
  if (typeof json !== "object" || json === null || !("email" in json)) return undefined;
  return typeof json.email === "string" ? foldEmail(json.email) : undefined;
}

/** Everything that stands against one more invitation, in the order in which it is said. */
function refuseInvite(truth: Truth, email: string, now: Instant): void {
  const { provisioning, allowedDomains, memberLimit, seats } = truth.settings;
  if (provisioning !== "none") {
    throw refuse(400, "Invites are off: your identity provider adds members");
  }
  const key = foldEmail(email);
  const member = truth.users.find((user) => foldEmail(user.email) === key);
  if (member !== undefined) {
    throw refuseWith("already_member", `${email} is already a member (${member.id})`);
  }
  const pending = truth.invites.filter((invite) => inviteStatus(invite, now) === "pending");
  const open = pending.find((invite) => foldEmail(invite.email) === key);
  if (open !== undefined) {
    throw refuseWith("invite_already_exists", `${email} has a pending invite (${open.id})`);
  }
  if (allowedDomains !== null && !allowedDomains.includes(emailDomain(email))) {
    throw refuseWith("email_domain_not_allowed", `Addresses of ${emailDomain(email)} are excluded`);
  }
  const taken = truth.users.length + pending.length;
  if (memberLimit !== null && taken >= memberLimit) {
    throw refuseWith("org_member_limit_exceeded", "The organization has as many members as it may");
  }
  // The vendor publishes no code for this one.
  if (seats !== null && taken >= seats) throw refuse(400, "There is no free seat on your plan");
}

function findInvite(truth: Truth, call: SimulatedCall): Invite {
  const invite = truth.invites.find((each) => each.id === call.params["inviteId"]);
  if (invite === undefined) throw refuse(404, "Invite not found");
  return invite;
}

function renderInvite(invite: Invite, now: Instant) {
  return {
    type: "invite",
    id: invite.id,
    email: invite.email,
    role: invite.role,
    status: inviteStatus(invite, now),
    invited_at: timestamp(invite.invitedAt),
    expires_at: timestamp(invite.expiresAt),
    accepted_at: invite.acceptedAt === null ? null : timestamp(invite.acceptedAt),
    rbac_group_ids: [],
  };
}
