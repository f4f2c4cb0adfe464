import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { claimKey } from "../../../src/mapping/claim-key.ts";
import { compileChecked } from "../../../src/mapping/compile.ts";
import { evaluate } from "../../../src/mapping/evaluate.ts";
import { expandMapping } from "../../../src/mapping/expand.ts";
import { mappingFile, type Condition } from "../../../src/mapping/schema.ts";
import type { GroupBinding } from "../../../src/mapping/version-store.ts";
import type { Evaluation } from "../../../src/model/assignment.ts";
import type { AccessException, IdentityFacts } from "../../../src/model/identity.ts";
import { anthropicFacts } from "../../support/vendor-facts.ts";
import { bindingsOf, document, exception, groupId, person, source } from "./scene.ts";

const groupNames = ["Engineering", "Platform", "Finance", "Sales"];
const attributeNames = ["userType", "title", "level"];
const values: (string | number)[] = ["Employee", "Contractor", 3];
const orgRoles = ["user", "claude_code_user", "developer", "billing"];
const workspaceRoles = ["workspace_user", "workspace_developer", "workspace_admin"];
const workspaces = ["Production", "Staging"];

const leaf = fc.oneof(
  fc.record({ group: fc.constantFrom(...groupNames) }),
  fc.record({ attribute: fc.constantFrom(...attributeNames), equals: fc.constantFrom(...values) }),
  fc.record({
    attribute: fc.constantFrom(...attributeNames),
    in: fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 }),
  }),
  fc.record({ attribute: fc.constantFrom(...attributeNames), exists: fc.boolean() }),
  fc.constant({ everyone: true as const }),
);
const condition: fc.Arbitrary<Condition> = fc.letrec<{ node: Condition }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({ all: fc.array(tie("node"), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie("node"), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie("node") }),
  ),
})).node;
const grant = fc.oneof(
  fc.record({ kind: fc.constant("org_role"), role: fc.constantFrom(...orgRoles) }),
  fc.record({
    kind: fc.constant("workspace"),
    name: fc.constantFrom(...workspaces),
    role: fc.constantFrom(...workspaceRoles),
  }),
);
const deny = fc.oneof(
  grant,
  grant.map(({ role: _role, ...rest }) => rest),
  fc.constant({ kind: "workspace" }),
);
type Rule = Readonly<{
  id: string;
  when: Condition;
  rank?: number;
  grant?: object[];
  deny?: object[];
}>;
const rules = fc
  .array(
    fc.record(
      {
        when: condition,
        rank: fc.integer({ min: 0, max: 50 }),
        grant: fc.array(grant, { minLength: 1, maxLength: 3 }),
        deny: fc.array(deny, { minLength: 1, maxLength: 2 }),
      },
      { requiredKeys: ["when"] },
    ),
    { maxLength: 7 },
  )
  .map((list) =>
    list.flatMap((rule, at): Rule[] =>
      rule.grant === undefined && rule.deny === undefined
        ? []
        : [{ id: `rule-${String(at)}`, ...rule }],
    ),
  );
const attributes = fc
  .record(Object.fromEntries(attributeNames.map((name) => [name, fc.constantFrom(...values)])), {
    requiredKeys: [],
  })
  .map((record) => record as IdentityFacts["attributes"]);
const groups = fc.subarray(groupNames);
const states = fc.record(
  Object.fromEntries(
    groupNames.map((name) => [
      name,
      fc.constantFrom<GroupBinding["state"]>(
        "bound",
        "bound",
        "bound",
        "absent",
        "deleted",
        "ambiguous",
      ),
    ]),
  ),
);
const exceptions = fc
  .array(
    fc.record({
      effect: fc.constantFrom<AccessException["effect"]>("grant", "deny"),
      entry: grant,
      everyRole: fc.boolean(),
    }),
    { maxLength: 3 },
  )
  .map((list) =>
    list.map(({ effect, entry, everyRole }, at) =>
      exception({
        exceptionId: `e${String(at)}`,
        effect,
        kind: entry.kind,
        object: "name" in entry ? { by: "name", value: entry.name } : null,
        role: effect === "deny" && everyRole ? null : entry.role,
      }),
    ),
  );

// The rules are meant to be odd: rules that never match or are smothered are part of the game, so the checks are left out.
function compiledOf(list: readonly Rule[]) {
  const file = mappingFile.parse(document(list.length === 0 ? [] : list));
  return compileChecked(expandMapping(file).mapping, anthropicFacts);
}

function ask(
  list: readonly Rule[],
  who: IdentityFacts,
  how: Readonly<Record<string, GroupBinding["state"]>> = {},
  own: readonly AccessException[] = [],
): Evaluation {
  const compiled = compiledOf(list);
  return evaluate(compiled, bindingsOf(compiled, how), who, own, 0);
}

