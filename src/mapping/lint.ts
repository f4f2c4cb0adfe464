import type { VendorObject } from "../model/account.ts";
import { fold } from "../model/fold.ts";
import type { ConnectionPolicy } from "../model/policy.ts";
import { isAt } from "./bind.ts";
import { claimKey } from "./claim-key.ts";
import type { CompiledMapping } from "./compile.ts";
import { oneOf } from "./nearest.ts";
import { objectNames } from "./resolve.ts";

/** Something that is allowed and probably not meant. */
export interface LintWarning {
  readonly code:
    | "admin_floor"
    | "attribute_nowhere"
    | "group_missing"
    | "group_ambiguous"
    | "object_missing"
    | "object_ambiguous";
  readonly ruleIds: readonly string[];
  readonly text: string;
}

/** Warns when neither rules nor protected accounts leave the vendor with the minimum of admins. */
export function lintAdmins(
  compiled: CompiledMapping,
  policy: Pick<ConnectionPolicy, "adminsMin" | "protectedAccounts">,
): LintWarning[] {
  const accounts = policy.protectedAccounts.length;
  const byRule = compiled.rules.filter((rule) =>
    rule.grants.some(
      (grant) => compiled.facts.kinds[grant.kind]?.roles[grant.role ?? ""]?.admin === true,
    ),
  );
  if (byRule.length > 0 || accounts >= policy.adminsMin) return [];
  const assignable = Object.values(compiled.facts.kinds).some((kind) =>
    Object.values(kind.roles).some((role) => role.admin && role.assignable),
  );
  const remedy = assignable
    ? "add a rule that gives an admin role, or list your admins below `protected: accounts`"
    : `${compiled.facts.vendor} lets nobody assign its admin roles: list your admins below \`protected: accounts\``;
  return [
    {
      code: "admin_floor",
      ruleIds: [],
      text: `no rule gives an admin role and ${String(accounts)} protected account${accounts === 1 ? "" : "s"} of at least ${String(policy.adminsMin)} (\`admins_min\`) ${accounts === 1 ? "is" : "are"} listed: ${remedy}`,
    },
  ];
}

/** How many active people there are, and how many of them have each attribute. */
export interface AttributeStatistics {
  readonly people: number;
  readonly withAttribute: ReadonlyMap<string, number>;
}

/** Warns about attributes that nobody has: a grant on one gives nothing, a deny hits everybody. */
export function lintAttributes(
  compiled: CompiledMapping,
  statistics: AttributeStatistics,
): LintWarning[] {
  if (statistics.people === 0) return [];
  const count = new Intl.NumberFormat("en-US").format(statistics.people);
  return compiled.attributes.flatMap((attribute) => {
    if ((statistics.withAttribute.get(attribute.name) ?? 0) > 0) return [];
    const rules = compiled.rules.filter((rule) => attribute.ruleIds.includes(rule.id));
    const denying = rules.filter((rule) => rule.denies.length > 0).map((rule) => rule.id);
    const granting = rules.filter((rule) => rule.denies.length === 0).map((rule) => rule.id);
    const known = [...statistics.withAttribute].filter(([, n]) => n > 0).map(([name]) => name);
    const near = known.find((name) => fold(name) === fold(attribute.name));
    const hint = near === undefined ? "" : ` (it is written ${near})`;
    const warning = (ruleIds: readonly string[], effect: string): LintWarning[] =>
      ruleIds.length === 0
        ? []
        : [
            {
              code: "attribute_nowhere",
              ruleIds,
              text: `0 of ${count} people have ${attribute.name}${hint}: ${effect} (${ruleIds.join(", ")})`,
            },
          ];
    return [
      ...warning(
        denying,
        "this deny hits everybody whom the rest of its condition does not rule out",
      ),
      ...warning(granting, "this grant cannot match through it"),
    ];
  });
}

/** Warns about groups that are not there, or there twice. */
export function lintGroups(
  compiled: CompiledMapping,
  groups: readonly { readonly displayName: string; readonly idpId: string }[],
): LintWarning[] {
  const byName = Map.groupBy(groups, (group) => fold(group.displayName));
  const names = [...new Set(groups.map((group) => group.displayName))];
  return compiled.groups.flatMap(({ groupName, idpId, ruleIds }): LintWarning[] => {
    const anywhere = byName.get(fold(groupName)) ?? [];
    const found = anywhere.filter((group) => isAt(group, idpId));
    const where = idpId === undefined ? "" : ` at ${idpId}`;
    const rules = ruleIds.join(", ");
    if (found.length === 0) {
      const elsewhere = anywhere.map((group) => group.idpId).join(" and ");
      const hint =
        elsewhere === ""
          ? `if it is misspelt, ${oneOf(groupName, names)}`
          : `one of that name is at ${elsewhere}: change \`idp:\``;
      return [
        {
          code: "group_missing",
          ruleIds,
          text: `no group "${groupName}" has arrived${where} (${rules}); ${hint}`,
        },
      ];
    }
    if (found.length === 1) return [];
    const idps = found.map((group) => group.idpId).join(" and ");
    return [
      {
        code: "group_ambiguous",
        ruleIds,
        text: `a group "${groupName}" is at ${idps}: say \`idp:\` (${rules})`,
      },
    ];
  });
}

/** Warns about vendor objects that a complete read does not show, or shows twice under one name. */
export function lintObjects(
  compiled: CompiledMapping,
  objects: readonly VendorObject[],
): LintWarning[] {
  const live = objects.filter((object) => !object.archived);
  const found = new Map<string, number>();
  for (const { kind, objectId, name } of live) {
    for (const key of [
      claimKey(kind, { by: "id", id: objectId }),
      claimKey(kind, { by: "name", name }),
    ]) {
      found.set(key, (found.get(key) ?? 0) + 1);
    }
  }
  const wanted = new Map<
    string,
    { kind: string; said: string; by: "id" | "name"; ruleIds: Set<string> }
  >();
  for (const rule of compiled.rules) {
    for (const { kind, object, key } of [...rule.grants, ...rule.denies]) {
      if (object.by !== "id" && object.by !== "name") continue;
      const said = object.by === "id" ? object.id : object.name;
      const item = wanted.get(key) ?? { kind, said, by: object.by, ruleIds: new Set<string>() };
      item.ruleIds.add(rule.id);
      wanted.set(key, item);
    }
  }
  return [...wanted].flatMap(([key, { kind, said, by, ruleIds }]): LintWarning[] => {
    const count = found.get(key) ?? 0;
    const rules = [...ruleIds];
    if (count === 1) return [];
    if (count > 1) {
      return [
        {
          code: "object_ambiguous",
          ruleIds: rules,
          text: `${compiled.facts.vendor} has ${String(count)} ${kind}s named "${said}": write \`id:\` (${rules.join(", ")})`,
        },
      ];
    }
    const choice =
      by === "name"
        ? oneOf(said, objectNames(live, kind))
        : "copy the id from the vendor, or write `name:`";
    return [
      {
        code: "object_missing",
        ruleIds: rules,
        text: `${compiled.facts.vendor} has no ${kind} "${said}" (${rules.join(", ")}): ${choice}`,
      },
    ];
  });
}
