import type { JsonObject } from "../model/json.ts";
import { oneOf } from "./nearest.ts";
import type { Path, Problem } from "./problem.ts";
import {
  bounds,
  type Condition,
  type GrantEntry,
  type MappingFile,
  type MappingRule,
} from "./schema.ts";

/** A grant as rules mean it: bundles and placeholders are gone. */
export type PlainGrant = GrantEntry & { readonly kind: string; readonly role: string };
export type PlainRule = Omit<MappingRule, "grant"> & { readonly grant?: PlainGrant[] | undefined };
export type PlainMapping = Omit<MappingFile, "rules"> & { readonly rules: PlainRule[] };

export interface Expansion {
  /** The file with plain rules only: what is stored as the document of a version. */
  readonly mapping: PlainMapping;
  /** Where in the written file each rule and each of its grants comes from, by index. */
  readonly origins: readonly { readonly rule: Path; readonly grants: readonly Path[] }[];
  readonly problems: readonly Problem[];
}

type Values = ReadonlyMap<string, { readonly key: string; readonly value: string }>;

const used = /\{([a-z][a-z0-9_-]{0,63})\}/g;

/** Writes bundles and placeholders out into plain rules; ids of expanded rules get the values as suffix, in the order of the declaration. */
export function expandMapping(file: MappingFile): Expansion {
  const problems: Problem[] = [];
  const declared = declaredValues(file);
  const rules: PlainRule[] = [];
  const origins: { rule: Path; grants: readonly Path[] }[] = [];
  let total = 0;
  file.rules.forEach((written, index) => {
    const path = ["rules", index];
    const { rule, grants } = inlineBundles(file, withIdp(written), path, problems);
    const names = placeholdersOf(rule);
    const unknown = names.filter((name) => !declared.has(name));
    for (const name of unknown) {
      problems.push({
        path,
        message: `the placeholder {${name}} is not declared: ${oneOf(name, [...declared.keys()])}, or add it below \`placeholders:\``,
      });
    }
    if (unknown.length > 0) return;
    const order = [...declared.keys()].filter((name) => names.includes(name));
    const count = order.reduce((product, name) => product * (declared.get(name)?.length ?? 0), 1);
    total += count;
    if (total > bounds.rules) {
      problems.push({
        path,
        message: `expands to ${String(count)} rules, which brings the file above ${String(bounds.rules)}: use fewer values or split the file`,
      });
      return;
    }
    for (const values of combinations(order, declared)) {
      rules.push(values.size === 0 ? rule : filled(rule, values));
      origins.push({ rule: path, grants });
    }
  });
  const { bundles: _bundles, placeholders: _placeholders, ...head } = file;
  return { mapping: { ...head, rules }, origins, problems };
}

/** The expanded mapping as a stored document: only what JSON can say. */
export function documentOf(mapping: PlainMapping): JsonObject {
  return JSON.parse(JSON.stringify(mapping)) as JsonObject;
}

function declaredValues(
  file: MappingFile,
): ReadonlyMap<string, readonly { readonly key: string; readonly value: string }[]> {
  return new Map(
    Object.entries(file.placeholders ?? {}).map(([name, values]) => [
      name,
      Array.isArray(values)
        ? values.map((value) => ({ key: value, value }))
        : Object.entries(values).map(([key, value]) => ({ key, value })),
    ]),
  );
}

/** The rule's `idp:` said where it counts: at each group that does not name its own. */
function withIdp(rule: MappingRule): MappingRule {
  if (rule.idp === undefined) return rule;
  const idp = rule.idp;
  const { idp: _idp, ...rest } = rule;
  return {
    ...rest,
    when: mapConditions(rule.when, (leaf) =>
      leaf.group === undefined || leaf.idp !== undefined ? leaf : { ...leaf, idp },
    ),
  };
}

function mapConditions(node: Condition, change: (leaf: Condition) => Condition): Condition {
  if (node.all !== undefined) return { all: node.all.map((item) => mapConditions(item, change)) };
  if (node.any !== undefined) return { any: node.any.map((item) => mapConditions(item, change)) };
  if (node.not !== undefined) return { not: mapConditions(node.not, change) };
  return change(node);
}