/** One slot and role per assignment. */
function held(answer: Evaluation): Map<string, string> {
  return new Map(answer.assignments.map((item) => [claimKey(item.kind, item.object), item.role]));
}

function without(facts: IdentityFacts["attributes"], name: string): IdentityFacts["attributes"] {
  return Object.fromEntries(Object.entries(facts).filter(([key]) => key !== name));
}

describe("for any rules and any person", () => {
  test("the order of rules and of exceptions never matters", () => {
    fc.assert(
      fc.property(
        rules,
        groups,
        attributes,
        states,
        exceptions,
        fc.infiniteStream(fc.nat()),
        (list, inside, has, how, own, dice) => {
          const shuffle = <T>(items: readonly T[]) =>
            items
              .map((item) => ({ item, key: dice.next().value as number }))
              .sort((a, b) => a.key - b.key)
              .map(({ item }) => item);
          const { claims: _a, ...one } = ask(list, person(inside, has), how, own);
          const { claims: _b, ...other } = ask(
            shuffle(list),
            person(shuffle(inside), has),
            how,
            shuffle(own),
          );
          expect(other).toEqual(one);
        },
      ),
    );
  });

  test("a deny that is true takes its slot from every rule, but not from an exception", () => {
    fc.assert(
      fc.property(rules, groups, attributes, exceptions, grant, (list, inside, has, own, entry) => {
        const { role: _role, ...slot } = entry;
        const denying = { id: "the-deny", when: { everyone: true as const }, deny: [slot] };
        const answer = ask([...list, denying], person(inside, has), {}, own);
        const key = claimKey(
          entry.kind,
          "name" in entry ? { by: "name", name: entry.name } : { by: "none" },
        );
        const winner = answer.assignments.find((item) => claimKey(item.kind, item.object) === key);
        // Whoever is given anything needs an account, which then is because of the exception that gave it.
        if (winner !== undefined) {
          expect(winner.because.some((reason) => reason.startsWith("exception:"))).toBe(true);
        }
      }),
    );
  });

  test("an exception that grants holds its slot unless an exception denies it", () => {
    fc.assert(
      fc.property(rules, groups, attributes, states, grant, (list, inside, has, how, entry) => {
        const object = "name" in entry ? { by: "name" as const, value: entry.name } : null;
        const gift = exception({ exceptionId: "gift", kind: entry.kind, object, role: entry.role });
        const key = claimKey(
          entry.kind,
          "name" in entry ? { by: "name", name: entry.name } : { by: "none" },
        );
        const given = ask(list, person(inside, has), how, [gift]);
        expect(held(given).get(key)).toBe(entry.role);
        const stop = exception({ ...gift, exceptionId: "stop", effect: "deny", role: null });
        expect(held(ask(list, person(inside, has), how, [stop, gift])).has(key)).toBe(false);
      }),
    );
  });

  test("somebody who is not active gets nothing", () => {
    fc.assert(
      fc.property(rules, groups, attributes, states, exceptions, (list, inside, has, how, own) => {
        const answer = ask(list, person(inside, has, { active: false }), how, own);
        expect(answer.lifecycle).toBe("departed");
        expect([answer.assignments, answer.conflicts, answer.uncertain]).toEqual([[], [], []]);
      }),
    );
  });

  const losing = fc.oneof(
    fc.constantFrom(...attributeNames).map((name) => ({ attribute: name })),
    fc.constantFrom(...groupNames).map((name) => ({ group: name })),
    fc.constant({ loaded: false }),
  );
  type Loss = { attribute: string } | { group: string } | { loaded: boolean };
  const lose = (
    list: readonly Rule[],
    inside: readonly string[],
    has: IdentityFacts["attributes"],
    loss: Loss,
  ) => {
    if ("attribute" in loss) return ask(list, person(inside, without(has, loss.attribute)));
    if ("group" in loss) return ask(list, person(inside, has), { [loss.group]: "absent" });
    return ask(list, person(inside, has, { sources: [source("okta", { loaded: false })] }));
  };

  test("missing data never gives access", () => {
    fc.assert(
      fc.property(rules, groups, attributes, losing, (list, inside, has, loss) => {
        const before = ask(list, person(inside, has));
        const after = lose(list, inside, has, loss);
        const sure = (answer: Evaluation) =>
          answer.claims.filter((claim) => claim.effect === "grant" && claim.unknown === undefined);
        const reasons = new Set(sure(before).map((claim) => claim.because));
        // Only rules that were true before may be a reason, and what was denied stays denied.
        for (const item of after.assignments) {
          for (const reason of item.because) expect(reasons).toContain(reason);
        }
        // A contradiction that dissolves gives what one of its rules said, and the account with it.
        const torn = before.conflicts.map((item) => claimKey(item.kind, item.object));
        const slots = new Set([
          ...held(before).keys(),
          ...torn,
          ...(torn.length > 0 ? ["org_role"] : []),
        ]);
        for (const key of held(after).keys()) expect(slots).toContain(key);
      }),
      { numRuns: 1000 },
    );
  });

  test("missing data never takes access away: whatever goes is listed as uncertain", () => {
    fc.assert(
      fc.property(rules, groups, attributes, losing, (list, inside, has, loss) => {
        const before = ask(list, person(inside, has));
        const after = lose(list, inside, has, loss);
        const now = held(after);
        const safe = new Set(after.uncertain.map((item) => claimKey(item.kind, item.object)));
        for (const [key, role] of held(before)) {
          if (now.get(key) !== role) expect(safe).toContain(key);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("the answer is that of a plain reading of the rules", () => {
    fc.assert(
      fc.property(rules, groups, attributes, states, (list, inside, has, how) => {
        const answer = ask(list, person(inside, has), how);
        const read = plainReading(list, inside, has, how);
        expect(
          new Set(
            [...held(answer)]
              .filter(([key]) => key !== "org_role")
              .map(([key, role]) => `${key} ${role}`),
          ),
        ).toEqual(read.others);
        const org =
          held(answer).get("org_role") ??
          (answer.conflicts.some((item) => item.kind === "org_role") ? "conflict" : "none");
        expect(org).toBe(read.org);
      }),
      { numRuns: 1000 },
    );
  });
});

type Word = "true" | "false" | "unknown";

/** The semantics once more, written down without numbers, indexes or shortcuts. */
function plainReading(
  list: readonly Rule[],
  inside: readonly string[],
  has: IdentityFacts["attributes"],
  how: Readonly<Record<string, GroupBinding["state"]>>,
): { readonly org: string; readonly others: ReadonlySet<string> } {
  const word = (node: Condition): Word => {
    if (node.everyone === true) return "true";
    if (node.group !== undefined) {
      const state = how[node.group] ?? "bound";
      if (state === "absent" || state === "ambiguous") return "unknown";
      return state === "bound" && inside.includes(node.group) ? "true" : "false";
    }
    if (node.attribute !== undefined) {
      const value = has[node.attribute];
      if (value === undefined) return "unknown";
      if (node.exists !== undefined) return node.exists ? "true" : "false";
      const wanted: readonly unknown[] = node.in ?? [node.equals];
      return wanted.includes(value) ? "true" : "false";
    }
    if (node.not !== undefined) {
      const inner = word(node.not);
      return inner === "true" ? "false" : inner === "false" ? "true" : "unknown";
    }
    const parts = (node.all ?? node.any ?? []).map(word);
    const [decisive, other]: [Word, Word] =
      node.all === undefined ? ["true", "false"] : ["false", "true"];
    if (parts.includes(decisive)) return decisive;
    return parts.includes("unknown") ? "unknown" : other;
  };
  type Entry = { kind: string; name?: string; role?: string };
  const denies = list
    .filter((rule) => word(rule.when) !== "false")
    .flatMap((rule) => (rule.deny ?? []) as Entry[]);
  const denied = (entry: Entry) =>
    denies.some(
      (item) =>
        item.kind === entry.kind &&
        (item.name === undefined || item.name === entry.name) &&
        (item.role === undefined || item.role === entry.role),
    );
  const live = list
    .filter((rule) => word(rule.when) === "true")
    .flatMap((rule) => ((rule.grant ?? []) as Entry[]).map((entry) => ({ entry, rank: rule.rank })))
    .filter(({ entry }) => !denied(entry));
  const winner = (kind: string, name?: string) => {
    const own = live
      .filter(({ entry }) => entry.kind === kind && entry.name === name)
      .map(({ entry, rank }) => ({
        role: entry.role ?? "",
        rank: rank ?? anthropicFacts.kinds[kind]?.roles[entry.role ?? ""]?.rank ?? 0,
      }));
    if (own.length === 0) return "none";
    const best = Math.max(...own.map(({ rank }) => rank));
    const top = new Set(own.filter(({ rank }) => rank === best).map(({ role }) => role));
    return top.size === 1 ? [...top].join("") : "conflict";
  };
  const found = workspaces.map((name) => [name, winner("workspace", name)] as const);
  const given = found.filter(([, role]) => role !== "none" && role !== "conflict");
  const org = winner("org_role");
  const others = new Set(
    given.map(([name, role]) => `${claimKey("workspace", { by: "name", name })} ${role}`),
  );
  if (org !== "none" || given.length === 0) return { org, others };
  return denied({ kind: "org_role", role: "user" })
    ? { org: "none", others: new Set() }
    : { org: "user", others };
}

test("an unused group id never matters", () => {
  fc.assert(
    fc.property(rules, groups, attributes, (list, inside, has) => {
      const who = person(inside, has);
      const more = { ...who, groups: new Set([...who.groups, groupId("Unheard of")]) };
      expect(ask(list, more)).toEqual(ask(list, who));
    }),
  );
});
