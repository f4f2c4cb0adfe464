import { describe, expect, test } from "vitest";
import { explainEvaluation } from "../../../src/mapping/evaluate.ts";
import type { AccessException, IdentityFacts } from "../../../src/model/identity.ts";
import { bindingsOf, compile, exception, person, production, source } from "./scene.ts";

function explain(
  rules: readonly object[],
  who: IdentityFacts,
  states: Parameters<typeof bindingsOf>[1] = {},
  exceptions: readonly AccessException[] = [],
) {
  const compiled = compile(rules);
  return explainEvaluation(compiled, bindingsOf(compiled, states), who, exceptions, 0);
}

const grants = (id: string, role: string, when: object = { group: id }) => ({
  id,
  when,
  grant: [{ kind: "org_role", role }],
});
const outcomes = (traces: ReturnType<typeof explain>) =>
  traces.map(({ ruleId, effect, result, outcome, beatenBy }) =>
    [ruleId, effect, result, outcome, ...beatenBy].join(" "),
  );

describe("an explanation", () => {
  test("tells winners, losers and what beat them", () => {
    const rules = [
      grants("low", "user"),
      grants("high", "developer"),
      { ...grants("twin", "billing"), why: "w", owner: "o" },
      { id: "no-admins", when: { everyone: true }, deny: [production] },
      {
        id: "prod",
        when: { group: "low" },
        grant: [{ kind: "workspace", name: "Staging", role: "workspace_user" }],
      },
    ];
    expect(outcomes(explain(rules, person(["low", "high"])))).toEqual([
      "high grant true won",
      "low grant true lost_to_higher_role high",
      "no-admins deny true won",
      "prod grant true won",
      "twin grant false no_match",
    ]);
    expect(outcomes(explain(rules, person(["high", "twin"]))).slice(0, 1)).toEqual([
      "high grant true conflict",
    ]);
  });

  test("splits a rule whose grants fared differently", () => {
    const both = {
      id: "both",
      when: { group: "G" },
      grant: [
        { kind: "org_role", role: "developer" },
        { ...production, role: "workspace_user" },
      ],
    };
    const deny = {
      id: "deny",
      when: { attribute: "userType", equals: "Contractor" },
      deny: [production],
    };
    const traces = explain([both, deny], person(["G"], { userType: "Contractor" }));
    expect(outcomes(traces)).toEqual([
      "both grant true won",
      "both grant true denied deny",
      "deny deny true won",
    ]);
    expect(traces[1]?.entitlements).toEqual([
      { kind: "workspace", object: { by: "name", name: "Production" }, role: "workspace_user" },
    ]);
  });

  test("of a rule that does not match names what would stop it", () => {
    const rule = {
      id: "rule",
      when: { group: "G" },
      grant: [{ ...production, role: "workspace_user" }],
    };
    const deny = { id: "deny", when: { group: "H" }, deny: [production] };
    expect(outcomes(explain([rule, deny], person(["H"])))).toEqual([
      "deny deny true won",
      "rule grant false no_match deny",
    ]);
    expect(outcomes(explain([rule, deny], person([])))).toEqual([
      "deny deny false no_match",
      "rule grant false no_match",
    ]);
  });

  test("shows exceptions as what they overrule", () => {
    const deny = { id: "deny", when: { group: "G" }, deny: [{ kind: "org_role" }] };
    const traces = explain([grants("rule", "developer"), deny], person(["rule", "G"]), {}, [
      exception({ exceptionId: "e2", role: "user", until: 86_400_000 }),
      exception({ exceptionId: "e1", until: -1 }),
    ]);
    expect(outcomes(traces)).toEqual([
      "deny deny true won exception:e2",
      "rule grant true denied deny",
      "exception:e2 grant true won",
    ]);
    expect(traces[2]?.conditions).toEqual([
      {
        text: "exception by a lead: because",
        result: "true",
        why: "until 1970-01-02T00:00:00.000Z",
      },
    ]);
    expect(
      outcomes(
        explain([grants("rule", "developer")], person(["rule"]), {}, [exception({ role: "user" })]),
      ),
    ).toEqual([
      "rule grant true overruled_by_exception exception:e1",
      "exception:e1 grant true won",
    ]);
  });

  test("gives each condition its own result and reason, in the words of the file", () => {
    const when = {
      all: [
        { group: "In" },
        { group: "Out", idp: "okta" },
        { group: "Never" },
        { group: "Gone" },
        { group: "Two" },
        { attribute: "userType", in: ["Employee", "Intern"] },
        { attribute: "title", equals: "Lead" },
        { attribute: "badge", exists: true },
        { any: [{ group: "In" }, { not: { attribute: "level", equals: 3 } }] },
      ],
    };
    const traces = explain(
      [grants("rule", "user", when)],
      person(["In"], { userType: "Contractor", skills: ["a"] }),
      {
        Never: "absent",
        Gone: "deleted",
        Two: "ambiguous",
      },
    );
    expect(traces[0]?.conditions).toEqual([
      { text: "group In", result: "true" },
      { text: "group Out of okta", result: "false", why: "not a member" },
      { text: "group Never", result: "unknown", why: "no group of this name has arrived" },
      { text: "group Gone", result: "false", why: "the group was deleted" },
      {
        text: "group Two",
        result: "unknown",
        why: "several identity providers have a group of this name: say `idp:`",
      },
      { text: "userType in Employee, Intern", result: "false", why: "userType is Contractor" },
      { text: "title equals Lead", result: "unknown", why: "the person has no title" },
      { text: "badge exists", result: "unknown", why: "the person has no badge" },
      { text: "any of (group In; not (level equals 3))", result: "true" },
    ]);
    const arriving = person([], {}, { sources: [source("okta", { loaded: false })] });
    expect(explain([grants("rule", "user")], arriving)[0]?.conditions[0]?.why).toContain(
      "not marked loaded",
    );
  });

  test("of somebody who left has no winners", () => {
    expect(
      outcomes(explain([grants("rule", "user")], person(["rule"], {}, { active: false }))),
    ).toEqual(["rule grant true no_match"]);
  });
});
