import type { Claim, Uncertainty } from "../model/assignment.ts";
import type { AccessException, IdentityFacts } from "../model/identity.ts";
import { groupAnswers, groupDoubt, type BindingIndex } from "./binding-index.ts";
import { claimKey } from "./claim-key.ts";
import { valueKey, type CompiledMapping, type CompiledRule } from "./compile.ts";
import { isFalse, isTrue, isUnknown, judge, type Answers } from "./truth.ts";

/** Answers every question of the mapping for one person, each once. */
export function answersOf(
  compiled: CompiledMapping,
  index: BindingIndex,
  person: IdentityFacts,
): Answers {
  const tests = new Uint8Array(compiled.testCount);
  for (const attribute of compiled.attributes) {
    const value = attributeOf(person, attribute.name);
    if (value === undefined) {
      for (const at of attribute.tests) tests[at] = isUnknown;
      continue;
    }
    for (const at of attribute.whenPresent) tests[at] = isTrue;
    if (attribute.byValue.size === 0) continue;
    for (const item of Array.isArray(value) ? (value as readonly string[]) : [value]) {
      for (const at of attribute.byValue.get(valueKey(item as string)) ?? []) tests[at] = isTrue;
    }
  }
  return { groups: groupAnswers(index, person), tests };
}

/** The value of an attribute; an empty list is no value (RFC 7643 §2.5). */
export function attributeOf(
  person: IdentityFacts,
  name: string,
): IdentityFacts["attributes"][string] | undefined {
  if (!Object.hasOwn(person.attributes, name)) return undefined;
  const value = person.attributes[name];
  return Array.isArray(value) && value.length === 0 ? undefined : value;
}

/** What the rules and the exceptions that count now say about this person. */
export function claimsOf(
  compiled: CompiledMapping,
  index: BindingIndex,
  answers: Answers,
  exceptions: readonly AccessException[],
  now: number,
): readonly Claim[] {
  const claims: Claim[] = [];
  for (const rule of compiled.rules) {
    const truth = judge(rule.when, answers);
    if (truth === isFalse) continue;
    if (truth === isTrue) {
      for (const claim of rule.grants) claims.push(claim);
      for (const claim of rule.denies) claims.push(claim);
      continue;
    }
    for (const claim of doubted(rule, doubtOf(index, rule, answers))) claims.push(claim);
  }
  for (const exception of exceptions) {
    const claim = exceptionClaim(compiled, exception, now);
    if (claim !== undefined) claims.push(claim);
  }
  return claims;
}

/** An exception as a claim; undefined when it has ended or names nothing that this vendor has. */
export function exceptionClaim(
  compiled: CompiledMapping,
  exception: AccessException,
  now: number,
): Claim | undefined {
  if (exception.until !== null && exception.until < now) return undefined;
  const { kind: name, role } = exception;
  const kind = Object.hasOwn(compiled.facts.kinds, name) ? compiled.facts.kinds[name] : undefined;
  if (kind === undefined) return undefined;
  const object = exceptionObject(exception, kind.object === "none");
  if (exception.effect === "grant" && (role === null || object.by === "any")) return undefined;
  const facts = role === null ? undefined : kind.roles[role];
  return {
    effect: exception.effect,
    kind: name,
    object,
    key: claimKey(name, object),
    role,
    rank: facts?.rank ?? 0,
    privileged: facts?.privileged === true,
    because: `exception:${exception.exceptionId}`,
    exception: true,
  };
}

function exceptionObject(exception: AccessException, objectless: boolean): Claim["object"] {
  if (objectless) return { by: "none" };
  const { object } = exception;
  if (object === null) return { by: "any" };
  return object.by === "id" ? { by: "id", id: object.value } : { by: "name", name: object.value };
}

// While a directory arrives every rule is in doubt for everybody: their claims are values, made once for each rule and reason.
const kept = new WeakMap<CompiledRule, Partial<Record<Uncertainty["why"], readonly Claim[]>>>();

function doubted(rule: CompiledRule, unknown: Uncertainty["why"]): readonly Claim[] {
  const known = kept.get(rule) ?? {};
  kept.set(rule, known);
  return (known[unknown] ??= [...rule.grants, ...rule.denies].map((claim) => ({
    ...claim,
    unknown,
  })));
}

/** The weightiest comes first. */
const doubts = [
  "group_never_arrived",
  "group_ambiguous",
  "source_not_loaded",
  "attribute_missing",
] as const satisfies readonly Uncertainty["why"][];

/** The weightiest reason why a rule is unknown. */
function doubtOf(index: BindingIndex, rule: CompiledRule, answers: Answers): Uncertainty["why"] {
  let weightiest = doubts.length - 1;
  for (const leaf of rule.leaves) {
    if (leaf.op !== "group" || answers.groups[leaf.at] !== isUnknown) continue;
    weightiest = Math.min(weightiest, doubts.indexOf(groupDoubt(index.bindings[leaf.at])));
  }
  return doubts[weightiest] ?? "attribute_missing";
}
