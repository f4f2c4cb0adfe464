import type { DeclaredThing } from "../model/declared.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { declaredThings, type DeclaresFile } from "./declares.ts";
import { oneOf } from "./nearest.ts";
import type { Problem } from "./problem.ts";

/** What a file declares and the vendor does not have, or not in this form. */
export function checkDeclares(
  declares: DeclaresFile | undefined,
  actsIn: string | undefined,
  facts: VendorFacts,
): Problem[] {
  const problems: Problem[] = [];
  if (actsIn !== undefined && facts.actsInHeader === undefined) {
    problems.push({
      path: ["connection", "acts_in"],
      message: `${facts.vendor} knows no other workspace than the one of the key: leave it out`,
    });
  }
  if (declares === undefined) return problems;
  for (const section of Object.keys(declares) as (keyof DeclaresFile)[]) {
    const things = declaredThings({ [section]: declares[section] }, () => 0);
    const known = facts.things?.[things[0]?.kind ?? "api_key"];
    if (known === undefined) {
      const kinds = Object.values(facts.things ?? {}).map((item) => `${item.title}s`);
      problems.push({
        path: ["declares", section],
        message: `${facts.vendor} has no such thing to declare: ${kinds.length === 0 ? "leave `declares:` out" : `it has ${kinds.join(", ")}`}`,
      });
      continue;
    }
    things.forEach((thing, at) => {
      const path = ["declares", section, at];
      problems.push(
        ...unwanted(thing, known.wants, path),
        ...badScopes(thing, known.scopePattern, path),
      );
    });
  }
  return problems;
}

function unwanted(
  thing: DeclaredThing,
  wants: readonly string[],
  path: readonly (string | number)[],
): Problem[] {
  return Object.keys(thing.wants)
    .filter((field) => !wants.includes(field))
    .map((field) => ({
      path: [...path, field],
      message: `says nothing here: ${oneOf(field, wants)}`,
    }));
}

function badScopes(
  thing: DeclaredThing,
  pattern: string | undefined,
  path: readonly (string | number)[],
): Problem[] {
  const { scopes } = thing.wants;
  if (pattern === undefined) return [];
  if (!Array.isArray(scopes))
    return [{ path, message: "name the `scopes:` that it needs, as few as it can do with" }];
  const form = new RegExp(pattern);
  return (scopes as readonly unknown[]).flatMap((scope, at) =>
    form.test(String(scope))
      ? []
      : [{ path: [...path, "scopes", at], message: `"${String(scope)}" is no scope here` }],
  );
}
