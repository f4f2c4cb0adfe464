import type { Claim } from "../model/assignment.ts";
import { InputError } from "../model/errors.ts";
import { fold } from "../model/fold.ts";
import { asId, type IdpId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { checkMapping } from "./check.ts";
import { claimKey } from "./claim-key.ts";
import { compareText } from "./canonical.ts";
import { expandMapping, type PlainMapping, type PlainRule } from "./expand.ts";
import { problemsOf, problemText } from "./problem.ts";
import { mappingFile, type Condition } from "./schema.ts";
import { accountOf, type Account } from "./settle.ts";
import { leavesOf, type Leaf, type Node } from "./truth.ts";

/** A mapping ready to be asked about many people. */
export interface CompiledMapping {
  readonly mapping: PlainMapping;
  readonly facts: VendorFacts;
  /** By id, so that the order in the file cannot matter. */
  readonly rules: readonly CompiledRule[];
  /** Every group that a rule names, once. */
  readonly groups: readonly CompiledGroup[];
  /** Every attribute that a rule reads, once, with its questions by value. */
  readonly attributes: readonly CompiledAttribute[];
  readonly testCount: number;
  readonly account: Account;
}

export interface CompiledRule {
  readonly id: string;
  readonly written: PlainRule;
  readonly when: Node;
  /** The questions of `when`. */
  readonly leaves: readonly Leaf[];
  readonly grants: readonly Claim[];
  readonly denies: readonly Claim[];
}

export interface CompiledGroup {
  /** As written. */
  readonly groupName: string;
  readonly idpId: IdpId | undefined;
  /** A rule on this group gives something privileged. */
  readonly privileged: boolean;
  readonly ruleIds: readonly string[];
}

export interface CompiledAttribute {
  readonly name: string;
  /** Questions that a value answers true, by `valueKey`. */
  readonly byValue: ReadonlyMap<string, readonly number[]>;
  /** `exists` questions: true for any value, and their opposite. */
  readonly whenPresent: readonly number[];
  /** Every question on this attribute: unknown while the person has none. */
  readonly tests: readonly number[];
  /** For lint: rules that deny on it. */
  readonly ruleIds: readonly string[];
}

/** Text compares folded, numbers and booleans exactly; a number never equals a text. */
export function valueKey(value: string | number | boolean): string {
  return typeof value === "string" ? `s${fold(value)}` : `${typeof value} ${String(value)}`;
}

/**
 * Prepares a stored document.
 * @throws InputError with every contradiction to the schema or to the vendor's facts
 */
export function compileMapping(document: JsonObject, facts: VendorFacts): CompiledMapping {
  const parsed = mappingFile.safeParse(document);
  if (!parsed.success) {
    throw new InputError(
      "the mapping is not valid",
      problemsOf(parsed.error, document).map(problemText),
    );
  }
  const expansion = expandMapping(parsed.data);
  const problems = checkMapping(expansion, facts);
  if (problems.length > 0) {
    throw new InputError("the mapping does not fit the vendor", problems.map(problemText));
  }
  return compileChecked(expansion.mapping, facts);
}

/** Compiles what `checkMapping` has found nothing wrong with. */
export function compileChecked(mapping: PlainMapping, facts: VendorFacts): CompiledMapping {
  const questions = new Questions();
  const rules = mapping.rules
    .map((rule) => compileRule(rule, facts, questions))
    .sort((a, b) => compareText(a.id, b.id));
  return {
    mapping,
    facts,
    rules,
    groups: questions.groups(rules),
    attributes: questions.attributes(rules),
    testCount: questions.testCount,
    account: accountOf(facts),
  };
}

function compileRule(rule: PlainRule, facts: VendorFacts, questions: Questions): CompiledRule {
  const claim = (
    effect: Claim["effect"],
    entry: {
      kind: string;
      name?: string | undefined;
      id?: string | undefined;
      role?: string | undefined;
    },
  ): Claim => {
    const kind = facts.kinds[entry.kind];
    const role = entry.role === undefined ? undefined : kind?.roles[entry.role];
    const object: Claim["object"] =
      entry.id !== undefined
        ? { by: "id", id: entry.id }
        : entry.name !== undefined
          ? { by: "name", name: entry.name }
          : kind?.object === "none"
            ? { by: "none" }
            : { by: "any" };
    return {
      effect,
      kind: entry.kind,
      object,
      key: claimKey(entry.kind, object),
      role: entry.role ?? null,
      rank: rule.rank ?? role?.rank ?? 0,
      privileged: role?.privileged === true,
      because: rule.id,
      exception: false,
    };
  };
  const when = questions.node(rule.when);
  return {
    id: rule.id,
    written: rule,
    when,
    leaves: [...leavesOf(when)],
    grants: (rule.grant ?? []).map((entry) => claim("grant", entry)),
    denies: (rule.deny ?? []).map((entry) => claim("deny", entry)),
  };
}

/** Numbers each group and each attribute value that rules ask about. */
class Questions {
  testCount = 0;
  readonly #groups = new Map<string, { groupName: string; idpId: IdpId | undefined }>();
  readonly #groupNumbers = new Map<string, number>();
  readonly #attributes = new Map<
    string,
    { byValue: Map<string, number[]>; whenPresent: number[]; tests: number[] }
  >();
  readonly #known = new Map<string, number>();

  node(condition: Condition): Node {
    if (condition.all !== undefined) {
      return { op: "all", of: condition.all.map((item) => this.node(item)) };
    }
    if (condition.any !== undefined) {
      return { op: "any", of: condition.any.map((item) => this.node(item)) };
    }
    if (condition.exists === false) {
      return { op: "not", of: this.node({ ...condition, exists: true }) };
    }
    if (condition.not !== undefined) return { op: "not", of: this.node(condition.not) };
    if (condition.group !== undefined) return this.#group(condition.group, condition.idp);
    if (condition.attribute !== undefined) return this.#test(condition.attribute, condition);
    return { op: "everyone" };
  }

  #group(groupName: string, idp: string | undefined): Node {
    const key = JSON.stringify([fold(groupName), idp ?? null]);
    const at = this.#groupNumbers.get(key) ?? this.#groups.size;
    if (!this.#groups.has(key)) {
      this.#groups.set(key, { groupName, idpId: idp === undefined ? undefined : asId<IdpId>(idp) });
      this.#groupNumbers.set(key, at);
    }
    return { op: "group", at };
  }

  #test(name: string, condition: Condition): Node {
    const values =
      condition.exists === true
        ? undefined
        : [...new Set((condition.in ?? [condition.equals ?? ""]).map(valueKey))].sort(compareText);
    const key = JSON.stringify([name, values ?? null]);
    const known = this.#known.get(key);
    if (known !== undefined) return { op: "test", at: known };
    const at = this.testCount++;
    this.#known.set(key, at);
    const attribute = this.#attributes.get(name) ?? {
      byValue: new Map<string, number[]>(),
      whenPresent: [],
      tests: [],
    };
    this.#attributes.set(name, attribute);
    attribute.tests.push(at);
    if (values === undefined) attribute.whenPresent.push(at);
    for (const value of values ?? []) {
      const numbers = attribute.byValue.get(value) ?? [];
      attribute.byValue.set(value, [...numbers, at]);
    }
    return { op: "test", at };
  }

  groups(rules: readonly CompiledRule[]): CompiledGroup[] {
    const byNumber = rulesByLeaf(rules, "group");
    return [...this.#groups.values()].map((group, at) => {
      const own = byNumber.get(at) ?? [];
      return {
        ...group,
        privileged: own.some((rule) => rule.grants.some((grant) => grant.privileged)),
        ruleIds: own.map((rule) => rule.id),
      };
    });
  }

  attributes(rules: readonly CompiledRule[]): CompiledAttribute[] {
    const byNumber = rulesByLeaf(rules, "test");
    return [...this.#attributes].map(([name, attribute]) => ({
      name,
      ...attribute,
      ruleIds: [
        ...new Set(
          attribute.tests.flatMap((at) => (byNumber.get(at) ?? []).map((rule) => rule.id)),
        ),
      ].sort(compareText),
    }));
  }
}

function rulesByLeaf(
  rules: readonly CompiledRule[],
  op: "group" | "test",
): ReadonlyMap<number, readonly CompiledRule[]> {
  const found = new Map<number, CompiledRule[]>();
  for (const rule of rules) {
    const numbers = new Set<number>();
    for (const leaf of rule.leaves) if (leaf.op === op) numbers.add(leaf.at);
    for (const at of numbers) {
      const own = found.get(at);
      if (own === undefined) found.set(at, [rule]);
      else own.push(rule);
    }
  }
  return found;
}
