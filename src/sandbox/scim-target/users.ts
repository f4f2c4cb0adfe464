import { z } from "zod";
import { fold, foldEmail } from "../../model/fold.ts";
import type { SimulatedCall } from "../simulated-api.ts";
import { narrow } from "./filter.ts";
import { listReply } from "./paging.ts";
import { elementOf, readBoolean, readOperations, singly, valuesIn } from "./patch.ts";
import { refuse, scimReply } from "./refusal.ts";
import { checkVersion, etagOf, instantText, spelled, written } from "./route.ts";
import type { ScimRoute, ScimWorld } from "./route.ts";
import { dropUser, putUser, visibleUsers } from "./truth.ts";
import type { Attributes, Truth, User } from "./truth.ts";

const path = "/Users";
const coreUser = "urn:ietf:params:scim:schemas:core:2.0:User";
const bodyShape = z.record(z.string(), z.unknown());
/** Read-only, or kept in their own columns. */
const own = new Set(["id", "meta", "schemas", "groups", "username", "active", "password"]);

export const userRoutes: readonly ScimRoute[] = [
  {
    operation: "users.list",
    method: "get",
    path,
    kind: "list",
    scope: "users",
    handle: ({ truth }, call) => {
      const filter = call.query.get("filter");
      const rows = visibleUsers(truth);
      const found =
        filter === null
          ? rows
          : narrow(truth.quirks, rows, filter, (user, name) => valuesOf(user, name));
      if (filter !== null && found.length === 0 && truth.quirks.noMatch === "not_found") {
        throw refuse(truth.quirks, 404, "Nobody was found");
      }
      return listReply(truth, call, found, (user) => render(truth, user));
    },
  },
  {
    operation: "users.read",
    method: "get",
    path: `${path}/:id`,
    kind: "read",
    scope: "users",
    handle: ({ truth }, call) => {
      const user = findUser(truth, call);
      const etag: Readonly<Record<string, string>> =
        truth.quirks.versions === "none" ? {} : { etag: etagOf(user) };
      return scimReply(200, render(truth, user), etag);
    },
  },
  {
    operation: "users.create",
    method: "post",
    path,
    kind: "write",
    scope: "users",
    creates: addressOf,
    handle: createUser,
  },
  {
    operation: "users.replace",
    method: "put",
    path: `${path}/:id`,
    kind: "write",
    scope: "users",
    handle: ({ truth }, call) => {
      const user = findUser(truth, call);
      checkVersion(truth, call, user);
      const body = readBody(truth, call);
      const said = pick(body, "active");
      const active =
        said === undefined
          ? truth.quirks.putSwitchesOn || user.active
          : readBoolean(truth.quirks, said);
      user.attributes = plainAttributes(body);
      const userName = pick(body, "userName");
      if (typeof userName === "string") user.userName = userName;
      return finish(truth, user, active);
    },
  },
  {
    operation: "users.patch",
    method: "patch",
    path: `${path}/:id`,
    kind: "write",
    scope: "users",
    handle: ({ truth }, call) => {
      const user = findUser(truth, call);
      checkVersion(truth, call, user);
      const operations = singly(readOperations(truth.quirks, call));
      const draft = { attributes: structuredClone(user.attributes), active: user.active };
      for (const item of operations) apply(truth, draft, item);
      user.attributes = draft.attributes;
      return finish(truth, user, draft.active);
    },
  },
  {
    operation: "users.delete",
    method: "delete",
    path: `${path}/:id`,
    kind: "write",
    scope: "users",
    handle: ({ truth }, call) => {
      const user = findUser(truth, call);
      checkVersion(truth, call, user);
      dropUser(truth, user);
      return { status: 204, text: { type: "application/scim+json", content: "" } };
    },
  },
];

function createUser({ truth, clock }: ScimWorld, call: SimulatedCall) {
  const { quirks } = truth;
  const body = readBody(truth, call);
  const userName = pick(body, "userName");
  if (typeof userName !== "string" || userName === "") {
    throw refuse(quirks, 400, "userName is required", "invalidValue");
  }
  const said = pick(body, "active");
  const active = said === undefined ? true : readBoolean(quirks, said);
  const holder = truth.users.find((user) => fold(user.userName) === fold(userName));
  if (holder !== undefined) {
    if (quirks.duplicate === "200_existing" && !holder.hidden) {
      return written(truth, 200, path, holder, () => render(truth, holder));
    }
    const status = quirks.duplicate === "400_uniqueness" ? 400 : 409;
    throw refuse(quirks, status, "userName is taken", "uniqueness");
  }
  const later = quirks.notAtCreate.map((name) => name.toLowerCase());
  const attributes = Object.fromEntries(
    Object.entries(plainAttributes(body)).filter(([name]) => !later.includes(name.toLowerCase())),
  );
  const user = putUser(truth, clock, { userName, active, attributes });
  return written(truth, 201, path, user, () => render(truth, user));
}

/** What a deactivation comes to at this server; the answer says what the server wants it to say. */
function finish(truth: Truth, user: User, active: boolean) {
  user.version += 1;
  const { deactivation } = truth.quirks;
  const ends = user.active && !active;
  const kept = ends && (user.locked || deactivation === "ignore" || deactivation === "pretend");
  if (ends && deactivation === "delete" && !user.locked) {
    dropUser(truth, user);
    return written(truth, 200, path, user, () => render(truth, { ...user, active: false }));
  }
  if (!kept) user.active = active;
  const shown = kept && deactivation === "pretend" ? { ...user, active: false } : user;
  return written(truth, 200, path, user, () => render(truth, shown));
}

