import type { ScimTarget } from "../../model/scim-target.ts";
import { elementPath } from "./filter.ts";
import type { PatchOperation } from "./patch.ts";
import { attributeOf, type ScimUser } from "./wire.ts";

/** What the role attribute must gain and lose. What nobody named stays, whoever put it there. */
export interface RoleChange {
  readonly give: readonly string[];
  readonly take: readonly string[];
}

/** The change that leaves the user with this one role of the catalogue. */
export function onlyRole(found: ScimUser, role: string, target: ScimTarget): RoleChange {
  const { catalogue, style } = target.roles;
  // An attribute with one value holds no second that would have to be kept.
  const ours = (name: string) => style === "single" || Object.hasOwn(catalogue, name);
  return {
    give: found.roles.includes(role) ? [] : [role],
    take: found.roles.filter((name) => name !== role && ours(name)),
  };
}

export function isNothing(change: RoleChange): boolean {
  return change.give.length === 0 && change.take.length === 0;
}

/** The role attribute as it is after the change: for writes of the whole, and for new users. */
export function rolesAfter(
  found: Pick<ScimUser, "raw" | "roles">,
  change: RoleChange,
  target: ScimTarget,
): unknown {
  const { style, attribute } = target.roles;
  if (style === "single") return change.give[0] ?? null;
  const before = attributeOf(found.raw, attribute);
  const kept = (Array.isArray(before) ? (before as readonly unknown[]) : []).filter(
    (item) => !change.take.includes(nameOf(item)),
  );
  return [...kept, ...change.give.map((name) => (style === "strings" ? name : { value: name }))];
}

/**
 * The change as PATCH operations. A role is never taken by an operation that could mean all of them: it is named in the path, or the
 * rest is written as a whole.
 */
export function roleOperations(
  found: ScimUser,
  change: RoleChange,
  target: ScimTarget,
): readonly PatchOperation[] {
  const { attribute: path, remove, style } = target.roles;
  if (isNothing(change)) return [];
  const whole = style !== "objects" || (remove === "replace" && change.take.length > 0);
  if (whole) return [{ op: "replace", path, value: rolesAfter(found, change, target) }];
  return [
    ...(change.give.length === 0
      ? []
      : [{ op: "add" as const, path, value: change.give.map((value) => ({ value })) }]),
    ...change.take.map((name) => ({ op: "remove" as const, path: elementPath(path, name) })),
  ];
}

function nameOf(item: unknown): string {
  if (typeof item === "string") return item;
  if (typeof item !== "object" || item === null) return "";
  const value = attributeOf(item as Readonly<Record<string, unknown>>, "value");
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