function inlineBundles(
  file: MappingFile,
  rule: MappingRule,
  path: Path,
  problems: Problem[],
): { readonly rule: PlainRule; readonly grants: readonly Path[] } {
  const { grant: written, ...rest } = rule;
  if (written === undefined) return { rule: rest, grants: [] };
  const grant: PlainGrant[] = [];
  const grants: Path[] = [];
  const add = (entry: GrantEntry, origin: Path) => {
    if (entry.kind === undefined || entry.role === undefined) return;
    grant.push({ ...entry, kind: entry.kind, role: entry.role });
    grants.push(origin);
  };
  written.forEach((entry, index) => {
    const origin = [...path, "grant", index];
    if (entry.bundle === undefined) {
      add(entry, origin);
      return;
    }
    const bundle = (file.bundles ?? {})[entry.bundle];
    if (bundle === undefined) {
      const known = Object.keys(file.bundles ?? {});
      problems.push({
        path: [...origin, "bundle"],
        message: `there is no bundle "${entry.bundle}": ${oneOf(entry.bundle, known)}`,
      });
      return;
    }
    bundle.forEach((item, at) => {
      if (item.bundle !== undefined) {
        problems.push({
          path: ["bundles", entry.bundle ?? "", at],
          message: "a bundle cannot hold another bundle: list its grants",
        });
      }
      add(item, ["bundles", entry.bundle ?? "", at]);
    });
  });
  return { rule: { ...rest, grant }, grants };
}

function placeholdersOf(rule: PlainRule): string[] {
  const names = new Set<string>();
  const note = (text: unknown) => {
    if (typeof text !== "string") return;
    for (const match of text.matchAll(used)) names.add(match[1] ?? "");
  };
  mapConditions(rule.when, (leaf) => {
    note(leaf.group);
    note(leaf.equals);
    leaf.in?.forEach(note);
    return leaf;
  });
  for (const entry of [...(rule.grant ?? []), ...(rule.deny ?? [])]) {
    note(entry.name);
    note(entry.id);
    note(entry.role);
  }
  return [...names];
}

function* combinations(
  names: readonly string[],
  declared: ReturnType<typeof declaredValues>,
): Generator<Values> {
  const [first, ...rest] = names;
  if (first === undefined) {
    yield new Map();
    return;
  }
  for (const value of declared.get(first) ?? []) {
    for (const others of combinations(rest, declared)) yield new Map([[first, value], ...others]);
  }
}

function filled(rule: PlainRule, values: Values): PlainRule {
  const put = (text: string, side: "key" | "value") =>
    text.replace(used, (whole, name: string) => values.get(name)?.[side] ?? whole);
  const putKey = <T>(value: T) => (typeof value === "string" ? (put(value, "key") as T) : value);
  const entry = <
    T extends { name?: string | undefined; id?: string | undefined; role?: string | undefined },
  >(
    item: T,
  ): T => ({
    ...item,
    ...(item.name === undefined ? {} : { name: put(item.name, "value") }),
    ...(item.id === undefined ? {} : { id: put(item.id, "value") }),
    ...(item.role === undefined ? {} : { role: put(item.role, "value") }),
  });
  return {
    ...rule,
    id: [rule.id, ...[...values.values()].map(({ key }) => slug(key))].join("-"),
    when: mapConditions(rule.when, (leaf) => ({
      ...leaf,
      ...(leaf.group === undefined ? {} : { group: put(leaf.group, "key") }),
      ...(leaf.equals === undefined ? {} : { equals: putKey(leaf.equals) }),
      ...(leaf.in === undefined ? {} : { in: leaf.in.map(putKey) }),
    })),
    ...(rule.grant === undefined ? {} : { grant: rule.grant.map(entry) }),
    ...(rule.deny === undefined ? {} : { deny: rule.deny.map(entry) }),
  };
}

function slug(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "") || "value"
  );
}
