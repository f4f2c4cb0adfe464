import type { MemberChange } from "../directory/directory-store.ts";
import { coerceValue, describe } from "./coerce-value.ts";
import { Dropped } from "./dropped.ts";
import { type Filter, parseValuePath } from "./filter.ts";
import { checkMemberId, readMemberIds } from "./members.ts";
import type { PatchOperation } from "./patch-op.ts";
import { type Attribute, groupSchema, resolvePath } from "./schema.ts";
import { ScimError } from "./scim-error.ts";

/** What a PATCH of a group asks for: a difference, whatever the size of the group. Absent keys are unchanged. */
export interface GroupDelta {
  readonly displayName?: string;
  /** null clears. */
  readonly externalId?: string | null;
  /** In the order of the operations; neighbours of one kind are one change; a replace by [] empties the group. */
  readonly memberChanges: readonly MemberChange[];
  /** Paths that no schema of ours has; the caller logs them. */
  readonly dropped: readonly string[];
}

/**
 * Compiles the PATCH of a group to a delta without reading the group. Both forms of removal, `members[value eq "id"]` and a list
 * of values, take only whom they name; a remove of `members` that names nobody takes all (RFC 7644 section 3.5.2.2).
 * @throws ScimError 400 invalidPath, invalidValue, mutability that names the operation and its path
 */
export function compileGroupPatch(operations: readonly PatchOperation[]): GroupDelta {
  const draft = new DeltaDraft();
  for (const operation of operations) {
    try {
      compileOperation(draft, operation);
    } catch (error) {
      if (!(error instanceof ScimError)) throw error;
      const path = operation.path?.slice(0, 200).toWellFormed();
      throw error.within(`${operation.place}${path === undefined ? "" : ` (${path})`}`);
    }
  }
  return draft.finish();
}

type Op = PatchOperation["op"];

class DeltaDraft {
  readonly dropped = new Dropped();
  displayName: string | undefined;
  externalId: string | null | undefined;
  private changes: { readonly op: Op; readonly ids: Set<string> }[] = [];

  members(op: Op, ids: readonly string[]): void {
    // Whoever was named before a replacement of the whole list does not matter any more.
    if (op === "replace") this.changes = [];
    const last = this.changes.at(-1);
    if (last !== undefined && last.op === op) for (const id of ids) last.ids.add(id);
    else if (op === "replace" || ids.length > 0) this.changes.push({ op, ids: new Set(ids) });
  }

  finish(): GroupDelta {
    return {
      ...(this.displayName === undefined ? {} : { displayName: this.displayName }),
      ...(this.externalId === undefined ? {} : { externalId: this.externalId }),
      memberChanges: this.changes.map(({ op, ids }) => ({ op, memberIds: [...ids] })),
      dropped: this.dropped.paths,
    };
  }
}

function compileOperation(draft: DeltaDraft, operation: PatchOperation): void {
  const { op, path, value } = operation;
  if (path !== undefined) {
    compilePath(draft, op, path, value);
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
    const target = resolvePath(groupSchema, key);
    const attribute = typeof target === "object" && !target.sub ? target.attribute : undefined;
    if (attribute === undefined) draft.dropped.add(key);
    // Okta sends the group's own id beside its name; and a null list names nobody, least of all everybody.
    else if (attribute.mutability !== "readOnly" && source[key] !== null) {
      compileAttribute(draft, op, attribute, source[key]);
    }
  }
}

function compilePath(draft: DeltaDraft, op: Op, text: string, value: unknown): void {
  const { path: name, filter, sub } = parseValuePath(text);
  const target = resolvePath(groupSchema, name);
  if (target === "unknownSchema") {
    draft.dropped.add(text);
    return;
  }
  const attribute = typeof target === "object" ? target.attribute : undefined;
  if (typeof target !== "object" || attribute === undefined || target.sub !== undefined) {
    throw new ScimError(
      400,
      "invalidPath",
      "a Group has displayName, externalId, members and members[value eq …]",
    );
  }
  if (attribute.name === "schemas") return;
  if (attribute.mutability === "readOnly") {
    throw new ScimError(400, "mutability", `${attribute.path} is read-only`);
  }
  if (filter === undefined) {
    compileAttribute(draft, op, attribute, value);
    return;
  }
  if (attribute.name !== "members") {
    throw new ScimError(400, "invalidPath", "brackets go behind an attribute that has parts");
  }
  if (sub !== undefined || op === "replace") {
    throw new ScimError(
      400,
      "mutability",
      "the parts of a member cannot be changed; remove the member and add another",
    );
  }
  draft.members(op, memberIdsOf(filter));
}

function compileAttribute(draft: DeltaDraft, op: Op, attribute: Attribute, value: unknown): void {
  if (attribute.name === "members") {
    compileMembers(draft, op, value);
    return;
  }
  const coerced = op === "remove" ? undefined : coerceValue(attribute, value, draft.dropped);
  if (attribute.name === "externalId") {
    if (typeof coerced === "string") draft.externalId = coerced;
    else if (op !== "add") draft.externalId = null;
    return;
  }
  if (attribute.name !== "displayName") return;
  if (typeof coerced !== "string" || coerced.trim() === "") {
    throw new ScimError(
      400,
      "invalidValue",
      "displayName: a Group needs a displayName that is not empty; it can be replaced, not removed",
    );
  }
  draft.displayName = coerced;
}

function compileMembers(draft: DeltaDraft, op: Op, value: unknown): void {
  const nothing = value === undefined || value === null || value === "";
  if (op === "remove" && nothing) {
    draft.members("replace", []);
    return;
  }
  const ids = nothing ? [] : readMemberIds(value, draft.dropped);
  draft.members(op, ids);
}

/** `value eq "a"`, and several of them joined by `or`. */
function memberIdsOf(filter: Filter): readonly string[] {
  const parts = filter.op === "or" ? filter.of : [filter];
  return parts.map((part) => {
    if (part.op === "compare" && part.test === "eq" && part.path.toLowerCase() === "value") {
      return checkMemberId(part.value, "members[value eq …]");
    }
    throw new ScimError(
      400,
      "invalidPath",
      'members can be picked by their ids only: members[value eq "id"], joined by "or"',
    );
  });
}
