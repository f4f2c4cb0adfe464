import { fold } from "../model/fold.ts";
import type { JsonObject } from "../model/json.ts";
import { readBoolean, readNumber } from "./coerce-value.ts";
import type { Filter, FilterValue } from "./filter.ts";
import type { Attribute } from "./schema.ts";
import { ScimError } from "./scim-error.ts";

/**
 * Whether one element of a multi-valued attribute meets the filter in the brackets of a path. Text compares folded unless
 * the sub-attribute is caseExact; booleans may be written as text (`roles[primary eq "True"]`).
 * @throws ScimError 400 invalidPath for a sub-attribute that the attribute does not have
 */
export function matchesElement(attribute: Attribute, element: JsonObject, filter: Filter): boolean {
  switch (filter.op) {
    case "and":
      return filter.of.every((part) => matchesElement(attribute, element, part));
    case "or":
      return filter.of.some((part) => matchesElement(attribute, element, part));
    case "not":
      return !matchesElement(attribute, element, filter.of);
    case "present": {
      const value = element[findSub(attribute, filter.path).name];
      return value !== undefined && value !== "";
    }
    case "compare": {
      const sub = findSub(attribute, filter.path);
      return compare(sub, element[sub.name], filter.test, filter.value);
    }
    case "element":
      throw new ScimError(
        400,
        "invalidPath",
        `${attribute.name}: expected no brackets inside brackets, but got ${filter.path}[…]`,
      );
  }
}

/** @throws ScimError 400 invalidPath */
export function findSub(attribute: Attribute, name: string): Attribute {
  const sub = attribute.subAttributes.get(name.toLowerCase());
  if (sub !== undefined) return sub;
  const known = [...attribute.subAttributes.values()].map((item) => item.name).join(", ");
  throw new ScimError(
    400,
    "invalidPath",
    `${attribute.path} has no sub-attribute ${JSON.stringify(name.slice(0, 100))}, but ${known}`,
  );
}

/**
 * What an element has to hold so that the filter finds it: `{ type: "work" }` for `type eq "work"`.
 * undefined where the filter does not say it by equalities alone.
 */
export function seedOf(
  attribute: Attribute,
  filter: Filter,
): Record<string, FilterValue> | undefined {
  if (filter.op === "compare") {
    if (filter.test !== "eq" || filter.value === null) return undefined;
    const sub = findSub(attribute, filter.path);
    return { [sub.name]: literalOf(sub, filter.value) };
  }
  if (filter.op !== "and") return undefined;
  let seed: Record<string, FilterValue> = {};
  for (const part of filter.of) {
    const more = seedOf(attribute, part);
    if (more === undefined) return undefined;
    seed = { ...seed, ...more };
  }
  return seed;
}

function literalOf(sub: Attribute, value: FilterValue): FilterValue {
  if (typeof value !== "string") return value;
  if (sub.type === "boolean") return readBoolean(value) ?? value;
  if (sub.type === "integer" || sub.type === "decimal") return readNumber(value, false) ?? value;
  return value;
}

function compare(
  sub: Attribute,
  stored: unknown,
  test: Extract<Filter, { op: "compare" }>["test"],
  value: FilterValue,
): boolean {
  const literal = literalOf(sub, value);
  if (test === "ne") return !equals(sub, stored, literal);
  if (test === "eq") return equals(sub, stored, literal);
  if (typeof stored === "number" && typeof literal === "number")
    return comparesNumbers(test, stored, literal);
  if (typeof stored !== "string" || typeof literal !== "string") return false;
  const left = sub.caseExact ? stored : fold(stored);
  const right = sub.caseExact ? literal : fold(literal);
  switch (test) {
    case "co":
      return left.includes(right);
    case "sw":
      return left.startsWith(right);
    case "ew":
      return left.endsWith(right);
    case "gt":
      return left > right;
    case "ge":
      return left >= right;
    case "lt":
      return left < right;
    case "le":
      return left <= right;
  }
}

function comparesNumbers(test: string, stored: number, literal: number): boolean {
  if (test === "gt") return stored > literal;
  if (test === "ge") return stored >= literal;
  if (test === "lt") return stored < literal;
  return test === "le" && stored <= literal;
}

function equals(sub: Attribute, stored: unknown, literal: FilterValue): boolean {
  if (literal === null) return stored === undefined;
  // RFC 7643 section 2.4: an absent `primary` is false.
  if (sub.type === "boolean") return (stored ?? false) === literal;
  if (typeof stored !== "string" || typeof literal !== "string") return stored === literal;
  return sub.caseExact ? stored === literal : fold(stored) === fold(literal);
}
