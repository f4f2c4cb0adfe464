import type { Json } from "./json.ts";

/**
 * The one byte form of a JSON value (RFC 8785): no white space, keys in UTF-16 order, numbers and strings as ECMAScript writes
 * them. Members that are undefined are left out, as if they had never been there.
 * @throws TypeError for what JSON cannot say: a number that is not finite, half of a surrogate pair
 */
export function canonicalJson(value: Json): string {
  if (typeof value === "string") return canonicalString(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`JSON has no number ${String(value)}`);
    return JSON.stringify(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${canonicalString(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(",")}}`;
}

function canonicalString(text: string): string {
  // RFC 8785 §3.2.2.2: what has no UTF-8 form has no canonical one.
  if (!text.isWellFormed())
    throw new TypeError("a string with half of a surrogate pair has no UTF-8 form");
  return JSON.stringify(text);
}

// Array.isArray does not narrow readonly arrays out of a union.
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
