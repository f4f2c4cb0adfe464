import type { Json, JsonObject } from "../model/json.ts";
import { resolvePath, type ResourceSchema } from "./schema.ts";
import { ScimError } from "./scim-error.ts";

/** true: with everything in it. Keys are canonical names. */
type Tree = Map<string, Tree | true>;

/** What `attributes` and `excludedAttributes` of a request mean, compiled once for all resources of the answer. */
export interface Projection {
  readonly schema: ResourceSchema;
  /** undefined: what is returned by default. */
  readonly only: Tree | undefined;
  readonly without: Tree;
}

const maxNames = 200;

/**
 * RFC 7644 section 3.9. Both parameters may come as one comma-separated text or as several; unknown names are ignored,
 * as identity providers put there what they were configured with. Given both, what is left of `attributes` counts.
 * @throws ScimError 400 invalidValue for more than 200 names
 */
export function compileProjection(
  schema: ResourceSchema,
  query: { readonly attributes?: unknown; readonly excludedAttributes?: unknown },
): Projection {
  const names = splitNames(query.attributes, "attributes");
  return {
    schema,
    only: names.length === 0 ? undefined : buildTree(schema, names),
    without: buildTree(schema, splitNames(query.excludedAttributes, "excludedAttributes")),
  };
}

/** Whether a top-level attribute can be in the answer at all: what is not asked for need not be loaded (`members`, `groups`). */
export function isWanted(projection: Projection, name: string): boolean {
  if (projection.without.get(name) === true) return false;
  return projection.only === undefined || projection.only.has(name);
}

/** Whether a part of a top-level attribute was asked for by its own name, as what is returned on request only has to be. */
export function isNamed(projection: Projection, name: string, part: string): boolean {
  const tree = projection.only?.get(name);
  return tree !== undefined && tree !== true && tree.has(part);
}

/** The part of a complete resource that the client gets. `id` and `schemas` stay, whatever was asked for. */
export function project(projection: Projection, resource: JsonObject): JsonObject {
  const { schema, only, without } = projection;
  const result: Record<string, Json> = {};
  for (const name of Object.keys(resource)) {
    const value = resource[name];
    if (value === undefined) continue;
    const returned = schema.attributes.get(name.toLowerCase())?.returned ?? "default";
    if (returned === "never") continue;
    if (returned === "always") {
      result[name] = value;
      continue;
    }
    const wanted = only === undefined ? returned === "default" : (only.get(name) ?? false);
    if (wanted === false) continue;
    const excluded = without.get(name);
    if (excluded === true) continue;
    const kept = wanted === true ? value : pick(value, wanted);
    const left = excluded === undefined || kept === undefined ? kept : omit(kept, excluded);
    if (left !== undefined) result[name] = left;
  }
  return result;
}

/** The `schemas` of a person or group: the core schema, and an extension if and only if it has values. */
export function schemasOf(schema: ResourceSchema, resource: JsonObject): readonly string[] {
  const extensions = schema.extensions.filter(({ urn }) => resource[urn] !== undefined);
  return [schema.urn, ...extensions.map(({ urn }) => urn)];
}

function pick(value: Json, tree: Tree): Json | undefined {
  return mapObjects(value, (source) => {
    const result: Record<string, Json> = {};
    for (const [name, below] of tree) {
      const inner = source[name];
      if (inner === undefined) continue;
      const kept = below === true ? inner : pick(inner, below);
      if (kept !== undefined) result[name] = kept;
    }
    return result;
  });
}

function omit(value: Json, tree: Tree): Json | undefined {
  return mapObjects(value, (source) => {
    const result: Record<string, Json> = {};
    for (const name of Object.keys(source)) {
      const inner = source[name];
      const below = tree.get(name);
      if (inner === undefined || below === true) continue;
      const kept = below === undefined ? inner : omit(inner, below);
      if (kept !== undefined) result[name] = kept;
    }
    return result;
  });
}

/** Objects that nothing is left of are left out, alone and in lists. */
function mapObjects(
  value: Json,
  change: (source: JsonObject) => Record<string, Json>,
): Json | undefined {
  if (isList(value)) {
    const items = value
      .map((item) => mapObjects(item, change))
      .filter((item) => item !== undefined);
    return items.length === 0 ? undefined : items;
  }
  if (typeof value !== "object" || value === null) return value;
  const result = change(value);
  return Object.keys(result).length === 0 ? undefined : result;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function splitNames(value: unknown, parameter: string): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const names = texts
    .filter((text) => typeof text === "string")
    .flatMap((text) => text.split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length <= maxNames) return names;
  throw new ScimError(
    400,
    "invalidValue",
    `${parameter}: got ${String(names.length)} names, but expected at most ${String(maxNames)}`,
  );
}

function buildTree(schema: ResourceSchema, names: readonly string[]): Tree {
  const tree: Tree = new Map();
  for (const name of names) {
    const path = resolvePath(schema, name);
    if (typeof path !== "object") continue;
    const { extension, attribute, sub } = path;
    const steps = [extension?.urn, attribute?.name, sub?.name].filter((step) => step !== undefined);
    insert(tree, steps);
  }
  return tree;
}

function insert(tree: Tree, steps: readonly string[]): void {
  let node = tree;
  for (const [index, step] of steps.entries()) {
    const below = node.get(step);
    if (below === true) return;
    if (index === steps.length - 1) {
      node.set(step, true);
      return;
    }
    const next = below ?? new Map<string, Tree | true>();
    node.set(step, next);
    node = next;
  }
}
