import type { Json, JsonObject } from "../model/json.ts";
import type { Dropped } from "./dropped.ts";
import type { Attribute } from "./schema.ts";
import { ScimError } from "./scim-error.ts";

/** In UTF-16 units. Generous for a certificate or a photo as a data URI; a body may hold more than one. */
export const maxTextLength = 65_536;
/** userName, displayName, externalId and ids are compared, indexed and shown. */
export const maxNameLength = 1_024;
/** Elements of one multi-valued attribute of a person. */
export const maxElements = 1_000;

const shortTexts: ReadonlySet<string> = new Set(["userName", "displayName", "externalId"]);

/**
 * Makes one untrusted value into the canonical form of its attribute: canonical names, real booleans, objects where objects
 * belong, nothing read-only, nothing unknown.
 * @returns undefined for "no value": null, [] and, where an object, reference, date or boolean belongs, ""
 * @throws ScimError 400 invalidValue that says which attribute, what was got and what to send
 */
export function coerceValue(
  attribute: Attribute,
  value: unknown,
  dropped: Dropped,
): Json | undefined {
  if (value === null || value === undefined) return undefined;
  if (attribute.multiValued) return coerceList(attribute, value, dropped);
  if (attribute.type === "complex") return coerceSingleComplex(attribute, value, dropped);
  return coerceSimple(attribute, value);
}

/** Like {@link coerceValue}, for a multi-valued attribute; a lone element counts as a list of one. */
export function coerceList(
  attribute: Attribute,
  value: unknown,
  dropped: Dropped,
): readonly JsonObject[] | undefined {
  const source: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (source.length > maxElements) {
    throw invalid(
      attribute,
      `a list of ${String(source.length)} elements`,
      `at most ${String(maxElements)}`,
    );
  }
  const elements: JsonObject[] = [];
  let primarySeen = false;
  for (const item of source) {
    let element = coerceElement(attribute, item, dropped);
    if (element === undefined) continue;
    if (element["primary"] === true) {
      // RFC 7643 section 2.4: true at most once. PingOne sends two; the first one wins.
      if (primarySeen) element = { ...element, primary: false };
      primarySeen = true;
    }
    elements.push(element);
  }
  return elements.length === 0 ? undefined : elements;
}

/** One element of a multi-valued complex attribute; a bare text becomes its `value`. */
export function coerceElement(
  attribute: Attribute,
  value: unknown,
  dropped: Dropped,
): JsonObject | undefined {
  if (value === null || value === undefined || value === "") return undefined;
  if (typeof value === "string" && attribute.subAttributes.has("value")) {
    return coerceElement(attribute, { value }, dropped);
  }
  if (typeof value !== "object" || Array.isArray(value)) {
    throw invalid(attribute, describe(value), expectedObject(attribute));
  }
  const element = coerceObject(attribute, value as Record<string, unknown>, dropped);
  return element !== undefined && attribute.name === "roles" ? readRoleText(element) : element;
}

function coerceSingleComplex(
  attribute: Attribute,
  value: unknown,
  dropped: Dropped,
): JsonObject | undefined {
  if (Array.isArray(value)) {
    // Entra's older form of a manager: [{ "$ref": …, "value": … }].
    const items = value.filter((item) => item !== null && item !== "") as unknown[];
    if (items.length > 1) {
      throw invalid(attribute, `a list of ${String(items.length)}`, "one object");
    }
    return items.length === 0 ? undefined : coerceSingleComplex(attribute, items[0], dropped);
  }
  const element = coerceElement(attribute, value, dropped);
  // A reference to nobody is how Entra removes a manager.
  return element?.["value"] === "" ? undefined : element;
}

function coerceObject(
  attribute: Attribute,
  value: Record<string, unknown>,
  dropped: Dropped,
): JsonObject | undefined {
  const result: Record<string, Json> = {};
  let empty = true;
  for (const key of Object.keys(value)) {
    const sub = findSub(attribute, key);
    if (sub === undefined) {
      dropped.add(`${attribute.path}.${key}`);
      continue;
    }
    if (sub.mutability === "readOnly") continue;
    const coerced = coerceValue(sub, value[key], dropped);
    if (coerced === undefined) continue;
    result[sub.name] = coerced;
    empty = false;
  }
  return empty ? undefined : result;
}

function findSub(attribute: Attribute, key: string): Attribute | undefined {
  const lower = key.toLowerCase();
  const sub = attribute.subAttributes.get(lower);
  if (sub !== undefined || lower !== "displayname") return sub;
  // Entra writes `displayName` in roles where the schema has `display`.
  return attribute.multiValued ? attribute.subAttributes.get("display") : undefined;
}

