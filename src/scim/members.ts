import { describe, maxNameLength, textProblem } from "./coerce-value.ts";
import type { Dropped } from "./dropped.ts";
import { ScimError } from "./scim-error.ts";

/** Member ids in one request; a body of 32 MiB holds fewer in every form that identity providers send. */
export const maxMembers = 500_000;

/**
 * The ids that a `members` value names, in order, without doubles: `[{ value }]` with whatever else beside it (`$ref: null`,
 * `display`, `type`), bare texts, or one element without the list. Elements that name nobody are reported, not refused:
 * the identity provider would lose the others with them.
 * @throws ScimError 400 invalidValue for an element that cannot be an id, and where all of them name nobody
 */
export function readMemberIds(value: unknown, dropped: Dropped): readonly string[] {
  if (value === null || value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > maxMembers) {
    throw new ScimError(
      413,
      "tooMany",
      `members: got ${String(list.length)} members, but expected at most ${String(maxMembers)} in one request`,
    );
  }
  const ids = new Set<string>();
  for (const [index, item] of list.entries()) {
    const id = memberId(item);
    if (id === undefined || id === null || id === "") {
      dropped.add(`members[${String(index)}] without value`);
      continue;
    }
    ids.add(checkMemberId(id, `members[${String(index)}].value`));
  }
  if (list.length > 0 && ids.size === 0) {
    // Read as "nobody", a replacement would empty the group.
    throw new ScimError(
      400,
      "invalidValue",
      'members: got elements without a value, but expected [{ "value": "id" }]; [] means nobody',
    );
  }
  return [...ids];
}

/** @throws ScimError 400 invalidValue */
export function checkMemberId(id: unknown, place: string): string {
  if (typeof id !== "string") {
    throw new ScimError(
      400,
      "invalidValue",
      `${place}: got ${describe(id)}, but expected the id of a user or group as text`,
    );
  }
  const problem = textProblem(id, maxNameLength);
  if (problem === undefined) return id;
  throw new ScimError(
    400,
    "invalidValue",
    `${place}: got ${problem.got}, but expected ${problem.expected}`,
  );
}

function memberId(item: unknown): unknown {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
  if (Object.hasOwn(item, "value")) return (item as { value: unknown }).value;
  const key = Object.keys(item).find((name) => name.toLowerCase() === "value");
  return key === undefined ? undefined : (item as Record<string, unknown>)[key];
}