interface Draft {
  attributes: Attributes;
  active: boolean;
}

function apply(
  truth: Truth,
  draft: Draft,
  item: {
    readonly op: "add" | "replace" | "remove";
    readonly path: string;
    readonly value: unknown;
  },
): void {
  const { quirks } = truth;
  if (item.path.toLowerCase() === "active") {
    draft.active = readBoolean(quirks, item.value);
    return;
  }
  const element = elementOf(item.path);
  if (element !== undefined && item.op === "remove") {
    if (quirks.filterPaths === "refuse") {
      throw refuse(quirks, 400, "Filters in paths are not supported", "invalidPath");
    }
    if (quirks.filterPaths === "ignore") return;
    const all = quirks.roleFilterTakesAll && element.attribute.toLowerCase() === "roles";
    const before = place(draft.attributes, element.attribute).value;
    const kept = (Array.isArray(before) ? (before as readonly unknown[]) : []).filter(
      (one) => !all && !valuesIn(one).includes(element.value),
    );
    put(draft.attributes, element.attribute, kept);
    return;
  }
  if (own.has(item.path.toLowerCase())) return;
  const { value: before } = place(draft.attributes, item.path);
  if (item.op === "remove") put(draft.attributes, item.path, undefined);
  else if (item.op === "add" && Array.isArray(before)) {
    const added = (Array.isArray(item.value) ? item.value : [item.value]) as readonly unknown[];
    const there = new Set(valuesIn(before));
    put(draft.attributes, item.path, [
      ...(before as readonly unknown[]),
      ...added.filter((one) => !valuesIn(one).some((value) => there.has(value))),
    ]);
  } else put(draft.attributes, item.path, item.value);
}

/** `name`, `name.part`, `urn:…:name`: where that is, and what is there. */
function place(attributes: Attributes, name: string) {
  const colon = name.lastIndexOf(":");
  const dot = name.indexOf(".", colon);
  const outer = colon >= 0 ? name.slice(0, colon) : dot >= 0 ? name.slice(0, dot) : undefined;
  const inner = colon >= 0 ? name.slice(colon + 1) : dot >= 0 ? name.slice(dot + 1) : name;
  const parsed = bodyShape.safeParse(outer === undefined ? attributes : attributes[outer]);
  return { outer, inner, value: parsed.success ? parsed.data[inner] : undefined };
}

function put(attributes: Attributes, name: string, value: unknown): void {
  const { outer, inner } = place(attributes, name);
  if (outer === undefined) {
    if (value === undefined) Reflect.deleteProperty(attributes, inner);
    else attributes[inner] = value;
    return;
  }
  const parsed = bodyShape.safeParse(attributes[outer]);
  attributes[outer] = { ...(parsed.success ? parsed.data : {}), [inner]: value };
}

function readBody(truth: Truth, call: SimulatedCall): Attributes {
  const parsed = bodyShape.safeParse(call.json);
  if (parsed.success) return parsed.data;
  throw refuse(truth.quirks, 400, "The body is not a resource", "invalidSyntax");
}

function pick(body: Attributes, name: string): unknown {
  const key = Object.keys(body).find((each) => each.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : body[key];
}

function plainAttributes(body: Attributes): Attributes {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !own.has(name.toLowerCase())));
}

export function addressOf(call: SimulatedCall): string | undefined {
  const parsed = bodyShape.safeParse(call.json);
  const userName = parsed.success ? pick(parsed.data, "userName") : undefined;
  return typeof userName === "string" ? foldEmail(userName) : undefined;
}

function findUser(truth: Truth, call: SimulatedCall): User {
  const user = visibleUsers(truth).find((each) => each.id === call.params["id"]);
  if (user === undefined) throw refuse(truth.quirks, 404, "User not found");
  return user;
}

function valuesOf(user: User, name: string): readonly string[] {
  switch (name) {
    case "id":
      return [user.id];
    case "username":
      return [user.userName];
    case "emails.value":
      return valuesIn(pick(user.attributes, "emails") ?? []);
    default: {
      const value = pick(user.attributes, name);
      return typeof value === "string" ? [value] : [];
    }
  }
}

export function render(truth: Truth, user: User): unknown {
  const { quirks } = truth;
  const groups = truth.groups.filter((group) => group.members.includes(user.id));
  return spelled(truth, {
    schemas: [coreUser, ...Object.keys(user.attributes).filter((name) => name.includes(":"))],
    id: user.id,
    userName: user.userName,
    active: quirks.booleans === "text" ? (user.active ? "True" : "False") : user.active,
    ...user.attributes,
    ...(quirks.showsGroupsOnUsers
      ? { groups: groups.map((group) => ({ value: group.id, display: group.displayName })) }
      : {}),
    meta: {
      resourceType: "User",
      created: instantText(user.createdAt),
      ...(quirks.versions === "none" ? {} : { version: etagOf(user) }),
      location: `https://scim.vendor.example/v2${path}/${user.id}`,
    },
  });
}
