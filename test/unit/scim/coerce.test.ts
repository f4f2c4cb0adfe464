import fc from "fast-check";
import SCIMMY from "scimmy";
import { beforeAll, describe, expect, it } from "vitest";

import { coerceGroup, coerceUser } from "../../../src/scim/coerce.ts";
import { maxElements, maxTextLength } from "../../../src/scim/coerce-value.ts";
import { enterpriseUrn, groupUrn, userUrn } from "../../../src/scim/schema.ts";
import { ScimError } from "../../../src/scim/scim-error.ts";
import { fixture } from "../../support/fixture.ts";

const user = (more: Record<string, unknown>): Record<string, unknown> => ({
  userName: "ada@example.com",
  ...more,
});
const coerced = (more: Record<string, unknown>): unknown => coerceUser(user(more)).resource;

function errorOf(action: () => unknown): ScimError {
  try {
    action();
  } catch (error) {
    if (error instanceof ScimError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("coerceUser", () => {
  it("keeps what Okta sends for a new person, without groups and password", () => {
    expect(coerceUser(fixture("okta/create-user"))).toEqual({
      resource: {
        userName: "ada.quill@example.com",
        name: { givenName: "Ada", familyName: "Quill" },
        emails: [{ primary: true, value: "ada.quill@example.com", type: "work" }],
        displayName: "Ada Quill",
        locale: "en-US",
        externalId: "00u1ada0quill0example",
        active: true,
      },
      dropped: [],
    });
  });

  it("takes back what a GET returned, with ids, meta, nulls and types of its own", () => {
    const { resource, dropped } = coerceUser(fixture("okta/put-user"));
    expect(dropped).toEqual([]);
    expect(Object.keys(resource)).not.toEqual(expect.arrayContaining(["id"]));
    expect(resource).toEqual({
      userName: "ada.quill@example.com",
      externalId: "00u1ada0quill0example",
      active: true,
      displayName: "Ada Quill-Moss",
      name: { givenName: "Ada", familyName: "Quill-Moss" },
      emails: [
        { primary: true, value: "ada.quill@example.com", type: "work" },
        { primary: false, value: "ada@home.example.com", type: "primary" },
      ],
      phoneNumbers: [{ value: "+1 555 0100", type: "Mobile" }],
      title: "",
      [enterpriseUrn]: { department: "Platform", costCenter: "4130" },
    });
  });

  it("reads Entra's text booleans, nulls and empty lists, and reports schemas that it does not know", () => {
    const { resource, dropped } = coerceUser(fixture("entra/create-user"));
    expect(dropped).toEqual(["urn:ietf:params:scim:schemas:extension:badges:2.0:User"]);
    expect(resource).toEqual({
      externalId: "c0ffee00-1111-4222-8333-444455556666",
      userName: "Cai.Ibsen@example.com",
      active: true,
      displayName: "Cai Ibsen",
      emails: [{ primary: true, type: "work", value: "cai.ibsen@example.com" }],
      name: { formatted: "Cai Ibsen", familyName: "Ibsen", givenName: "Cai" },
      title: "Analyst",
      [enterpriseUrn]: {
        employeeNumber: "7001",
        department: "Finance",
        manager: { value: "0199aa00-0000-7000-8000-000000000009" },
      },
    });
  });

  it("reads names in any case, dotted keys and keys behind a URN", () => {
    expect(
      coerced({
        DISPLAYNAME: "Ada",
        name: { familyName: "Quill" },
        "Name.GIVENNAME": "Ada",
        [`${userUrn}:title`]: "Dr",
        [`${enterpriseUrn.toUpperCase()}:Department`]: "Platform",
        [enterpriseUrn.toUpperCase()]: { COSTCENTER: "1" },
      }),
    ).toEqual({
      userName: "ada@example.com",
      displayName: "Ada",
      name: { familyName: "Quill", givenName: "Ada" },
      title: "Dr",
      [enterpriseUrn]: { department: "Platform", costCenter: "1" },
    });
  });

  it("takes OneLogin's spelling of the schemas", () => {
    const body = user({
      schemas: ["urn:scim:schemas:core:2.0", "urn:scim:schemas:extension:enterprise:2.0"],
      "urn:scim:schemas:extension:enterprise:2.0": { department: "Platform" },
    });
    expect(coerceUser(body)).toEqual({
      resource: { userName: "ada@example.com", [enterpriseUrn]: { department: "Platform" } },
      dropped: [],
    });
  });

  it.each([
    ["an object", { value: "7" }, { value: "7" }],
    ["text", "7", { value: "7" }],
    ["a list of one", [{ $ref: "Users/7", value: "7" }], { $ref: "Users/7", value: "7" }],
    ["an object with a read-only part", { value: "7", displayName: "Bo" }, { value: "7" }],
    ["an empty text", "", undefined],
    ["an empty list", [], undefined],
    ["null", null, undefined],
    ["an empty id", { value: "" }, undefined],
  ])("reads a manager given as %s", (_, manager, expected) => {
    expect(coerced({ [enterpriseUrn]: { manager, division: "EMEA" } })).toEqual({
      userName: "ada@example.com",
      [enterpriseUrn]: {
        division: "EMEA",
        ...(expected === undefined ? {} : { manager: expected }),
      },
    });
  });

  it("reads lists given as one element or as bare text", () => {
    const emails = [{ value: "a@example.com" }];
    expect(coerced({ emails: "a@example.com" })).toMatchObject({ emails });
    expect(coerced({ emails: { value: "a@example.com" } })).toMatchObject({ emails });
    expect(coerced({ emails: ["a@example.com", null, "", {}] })).toMatchObject({ emails });
    expect(coerced({ emails: [null, {}, { type: null }] })).toEqual({
      userName: "ada@example.com",
    });
  });

  it("keeps one primary at most, the first", () => {
    const emails = [
      { value: "a", primary: false },
      { value: "b", primary: "TRUE" },
      { value: "c", primary: true },
    ];
    expect(coerced({ emails })).toMatchObject({
      emails: [{ primary: false }, { primary: true }, { primary: false }],
    });
  });

  it("unpacks a role that Entra packs as JSON text, and leaves other text alone", () => {
    const packed = {
      value: '{"id":"1","value":"auditor","displayName":"Auditor"}',
      type: "WindowsAzureActiveDirectoryRole",
    };
    expect(coerced({ roles: [packed, { value: "{plain", displayName: "Plain" }] })).toMatchObject({
      roles: [
        { value: "auditor", display: "Auditor", type: "WindowsAzureActiveDirectoryRole" },
        { value: "{plain", display: "Plain" },
      ],
    });
  });

  it("reports unknown names as paths without values, and never more than fifty", () => {
    const { dropped } = coerceUser(
      user({
        schemas: [userUrn, "urn:example:other"],
        badge: "secret",
        emails: [{ value: "a", label: "secret" }],
        [enterpriseUrn]: { desk: "secret" },
        "name.nick": "secret",
      }),
    );
    expect(dropped).toEqual([
      "schemas: urn:example:other",
      "badge",
      "emails.label",
      `${enterpriseUrn}:desk`,
      "name.nick",
    ]);
    const many = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`x${String(index)}`, 1]),
    );
    expect(coerceUser(user(many)).dropped).toHaveLength(50);
  });

  it.each<[Record<string, unknown>, string, string]>([
    [{ title: 7 }, "title: got the number 7", "text in quotes"],
    [{ title: ["x"] }, "title: got a list", "text in quotes"],
    [{ active: "yes" }, 'active: got the text "yes"', "true or false"],
    [{ active: 1 }, "active: got the number 1", "true or false"],
    [{ name: "Ada" }, 'name: got the text "Ada"', "givenName"],
    [{ emails: [7] }, "emails: got the number 7", "an object with value"],
    [{ emails: [[]] }, "emails: got a list", "an object with value"],
    [{ emails: [{ value: {} }] }, "emails.value: got an object", "text in quotes"],
    [{ [enterpriseUrn]: "x" }, `${enterpriseUrn}: got the text "x"`, "a JSON object"],
    [{ [enterpriseUrn]: { manager: ["1", "2"] } }, "manager: got a list of 2", "one object"],
    [{ title: "a\0b" }, "title: got text with a NUL", "without it"],
    [{ title: "\ud800" }, "title: got text with half a surrogate", "well-formed"],
    [{ title: "x".repeat(maxTextLength + 1) }, "title: got text of 65537", "at most 65536"],
    [{ userName: "x".repeat(1_025) }, "userName: got text of 1025", "at most 1024"],
    [
      { emails: Array.from({ length: maxElements + 1 }, () => "x") },
      "emails: got a list of 1001",
      "at most 1000",
    ],
    [{ userName: " " }, "userName: a User needs a userName", "not empty"],
    [{ userName: null }, "userName: a User needs a userName", "not empty"],
  ])("refuses %# and says what to send", (more, got, expected) => {
    const error = errorOf(() => coerceUser(user(more)));
    expect({ status: error.status, scimType: error.scimType }).toEqual({
      status: 400,
      scimType: "invalidValue",
    });
    expect(error.detail).toContain(got);
    expect(error.detail).toContain(expected);
  });

  it.each([null, undefined, [], "x", 1])("refuses a body that is no object: %j", (body) => {
    expect(errorOf(() => coerceUser(body))).toMatchObject({
      status: 400,
      scimType: "invalidSyntax",
    });
  });

  it("cannot be made to change a prototype", () => {
    const body: unknown = JSON.parse(
      '{"userName":"ada","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"name":{"__proto__":{"admin":true},"givenName":"Ada"},"emails":[{"__proto__":{"admin":true},"value":"a"}]}',
    );
    const { resource, dropped } = coerceUser(body);
    expect(resource).toEqual({
      userName: "ada",
      name: { givenName: "Ada" },
      emails: [{ value: "a" }],
    });
    expect(Object.getPrototypeOf(resource)).toBe(Object.prototype);
    expect((resource as { admin?: unknown }).admin).toBeUndefined();
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
    expect(dropped).toEqual(["__proto__", "constructor", "name.__proto__", "emails.__proto__"]);
  });
});

