import type { Json, JsonObject } from "../../src/model/json.ts";

/**
 * RFC 7644 section 3.5.2 for a plain object, as short as it can be said: the reference that the service is compared with. It knows
 * attributes by their exact names and no filter but one equality.
 */
export function patchUserModel(user: JsonObject, operation: JsonObject): JsonObject {
  const kind = String(operation["op"]).toLowerCase();
  const { path, value } = operation;
  if (typeof path === "string") return at(user, kind, path, value);
  return Object.entries(value as JsonObject).reduce(
    (changed, [key, part]) => at(changed, kind, key, part),
    user,
  );
}

export interface GroupModel {
  readonly externalId: string | undefined;
  readonly members: ReadonlySet<string>;
}

export function patchGroupModel(group: GroupModel, operation: JsonObject): GroupModel {
  const kind = String(operation["op"]).toLowerCase();
  const path = String(operation["path"]);
  if (path === "externalId") {
    return { ...group, externalId: kind === "remove" ? undefined : String(operation["value"]) };
  }
  const picked = /^members\[value eq "(.*)"\]$/.exec(path)?.[1];
  const listed = operation["value"] as readonly JsonObject[] | undefined;
  const named = picked === undefined ? listed?.map((one) => String(one["value"])) : [picked];
  const members = new Set(kind === "replace" ? [] : group.members);
  if (named === undefined) members.clear();
  for (const id of named ?? []) {
    if (kind === "remove") members.delete(id);
    else members.add(id);
  }
  return { ...group, members };
}

function at(user: JsonObject, kind: string, path: string, value: Json | undefined): JsonObject {
  const urn = /^(urn:.*):(\w+)$/.exec(path);
  if (urn !== null) {
    const [, container = "", name = ""] = urn;
    return within(user, container, (inside) => at(inside, kind, name, value));
  }
  const element = /^(\w+)\[(\w+) eq "(.*)"\](?:\.(\w+))?$/.exec(path);
  if (element !== null) {
    const [, list = "", by = "", wanted = "", part] = element;
    const before = (user[list] ?? []) as readonly JsonObject[];
    const meets = (one: JsonObject) => fold(one[by]) === fold(wanted);
    if (kind === "remove")
      return set(
        user,
        list,
        before.filter((one) => !meets(one)),
      );
    const change = (one: JsonObject) => ({ ...one, [part ?? ""]: value });
    // Where nothing meets the filter the element is made: what identity providers rely on.
    return before.some(meets)
      ? set(
          user,
          list,
          before.map((one) => (meets(one) ? change(one) : one)),
        )
      : set(user, list, [...before, change({ [by]: wanted })]);
  }
  const dotted = path.split(".");
  if (dotted.length === 2) {
    const [container = "", name = ""] = dotted;
    return within(user, container, (inside) => at(inside, kind, name, value));
  }
  if (kind === "remove") return set(user, path, undefined);
  if (path === "active") return set(user, path, String(value).toLowerCase() === "true");
  if (Array.isArray(value)) {
    const given = value as readonly JsonObject[];
    return set(user, path, kind === "replace" ? given : added(user[path], given));
  }
  if (typeof value !== "object" || value === null) return set(user, path, value);
  const parts = value as JsonObject;
  return within(user, path, (inside) => ({ ...inside, ...parts }));
}

/** What is there already, by value and type, is not there twice. */
function added(before: Json | undefined, given: readonly JsonObject[]): readonly JsonObject[] {
  const list = [...((before ?? []) as readonly JsonObject[])];
  for (const one of given) {
    const same = list.findIndex(
      (old) => fold(old["value"]) === fold(one["value"]) && fold(old["type"]) === fold(one["type"]),
    );
    if (same < 0) list.push(one);
    else list[same] = { ...list[same], ...one };
  }
  return list;
}

function within(
  user: JsonObject,
  container: string,
  change: (inside: JsonObject) => JsonObject,
): JsonObject {
  return set(user, container, change((user[container] ?? {}) as JsonObject));
}

/** Nothing, no elements and no parts are the same: no value (RFC 7643 section 2.5). */
function set(user: JsonObject, name: string, value: Json | undefined): JsonObject {
  const { [name]: _, ...rest } = user;
  const empty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return value === undefined || empty ? rest : { ...rest, [name]: value };
}

function fold(text: Json | undefined): string | undefined {
  return typeof text === "string" ? text.toLowerCase() : undefined;
}
