import { isDeepStrictEqual } from "node:util";

import type { Json, JsonObject } from "../model/json.ts";
import { coerceValue, describe } from "./coerce-value.ts";
import { Dropped } from "./dropped.ts";
import { findSub, matchesElement, seedOf } from "./element-match.ts";
import { type Filter, parseValuePath } from "./filter.ts";
import { type Change, patchList } from "./patch-list.ts";
import type { PatchOperation } from "./patch-op.ts";
import {
  type Attribute,
  type AttributePath,
  resolvePath,
  type ResourceSchema,
  userSchema,
} from "./schema.ts";
import { ScimError } from "./scim-error.ts";

export interface PatchedUser {
  readonly resource: JsonObject;
  /** false: everything that was asked for was so already. */
  readonly changed: boolean;
  /** Paths that no schema of ours has; the caller logs them. */
  readonly dropped: readonly string[];
}

interface Target {
  readonly path: AttributePath;
  readonly filter: Filter | undefined;
}

/**
 * PATCH of a person (RFC 7644 section 3.5.2) on the canonical resource that `coerceUser` makes. All operations or none:
 * the resource that was given is never changed.
 *
 * Where identity providers and the RFC differ, this does what the providers mean: a value path that finds no element creates
 * it, add on a single value replaces, removal takes a list of values, a replace that names no path replaces whole lists.
 * An attribute of a schema that we do not know is dropped and reported; a misspelt one of ours is refused.
 * @throws ScimError 400 invalidPath, invalidValue, mutability or noTarget that names the operation and its path
 */
export function patchUser(
  resource: JsonObject,
  operations: readonly PatchOperation[],
  schema: ResourceSchema = userSchema,
): PatchedUser {
  const dropped = new Dropped();
  const draft: Record<string, Json | undefined> = { ...resource };
  for (const operation of operations) {
    try {
      apply(schema, draft, operation, dropped);
    } catch (error) {
      if (!(error instanceof ScimError)) throw error;
      const path = operation.path?.slice(0, 200).toWellFormed();
      throw error.within(`${operation.place}${path === undefined ? "" : ` (${path})`}`);
    }
  }
  const userName = draft["userName"];
  if (typeof userName !== "string" || userName.trim() === "") {
    throw new ScimError(
      400,
      "invalidValue",
      "userName: a User needs a userName that is not empty; it can be replaced, not removed",
    );
  }
  if (draft["active"] === undefined && resource["active"] !== undefined) {
    throw new ScimError(
      400,
      "mutability",
      "active: a User is active or not; it can be replaced, not removed",
    );
  }
  return {
    resource: draft,
    changed: !isDeepStrictEqual(draft, resource),
    dropped: dropped.paths,
  };
}

function apply(
  schema: ResourceSchema,
  draft: Record<string, Json | undefined>,
  operation: PatchOperation,
  dropped: Dropped,
): void {
  const { op, path, value } = operation;
  if (path !== undefined) {
    const target = resolveTarget(schema, path);
    if (target === undefined) dropped.add(path);
    else applyAt(draft, target, { op, value, explicit: true, dropped });
    return;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ScimError(
      400,
      "invalidValue",
      `without a path the value has to be an object of attributes, but got ${describe(value)}`,
    );
  }
  const source = value as Record<string, unknown>;
  for (const key of Object.keys(source)) {
    const target = resolveKey(schema, key);
    if (target === undefined) dropped.add(key);
    else applyAt(draft, target, { op, value: source[key], explicit: false, dropped });
  }
}

/** @returns undefined for an attribute of a schema that we do not have. @throws ScimError 400 invalidPath */
function resolveTarget(schema: ResourceSchema, text: string): Target | undefined {
  const { path: name, filter, sub } = parseValuePath(text);
  const path = resolvePath(schema, name);
  if (path === "unknownSchema") return undefined;
  if (path === "unknownAttribute") {
    throw new ScimError(
      400,
      "invalidPath",
      "a User has no such attribute; correct the attribute mapping of the identity provider",
    );
  }
  if (filter === undefined) return { path, filter };
  const { attribute } = path;
  if (attribute?.type !== "complex" || path.sub !== undefined) {
    throw new ScimError(400, "invalidPath", "brackets go behind an attribute that has parts");
  }
  if (sub === undefined) return { path, filter };
  return { path: { ...path, sub: findSub(attribute, sub) }, filter };
}

/** A key of a value without path: like a key of a body, where what we do not know is dropped. */
function resolveKey(schema: ResourceSchema, key: string): Target | undefined {
  if (key.includes("[")) {
    try {
      return resolveTarget(schema, key);
    } catch (error) {
      if (error instanceof ScimError) return undefined;
      throw error;
    }
  }
  const path = resolvePath(schema, key);
  return typeof path === "object" ? { path, filter: undefined } : undefined;
}

