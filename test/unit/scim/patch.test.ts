import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { JsonObject } from "../../../src/model/json.ts";
import { coerceUser } from "../../../src/scim/coerce.ts";
import { patchUser } from "../../../src/scim/patch.ts";
import { parsePatchOp } from "../../../src/scim/patch-op.ts";
import { enterpriseUrn, userUrn } from "../../../src/scim/schema.ts";
import { ScimError } from "../../../src/scim/scim-error.ts";
import { fixture } from "../../support/fixture.ts";

const ada: JsonObject = {
  userName: "ada@example.com",
  name: { givenName: "Ada", familyName: "Quill" },
  title: "Dr",
  active: true,
  emails: [
    { value: "ada@example.com", type: "work", primary: true },
    { value: "ada@home.example.com", type: "home" },
  ],
  [enterpriseUrn]: { department: "Platform", manager: { value: "7", $ref: "Users/7" } },
};

type Operation = { op: string; path?: string; value?: unknown };

const patch = (resource: JsonObject, ...Operations: Operation[]) =>
  patchUser(resource, parsePatchOp({ Operations }));
const patched = (...operations: Operation[]): JsonObject => patch(ada, ...operations).resource;

function errorOf(action: () => unknown): ScimError {
  try {
    action();
  } catch (error) {
    if (error instanceof ScimError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("patchUser with the requests of Okta and Entra", () => {
  const from = (name: string, resource: JsonObject) =>
    patchUser(resource, parsePatchOp(fixture(name)));

  it("deactivates as Okta asks", () => {
    expect(from("okta/deactivate-user", ada)).toEqual({
      resource: { ...ada, active: false },
      changed: true,
      dropped: [],
    });
  });

  it("applies Entra's operations with paths, makes elements that are missing, and reports foreign attributes", () => {
    const { resource } = coerceUser(fixture("entra/create-user"));
    const result = from("entra/patch-attributes", resource);
    expect(result.dropped).toEqual([
      "urn:ietf:params:scim:schemas:extension:badges:2.0:User:badge",
    ]);
    expect(result.resource).toEqual({
      ...resource,
      active: false,
      displayName: "Cai Ibsen-Roe",
      name: { formatted: "Cai Ibsen", familyName: "Roe", givenName: "Cai" },
      emails: [{ primary: true, type: "work", value: "cai.roe@example.com" }],
      phoneNumbers: [{ type: "mobile", value: "+44 20 7946 0000" }],
      addresses: [{ type: "work", streetAddress: "1 Canal Street", locality: "Leeds" }],
      roles: [{ primary: true, value: "Approver", display: "Approves" }],
      [enterpriseUrn]: {
        employeeNumber: "7001",
        department: "Treasury",
        manager: { value: "0199aa00-0000-7000-8000-000000000009" },
      },
    });
  });

  it("applies Entra's form without path, with dotted keys and keys behind a URN", () => {
    const { resource } = coerceUser(fixture("entra/create-user"));
    const result = from("entra/patch-without-path", resource);
    expect(result.dropped).toEqual([]);
    expect(result.resource).toMatchObject({
      displayName: "Cai Roe",
      name: { formatted: "Cai Ibsen", givenName: "Kai", familyName: "Roe" },
      emails: [{ value: "kai.roe@example.com" }],
      [enterpriseUrn]: { employeeNumber: "7002", department: "Treasury", manager: {} },
    });
  });

  it.each([
    ["entra/set-manager", { value: "0199aa00-0000-7000-8000-000000000008" }],
    [
      "entra/set-manager-older",
      {
        $ref: "https://id.example.com/scim/v2/Users/0199aa00-0000-7000-8000-000000000008",
        value: "0199aa00-0000-7000-8000-000000000008",
      },
    ],
    ["entra/clear-manager", undefined],
    ["entra/remove-manager", undefined],
  ])("ends with the right manager after %s, without the old one's reference", (name, manager) => {
    expect(from(name, ada).resource[enterpriseUrn]).toEqual({
      department: "Platform",
      ...(manager === undefined ? {} : { manager }),
    });
  });

  it("unpacks the role that Entra packs as text", () => {
    expect(from("entra/set-role", ada).resource["roles"]).toEqual([
      { value: "auditor", display: "Auditor" },
    ]);
    const path = {
      op: "Add",
      path: 'roles[primary eq "True"].value',
      value: '{"value":"auditor"}',
    };
    expect(patched(path)["roles"]).toEqual([{ primary: true, value: "auditor" }]);
  });
});

describe("patchUser", () => {
  it("leaves the given resource alone and says whether anything changed", () => {
    const before = structuredClone(ada);
    expect(patch(ada, { op: "replace", path: "title", value: "Prof" }).changed).toBe(true);
    expect(patch(ada, { op: "replace", path: "title", value: "Dr" }).changed).toBe(false);
    expect(
      patch(
        ada,
        { op: "add", path: "emails", value: [{ value: "ADA@example.com", type: "Work" }] },
        {
          op: "replace",
          path: 'emails[type eq "work"]',
          value: { value: "ada@example.com", type: "work" },
        },
      ).changed,
    ).toBe(false);
    expect(ada).toEqual(before);
  });

  it("applies all operations or none", () => {
    const error = errorOf(() =>
      patched(
        { op: "replace", path: "title", value: "Prof" },
        { op: "replace", path: "active", value: "maybe" },
      ),
    );
    expect(error.detail).toContain("Operations[1] (active): active: got the text");
    expect(ada["title"]).toBe("Dr");
  });

  it.each(["active", "ACTIVE", `${userUrn}:active`])(
    "finds %s and reads booleans as text",
    (path) => {
      expect(patched({ op: "Replace", path, value: "False" })["active"]).toBe(false);
      expect(patched({ op: "replace", value: { [path]: "false" } })["active"]).toBe(false);
    },
  );

  it("finds an enterprise attribute that is named without its URN", () => {
    expect(
      patched({ op: "replace", path: "department", value: "Sales" })[enterpriseUrn],
    ).toMatchObject({ department: "Sales" });
  });

  it("replaces single values on add, and clears them on remove and on a null replacement", () => {
    expect(patched({ op: "add", path: "title", value: "Prof" })["title"]).toBe("Prof");
    expect(patched({ op: "add", path: "title", value: null })["title"]).toBe("Dr");
    expect(
      patched({ op: "add", value: { name: null, [enterpriseUrn]: "", emails: null } }),
    ).toEqual(ada);
    expect(patched({ op: "remove", path: "title" })).not.toHaveProperty("title");
    expect(patched({ op: "replace", path: "title", value: null })).not.toHaveProperty("title");
    expect(patched({ op: "replace", value: { title: null } })).not.toHaveProperty("title");
  });

  it("keeps the parts of a name that a replacement does not mention, and clears those that are null", () => {
    expect(
      patched({ op: "replace", path: "name", value: { GIVENNAME: "Augusta" } })["name"],
    ).toEqual({ givenName: "Augusta", familyName: "Quill" });
    expect(patched({ op: "replace", value: { name: { givenName: null } } })["name"]).toEqual({
      familyName: "Quill",
    });
    expect(
      patched({ op: "remove", path: "name.givenName" }, { op: "remove", path: "name.familyName" }),
    ).not.toHaveProperty("name");
    expect(patched({ op: "replace", path: "name", value: null })).not.toHaveProperty("name");
  });

  it("takes an added nothing as no change", () => {
    for (const path of [
      "name",
      "emails",
      `${enterpriseUrn}:manager`,
      'emails[type eq "work"].value',
      'emails[type eq "work"]',
      "name.givenName",
    ]) {
      expect(patch(ada, { op: "add", path, value: null })).toMatchObject({ changed: false });
    }
  });

  it("changes an extension as a whole by its URN", () => {
    expect(
      patched({ op: "add", path: enterpriseUrn, value: { division: "EMEA" } })[enterpriseUrn],
    ).toMatchObject({ department: "Platform", division: "EMEA" });
    expect(
      patched({
        op: "add",
        value: { [enterpriseUrn]: { department: null, division: "EMEA", desk: 1 } },
      })[enterpriseUrn],
    ).toMatchObject({ department: "Platform", division: "EMEA" });
    expect(patched({ op: "remove", path: enterpriseUrn })).not.toHaveProperty([enterpriseUrn]);
  });

  describe("on lists", () => {
    it("appends, and does not add a second time what is there", () => {
      const email = { value: "a@other.example.com", type: "other" };
      const once = patched({ op: "add", path: "emails", value: [email] });
      expect(once["emails"]).toHaveLength(3);
      expect(patch(once, { op: "add", value: { emails: [email] } }).changed).toBe(false);
      expect(
        patch(once, {
          op: "add",
          path: "emails",
          value: { value: "A@OTHER.example.com", type: "other", display: "A" },
        }).resource["emails"],
      ).toHaveLength(3);
    });

    it("replaces the whole list, with a path and without", () => {
      const emails = [{ value: "new@example.com" }];
      expect(patched({ op: "replace", path: "emails", value: emails })["emails"]).toEqual(emails);
      expect(patched({ op: "replace", value: { emails } })["emails"]).toEqual(emails);
      expect(patched({ op: "replace", path: "emails", value: [] })).not.toHaveProperty("emails");
    });

    it("removes all, those that are listed, or those that a filter finds", () => {
      const home = [{ value: "ada@home.example.com", type: "home" }];
      expect(patched({ op: "remove", path: "emails" })).not.toHaveProperty("emails");
      expect(
        patched({ op: "remove", path: "emails", value: [{ value: "ADA@example.com" }] })["emails"],
      ).toEqual(home);
      expect(
        patched({
          op: "remove",
          path: "emails",
          value: [{ value: "ada@example.com", type: "home" }],
        })["emails"],
      ).toHaveLength(2);
      expect(patched({ op: "remove", path: "emails", value: [] })["emails"]).toHaveLength(2);
      expect(patched({ op: "remove", path: 'emails[type eq "WORK"]' })["emails"]).toEqual(home);
      expect(patched({ op: "remove", path: 'emails[not (type eq "home")]' })["emails"]).toEqual(
        home,
      );
      expect(patched({ op: "remove", path: 'emails[type eq "work"].value' })["emails"]).toEqual(
        home,
      );
      expect(patched({ op: "remove", path: 'emails[type eq "fax"]' })["emails"]).toEqual(
        ada["emails"],
      );
      expect(patched({ op: "remove", path: 'emails[type eq "work"].primary' })["emails"]).toEqual([
        { value: "ada@example.com", type: "work" },
        ...home,
      ]);
    });

    it("changes what a filter finds and nothing else", () => {
      expect(
        patched({ op: "replace", path: "emails[primary eq true].value", value: "x" })["emails"],
      ).toEqual([
        { value: "x", type: "work", primary: true },
        { value: "ada@home.example.com", type: "home" },
      ]);
      expect(
        patched({
          op: "replace",
          path: 'emails[value ew "@HOME.example.com" and type pr]',
          value: { value: "y" },
        })["emails"],
      ).toMatchObject([{ value: "ada@example.com" }, { value: "y" }]);
      expect(
        patched({ op: "replace", path: 'emails[type eq "work"]', value: { value: "z" } })["emails"],
      ).toMatchObject([{ value: "z", type: "work", primary: true }, {}]);
    });

    it("makes the element that a filter of equalities describes, without a primary of its own", () => {
      expect(
        patched({ op: "replace", path: 'phoneNumbers[type eq "mobile"].value', value: "1" })[
          "phoneNumbers"
        ],
      ).toEqual([{ type: "mobile", value: "1" }]);
      expect(
        patched({
          op: "add",
          path: 'phoneNumbers[type eq "fax" and display eq "F"]',
          value: { value: "2" },
        })["phoneNumbers"],
      ).toEqual([{ type: "fax", display: "F", value: "2" }]);
      expect(
        patched({ op: "add", path: 'phoneNumbers[type eq "mobile"].value', value: null }),
      ).not.toHaveProperty("phoneNumbers");
      expect(
        errorOf(() =>
          patched({ op: "replace", path: 'phoneNumbers[value co "1"].value', value: "2" }),
        ),
      ).toMatchObject({ status: 400, scimType: "noTarget" });
    });

    it("moves the primary mark to the newest", () => {
      expect(
        patched({ op: "add", path: "emails", value: [{ value: "n", primary: "True" }] })["emails"],
      ).toMatchObject([{ primary: false }, {}, { primary: true }]);
      expect(
        patched({ op: "replace", path: 'emails[type eq "home"].primary', value: true })["emails"],
      ).toMatchObject([{ primary: false }, { primary: true }]);
    });
  });

  it("ignores read-only parts in a value, refuses them by path, and never keeps a password", () => {
    expect(
      patch(ada, {
        op: "replace",
        value: { id: "1", meta: {}, groups: [], schemas: [], password: "x", "meta.version": "1" },
      }).changed,
    ).toBe(false);
    expect(patch(ada, { op: "replace", path: "password", value: "x" }).changed).toBe(false);
    for (const path of ["id", "groups", "meta.version", `${enterpriseUrn}:manager.displayName`]) {
      expect(errorOf(() => patched({ op: "replace", path, value: "x" }))).toMatchObject({
        status: 400,
        scimType: "mutability",
      });
    }
  });

  it("reports what it does not know in a value, and refuses a misspelt path", () => {
    expect(
      patch(ada, {
        op: "add",
        value: {
          badge: 1,
          "emails[type eq]": 1,
          "name.nick": 1,
          name: { nick: 1 },
          "urn:x:y:z": 1,
        },
      }).dropped,
    ).toEqual(["badge", "emails[type eq]", "name.nick", "urn:x:y:z"]);
    for (const path of [
      "badge",
      "name.nick",
      'emails[type eq "work"].nick',
      'emails[nick eq "x"]',
      `${enterpriseUrn}:badge`,
      'title[value eq "x"]',
      "emails[",
      `${enterpriseUrn}[a pr]`,
    ]) {
      const error = errorOf(() => patched({ op: "replace", path, value: "x" }));
      expect(error).toMatchObject({ status: 400, scimType: "invalidPath" });
      expect(error.detail).toContain(`Operations[0] (${path})`);
    }
  });

  it("reads a filter behind a single-valued attribute as one behind a list of one", () => {
    const path = `${enterpriseUrn}:manager[value eq "7"]`;
    expect(patched({ op: "remove", path })[enterpriseUrn]).toEqual({ department: "Platform" });
    expect(
      patched({ op: "remove", path: `${enterpriseUrn}:manager[value eq "8"]` })[enterpriseUrn],
    ).toEqual(ada[enterpriseUrn]);
  });

  it("does not lose the userName", () => {
    expect(errorOf(() => patched({ op: "remove", path: "userName" }))).toMatchObject({
      status: 400,
      scimType: "invalidValue",
    });
    expect(
      patched({ op: "remove", path: "userName" }, { op: "add", path: "userName", value: "b" })[
        "userName"
      ],
    ).toBe("b");
  });

  it("does not lose whether somebody is active: a removal is refused, an emptied value says nothing", () => {
    expect(errorOf(() => patched({ op: "remove", path: "active" }))).toMatchObject({
      status: 400,
      scimType: "mutability",
    });
    for (const value of [null, ""]) {
      expect(patched({ op: "replace", path: "active", value })["active"]).toBe(true);
      expect(patched({ op: "replace", value: { active: value } })["active"]).toBe(true);
    }
  });

  it("bounds a list that grows operation by operation", () => {
    const hundred = (from: number) =>
      Array.from({ length: 100 }, (_, index) => ({ value: String(from + index) }));
    const operations = Array.from({ length: 11 }, (_, index) => ({
      op: "add",
      path: "roles",
      value: hundred(index * 100),
    }));
    expect(patched(...operations.slice(0, 10))["roles"]).toHaveLength(1_000);
    expect(errorOf(() => patched(...operations)).detail).toContain("at most 1000");
  });
});

describe("parsePatchOp", () => {
  it("takes names and ops in any case, and any schemas or none", () => {
    const operation = { op: "Add", Path: " title ", VALUE: "x" };
    const read = [{ op: "add", path: "title", value: "x", place: "Operations[0]" }];
    expect(parsePatchOp({ operations: [operation] })).toEqual(read);
    expect(parsePatchOp({ schemas: ["urn:x"], Operations: [operation] })).toEqual(read);
    expect(parsePatchOp({ Operations: [{ op: "REMOVE", path: "title" }] })).toEqual([
      { op: "remove", path: "title", value: undefined, place: "Operations[0]" },
    ]);
  });

  it.each<[unknown, string, string]>([
    [null, "invalidSyntax", "The request body: got no value"],
    [{}, "invalidSyntax", "Operations: got no value"],
    [{ Operations: [] }, "invalidSyntax", "Operations: got 0 operations"],
    [{ Operations: Array.from({ length: 1_001 }, () => ({})) }, "invalidSyntax", "1 to 1000"],
    [{ Operations: [7] }, "invalidSyntax", "Operations[0]: got the number 7"],
    [{ Operations: [{ op: "move" }] }, "invalidSyntax", "Operations[0].op"],
    [{ Operations: [{ op: "add", path: 7 }] }, "invalidPath", "Operations[0].path"],
    [{ Operations: [{ op: "replace", path: "title" }] }, "invalidValue", "replace needs a value"],
    [{ Operations: [{ op: "remove", value: {} }] }, "noTarget", "a remove needs a path"],
  ])("refuses %#", (body, scimType, detail) => {
    const error = errorOf(() => parsePatchOp(body));
    expect(error).toMatchObject({ status: 400, scimType });
    expect(error.detail).toContain(detail);
  });
});

describe("patchUser on anything", () => {
  const path = fc.constantFrom(
    "title",
    "name",
    "name.givenName",
    "emails",
    'emails[type eq "work"]',
    'emails[type eq "work"].value',
    "emails.value",
    'roles[primary eq "True"].value',
    "roles[not (a pr)]",
    "id",
    "schemas",
    "password",
    "userName",
    enterpriseUrn,
    `${enterpriseUrn}:manager`,
    `${enterpriseUrn}:manager.value`,
    "__proto__",
    "constructor",
    "",
    "emails[",
  );
  const { any } = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>(null, true, "True", "", 0, "a", "a\0", '{"value":"x"}', "work"),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(fc.oneof(path, fc.constantFrom("value", "type", "primary")), tie("any"), {
        maxKeys: 4,
        noNullPrototype: true,
      }),
    ),
  }));
  const operation = fc.record(
    { op: fc.constantFrom("Add", "replace", "remove"), path, value: any },
    { requiredKeys: ["op"] },
  );

  it("throws nothing but ScimError, changes nothing that it was given, and ends canonical", () => {
    const before = structuredClone(ada);
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 5 }), (operations) => {
        try {
          const { resource, changed } = patchUser(ada, parsePatchOp({ Operations: operations }));
          expect(coerceUser(resource)).toEqual({ resource, dropped: [] });
          if (!changed) expect(resource).toEqual(ada);
        } catch (error) {
          if (!(error instanceof ScimError)) throw error;
        }
        expect(ada).toEqual(before);
      }),
      { numRuns: 3_000 },
    );
  });

  it("is idempotent: the same request a second time changes nothing", () => {
    // Whoever is found by a type or a primary mark and then loses it is not found again.
    const moves = (item: unknown): boolean =>
      JSON.stringify(item).includes("[") && /"(type|primary)"/.test(JSON.stringify(item));
    const setting = operation.filter(
      (item) => item.op !== "remove" && item.value !== undefined && !moves(item),
    );
    fc.assert(
      fc.property(setting, (item) => {
        let first: JsonObject;
        try {
          first = patchUser(ada, parsePatchOp({ Operations: [item] })).resource;
        } catch (error) {
          if (error instanceof ScimError) return;
          throw error;
        }
        expect(patchUser(first, parsePatchOp({ Operations: [item] })).resource).toEqual(first);
      }),
      { numRuns: 3_000 },
    );
  });

  it("needs time in proportion to the operations", () => {
    const timeOf = (count: number): number => {
      const operations = parsePatchOp({
        Operations: Array.from({ length: count }, (_, index) => ({
          op: "replace",
          path: `emails[type eq "work"].value`,
          value: String(index),
        })),
      });
      const started = process.threadCpuUsage();
      for (let done = 0; done < 20_000; done += count) patchUser(ada, operations);
      const { user, system } = process.threadCpuUsage(started);
      return user + system;
    };
    timeOf(1_000);
    // The same work in ten times as large pieces: the square of it would be ten times as dear.
    expect(timeOf(1_000)).toBeLessThan(4 * timeOf(100));
  });
});
