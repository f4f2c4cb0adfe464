import { describe, expect, test } from "vitest";
import { compileMapping } from "../../../src/mapping/compile.ts";
import { lintAdmins, lintAttributes, lintGroups, lintObjects } from "../../../src/mapping/lint.ts";
import { instantlyFacts } from "../../support/vendor-facts.ts";
import { compile, document, production } from "./scene.ts";

const texts = (warnings: readonly { readonly text: string }[]) => warnings.map(({ text }) => text);

describe("the minimum of admins", () => {
  const policy = (accounts: readonly string[], adminsMin = 2) => ({
    adminsMin,
    protectedAccounts: accounts,
  });

  test("comes from protected accounts where the vendor lets nobody assign admins", () => {
    expect(texts(lintAdmins(compile([]), policy(["a@b.c"])))).toEqual([
      "no rule gives an admin role and 1 protected account of at least 2 (`admins_min`) is listed: anthropic lets nobody assign its admin roles: list your admins below `protected: accounts`",
    ]);
    expect(lintAdmins(compile([]), policy(["a@b.c", "b@b.c"]))).toEqual([]);
    expect(lintAdmins(compile([]), policy([], 0))).toEqual([]);
  });

  test("comes from a rule where it can be assigned", () => {
    const rule = {
      id: "a",
      why: "w",
      owner: "o",
      when: { group: "G" },
      grant: [{ kind: "workspace_role", role: "admin" }],
    };
    const instantly = (rules: readonly object[]) =>
      compileMapping(document(rules, { vendor: "instantly" }), instantlyFacts);
    expect(lintAdmins(instantly([rule]), policy([]))).toEqual([]);
    expect(texts(lintAdmins(instantly([]), policy([])))[0]).toContain(
      "add a rule that gives an admin role",
    );
  });
});

describe("attributes", () => {
  const rules = [
    {
      id: "contractors",
      when: { attribute: "userType", equals: "Contractor" },
      deny: [production],
    },
    {
      id: "leads",
      when: { attribute: "Title", equals: "Lead" },
      grant: [{ kind: "org_role", role: "user" }],
    },
  ];

  test("that nobody has: a deny hits everybody, a grant nobody", () => {
    const withAttribute = new Map([
      ["title", 2_000],
      ["userType", 0],
    ]);
    expect(texts(lintAttributes(compile(rules), { people: 2_014, withAttribute }))).toEqual([
      "0 of 2,014 people have userType: this deny hits everybody whom the rest of its condition does not rule out (contractors)",
      "0 of 2,014 people have Title (it is written title): this grant cannot match through it (leads)",
    ]);
  });

  test("that somebody has are fine, and so is a directory without people", () => {
    const withAttribute = new Map([
      ["Title", 1],
      ["userType", 1],
    ]);
    expect(lintAttributes(compile(rules), { people: 5, withAttribute })).toEqual([]);
    expect(lintAttributes(compile(rules), { people: 0, withAttribute: new Map() })).toEqual([]);
  });
});

describe("groups", () => {
  const rules = [
    {
      id: "r",
      when: { any: [{ group: "Enginering" }, { group: "Sales" }, { group: "Data", idp: "okta" }] },
      deny: [production],
    },
  ];

  test("that are missing are told with the nearest name, those there twice with their providers", () => {
    const groups = [
      { displayName: "engineering", idpId: "okta" },
      { displayName: "sales", idpId: "okta" },
      { displayName: "Sales", idpId: "entra" },
      { displayName: "Data", idpId: "entra" },
    ];
    expect(texts(lintGroups(compile(rules), groups))).toEqual([
      'no group "Enginering" has arrived (r); if it is misspelt, write one of engineering, sales, Sales, Data (did you mean engineering?)',
      'a group "Sales" is at okta and entra: say `idp:` (r)',
      'no group "Data" has arrived at okta (r); one of that name is at entra: change `idp:`',
    ]);
  });
});

describe("vendor objects", () => {
  const rules = [
    {
      id: "a",
      when: { group: "G" },
      grant: [{ kind: "workspace", name: "Prodction", role: "workspace_user" }],
    },
    {
      id: "b",
      when: { group: "G" },
      deny: [
        { kind: "workspace", name: "Staging" },
        { kind: "workspace", id: "wrkspc_9" },
      ],
    },
  ];
  const object = (objectId: string, name: string, archived = false) => ({
    kind: "workspace",
    objectId,
    name,
    archived,
    manageable: true,
  });

  test("that are not there, or there twice, are told", () => {
    const objects = [
      object("wrkspc_1", "Production"),
      object("wrkspc_2", "Staging"),
      object("wrkspc_3", "staging"),
      object("wrkspc_9", "Old", true),
    ];
    expect(texts(lintObjects(compile(rules), objects))).toEqual([
      'anthropic has no workspace "Prodction" (a): write one of Production, Staging, staging (did you mean Production?)',
      'anthropic has 2 workspaces named "Staging": write `id:` (b)',
      'anthropic has no workspace "wrkspc_9" (b): copy the id from the vendor, or write `name:`',
    ]);
  });

  test("that are there raise nothing", () => {
    expect(
      lintObjects(compile(rules), [
        object("wrkspc_1", "prodction"),
        object("wrkspc_2", "Staging"),
        object("wrkspc_9", "x"),
      ]),
    ).toEqual([]);
  });
});
