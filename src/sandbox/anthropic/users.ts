import { z } from "zod";
import { foldEmail } from "../../model/fold.ts";
import type { SimulatedCall } from "../simulated-api.ts";
import { pageReply, readMany, userPosition } from "./paging.ts";
import { readBody, refuse, refuseWith } from "./refusal.ts";
import { organizations, timestamp } from "./route.ts";
import type { AnthropicRoute } from "./route.ts";
import { adminRoles, consoleRoles, enterpriseRoles, dropUser, orgRoles } from "./truth.ts";
import type { Truth, User } from "./truth.ts";

/** What the API gives in an organisation of this type. */
export function givenRoles(truth: Truth) {
  return truth.settings.enterprise === true ? z.enum(enterpriseRoles) : z.enum(consoleRoles);
}

export const userRoutes: readonly AnthropicRoute[] = [
  {
    operation: "organization.read",
    method: "get",
    path: `${organizations}/me`,
    kind: "read",
    scope: "read:members",
    handle: ({ truth }) => ({
      status: 200,
      body: { id: truth.organization.id, name: truth.organization.name, type: "organization" },
    }),
  },
  {
    operation: "users.list",
    method: "get",
    path: `${organizations}/users`,
    kind: "list",
    scope: "read:members",
    handle: ({ truth }, call) => {
      const email = call.query.get("email");
      const roles = readMany(call, "roles", orgRoles);
      const rows = truth.users
        .filter((user) => email === null || withoutTag(user.email) === withoutTag(email))
        .filter((user) => roles?.includes(user.role) ?? true)
        .toReversed();
      return pageReply(call, {
        rows,
        order: "newest-first",
        seqOf: (user) => user.seq,
        idOf: (user) => user.id,
        position: (id) => userPosition(truth, id),
        render: renderUser,
      });
    },
  },
  {
    operation: "users.read",
    method: "get",
    path: `${organizations}/users/:userId`,
    kind: "read",
    scope: "read:members",
    handle: ({ truth }, call) => ({ status: 200, body: renderUser(findUser(truth, call)) }),
  },
  {
    operation: "users.update",
    method: "post",
    path: `${organizations}/users/:userId`,
    kind: "write",
    scope: "write:members",
    handle: ({ truth }, call) => {
      const user = findUser(truth, call);
      const { role } = readBody(z.strictObject({ role: givenRoles(truth) }), call);
      refuseUnderScim(truth, "Roles are managed by your identity provider");
      if (adminRoles.includes(user.role)) {
        throw refuse(400, `The role of a member with the role ${user.role} cannot be changed`);
      }
      user.role = role;
      return { status: 200, body: renderUser(user) };
    },
  },
  {
    operation: "users.remove",
    method: "delete",
    path: `${organizations}/users/:userId`,
    kind: "write",
    scope: "write:members",
    handle: ({ truth }, call) => {
      const user = findUser(truth, call);
      refuseUnderScim(truth, "Membership is managed by your identity provider");
      if (truth.users.length === 1) {
        throw refuseWith("cannot_remove_last_member", "The last member cannot be removed");
      }
      if (adminRoles.includes(user.role)) {
        throw refuse(400, `A member with the role ${user.role} cannot be removed`);
      }
      dropUser(truth, user);
      return { status: 200, body: { id: user.id, type: "user_deleted" } };
    },
  },
];

/** @throws Refusal 404, also for ids of another organisation. */
export function findUser(truth: Truth, call: SimulatedCall): User {
  const user = truth.users.find((each) => each.id === call.params["userId"]);
  if (user === undefined) throw refuse(404, "User not found");
  return user;
}

function refuseUnderScim(truth: Truth, message: string): void {
  if (truth.settings.provisioning === "scim") throw refuse(400, message);
}

function renderUser(user: User) {
  return {
    type: "user",
    id: user.id,
    email: user.email,
    name: user.name,
    role: user.role,
    added_at: timestamp(user.addedAt),
  };
}

/** The `email` filter takes variants of an address for the same: letter case and a plus tag (user management guide). */
function withoutTag(email: string): string {
  const folded = foldEmail(email);
  const at = folded.lastIndexOf("@");
  const plus = folded.indexOf("+");
  return plus > 0 && plus < at ? folded.slice(0, plus) + folded.slice(at) : folded;
}
