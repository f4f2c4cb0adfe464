import type { VendorFacts } from "../model/vendor-facts.ts";
import type { AccessFile } from "./access.ts";
import { oneOf } from "./nearest.ts";
import type { Path, Problem } from "./problem.ts";

/** What a permission matrix names that is nowhere: permissions, rules, kinds and roles. */
export function checkAccess(
  access: AccessFile | undefined,
  rules: readonly { readonly id: string; readonly grant?: readonly unknown[] | undefined }[],
  facts: VendorFacts,
): Problem[] {
  if (access === undefined) return [];
  const problems: Problem[] = [
    ...repeated(access.permissions, ["access", "permissions"], "permission"),
    ...repeated(
      access.roles.map((item) => item.role),
      ["access", "roles"],
      "role",
    ),
  ];
  const granting = rules.filter((rule) => rule.grant !== undefined).map((rule) => rule.id);
  const known = new Set(access.permissions);
  access.roles.forEach((item, at) => {
    const path = ["access", "roles", at];
    if (item.allow !== "all")
      item.allow.forEach((permission, index) => {
        if (known.has(permission)) return;
        problems.push({
          path: [...path, "allow", index],
          message: `"${permission}" is not among \`permissions:\`: ${oneOf(permission, access.permissions)}`,
        });
      });
    item.from.forEach((source, index) => {
      problems.push(...sourceProblems(source, [...path, "from", index], granting, facts));
    });
  });
  return problems;
}

function sourceProblems(
  source: AccessFile["roles"][number]["from"][number],
  path: Path,
  granting: readonly string[],
  facts: VendorFacts,
): Problem[] {
  const problems: Problem[] = [];
  if (source.rule !== undefined && !granting.includes(source.rule))
    problems.push({
      path: [...path, "rule"],
      message: `no rule "${source.rule}" gives anything: ${oneOf(source.rule, granting)}`,
    });
  if (source.kind === undefined) return problems;
  const kind = Object.hasOwn(facts.kinds, source.kind) ? facts.kinds[source.kind] : undefined;
  if (kind === undefined)
    problems.push({
      path: [...path, "kind"],
      message: `${facts.vendor} has no kind "${source.kind}": ${oneOf(source.kind, Object.keys(facts.kinds))}`,
    });
  else if (source.role !== undefined && !Object.hasOwn(kind.roles, source.role))
    problems.push({
      path: [...path, "role"],
      message: `${source.kind} has no role "${source.role}": ${oneOf(source.role, Object.keys(kind.roles))}`,
    });
  return problems;
}

function repeated(names: readonly string[], path: Path, what: string): Problem[] {
  return names.flatMap((name, at) =>
    names.indexOf(name) === at
      ? []
      : [{ path: [...path, at], message: `the ${what} "${name}" stands above already: keep one` }],
  );
}