/** Entra's SingleAppRoleAssignment puts a whole app role as JSON text into `value`. */
function readRoleText(element: JsonObject): JsonObject {
  const text = element["value"];
  if (typeof text !== "string" || !text.startsWith("{")) return element;
  let role: unknown;
  try {
    role = JSON.parse(text);
  } catch {
    // Not JSON after all: a role may be called anything, so it stays as it was sent.
    return element;
  }
  const { value, displayName } = role as { value?: unknown; displayName?: unknown };
  if (!isPlainText(value)) return element;
  return { ...element, value, ...(isPlainText(displayName) ? { display: displayName } : {}) };
}

function isPlainText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && textProblem(value) === undefined;
}

function coerceSimple(attribute: Attribute, value: unknown): Json | undefined {
  switch (attribute.type) {
    case "boolean":
      return coerceBoolean(attribute, value);
    case "integer":
    case "decimal":
      return coerceNumber(attribute, value);
    case "dateTime":
      return coerceDateTime(attribute, value);
    case "reference":
      return value === "" ? undefined : coerceText(attribute, value);
    case "string":
    case "binary":
      return coerceText(attribute, value);
    case "complex":
      throw new Error(`${attribute.path} is complex and cannot be read as a simple value.`);
  }
}

function coerceBoolean(attribute: Attribute, value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (value === "") return undefined;
  const read = typeof value === "string" ? readBoolean(value) : undefined;
  if (read === undefined) throw invalid(attribute, describe(value), "true or false");
  return read;
}

/** Entra writes booleans as "True" and "False". */
export function readBoolean(text: string): boolean | undefined {
  if (text.length > 5) return undefined;
  const lower = text.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}

const integerText = /^-?\d{1,16}$/;
const decimalText = /^-?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?$/;

/** Identity providers that map every attribute as a text write numbers as one (RFC 7643 sections 2.3.3 and 2.3.4). */
function coerceNumber(attribute: Attribute, value: unknown): number | undefined {
  if (value === "") return undefined;
  const whole = attribute.type === "integer";
  const read = readNumber(value, whole);
  if (read === undefined) {
    throw invalid(attribute, describe(value), whole ? "a whole number below 2^53" : "a number");
  }
  return read;
}

/** A number, or a text that is one; undefined: neither, or too large to be kept exactly. */
export function readNumber(value: unknown, whole: boolean): number | undefined {
  const form = whole ? integerText : decimalText;
  const number = typeof value === "string" && form.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) return undefined;
  const exact = Number.isSafeInteger(number) || (!whole && !Number.isInteger(number));
  // JSON has no negative zero that every database gives back.
  return exact ? number + 0 : undefined;
}

const isoDateTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

function coerceDateTime(attribute: Attribute, value: unknown): string | undefined {
  if (value === "") return undefined;
  const at = typeof value === "string" && isoDateTime.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(at)) {
    throw invalid(attribute, describe(value), "a date and time such as 2026-01-31T09:00:00Z");
  }
  return new Date(at).toISOString();
}

function coerceText(attribute: Attribute, value: unknown): string {
  if (typeof value !== "string") throw invalid(attribute, describe(value), "text in quotes");
  const problem = textProblem(
    value,
    shortTexts.has(attribute.path) ? maxNameLength : maxTextLength,
  );
  if (problem !== undefined) throw invalid(attribute, problem.got, problem.expected);
  return value;
}

/** Why a text cannot be stored, or undefined. */
export function textProblem(
  text: string,
  maxLength = maxTextLength,
): { readonly got: string; readonly expected: string } | undefined {
  if (text.length > maxLength) {
    return {
      got: `text of ${String(text.length)} characters`,
      expected: `at most ${String(maxLength)}`,
    };
  }
  if (text.includes("\0")) {
    return { got: "text with a NUL character", expected: "the text without it" };
  }
  if (!text.isWellFormed()) {
    return { got: "text with half a surrogate pair", expected: "well-formed Unicode" };
  }
  return undefined;
}

function expectedObject(attribute: Attribute): string {
  const names = [...attribute.subAttributes.values()]
    .filter((sub) => sub.mutability !== "readOnly")
    .map((sub) => sub.name);
  return `an object with ${names.join(", ")}`;
}

function invalid(attribute: Attribute, got: string, expected: string): ScimError {
  return new ScimError(
    400,
    "invalidValue",
    `${attribute.path}: got ${got}, but expected ${expected}`,
  );
}

/** What a value is, for an error text: its kind, and itself where it is short and harmless. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return "no value";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "number") return `the number ${String(value)}`;
  if (typeof value === "boolean") return `the boolean ${String(value)}`;
  if (typeof value !== "string") return `a ${typeof value}`;
  return value.length > 40 ? "a long text" : `the text ${JSON.stringify(value.toWellFormed())}`;
}
