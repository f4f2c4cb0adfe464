import { z } from "zod";
import type { SimulatedCall } from "../simulated-api.ts";
import { narrow } from "./filter.ts";
import { listReply } from "./paging.ts";
import { elementOf, readOperations, singly, valuesIn } from "./patch.ts";
import { refuse, scimReply } from "./refusal.ts";
import { checkVersion, etagOf, instantText, spelled, written } from "./route.ts";
import type { ScimRoute } from "./route.ts";
import { putGroup, visibleUsers } from "./truth.ts";
import type { Group, Truth } from "./truth.ts";

const path = "/Groups";
const bodyShape = z.object({
  displayName: z.string(),
  members: z.array(z.unknown()).nullish(),
});

export const groupRoutes: readonly ScimRoute[] = [
  {
    operation: "groups.list",
    method: "get",
    path,
    kind: "list",
    scope: "groups",
    handle: ({ truth }, call) => {
      const filter = call.query.get("filter");
      const withMembers = call.query.get("excludedAttributes") !== "members";
      const found =
        filter === null
          ? truth.groups
          : narrow(truth.quirks, truth.groups, filter, (group, name) => valuesOf(group, name));
      return listReply(truth, call, found, (group) => render(truth, group, withMembers));
    },
  },
  {
    operation: "groups.read",
    method: "get",
    path: `${path}/:id`,
    kind: "read",
    scope: "groups",
    handle: ({ truth }, call) => {
      const group = findGroup(truth, call);
      const etag: Readonly<Record<string, string>> =
        truth.quirks.versions === "none" ? {} : { etag: etagOf(group) };
      return scimReply(200, render(truth, group, true), etag);
    },
  },
  {
    operation: "groups.create",
    method: "post",
    path,
    kind: "write",
    scope: "groups",
    handle: ({ truth, clock }, call) => {
      const parsed = bodyShape.safeParse(call.json);
      if (!parsed.success) throw refuse(truth.quirks, 400, "displayName is required");
      const { displayName, members } = parsed.data;
      if (truth.groups.some((group) => group.displayName === displayName)) {
        throw refuse(truth.quirks, 409, "displayName is taken", "uniqueness");
      }
      const group = putGroup(truth, clock, displayName);
      group.members = [...new Set(valuesIn(members ?? []))];
      return written(truth, 201, path, group, () => render(truth, group, true));
    },
  },
  {
    operation: "groups.replace",
    method: "put",
    path: `${path}/:id`,
    kind: "write",
    scope: "groups",
    handle: ({ truth }, call) => {
      const group = findGroup(truth, call);
      checkVersion(truth, call, group);
      const parsed = bodyShape.safeParse(call.json);
      if (!parsed.success) throw refuse(truth.quirks, 400, "displayName is required");
      const members = valuesIn(parsed.data.members ?? []);
      return write(truth, group, members, parsed.data.displayName);
    },
  },
  {
    operation: "groups.patch",
    method: "patch",
    path: `${path}/:id`,
    kind: "write",
    scope: "groups",
    handle: ({ truth }, call) => {
      const group = findGroup(truth, call);
      checkVersion(truth, call, group);
      let members: readonly string[] = group.members;
      for (const item of singly(readOperations(truth.quirks, call))) {
        if (Array.isArray(item.value) && item.value.length > truth.quirks.membersMax) {
          throw refuse(truth.quirks, 400, "Too many members in one request", "tooMany");
        }
        members = apply(truth, members, item);
      }
      return write(truth, group, members, group.displayName);
    },
  },
];

function write(truth: Truth, group: Group, members: readonly string[], displayName: string) {
  const known = new Set(visibleUsers(truth).map((user) => user.id));
  const strange = members.find((id) => !known.has(id));
  if (strange !== undefined) throw refuse(truth.quirks, 404, "A member does not exist");
  group.members = [...new Set(members)];
  group.displayName = displayName;
  group.version += 1;
  return written(truth, 200, path, group, () => render(truth, group, true));
}

function apply(
  truth: Truth,
  members: readonly string[],
  item: {
    readonly op: "add" | "replace" | "remove";
    readonly path: string;
    readonly value: unknown;
  },
): readonly string[] {
  const { quirks } = truth;
  const element = elementOf(item.path);
  if (element?.attribute.toLowerCase() === "members" && item.op === "remove") {
    if (quirks.filterPaths === "refuse") {
      throw refuse(quirks, 400, "Filters in paths are not supported", "invalidPath");
    }
    return quirks.filterPaths === "ignore" ? members : members.filter((id) => id !== element.value);
  }
  if (item.path.toLowerCase() !== "members") return members;
  const values = valuesIn(item.value ?? []);
  switch (item.op) {
    case "add":
      return [...members, ...values];
    case "replace":
      return values;
    case "remove":
      if (quirks.valueRemove === "refuse") {
        throw refuse(quirks, 400, "A removal takes no value", "invalidSyntax");
      }
      return quirks.valueRemove === "all" ? [] : members.filter((id) => !values.includes(id));
  }
}

function findGroup(truth: Truth, call: SimulatedCall): Group {
  const group = truth.groups.find((each) => each.id === call.params["id"]);
  if (group === undefined) throw refuse(truth.quirks, 404, "Group not found");
  return group;
}

function valuesOf(group: Group, name: string): readonly string[] {
  switch (name) {
    case "id":
      return [group.id];
    case "displayname":
      return [group.displayName];
    case "members.value":
      return group.members;
    default:
      return [];
  }
}

function render(truth: Truth, group: Group, withMembers: boolean): unknown {
  return spelled(truth, {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
    id: group.id,
    displayName: group.displayName,
    ...(withMembers ? { members: group.members.map((value) => ({ value, type: "User" })) } : {}),
    meta: {
      resourceType: "Group",
      created: instantText(group.createdAt),
      ...(truth.quirks.versions === "none" ? {} : { version: etagOf(group) }),
      location: `https://scim.vendor.example/v2${path}/${group.id}`,
    },
  });
}