describe("coerceGroup", () => {
  it("reads name, externalId and member ids without doubles", () => {
    expect(
      coerceGroup({
        schemas: [groupUrn],
        id: "x",
        displayName: "Engineering",
        externalId: "e",
        Members: [{ value: "1", $ref: null, display: "Ada" }, "2", { VALUE: "1" }],
      }),
    ).toEqual({ displayName: "Engineering", externalId: "e", memberIds: ["1", "2"], dropped: [] });
  });

  it("tells no members from an empty list", () => {
    expect(coerceGroup(fixture("okta/create-group")).memberIds).toEqual([]);
    expect(coerceGroup(fixture("entra/create-group")).memberIds).toBeUndefined();
    expect(coerceGroup({ displayName: "x", members: null }).memberIds).toBeUndefined();
  });

  it("reports Entra's second schema and drops nothing else", () => {
    expect(coerceGroup(fixture("entra/create-group"))).toEqual({
      displayName: "Finance",
      externalId: "dec0de00-1111-4222-8333-444455556666",
      memberIds: undefined,
      dropped: [
        "schemas: http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
      ],
    });
  });

  it("skips a member without id, and refuses a list in which nobody has one", () => {
    const { memberIds, dropped } = coerceGroup({
      displayName: "x",
      members: [{ value: "1" }, { display: "Bo" }],
    });
    expect({ memberIds, dropped }).toEqual({
      memberIds: ["1"],
      dropped: ["members[1] without value"],
    });
    expect(
      errorOf(() => coerceGroup({ displayName: "x", members: [{ display: "Bo" }] })).detail,
    ).toContain("[] means nobody");
  });

  it.each<[Record<string, unknown>, string]>([
    [{ displayName: "" }, "a Group needs a displayName"],
    [{ members: [{ value: 7 }] }, "members[0].value: got the number 7"],
    [{ members: [["1"]] }, "members[0].value: got a list"],
    [{ members: ["1", "a\0"] }, "members[1].value: got text with a NUL"],
    [{ members: "x".repeat(2_000) }, "members[0].value: got text of 2000"],
  ])("refuses %j", (more, detail) => {
    expect(errorOf(() => coerceGroup({ displayName: "x", ...more })).detail).toContain(detail);
  });

  it("reads a hundred thousand members in well under a second of processor time", () => {
    const members = Array.from({ length: 100_000 }, (_, index) => ({ value: String(index) }));
    const started = process.threadCpuUsage();
    expect(coerceGroup({ displayName: "x", members }).memberIds).toHaveLength(100_000);
    const { user, system } = process.threadCpuUsage(started);
    expect((user + system) / 1_000).toBeLessThan(1_000);
  });
});

