import { describe, expect, test } from "vitest";
import { compileMapping } from "../../../src/mapping/compile.ts";
import { documentOf } from "../../../src/mapping/expand.ts";
import { InputError } from "../../../src/model/errors.ts";
import { anthropicFacts } from "../../support/vendor-facts.ts";
import { compile, document } from "./scene.ts";

const membership = {
  id: "ws",
  when: {
    all: [{ group: "ws-{workspace}-{level}" }, { attribute: "site", in: ["{workspace}", "all"] }],
  },
  grant: [{ kind: "workspace", name: "{workspace}", role: "{level}" }],
};
const placeholders = {
  level: { dev: "workspace_developer", "Just Look": "workspace_user" },
  workspace: ["Production", "Staging"],
};

function problemsOf(rules: readonly object[], head: object): readonly string[] {
  try {
    compile(rules, head);
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

describe("placeholders", () => {
  test("write each combination as a rule of its own, keys into conditions and values into grants", () => {
    const compiled = compile([membership], { placeholders });
    expect(compiled.rules.map((rule) => rule.id)).toEqual([
      "ws-dev-production",
      "ws-dev-staging",
      "ws-just-look-production",
      "ws-just-look-staging",
    ]);
    expect(compiled.rules[2]?.written).toEqual({
      id: "ws-just-look-production",
      when: {
        all: [
          { group: "ws-Production-Just Look" },
          { attribute: "site", in: ["Production", "all"] },
        ],
      },
      grant: [{ kind: "workspace", name: "Production", role: "workspace_user" }],
    });
  });

  test("and bundles are gone in the document, which compiles to the same", () => {
    const bundles = {
      looker: [
        { kind: "org_role", role: "user" },
        { kind: "workspace", name: "{workspace}", role: "workspace_user" },
      ],
    };
    const rule = {
      id: "look",
      idp: "okta",
      when: { not: { group: "no-{workspace}" } },
      grant: [{ bundle: "looker" }],
    };
    const first = compile([membership, rule], { placeholders, bundles });
    const stored = documentOf(first.mapping);
    expect(JSON.stringify(stored)).not.toMatch(/[{]workspace|bundle|placeholder/);
    const second = compileMapping(stored, anthropicFacts);
    expect(second.rules).toEqual(first.rules);
    expect(second.groups.filter((group) => group.idpId === "okta")).toHaveLength(2);
  });

  test("are bounded before anything is expanded", () => {
    const many = Array.from({ length: 100 }, (_, at) => `v${String(at)}`);
    const head = { placeholders: { a: many, b: many } };
    const rule = { id: "x", when: { group: "{a}-{b}" }, deny: [{ kind: "org_role" }] };
    expect(problemsOf([rule], head)).toEqual([
      "rules[0]: expands to 10000 rules, which brings the file above 5000: use fewer values or split the file",
    ]);
  });

  test("whose values give one id twice are refused", () => {
    const rule = { id: "x", when: { group: "{a}" }, deny: [{ kind: "org_role" }] };
    expect(problemsOf([rule], { placeholders: { a: ["A B", "a-b"] } })).toEqual([
      'rules[0].id: the rule id "x-a-b" is used twice: give each rule its own',
    ]);
  });

  test("take no braces, so that nothing is filled twice", () => {
    const rule = { id: "x", when: { group: "{a}" }, deny: [{ kind: "org_role" }] };
    expect(problemsOf([rule], { placeholders: { a: ["{b}"], b: ["x"] } })).toHaveLength(1);
  });

  test("with a value that no role fits are told once, where it is written", () => {
    expect(problemsOf([membership], { placeholders: { ...placeholders, level: ["dev"] } })).toEqual(
      [
        'rules[0].grant[0].role: workspace has no role "dev": write one of workspace_user, workspace_restricted_developer, workspace_developer, workspace_admin',
      ],
    );
  });
});

describe("bundles", () => {
  test("cannot hold bundles, and their mistakes are told where they are", () => {
    const bundles = { one: [{ bundle: "two" }], two: [{ kind: "org_role", role: "usr" }] };
    const rules = [
      { id: "x", when: { group: "G" }, grant: [{ bundle: "one" }, { bundle: "two" }] },
    ];
    expect(problemsOf(rules, { bundles })).toEqual([
      "bundles.one[0]: a bundle cannot hold another bundle: list its grants",
      expect.stringContaining("bundles.two[0].role: org_role has no role"),
    ]);
  });
});

test("a document that is no mapping is refused with its places", () => {
  expect(() => compileMapping(document([{ id: "x" }]), anthropicFacts)).toThrow(
    /rules\[0\]\.when: is missing/,
  );
});