function applyAt(draft: Record<string, Json | undefined>, target: Target, change: Change): void {
  const { extension, attribute } = target.path;
  if (extension === undefined) {
    if (attribute !== undefined) applyToAttribute(draft, attribute, target, change);
    return;
  }
  const container = { ...(draft[extension.urn] as JsonObject | undefined) };
  if (attribute !== undefined) applyToAttribute(container, attribute, target, change);
  else {
    applyToParts(container, extension.attributes, extension.urn, change, (part, value) => {
      const path = { extension, attribute: part, sub: undefined };
      applyToAttribute(container, part, { path, filter: undefined }, { ...change, value });
    });
  }
  store(draft, extension.urn, container);
}

function applyToAttribute(
  container: Record<string, Json | undefined>,
  attribute: Attribute,
  target: Target,
  change: Change,
): void {
  // `schemas` follows from the content, and a password is never kept.
  if (attribute.name === "schemas" || attribute.returned === "never") return;
  if (!isWritable(attribute, change)) return;
  const { sub } = target.path;
  if (sub !== undefined && !isWritable(sub, change)) return;
  if (attribute.multiValued) {
    const before = (container[attribute.name] ?? []) as readonly JsonObject[];
    const after = patchList(attribute, before, sub, target.filter, change);
    if (after.length === 0) delete container[attribute.name];
    else container[attribute.name] = after;
  } else if (attribute.type === "complex") {
    patchComplex(container, attribute, target, change);
  } else {
    patchSimple(container, attribute, change);
  }
}

/** Read-only parts come back in path-less values and mean nothing there; asked for by path they are an error. */
function isWritable(attribute: Attribute, change: Change): boolean {
  if (attribute.mutability !== "readOnly") return true;
  if (!change.explicit) return false;
  throw new ScimError(400, "mutability", `${attribute.path} is read-only`);
}

function patchSimple(
  container: Record<string, Json | undefined>,
  attribute: Attribute,
  change: Change,
): void {
  const value =
    change.op === "remove" ? undefined : coerceValue(attribute, change.value, change.dropped);
  if (value !== undefined) container[attribute.name] = value;
  // Nobody leaves by silence: `active` emptied is `active` not spoken of.
  else if (change.op === "replace" && attribute.required && attribute.type === "boolean") return;
  else if (change.op !== "add") delete container[attribute.name];
}

function patchComplex(
  container: Record<string, Json | undefined>,
  attribute: Attribute,
  target: Target,
  change: Change,
): void {
  const stored = container[attribute.name] as JsonObject | undefined;
  let parts: Record<string, Json | undefined> = { ...stored };
  if (target.filter !== undefined) {
    // Entra was seen to put a filter behind a single-valued attribute: it is a list of one.
    const found = stored !== undefined && matchesElement(attribute, stored, target.filter);
    if (!found && change.op === "remove") return;
    if (!found) parts = { ...parts, ...seedOf(attribute, target.filter) };
  }
  const { sub } = target.path;
  if (sub !== undefined) {
    patchSimple(parts, sub, change);
  } else if (change.op !== "remove" && attribute.subAttributes.has("value")) {
    // A reference is one thing: a new manager's id beside the old one's $ref would be nobody.
    const whole = coerceValue(attribute, change.value, change.dropped);
    if (whole === undefined && change.op === "add") return;
    parts = { ...(whole as JsonObject | undefined) };
  } else {
    applyToParts(parts, attribute.subAttributes, attribute.path, change, (part, value) => {
      if (part.mutability !== "readOnly") patchSimple(parts, part, { ...change, value });
    });
  }
  store(container, attribute.name, parts["value"] === "" ? {} : parts);
}

/**
 * A complex attribute or an extension as a whole: what the value names is written, the rest stays
 * (RFC 7644 section 3.5.2.3), null inside clears one part, null or a remove clears all.
 */
function applyToParts(
  container: Record<string, Json | undefined>,
  attributes: ReadonlyMap<string, Attribute>,
  place: string,
  change: Change,
  write: (part: Attribute, value: unknown) => void,
): void {
  const { op } = change;
  let { value } = change;
  if (Array.isArray(value) && value.length <= 1) value = (value as unknown[])[0] ?? null;
  if (op === "remove" || value === null || value === undefined || value === "") {
    if (op === "add") return;
    for (const name of Object.keys(container)) delete container[name];
    return;
  }
  if (typeof value !== "object" || Array.isArray(value)) {
    const names = [...attributes.values()].map((part) => part.name).join(", ");
    throw new ScimError(
      400,
      "invalidValue",
      `${place}: got ${describe(value)}, but expected an object with ${names}`,
    );
  }
  const source = value as Record<string, unknown>;
  for (const key of Object.keys(source)) {
    const part = attributes.get(key.toLowerCase());
    if (part === undefined) change.dropped.add(`${place}.${key}`);
    else write(part, source[key]);
  }
}

function store(container: Record<string, Json | undefined>, name: string, parts: JsonObject): void {
  if (Object.keys(parts).length === 0) delete container[name];
  else container[name] = parts;
}
