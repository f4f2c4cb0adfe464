import { describe, expect, it } from "vitest";
import { planFilter, planSort } from "../../../src/scim/query-plan.ts";
import { enterpriseUrn, groupSchema, userSchema } from "../../../src/scim/schema.ts";
import { ScimError } from "../../../src/scim/scim-error.ts";

const compare = (field: object, value: unknown, exact: boolean, test = "eq") => ({
  op: "compare",
  field,
  test,
  value,
  exact,
});

function refused(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ScimError) return `${String(error.status)} ${String(error.scimType)}`;
    throw error;
  }
  return "accepted";
}

describe("planFilter", () => {
  it("asks columns where there are some, exactly where the schema says so", () => {
    for (const [filter, plan] of [
      ['userName eq "A"', compare({ column: "userName" }, "A", false)],
      [
        'urn:ietf:params:scim:schemas:core:2.0:User:USERNAME eq "A"',
        compare({ column: "userName" }, "A", false),
      ],
      ['externalId eq "A"', compare({ column: "externalId" }, "A", true)],
      ['id eq "A"', compare({ column: "id" }, "A", true)],
      ['emails eq "A"', compare({ column: "emails" }, "A", false)],
      ['emails.value eq "A"', compare({ column: "emails" }, "A", false)],
      ['active eq "True"', compare({ column: "active" }, true, false)],
      [
        'meta.lastModified ge "1970-01-01T00:00:01Z"',
        compare({ column: "updatedAt" }, 1_000, true, "ge"),
      ],
    ] as const) {
      expect(planFilter(userSchema, filter), filter).toEqual(plan);
    }
    expect(planFilter(groupSchema, 'members eq "u"')).toEqual(
      compare({ column: "members" }, "u", true),
    );
  });

  it("asks the document for the rest, an extension by its URN", () => {
    expect(planFilter(userSchema, 'manager eq "m"')).toEqual(
      compare({ resource: [enterpriseUrn, "manager", "value"] }, "m", false),
    );
    expect(planFilter(userSchema, "name pr")).toEqual({
      op: "present",
      field: { resource: ["name"] },
    });
    expect(planFilter(userSchema, 'emails.type eq "work"')).toEqual(
      compare({ resource: ["emails", "type"] }, "work", false),
    );
  });

  it("lets the index of addresses narrow what the element decides", () => {
    const plan = planFilter(userSchema, 'emails[type eq "work"].value eq "A"');
    expect(plan).toMatchObject({
      op: "and",
      of: [
        compare({ column: "emails" }, "A", false),
        { op: "element", field: { resource: ["emails"] }, of: { op: "and" } },
      ],
    });
    // What need not be so must not narrow.
    for (const filter of [
      'emails[type eq "work" or value eq "A"]',
      'emails[not (value eq "A")]',
      'emails[value eq ""]',
    ]) {
      expect(planFilter(userSchema, filter)).toMatchObject({ op: "element" });
    }
  });

  it("answers what is the same for all without asking", () => {
    const nothing = { op: "not", of: { op: "all" } };
    expect(planFilter(userSchema, undefined)).toEqual({ op: "all" });
    expect(planFilter(userSchema, 'meta.resourceType eq "User"')).toEqual({ op: "all" });
    expect(planFilter(groupSchema, 'meta.resourceType eq "User"')).toEqual(nothing);
    expect(planFilter(groupSchema, 'meta.resourceType ne "User"')).toEqual({ op: "all" });
  });

  it("refuses what nothing stored could answer, rather than finding nobody", () => {
    for (const filter of [
      'groups eq "g"',
      'groups[value eq "g"]',
      'password eq "x"',
      'schemas eq "x"',
      'meta.version eq "1"',
      "meta[created pr]",
      'userName[value eq "x"]',
      'name eq "x"',
      "userName eq 1",
      "userName gt null",
      'active co "t"',
      'active eq "maybe"',
      'meta.created co "2026"',
      'emails[nosuch eq "x"]',
    ]) {
      expect(
        refused(() => planFilter(userSchema, filter)),
        filter,
      ).toBe("400 invalidFilter");
    }
    for (const filter of ['members.display eq "x"', 'members[display eq "x"]', 'userName eq "x"']) {
      expect(
        refused(() => planFilter(groupSchema, filter)),
        filter,
      ).toBe("400 invalidFilter");
    }
  });

  it("bounds what one filter may cost", () => {
    const joined = (times: number, part: string) =>
      Array.from({ length: times }, () => part).join(" or ");
    expect(refused(() => planFilter(userSchema, joined(100, 'id eq "x"')))).toBe("accepted");
    expect(refused(() => planFilter(userSchema, joined(101, 'id eq "x"')))).toBe("400 tooMany");
    expect(refused(() => planFilter(userSchema, joined(10, "title pr")))).toBe("accepted");
    expect(refused(() => planFilter(userSchema, joined(11, "title pr")))).toBe("400 tooMany");
  });
});

describe("planSort", () => {
  it("takes single values in both orders and refuses what has none", () => {
    expect(planSort(userSchema, undefined, "descending")).toBeUndefined();
    expect(planSort(userSchema, "name.familyName", "Descending")).toEqual({
      field: { resource: ["name", "familyName"] },
      descending: true,
    });
    expect(planSort(groupSchema, "meta.created", undefined)).toEqual({
      field: { column: "createdAt" },
      descending: false,
    });
    expect(refused(() => planSort(userSchema, "name", undefined))).toBe("400 invalidPath");
    expect(refused(() => planSort(groupSchema, "members", undefined))).toBe("400 invalidPath");
    expect(refused(() => planSort(userSchema, "userName", "upwards"))).toBe("400 invalidValue");
  });
});
