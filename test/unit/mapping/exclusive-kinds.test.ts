import { describe, expect, test } from "vitest";
import { compileMapping } from "../../../src/mapping/compile.ts";
import { evaluate, explainEvaluation } from "../../../src/mapping/evaluate.ts";
import { resolveDesired } from "../../../src/mapping/resolve.ts";
import { scimFacts } from "../../../src/connectors/intercom/facts.ts";
import type { VendorObject } from "../../../src/model/account.ts";
import type { AccessException } from "../../../src/model/identity.ts";
import { bindingsOf, document, exception, person } from "./scene.ts";

const objects: readonly VendorObject[] = ["Support Agent", "Manager"].map((name, at) => ({
  kind: "role",
  objectId: String(at + 1),
  name,
  archived: false,
  manageable: true,
}));
const head = {
  vendor: "intercom",
  profile: "scim",
  connection: { credential: "sealed:a", services: { scim: { credential: "sealed:b" } } },
};
const gives = (id: string, name: string, more: object = {}) => ({
  id,
  when: { group: "G" },
  grant: [{ kind: "role", name, role: "member" }],
  ...more,
});

function ask(rules: readonly object[], exceptions: readonly AccessException[] = []) {
  const compiled = compileMapping(document(rules, head), scimFacts);
  const who = person(["G"]);
  const bindings = bindingsOf(compiled, { Absent: "absent" });
  const answer = evaluate(compiled, bindings, who, exceptions, 0);
  const state = resolveDesired(answer, {
    objects,
    facts: scimFacts,
    policy: { domains: [] },
    mappingVersion: "v1",
    person: who,
  });
  const roles = state.assignments
    .filter((item) => item.kind === "role")
    .map((item) => item.objectId);
  const traces = explainEvaluation(compiled, bindings, who, exceptions, 0);
  const outcomes = traces.map((trace) => `${trace.ruleId} ${trace.outcome}`);
  return { state, roles, outcomes };
}

describe("a kind of which an account holds one object", () => {
  test("goes to the rule of the highest rank, and the other is told what beat it", () => {
    const { roles, outcomes, state } = ask([
      gives("agents", "Support Agent"),
      gives("managers", "Manager", { rank: 50 }),
    ]);
    expect(roles).toEqual(["2"]);
    expect(state.conflicts).toEqual([]);
    expect(outcomes).toEqual(["agents lost_to_higher_role", "managers won"]);
  });

  test("is a conflict between equal ranks, gets nothing and loses nothing", () => {
    const { roles, outcomes, state } = ask([
      gives("agents", "Support Agent"),
      gives("managers", "Manager"),
    ]);
    expect(roles).toEqual([]);
    expect(state.conflicts).toMatchObject([{ slot: null, because: ["agents", "managers"] }]);
    expect(state.conflicts[0]?.text).toContain("set `rank:`");
    expect(state.keep).toMatchObject([{ kind: "role", objectId: "*" }]);
    expect(outcomes).toEqual(["agents conflict", "managers conflict"]);
  });

  test("goes to an exception whatever the ranks are", () => {
    const granted = exception({
      connectionId: "vendor",
      kind: "role",
      object: { by: "name", value: "Support Agent" },
      role: "member",
    });
    const { roles, outcomes } = ask([gives("managers", "Manager", { rank: 50 })], [granted]);
    expect(roles).toEqual(["1"]);
    expect(outcomes).toContain("managers overruled_by_exception");
  });

  test("by name and by id of the same object is one wish", () => {
    const byId = {
      ...gives("by-id", "x"),
      grant: [{ kind: "role", id: "1", role: "member" }],
    };
    const { roles, state } = ask([gives("agents", "Support Agent"), byId]);
    expect([roles, state.conflicts]).toEqual([["1"], []]);
  });

  test("loses nothing while a rule on another object is not known", () => {
    const { roles, state } = ask([
      { ...gives("absent", "Manager"), when: { group: "Absent" } },
      { ...gives("team", "x"), grant: [{ kind: "team", id: "7", role: "member" }] },
    ]);
    expect(roles).toEqual([]);
    expect(state.keep.filter((item) => item.kind === "role")).toMatchObject([{ objectId: "*" }]);
  });
});

describe("the services of a vendor", () => {
  const without = { ...head, connection: { credential: "sealed:a" } };

  test("each need a credential, and no other has one", () => {
    expect(() => compileMapping(document([], without), scimFacts)).toThrow(
      "needs `services: { scim:",
    );
    const unknown = { credential: "sealed:a", services: { scmi: { credential: "sealed:b" } } };
    expect(() => compileMapping(document([], { ...head, connection: unknown }), scimFacts)).toThrow(
      'has no service "scmi"',
    );
    expect(compileMapping(document([], head), scimFacts).rules).toEqual([]);
  });
});
