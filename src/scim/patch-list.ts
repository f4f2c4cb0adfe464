import { fold } from "../model/fold.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { coerceElement, coerceList, coerceValue, maxElements } from "./coerce-value.ts";
import type { Dropped } from "./dropped.ts";
import { matchesElement, seedOf } from "./element-match.ts";
import type { Filter } from "./filter.ts";
import type { Attribute } from "./schema.ts";
import { ScimError } from "./scim-error.ts";

/** What one operation, or one key of its path-less value, does to one attribute. */
export interface Change {
  readonly op: "add" | "replace" | "remove";
  readonly value: unknown;
  /** Whether the attribute was named by a path, not by a key of a value. */
  readonly explicit: boolean;
  readonly dropped: Dropped;
}

/**
 * A multi-valued attribute of a person after one change. `filter` picks elements, `sub` a part of each.
 * @throws ScimError 400 invalidPath, invalidValue, noTarget
 */
export function patchList(
  attribute: Attribute,
  list: readonly JsonObject[],
  sub: Attribute | undefined,
  filter: Filter | undefined,
  change: Change,
): readonly JsonObject[] {
  const next =
    filter === undefined && sub === undefined
      ? patchWhole(attribute, list, change)
      : patchElements(attribute, list, sub, filter, change);
  if (next.length <= maxElements) return next;
  throw new ScimError(
    400,
    "invalidValue",
    `${attribute.path}: would hold ${String(next.length)} elements, but at most ${String(maxElements)} are kept`,
  );
}

function patchWhole(
  attribute: Attribute,
  list: readonly JsonObject[],
  change: Change,
): readonly JsonObject[] {
  const { op, value, dropped } = change;
  if (op === "remove") {
    // Without values the whole attribute goes; an empty list of values names none.
    if (value === undefined || value === null || value === "") return [];
    return removeListed(list, coerceList(attribute, value, dropped) ?? []);
  }
  const given = coerceList(attribute, value, dropped) ?? [];
  return op === "replace" ? given : addListed(list, given);
}

/** An element that is there already (same value and type) takes the new parts; the others follow in order. */
function addListed(
  list: readonly JsonObject[],
  added: readonly JsonObject[],
): readonly JsonObject[] {
  const result = [...list];
  const positions = new Map<string, number>();
  const register = (element: JsonObject, index: number): void => {
    for (const key of keysOf(element)) if (!positions.has(key)) positions.set(key, index);
  };
  for (const [index, element] of list.entries()) register(element, index);
  let primary: number | undefined;
  for (const element of added) {
    const known = positions.get(exactKey(element));
    const index = known ?? result.length;
    result[index] = { ...result[index], ...element };
    if (known === undefined) register(element, index);
    if (element["primary"] === true) primary = index;
  }
  return primary === undefined ? result : demoteOthers(result, primary);
}

function removeListed(
  list: readonly JsonObject[],
  removed: readonly JsonObject[],
): readonly JsonObject[] {
  const keys = new Set(removed.map(exactKey));
  return list.filter((element) => !keysOf(element).some((key) => keys.has(key)));
}

/** An element answers to its value with its type, and to its value alone. */
function keysOf(element: JsonObject): readonly string[] {
  const exact = exactKey(element);
  const value = element["value"];
  return typeof value === "string" && element["type"] !== undefined
    ? [exact, JSON.stringify([fold(value)])]
    : [exact];
}

function exactKey(element: JsonObject): string {
  const { value, type } = element;
  if (typeof value === "string") {
    return JSON.stringify(typeof type === "string" ? [fold(value), fold(type)] : [fold(value)]);
  }
  const parts = Object.entries(element).filter(([name]) => name !== "primary");
  return JSON.stringify(parts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** RFC 7644 section 3.5.2: a new primary takes the place of the old one. */
function demoteOthers(list: readonly JsonObject[], primary: number): readonly JsonObject[] {
  return list.map((element, index) =>
    index !== primary && element["primary"] === true ? { ...element, primary: false } : element,
  );
}

function patchElements(
  attribute: Attribute,
  list: readonly JsonObject[],
  sub: Attribute | undefined,
  filter: Filter | undefined,
  change: Change,
): readonly JsonObject[] {
  const result: JsonObject[] = [];
  let matched = false;
  let primary: number | undefined;
  for (const element of list) {
    if (filter !== undefined && !matchesElement(attribute, element, filter)) {
      result.push(element);
      continue;
    }
    matched = true;
    const next = patchElement(attribute, element, sub, filter, change);
    if (next === undefined) continue;
    if (next["primary"] === true) primary ??= result.length;
    result.push(next);
  }
  if (!matched && change.op !== "remove") {
    const created = createElement(attribute, sub, filter, change);
    if (created !== undefined) {
      if (created["primary"] === true) primary = result.length;
      result.push(created);
    }
  }
  return primary === undefined ? result : demoteOthers(result, primary);
}

/**
 * RFC 7644 section 3.5.2.3 answers noTarget here; Entra relies on the element being made with its type, and one refusal
 * would lose every other change of the request.
 */
function createElement(
  attribute: Attribute,
  sub: Attribute | undefined,
  filter: Filter | undefined,
  change: Change,
): JsonObject | undefined {
  if (change.value === null) return undefined;
  const seed = filter === undefined ? {} : seedOf(attribute, filter);
  if (seed === undefined) {
    throw new ScimError(
      400,
      "noTarget",
      `${attribute.path}: no element meets the filter, and only a filter of equalities such as [type eq "work"] says how to make one`,
    );
  }
  const element = coerceElement(attribute, seed, change.dropped) ?? {};
  const made = patchElement(attribute, element, sub, undefined, { ...change, op: "add" });
  return made !== undefined && isHollow(made) ? undefined : made;
}

/** @returns undefined where nothing of the element is left */
function patchElement(
  attribute: Attribute,
  element: JsonObject,
  sub: Attribute | undefined,
  filter: Filter | undefined,
  change: Change,
): JsonObject | undefined {
  const { op, value, dropped } = change;
  if (sub === undefined) {
    if (op === "remove") return undefined;
    const alone: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
    const given = coerceElement(attribute, alone, dropped);
    if (given === undefined) return op === "add" ? element : undefined;
    if (op === "add") return { ...element, ...given };
    const seed = filter === undefined ? {} : seedOf(attribute, filter);
    const { primary } = element;
    return { ...seed, ...(primary === undefined ? {} : { primary }), ...given };
  }
  const next: Record<string, Json | undefined> = { ...element };
  const given = op === "remove" ? undefined : coerceValue(sub, value, dropped);
  if (given === undefined) {
    if (op === "add") return element;
    delete next[sub.name];
    return sub.name === "value" || isHollow(next) ? undefined : next;
  }
  next[sub.name] = given;
  return coerceElement(attribute, next, dropped);
}

/** A type and a primary mark of nothing. */
function isHollow(element: JsonObject): boolean {
  return Object.keys(element).every((name) => name === "type" || name === "primary");
}
