import { fold } from "../../model/fold.ts";
import { refuse } from "./refusal.ts";
import type { Quirks } from "./truth.ts";

/** What a filter asks of one resource: the values of an attribute by its lower-case path. */
export type ValuesOf<T> = (item: T, path: string) => readonly string[];

const form = /^([A-Za-z][A-Za-z0-9.$:_-]*)\s+eq\s+("(?:[^"\\]|\\.)*"|true|false|\d+)$/i;
/** Attributes that compare to the letter (RFC 7643 §3.1, §4.1). */
const exact = ["id", "externalid", "members.value"];

/**
 * `attribute eq "value"`, joined by `and`: all that provisioning clients send (RFC 7644 §3.4.2.2).
 * @throws Refusal 400 invalidFilter
 */
export function narrow<T>(
  quirks: Quirks,
  items: readonly T[],
  text: string,
  valuesOf: ValuesOf<T>,
): readonly T[] {
  const parts = text.trim().split(/\s+and\s+(?=[A-Za-z][A-Za-z0-9.$:_-]*\s+eq\s)/i);
  let found = items;
  for (const part of parts) {
    const match = form.exec(part.trim());
    const path = match?.[1]?.toLowerCase();
    const literal = match?.[2];
    if (path === undefined || literal === undefined) {
      throw refuse(quirks, 400, "The filter cannot be read", "invalidFilter");
    }
    if (!quirks.filters.some((name) => name.toLowerCase() === path)) {
      if (quirks.unknownFilter === "ignore") continue;
      throw refuse(quirks, 400, `Filtering by ${path} is not supported`, "invalidFilter");
    }
    const value = String(JSON.parse(literal) as unknown);
    const same = exact.includes(path) || quirks.caseExact ? (one: string) => one : fold;
    found = found.filter((item) => valuesOf(item, path).some((one) => same(one) === same(value)));
  }
  return found;
}
