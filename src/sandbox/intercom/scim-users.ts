import { z } from "zod";
import { foldEmail } from "../../model/fold.ts";
import type { Reply, SimulatedCall } from "../simulated-api.ts";
import { refuseScim } from "./refusal.ts";
import type { IntercomRoute, IntercomWorld } from "./route.ts";
import { adminByEmail, putActivity, putAdmin, removeAdmin } from "./truth.ts";
import type { Admin } from "./truth.ts";

export const scimBase = "/scim/v2";
const users = `${scimBase}/Users`;
const userSchema = "urn:ietf:params:scim:schemas:core:2.0:User";
const countMax = 100;

const nameSchema = z
  .object({
    formatted: z.string().nullish(),
    givenName: z.string().nullish(),
    familyName: z.string().nullish(),
  })
  .nullish();
const bodySchema = z.object({
  userName: z.email(),
  externalId: z.string().nullish(),
  displayName: z.string().nullish(),
  name: nameSchema,
  active: z.boolean().optional(),
});
const patchSchema = z.object({
  Operations: z.array(
    z.object({
      op: z.string(),
      path: z.string().optional(),
      value: z.unknown(),
    }),
  ),
});

/**
 * Provisioning of teammates by an identity provider: users only, no groups, no roles, no seats. Whoever is not active is deleted
 * (help centre, SCIM provisioning, 2026-08). Filters, patches, paging and ids are not documented: what is here is RFC 7644 at its plainest.
 */
export const scimUserRoutes: readonly IntercomRoute[] = [
  {
    operation: "scim_users.list",
    method: "get",
    path: users,
    kind: "list",
    scope: "scim",
    handle: listUsers,
  },
  {
    operation: "scim_users.read",
    method: "get",
    path: `${users}/:id`,
    kind: "read",
    scope: "scim",
    handle: (world, call) => reply(200, renderUser(userOf(world, call))),
  },
  {
    operation: "scim_users.create",
    method: "post",
    path: users,
    kind: "write",
    scope: "scim",
    creates: (call) => {
      const parsed = bodySchema.safeParse(call.json);
      return parsed.success ? foldEmail(parsed.data.userName) : undefined;
    },
    handle: createUser,
  },
  {
    operation: "scim_users.replace",
    method: "put",
    path: `${users}/:id`,
    kind: "write",
    scope: "scim",
    handle: (world, call) => {
      const admin = userOf(world, call);
      const body = readScim(bodySchema, call);
      admin.name = nameOf(body) ?? admin.name;
      if (body.active === false) return deactivate(world, admin);
      return reply(200, renderUser(admin));
    },
  },
  {
    operation: "scim_users.update",
    method: "patch",
    path: `${users}/:id`,
    kind: "write",
    scope: "scim",
    handle: (world, call) => {
      const admin = userOf(world, call);
      const { Operations } = readScim(patchSchema, call);
      if (Operations.some(turnsOff)) return deactivate(world, admin);
      return reply(200, renderUser(admin));
    },
  },
  {
    operation: "scim_users.remove",
    method: "delete",
    path: `${users}/:id`,
    kind: "write",
    scope: "scim",
    handle: (world, call) => {
      deactivate(world, userOf(world, call));
      return { status: 204 };
    },
  },
];

function listUsers(world: IntercomWorld, call: SimulatedCall): Reply {
  const filter = call.query.get("filter");
  const startIndex = Math.max(1, Number(call.query.get("startIndex") ?? 1));
  const count = Math.min(countMax, Number(call.query.get("count") ?? countMax));
  const wanted = filter === null ? undefined : userNameOf(filter);
  const rows = world.truth.admins.filter(
    (admin) => wanted === undefined || foldEmail(admin.email) === foldEmail(wanted),
  );
  const page = rows.slice(startIndex - 1, startIndex - 1 + count);
  return reply(200, {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
    totalResults: rows.length,
    startIndex,
    itemsPerPage: page.length,
    Resources: page.map(renderUser),
  });
}

function userNameOf(filter: string): string {
  const match = /^userName eq "((?:[^"\\]|\\.)*)"$/i.exec(filter.trim());
  if (match === null) throw refuseScim(400, "Only userName eq is supported", "invalidFilter");
  return JSON.parse(`"${match[1] ?? ""}"`) as string;
}

function createUser(world: IntercomWorld, call: SimulatedCall): Reply {
  const { truth, clock } = world;
  const body = readScim(bodySchema, call);
  if (adminByEmail(truth, body.userName) !== undefined) {
    throw refuseScim(409, "User already exists", "uniqueness");
  }
  const admin = putAdmin(truth, clock, {
    email: body.userName,
    name: nameOf(body) ?? body.userName,
    externalId: body.externalId ?? null,
  });
  truth.invites = truth.invites.filter((each) => foldEmail(each.email) !== foldEmail(admin.email));
  putActivity(truth, clock, {
    type: "admin_provisioned",
    description: `${admin.name} was provisioned`,
    byId: truth.admins[0]?.id ?? admin.id,
    metadata: { admin_id: admin.id },
  });
  return reply(201, renderUser(admin));
}

/** Deletes, hands over what they had, and says that all is well even where the teammate is on the list of those who stay. */
function deactivate({ truth, clock, now }: IntercomWorld, admin: Admin): Reply {
  if (admin.excluded) return reply(200, renderUser(admin));
  removeAdmin(truth, admin, now);
  putActivity(truth, clock, {
    type: "admin_deprovisioned",
    description: `${admin.name} was deprovisioned`,
    byId: truth.admins[0]?.id ?? admin.id,
    metadata: { admin_id: admin.id },
  });
  return reply(200, { ...renderUser(admin), active: false });
}

/** Identity providers write the switch with a path or without, as a boolean or as a text. */
function turnsOff(operation: z.infer<typeof patchSchema>["Operations"][number]): boolean {
  if (operation.op.toLowerCase() !== "replace") return false;
  const { path, value } = operation;
  const active =
    path === undefined && typeof value === "object" && value !== null && "active" in value
      ? value.active
      : path?.toLowerCase() === "active"
        ? value
        : undefined;
  return active === false || (typeof active === "string" && active.toLowerCase() === "false");
}

function userOf(world: IntercomWorld, call: SimulatedCall): Admin {
  const admin = world.truth.admins.find((each) => each.scimId === call.params["id"]);
  if (admin === undefined) throw refuseScim(404, `Resource ${call.params["id"] ?? ""} not found`);
  return admin;
}

function nameOf(body: z.infer<typeof bodySchema>): string | undefined {
  const { name } = body;
  const joined = [name?.givenName, name?.familyName].filter(Boolean).join(" ");
  return body.displayName ?? name?.formatted ?? (joined === "" ? undefined : joined);
}

function readScim<T>(schema: z.ZodType<T>, call: SimulatedCall): T {
  const parsed = schema.safeParse(call.json);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.map(String).join(".") ?? "";
  throw refuseScim(400, `${path === "" ? "The body" : path} is invalid`, "invalidValue");
}

function renderUser(admin: Admin) {
  return {
    schemas: [userSchema],
    id: admin.scimId,
    ...(admin.externalId === null ? {} : { externalId: admin.externalId }),
    userName: admin.email,
    displayName: admin.name,
    name: { formatted: admin.name },
    emails: [{ value: admin.email, primary: true, type: "work" }],
    active: true,
    meta: { resourceType: "User", location: `${users}/${admin.scimId}` },
  };
}

function reply(status: number, body: unknown): Reply {
  return { status, headers: { "content-type": "application/scim+json" }, body };
}
