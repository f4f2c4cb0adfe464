import type { Json, JsonObject } from "../model/json.ts";
import { coerceValue, describe } from "./coerce-value.ts";
import { Dropped } from "./dropped.ts";
import { readMemberIds } from "./members.ts";
import {
  type Attribute,
  type AttributePath,
  groupSchema,
  knowsSchema,
  resolvePath,
  type ResourceSchema,
  userSchema,
} from "./schema.ts";
import { ScimError } from "./scim-error.ts";

export interface CoercedUser {
  /** Canonical names and values; without id, meta, groups, schemas and password. */
  readonly resource: JsonObject;
  /** Paths that no schema of ours has; the caller logs them. */
  readonly dropped: readonly string[];
}

export interface CoercedGroup {
  readonly displayName: string;
  readonly externalId: string | undefined;
  /** Without doubles, as sent; undefined where the body has no `members` or null there. */
  readonly memberIds: readonly string[] | undefined;
  readonly dropped: readonly string[];
}

/**
 * The body of POST or PUT /Users.
 * @throws ScimError 400 invalidSyntax (no object) or invalidValue (an attribute of the wrong kind, userName missing)
 */
export function coerceUser(body: unknown, schema: ResourceSchema = userSchema): CoercedUser {
  const dropped = new Dropped();
  const resource = coerceResource(schema, body, dropped);
  requireText(schema, resource, "userName");
  return { resource, dropped: dropped.paths };
}

/**
 * The body of POST or PUT /Groups.
 * @throws ScimError 400 invalidSyntax (no object) or invalidValue (an attribute of the wrong kind, displayName missing)
 */
export function coerceGroup(body: unknown): CoercedGroup {
  const dropped = new Dropped();
  const source = requireObject(body);
  const { members, rest } = splitMembers(source);
  const resource = coerceResource(groupSchema, rest, dropped);
  const displayName = requireText(groupSchema, resource, "displayName");
  const externalId = resource["externalId"];
  return {
    displayName,
    externalId: typeof externalId === "string" ? externalId : undefined,
    memberIds:
      members === null || members === undefined ? undefined : readMemberIds(members, dropped),
    dropped: dropped.paths,
  };
}

/** Members may be a hundred thousand and become a delta, not a resource: they are read on a path of their own. */
function splitMembers(source: Record<string, unknown>): {
  readonly members: unknown;
  readonly rest: Record<string, unknown>;
} {
  const rest: Record<string, unknown> = {};
  let members: unknown;
  for (const key of Object.keys(source)) {
    const path = resolvePath(groupSchema, key);
    if (typeof path === "object" && path.attribute?.name === "members" && !path.sub) {
      members = source[key];
    } else if (key !== "__proto__") {
      rest[key] = source[key];
    }
  }
  return { members, rest };
}

function coerceResource(
  schema: ResourceSchema,
  body: unknown,
  dropped: Dropped,
): Record<string, Json> {
  const source = requireObject(body);
  const resource: Record<string, Json> = {};
  for (const key of Object.keys(source)) {
    const value = source[key];
    const lower = key.toLowerCase();
    if (lower === "schemas") {
      reportSchemas(schema, value, dropped);
      continue;
    }
    const attribute = schema.attributes.get(lower);
    if (attribute !== undefined) {
      assign(resource, attribute, value, dropped);
      continue;
    }
    const path = isQualified(key) ? resolvePath(schema, key) : undefined;
    if (typeof path === "object") assignPath(resource, path, value, dropped);
    else dropped.add(key);
  }
  return resource;
}

/** Dotted and URN-prefixed keys, which Entra writes in PATCH and others in bodies. */
function isQualified(key: string): boolean {
  return key.includes(":") || key.includes(".");
}

function assignPath(
  resource: Record<string, Json>,
  path: AttributePath,
  value: unknown,
  dropped: Dropped,
): void {
  const { extension, attribute, sub } = path;
  let target = resource;
  if (extension !== undefined) {
    target = { ...(resource[extension.urn] as JsonObject | undefined) } as Record<string, Json>;
  }
  if (attribute === undefined) {
    if (extension === undefined || isNothing(value)) return;
    const source = requireObject(value, extension.urn);
    for (const key of Object.keys(source)) {
      const member = extension.attributes.get(key.toLowerCase());
      if (member === undefined) dropped.add(`${extension.urn}:${key}`);
      else assign(target, member, source[key], dropped);
    }
  } else {
    assign(target, attribute, sub === undefined ? value : { [sub.name]: value }, dropped);
  }
  if (extension !== undefined && Object.keys(target).length > 0) resource[extension.urn] = target;
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === "";
}

function assign(
  target: Record<string, Json>,
  attribute: Attribute,
  value: unknown,
  dropped: Dropped,
): void {
  // A password is never kept: what an IdP makes up must not become a credential. Read-only parts come back from a GET.
  if (attribute.mutability === "readOnly" || attribute.returned === "never") return;
  const coerced = coerceValue(attribute, value, dropped);
  if (coerced === undefined) return;
  const before = target[attribute.name];
  const merged = attribute.type === "complex" && !attribute.multiValued && before !== undefined;
  target[attribute.name] = merged
    ? { ...(before as JsonObject), ...(coerced as JsonObject) }
    : coerced;
}

function reportSchemas(schema: ResourceSchema, value: unknown, dropped: Dropped): void {
  const uris: readonly unknown[] = Array.isArray(value) ? value.slice(0, 100) : [value];
  for (const uri of uris) {
    if (typeof uri === "string" && !knowsSchema(schema, uri)) dropped.add(`schemas: ${uri}`);
  }
}

function requireObject(value: unknown, place = "The request body"): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new ScimError(
    400,
    place === "The request body" ? "invalidSyntax" : "invalidValue",
    `${place}: got ${describe(value)}, but expected a JSON object`,
  );
}

function requireText(schema: ResourceSchema, resource: JsonObject, name: string): string {
  const value = resource[name];
  if (typeof value === "string" && value.trim() !== "") return value;
  throw new ScimError(
    400,
    "invalidValue",
    `${name}: a ${schema.resourceType} needs a ${name} that is not empty; map one in the identity provider`,
  );
}
