import type { Claim, RuleTrace } from "../model/assignment.ts";
import type { ObjectRef } from "../model/entitlement.ts";
import { presenceAt } from "../model/employment.ts";
import type { AccessException, IdentityFacts } from "../model/identity.ts";
import { bindingIndex, groupDoubt, type BindingIndex } from "./binding-index.ts";
import { compareText } from "./canonical.ts";
import type { CompiledMapping, CompiledRule } from "./compile.ts";
import { answersOf, attributeOf, claimsOf, exceptionClaim } from "./claims.ts";
import type { Condition } from "./schema.ts";
import { settle } from "./settle.ts";
import { isTrue, isUnknown, judge, truthName, type Answers, type Node } from "./truth.ts";
import type { GroupBinding } from "./version-store.ts";

interface Verdict {
  readonly outcome: RuleTrace["outcome"];
  readonly beatenBy: readonly string[];
}

/** One person's rules, one by one. */
interface Scene {
  readonly compiled: CompiledMapping;
  readonly index: BindingIndex;
  readonly person: IdentityFacts;
  readonly present: boolean;
  readonly answers: Answers;
  readonly claims: readonly Claim[];
  /** By rule, slot and role. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

/**
 * Why each rule and each exception did or did not count for one person, by rule id. A rule whose grants fared
 * differently appears once per outcome. For a leaver, and for who is not here yet or away, every outcome is `no_match`: nothing counts.
 */
export function explainEvaluation(
  compiled: CompiledMapping,
  bindings: readonly GroupBinding[],
  person: IdentityFacts,
  exceptions: readonly AccessException[],
  now: number,
): RuleTrace[] {
  const index = bindingIndex(compiled, bindings);
  const answers = answersOf(compiled, index, person);
  const present = presenceAt(person, now) === "present";
  const claims = present ? claimsOf(compiled, index, answers, exceptions, now) : [];
  const verdicts = new Map<string, Verdict>();
  settle(claims, compiled.facts, compiled.account, (claim, outcome, beatenBy) => {
    verdicts.set(verdictKey(claim), { outcome, beatenBy });
  });
  const scene: Scene = { compiled, index, person, present, answers, claims, verdicts };
  return [
    ...compiled.rules.flatMap((rule) => traceRule(scene, rule)),
    ...[...exceptions]
      .sort((a, b) => compareText(a.exceptionId, b.exceptionId))
      .flatMap((exception) => traceException(scene, exception, now)),
  ];
}

function verdictKey(claim: Claim): string {
  return JSON.stringify([claim.because, claim.key, claim.role]);
}

function traceRule(scene: Scene, rule: CompiledRule): RuleTrace[] {
  const head = {
    ruleId: rule.id,
    result: truthName(judge(rule.when, scene.answers)),
    conditions: conditionsOf(scene, rule),
  };
  return [
    ...byOutcome(scene, rule.grants).map((part) => ({
      ...head,
      effect: "grant" as const,
      ...part,
    })),
    ...(rule.denies.length === 0
      ? []
      : [{ ...head, effect: "deny" as const, ...denyPart(scene, rule.denies, head.result) }]),
  ];
}

function traceException(scene: Scene, exception: AccessException, now: number): RuleTrace[] {
  const claim = exceptionClaim(scene.compiled, exception, now);
  if (claim === undefined) return [];
  const head = {
    ruleId: claim.because,
    result: "true" as const,
    effect: claim.effect,
    conditions: [
      {
        text: `exception by ${exception.by}: ${exception.why}`,
        result: "true" as const,
        ...(exception.until === null
          ? {}
          : { why: `until ${new Date(exception.until).toISOString()}` }),
      },
    ],
  };
  return claim.effect === "deny"
    ? [{ ...head, ...denyPart(scene, [claim], "true") }]
    : byOutcome(scene, [claim]).map((part) => ({ ...head, ...part }));
}

type Part = Pick<RuleTrace, "outcome" | "beatenBy" | "entitlements">;

function byOutcome(scene: Scene, grants: readonly Claim[]): Part[] {
  const parts = new Map<string, Part>();
  for (const grant of grants) {
    // A rule that does not match says what would stop it if it did.
    const verdict = scene.verdicts.get(verdictKey(grant)) ?? {
      outcome: "no_match" as const,
      beatenBy: blockersOf(scene, grant),
    };
    const key = JSON.stringify(verdict);
    const part = parts.get(key);
    const item = entitlement(grant);
    parts.set(key, { ...verdict, entitlements: [...(part?.entitlements ?? []), item] });
  }
  return [...parts.values()];
}

function denyPart(scene: Scene, denies: readonly Claim[], result: RuleTrace["result"]): Part {
  const hit = scene.claims.filter(
    (claim) => claim.effect === "grant" && denies.some((deny) => stops(deny, claim)),
  );
  const beatenBy = denies.some((deny) => deny.exception)
    ? []
    : [...new Set(hit.filter((claim) => claim.exception).map((claim) => claim.because))];
  const overruled = beatenBy.length > 0 && hit.every((claim) => claim.exception);
  return {
    outcome:
      result === "false" || !scene.present
        ? "no_match"
        : overruled
          ? "overruled_by_exception"
          : "won",
    beatenBy: result === "false" ? [] : beatenBy,
    entitlements: denies.map(entitlement),
  };
}

function blockersOf(scene: Scene, grant: Claim): string[] {
  const found = scene.claims.filter((claim) => claim.effect === "deny" && stops(claim, grant));
  return [...new Set(found.map((claim) => claim.because))].sort(compareText);
}

function stops(deny: Claim, grant: Claim): boolean {
  return (
    deny.kind === grant.kind &&
    (deny.object.by === "any" || deny.key === grant.key) &&
    (deny.role === null || deny.role === grant.role)
  );
}

function entitlement(claim: Claim): RuleTrace["entitlements"][number] {
  const object: ObjectRef = claim.object.by === "any" ? { by: "none" } : claim.object;
  return { kind: claim.kind, object, role: claim.role ?? "*" };
}

function conditionsOf(scene: Scene, rule: CompiledRule): RuleTrace["conditions"] {
  const { when: written } = rule.written;
  const node = rule.when;
  const parts =
    written.all !== undefined && node.op === "all"
      ? written.all.map((text, at) => ({ text, node: node.of[at] }))
      : [{ text: written, node }];
  return parts.map(({ text, node }) => {
    const truth = node === undefined ? isUnknown : judge(node, scene.answers);
    const why = truth === isTrue ? undefined : reason(scene, text, node);
    return {
      text: conditionText(text),
      result: truthName(truth),
      ...(why === undefined ? {} : { why }),
    };
  });
}

/** A condition on one line, in the words of the file. */
export function conditionText(condition: Condition): string {
  const value = (item: string | number | boolean) =>
    typeof item === "string" ? item : String(item);
  const list = (items: readonly Condition[]) => items.map(conditionText).join("; ");
  if (condition.all !== undefined) return `all of (${list(condition.all)})`;
  if (condition.any !== undefined) return `any of (${list(condition.any)})`;
  if (condition.not !== undefined) return `not (${conditionText(condition.not)})`;
  if (condition.group !== undefined) {
    return `group ${condition.group}${condition.idp === undefined ? "" : ` of ${condition.idp}`}`;
  }
  if (condition.attribute === undefined) return "everyone";
  if (condition.exists !== undefined) {
    return `${condition.attribute} ${condition.exists ? "exists" : "does not exist"}`;
  }
  if (condition.in !== undefined) {
    return `${condition.attribute} in ${condition.in.map(value).join(", ")}`;
  }
  return `${condition.attribute} equals ${value(condition.equals ?? "")}`;
}

/** Why a single condition is not true; undefined for composed ones, whose text says it all. */
function reason(scene: Scene, condition: Condition, node: Node | undefined): string | undefined {
  if (condition.attribute !== undefined) {
    const value = attributeOf(scene.person, condition.attribute);
    if (value === undefined) return `the person has no ${condition.attribute}`;
    return `${condition.attribute} is ${Array.isArray(value) ? value.join(", ") : String(value)}`;
  }
  if (condition.group === undefined || node?.op !== "group") return undefined;
  const binding = scene.index.bindings[node.at];
  if (scene.answers.groups[node.at] !== isUnknown) {
    return binding?.state === "deleted" ? "the group was deleted" : "not a member";
  }
  switch (groupDoubt(binding)) {
    case "group_never_arrived":
      return "no group of this name has arrived";
    case "group_ambiguous":
      return "several identity providers have a group of this name: say `idp:`";
    case "source_not_loaded":
      return "not a member yet, and the identity provider is not marked loaded";
    case "attribute_missing":
      return undefined;
  }
}
