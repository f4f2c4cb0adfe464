import { performance } from "node:perf_hooks";
import { describe, expect, test } from "vitest";
import { compileMapping } from "../../../src/mapping/compile.ts";
import { evaluate } from "../../../src/mapping/evaluate.ts";
import { simulate } from "../../../src/mapping/simulate.ts";
import type { IdentityFacts } from "../../../src/model/identity.ts";
import { asId, type IdentityId } from "../../../src/model/ids.ts";
import { anthropicFacts } from "../../support/vendor-facts.ts";
import { bindingsOf, compile, document, exception, groupId, person } from "./scene.ts";

const side = (rules: readonly object[]) => {
  const compiled = compile(rules);
  return { compiled, bindings: bindingsOf(compiled) };
};
const gives = (id: string, role: string, more: object = {}) => ({
  id,
  when: { group: id },
  grant: [{ kind: "org_role", role }],
  ...more,
});
const named = (name: string, groups: readonly string[], more: Partial<IdentityFacts> = {}) =>
  person(groups, {}, { identityId: asId<IdentityId>(name), ...more });

describe("a simulation", () => {
  const before = side([gives("a", "user"), gives("b", "developer")]);
  const after = side([
    gives("a", "developer"),
    gives("b", "user"),
    gives("c", "billing", { why: "w", owner: "o" }),
    gives("d", "user"),
  ]);
  const people = [
    named("up", ["a"]),
    named("down", ["b"]),
    named("new", ["c"]),
    named("torn", ["a", "c"]),
    named("same", ["x"]),
    named("left", ["a"], { active: false }),
  ];

  test("counts people who gain, lose, gain a privilege, or run into a contradiction", () => {
    const result = simulate(people, before, after, { now: 0 });
    expect(result).toEqual({
      people: 6,
      gains: 2,
      losses: 2,
      changed: 4,
      privilegedGains: 1,
      conflicts: 1,
      perRule: { a: 1, b: 1, c: 1, d: 0 },
      examples: [
        { identityId: "up", gains: ["org_role developer instead of user"], losses: [] },
        { identityId: "down", gains: [], losses: ["org_role user instead of developer"] },
        { identityId: "new", gains: ["org_role billing"], losses: [] },
        { identityId: "torn", gains: [], losses: ["org_role user"] },
      ],
    });
  });

  test("of a first mapping has only gains, and keeps the examples few", () => {
    const result = simulate(people, undefined, after, { now: 0, examplesMax: 1 });
    expect([result.gains, result.losses, result.examples.length]).toEqual([3, 0, 1]);
  });

  test("asks the exceptions of each person, on both sides", () => {
    const exceptionsOf = (who: IdentityFacts) =>
      who.identityId === asId<IdentityId>("down") ? [exception({ role: "developer" })] : [];
    expect(simulate(people, before, after, { now: 0, exceptionsOf }).losses).toBe(1);
  });

  test("reads a stream of people without keeping them", () => {
    function* many() {
      for (let at = 0; at < 20_000; at++) yield named(`p${String(at)}`, at % 2 === 0 ? ["a"] : []);
    }
    const result = simulate(many(), before, after, { now: 0 });
    expect([result.people, result.changed, result.examples.length]).toEqual([20_000, 10_000, 20]);
  });
});

describe("2,000 rules and a person in 200 groups", () => {
  const rules = Array.from({ length: 2_000 }, (_, at) => ({
    id: `rule-${String(at)}`,
    when:
      at % 3 === 0
        ? { group: `g${String(at)}` }
        : {
            all: [
              { group: `g${String(at)}` },
              {
                attribute: at % 2 === 0 ? "department" : "title",
                in: [`d${String(at % 50)}`, "all"],
              },
            ],
          },
    ...(at % 20 === 19
      ? { deny: [{ kind: "workspace", name: `w${String(at % 100)}` }] }
      : { grant: [{ kind: "workspace", name: `w${String(at % 300)}`, role: "workspace_user" }] }),
  }));
  const compiled = compileMapping(document(rules), anthropicFacts);
  const bindings = bindingsOf(compiled);
  const who = person(
    [],
    { department: "all", title: "all" },
    {
      groups: new Set(Array.from({ length: 200 }, (_, at) => groupId(`g${String(at * 10)}`))),
    },
  );

  test("are answered in a time that a wave of people can afford", () => {
    expect(evaluate(compiled, bindings, who, [], 0).assignments.length).toBeGreaterThan(20);
    const times = Array.from({ length: 60 }, () => {
      const start = performance.now();
      evaluate(compiled, bindings, who, [], 0);
      return performance.now() - start;
    }).sort((a, b) => a - b);
    // The fastest of many: what the code costs, not what else the machine did. Measured 0.2 ms; asked for: 2 ms.
    expect(times[0]).toBeLessThan(2);
  });
});
