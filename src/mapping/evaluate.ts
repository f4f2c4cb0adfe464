import type { BrokenRule, Evaluation, Weighed } from "../model/assignment.ts";
import { presenceAt } from "../model/employment.ts";
import type { AccessException, IdentityFacts } from "../model/identity.ts";
import { bindingIndex, type BindingIndex } from "./binding-index.ts";
import { compareText } from "./canonical.ts";
import { answersOf, claimsOf } from "./claims.ts";
import type { CompiledMapping } from "./compile.ts";
import { settle } from "./settle.ts";
import { isFalse, isUnknown, judge, type Answers } from "./truth.ts";
import type { GroupBinding } from "./version-store.ts";

export { explainEvaluation } from "./trace.ts";

/**
 * What one person should hold at one connection. Pure: the same arguments give the same answer, whatever their order.
 * @param exceptions those that name this person and this connection, the ended ones too
 * @param now instant that `until` of an exception is compared with
 */
export function evaluate(
  compiled: CompiledMapping,
  bindings: readonly GroupBinding[],
  person: IdentityFacts,
  exceptions: readonly AccessException[],
  now: number,
): Evaluation {
  const weighed = weigh(compiled, bindings, person, exceptions, now);
  const { doubts, ...settled } = settle(weighed.claims, compiled.facts, compiled.account);
  const uncertain = doubts.flatMap(({ kind, object, reasons }) =>
    [...reasons]
      .sort(([a], [b]) => compareText(a, b))
      .map(([ruleId, why]) => ({ kind, object, ruleId, why })),
  );
  return { ...weighed, ...settled, uncertain };
}

/** As `evaluate`, without holding the contest: who knows the vendor's objects holds it once, between resolved names. */
export function weigh(
  compiled: CompiledMapping,
  bindings: readonly GroupBinding[],
  person: IdentityFacts,
  exceptions: readonly AccessException[],
  now: number,
): Weighed {
  const presence = presenceAt(person, now);
  if (presence === "departed") return { lifecycle: "departed", broken: [], claims: [] };
  // Not here yet, or away: assigned nothing, and what they still hold is taken by the ordinary rails.
  if (presence !== "present") return { lifecycle: "active", broken: [], claims: [] };
  const index = bindingIndex(compiled, bindings);
  const answers = answersOf(compiled, index, person);
  return {
    lifecycle: "active",
    broken: brokenRules(compiled, index, answers),
    claims: claimsOf(compiled, index, answers, exceptions, now),
  };
}

/** Rules that are false now and might not be, had their group not been deleted. */
function brokenRules(
  compiled: CompiledMapping,
  index: BindingIndex,
  answers: Answers,
): readonly BrokenRule[] {
  if (index.brokenRules.length === 0) return [];
  const groups = answers.groups.slice();
  for (const at of index.deleted) groups[at] = isUnknown;
  const broken: BrokenRule[] = [];
  for (const at of index.brokenRules) {
    const rule = compiled.rules[at];
    if (rule === undefined || judge(rule.when, answers) !== isFalse) continue;
    if (judge(rule.when, { groups, tests: answers.tests }) === isFalse) continue;
    const named = new Set<number>();
    for (const leaf of rule.leaves) {
      if (leaf.op !== "group" || named.has(leaf.at) || !index.deleted.includes(leaf.at)) continue;
      named.add(leaf.at);
      const binding = index.bindings[leaf.at];
      if (binding?.groupId === undefined) continue;
      broken.push({ ruleId: rule.id, groupId: binding.groupId, groupName: binding.groupName });
    }
  }
  return broken;
}
