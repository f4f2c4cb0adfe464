import type { Json, JsonObject } from "../model/json.ts";
import { canonicalJson, compareText } from "./canonical.ts";

/** What differs between two documents of one connection, as it is stored with a version and shown to who approves it. */
export interface MappingChanges {
  /** Everything but rules, by path: `mode`, `timing.grace`. */
  readonly head: readonly {
    readonly path: string;
    readonly from: Json | null;
    readonly to: Json | null;
  }[];
  /** By rule id; the order of rules means nothing and is no change. */
  readonly rules: readonly {
    readonly id: string;
    readonly change: "added" | "removed" | "changed";
    readonly from: Json | null;
    readonly to: Json | null;
  }[];
}

/** @param before undefined: there was none */
export function changesBetween(before: JsonObject | undefined, after: JsonObject): MappingChanges {
  return { head: headChanges(before ?? {}, after), rules: ruleChanges(before, after) };
}

/** One line a change, for people. */
export function renderChanges(changes: MappingChanges): readonly string[] {
  const text = (value: Json | null) => (value === null ? "nothing" : JSON.stringify(value));
  return [
    ...changes.head.map(({ path, from, to }) => `${path}: ${text(from)} → ${text(to)}`),
    ...changes.rules.map(({ id, change, from, to }) =>
      change === "changed"
        ? `rule ${id}: ${text(from)} → ${text(to)}`
        : `rule ${id} ${change}: ${text(to ?? from)}`,
    ),
  ];
}

function headChanges(before: JsonObject, after: JsonObject): MappingChanges["head"] {
  const from = leavesOf(before);
  const to = leavesOf(after);
  return [...new Set([...from.keys(), ...to.keys()])]
    .sort(compareText)
    .map((path) => ({ path, from: from.get(path) ?? null, to: to.get(path) ?? null }))
    .filter((item) => canonicalJson(item.from) !== canonicalJson(item.to));
}

/** Values by path; a list is one value. Rules are compared by id instead. */
function leavesOf(document: JsonObject): ReadonlyMap<string, Json> {
  const leaves = new Map<string, Json>();
  const walk = (value: Json, path: string): void => {
    if (isObject(value)) {
      for (const [key, item] of Object.entries(value))
        if (item !== undefined && path + key !== "rules") walk(item, `${path}${key}.`);
    } else leaves.set(path.slice(0, -1), value);
  };
  walk(document, "");
  return leaves;
}

function ruleChanges(before: JsonObject | undefined, after: JsonObject): MappingChanges["rules"] {
  const from = rulesOf(before);
  const to = rulesOf(after);
  return [...new Set([...from.keys(), ...to.keys()])].sort(compareText).flatMap((id) => {
    const [old, now] = [from.get(id) ?? null, to.get(id) ?? null];
    if (canonicalJson(old) === canonicalJson(now)) return [];
    const change = old === null ? "added" : now === null ? "removed" : "changed";
    return [{ id, change, from: old, to: now } as const];
  });
}

function rulesOf(document: JsonObject | undefined): ReadonlyMap<string, Json> {
  const rules = document?.["rules"];
  if (!Array.isArray(rules)) return new Map();
  return new Map(
    (rules as readonly Json[]).flatMap((rule) =>
      isObject(rule) && typeof rule["id"] === "string" ? [[rule["id"], rule] as const] : [],
    ),
  );
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
