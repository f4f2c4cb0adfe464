import { describe, expect, test } from "vitest";
import { mappingTestFile, runMappingTests } from "../../../src/mapping/test-file.ts";
import { compile, production } from "./scene.ts";

const compiled = compile([
  {
    id: "eng",
    when: { group: "Eng" },
    grant: [
      { kind: "org_role", role: "developer" },
      { ...production, role: "workspace_user" },
    ],
  },
  {
    id: "pay",
    why: "w",
    owner: "o",
    when: { group: "Pay", idp: "okta" },
    grant: [{ kind: "org_role", role: "billing" }],
  },
  { id: "never", when: { attribute: "userType", equals: "Contractor" }, deny: [production] },
]);

function failures(identities: object, expected: object, more: object = {}) {
  return runMappingTests(compiled, mappingTestFile.parse({ identities, expect: expected, ...more }))
    .failures;
}

const employee = { attributes: { userType: "Employee" } };
const developer = { kind: "org_role", role: "developer" };
const user = { ...production, role: "workspace_user" };

describe("a test of a mapping", () => {
  test("passes where everything is as expected", () => {
    const people = {
      ada: { ...employee, groups: ["eng"] },
      bo: { ...employee, groups: ["Eng", { group: "Pay", idp: "okta" }] },
      cy: { ...employee, groups: [{ group: "Pay", idp: "entra" }] },
      di: { active: false, groups: ["Eng"] },
    };
    const result = runMappingTests(
      compiled,
      mappingTestFile.parse({
        identities: people,
        expect: {
          ada: [{ ...developer, because: ["eng"] }, user],
          bo: [{ kind: "org_role", conflict: ["billing", "developer"] }, user],
          cy: [],
          di: [],
        },
      }),
    );
    expect(result).toEqual({ checked: 4, failures: [] });
  });

  test("says what is there instead, and which rule stopped it", () => {
    expect(
      failures(
        { ada: { groups: ["Eng"], attributes: { userType: "Contractor" } } },
        { ada: [developer, user] },
      ),
    ).toEqual([
      "ada: workspace Production must be workspace_user, got nothing (eng is stopped by never)",
    ]);
    expect(
      failures(
        { ada: { ...employee, groups: ["Eng"] } },
        {
          ada: [
            { kind: "org_role", role: "user" },
            { ...user, because: ["pay"] },
          ],
        },
      ),
    ).toEqual([
      "ada: org_role must be user, got developer because of eng",
      "ada: workspace Production workspace_user must be because of pay, got workspace_user because of eng",
    ]);
  });

  test("fails for what is given beyond what is expected", () => {
    expect(failures({ ada: { ...employee, groups: ["Eng"] } }, { ada: [developer] })).toEqual([
      "ada: got workspace Production workspace_user because of eng, which is not expected",
    ]);
    expect(failures({ ada: { ...employee, groups: ["Eng", "Pay"] } }, { ada: [user] })).toEqual([
      "ada: a conflict of billing (pay) and developer (eng) in org_role, which is not expected",
    ]);
  });

  test("fails for a conflict that is none", () => {
    const entry = { kind: "org_role", conflict: ["billing", "developer"] };
    expect(failures({ ada: { ...employee, groups: ["Eng"] } }, { ada: [entry, user] })).toEqual([
      "ada: org_role must be a conflict of billing and developer, got developer because of eng",
    ]);
  });

  test("can say that a group has not arrived", () => {
    expect(failures({ ada: { groups: ["Eng"] } }, { ada: [] }, { absent: ["ENG"] })).toEqual([]);
  });
});