describe("the coercer beside the library whose definitions it compiles", () => {
  beforeAll(() => {
    SCIMMY.Schemas.User.definition.extend(SCIMMY.Schemas.EnterpriseUser.definition, false);
  });

  const text = fc
    .string({ unit: "grapheme", maxLength: 12 })
    .filter((value) => !value.includes("\0") && !value.startsWith("{"));
  const some = text.filter((value) => value !== "");
  const optional = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
    fc.record(shape, { requiredKeys: [] }).filter((value) => Object.keys(value).length > 0);
  const list = (types: readonly string[], extra: Record<string, fc.Arbitrary<unknown>> = {}) =>
    fc
      .array(
        optional<Record<string, unknown>>({
          value: text,
          display: text,
          type: fc.constantFrom(...types),
          ...extra,
        }),
        { minLength: 1, maxLength: 3 },
      )
      .chain((items) =>
        fc
          .option(fc.nat(items.length - 1), { nil: undefined })
          .map((primary) =>
            items.map((item, index) => (index === primary ? { ...item, primary: true } : item)),
          ),
      );
  const validUser = fc.record(
    {
      userName: text.filter((value) => value.trim() !== ""),
      externalId: text,
      name: optional({
        formatted: text,
        familyName: text,
        givenName: text,
        middleName: text,
        honorificPrefix: text,
        honorificSuffix: text,
      }),
      displayName: text,
      nickName: text,
      profileUrl: fc.webUrl(),
      title: text,
      userType: text,
      preferredLanguage: text,
      locale: text,
      timezone: text,
      active: fc.boolean(),
      password: text,
      emails: list(["work", "home", "other"]),
      phoneNumbers: list(["work", "mobile", "fax"]),
      addresses: fc.array(
        optional({
          formatted: text,
          streetAddress: text,
          locality: text,
          region: text,
          postalCode: text,
          country: text,
          type: fc.constantFrom("work", "home"),
        }),
        { minLength: 1, maxLength: 2 },
      ),
      entitlements: list(["a", "b"]),
      [enterpriseUrn]: optional({
        employeeNumber: some,
        costCenter: some,
        organization: some,
        division: some,
        department: some,
        manager: fc.record({ value: some }),
      }),
    },
    { requiredKeys: ["userName"] },
  );
  const upperFirst = (source: object): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(source).map(([key, value]) => [
        key.startsWith("urn:") ? key : key.toUpperCase(),
        value as unknown,
      ]),
    );

  it("makes of every valid user what the library makes of it", () => {
    fc.assert(
      fc.property(validUser, fc.boolean(), (body, loud) => {
        const sent = loud ? upperFirst(body) : body;
        const theirs = JSON.parse(
          JSON.stringify(new SCIMMY.Schemas.User(structuredClone(sent), "in")),
        ) as Record<string, unknown>;
        delete theirs["schemas"];
        delete theirs["meta"];
        const ours = coerceUser(sent);
        expect(ours.resource).toEqual(theirs);
        expect(ours.dropped).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("makes of every valid group what the library makes of it", () => {
    const validGroup = fc.record(
      {
        displayName: text.filter((value) => value.trim() !== ""),
        externalId: some,
        members: fc
          .uniqueArray(some, { maxLength: 5 })
          .map((ids) => ids.map((value) => ({ value }))),
      },
      { requiredKeys: ["displayName"] },
    );
    fc.assert(
      fc.property(validGroup, (body) => {
        const theirs = JSON.parse(
          JSON.stringify(new SCIMMY.Schemas.Group(structuredClone(body), "in")),
        ) as {
          displayName: string;
          externalId?: string;
          members?: readonly { value: string }[];
        };
        const ours = coerceGroup(body);
        expect(ours).toEqual({
          displayName: theirs.displayName,
          externalId: theirs.externalId,
          memberIds: theirs.members?.map((member) => member.value),
          dropped: [],
        });
      }),
      { numRuns: 200 },
    );
  });

  it("throws nothing but ScimError and gives a fixed point, whatever it is given", () => {
    const key = fc.constantFrom(
      "userName",
      "displayName",
      "emails",
      "name",
      "name.givenName",
      "active",
      "roles",
      "members",
      "value",
      "type",
      "primary",
      "manager",
      "schemas",
      "__proto__",
      "constructor",
      enterpriseUrn,
      `${enterpriseUrn}:manager`,
      groupUrn,
      "urn:",
      "x",
    );
    const { any } = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>(
          null,
          true,
          "True",
          "",
          0,
          "a",
          "a\0",
          "\ud800",
          '{"value":"x"}',
          "{",
        ),
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(key, tie("any"), { maxKeys: 5, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(any, (value) => {
        const body =
          typeof value === "object" && value !== null
            ? { displayName: "x", userName: "x", ...value }
            : value;
        for (const coerce of [coerceUser, coerceGroup] as const) {
          try {
            const result = coerce(body);
            if ("resource" in result)
              expect(coerceUser(result.resource).resource).toEqual(result.resource);
          } catch (error) {
            if (!(error instanceof ScimError)) throw error;
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
