import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compileGroupPatch, type GroupDelta } from "../../../src/scim/group-patch.ts";
import { parsePatchOp } from "../../../src/scim/patch-op.ts";
import { groupUrn } from "../../../src/scim/schema.ts";
import { ScimError } from "../../../src/scim/scim-error.ts";
import { fixture } from "../../support/fixture.ts";

type Operation = { op: string; path?: string; value?: unknown };

const compile = (...Operations: Operation[]): GroupDelta =>
  compileGroupPatch(parsePatchOp({ Operations }));
const members = (...operations: Operation[]) => compile(...operations).memberChanges;

function errorOf(action: () => unknown): ScimError {
  try {
    action();
  } catch (error) {
    if (error instanceof ScimError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const one = "0199aa00-0000-7000-8000-000000000001";
const two = "0199aa00-0000-7000-8000-000000000002";
const three = "0199aa00-0000-7000-8000-000000000003";

describe("compileGroupPatch with the requests of Okta and Entra", () => {
  it.each<[string, Omit<GroupDelta, "dropped">]>([
    [
      "okta/change-members",
      {
        memberChanges: [
          { op: "remove", memberIds: [two] },
          { op: "add", memberIds: [one, three] },
        ],
      },
    ],
    ["okta/push-now", { memberChanges: [{ op: "replace", memberIds: [one] }] }],
    ["okta/push-now-empty", { memberChanges: [{ op: "replace", memberIds: [] }] }],
    ["okta/rename-group", { displayName: "Engineering EMEA", memberChanges: [] }],
    ["entra/add-members", { memberChanges: [{ op: "add", memberIds: [one, two] }] }],
    ["entra/remove-members", { memberChanges: [{ op: "remove", memberIds: [one] }] }],
    ["entra/remove-members-by-path", { memberChanges: [{ op: "remove", memberIds: [one] }] }],
    [
      "entra/rename-group",
      {
        displayName: "Finance North",
        externalId: "dec0de00-1111-4222-8333-444455557777",
        memberChanges: [],
      },
    ],
  ])("reads %s", (name, delta) => {
    expect(compileGroupPatch(parsePatchOp(fixture(name)))).toEqual({ ...delta, dropped: [] });
  });
});

describe("compileGroupPatch", () => {
  it("takes all members away only when a remove names nobody", () => {
    expect(members({ op: "remove", path: "members" })).toEqual([{ op: "replace", memberIds: [] }]);
    expect(members({ op: "remove", path: "members", value: null })).toEqual([
      { op: "replace", memberIds: [] },
    ]);
    expect(members({ op: "remove", path: "members", value: [] })).toEqual([]);
    expect(members({ op: "remove", path: "members", value: [{ value: "a" }] })).toEqual([
      { op: "remove", memberIds: ["a"] },
    ]);
  });

  it("reads several ids out of one path", () => {
    expect(
      members({ op: "remove", path: 'Members[Value EQ "a" or value eq "b \\"c\\""]' }),
    ).toEqual([{ op: "remove", memberIds: ["a", 'b "c"'] }]);
    expect(members({ op: "add", path: `${groupUrn}:members[value eq "a"]`, value: null })).toEqual([
      { op: "add", memberIds: ["a"] },
    ]);
  });

  it("reads a thousand ids out of one path, and refuses a path without end", () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => `0199aa00-${String(index)}`);
    const path = (all: readonly string[]): string =>
      `members[${all.map((id) => `value eq "${id}"`).join(" or ")}]`;
    expect(members({ op: "remove", path: path(ids) })).toEqual([{ op: "remove", memberIds: ids }]);
    const error = errorOf(() => compile({ op: "remove", path: path([...ids, ...ids, ...ids]) }));
    expect(error).toMatchObject({ status: 400, scimType: "invalidPath" });
  });

  it("reads bare texts, one element, and elements with other parts", () => {
    expect(
      members({
        op: "add",
        path: "members",
        value: ["a", { value: "b", $ref: null, type: "User" }, "a"],
      }),
    ).toEqual([{ op: "add", memberIds: ["a", "b"] }]);
    expect(members({ op: "add", path: "members", value: { value: "a" } })).toEqual([
      { op: "add", memberIds: ["a"] },
    ]);
    expect(members({ op: "add", path: "members", value: "a" })).toEqual([
      { op: "add", memberIds: ["a"] },
    ]);
    expect(
      members({ op: "add", value: { members: ["a"] } }, { op: "replace", value: { MEMBERS: [] } }),
    ).toEqual([{ op: "replace", memberIds: [] }]);
  });

  it("keeps the order of changes and joins neighbours of one kind", () => {
    const add = (id: string) => ({ op: "add", path: "members", value: [id] });
    const remove = (id: string) => ({ op: "remove", path: `members[value eq "${id}"]` });
    expect(members(add("a"), add("b"), remove("a"), remove("c"), add("a"))).toEqual([
      { op: "add", memberIds: ["a", "b"] },
      { op: "remove", memberIds: ["a", "c"] },
      { op: "add", memberIds: ["a"] },
    ]);
    expect(
      members(
        add("a"),
        { op: "replace", path: "members", value: ["z"] },
        { op: "replace", path: "members", value: ["y"] },
        add("b"),
      ),
    ).toEqual([
      { op: "replace", memberIds: ["y"] },
      { op: "add", memberIds: ["b"] },
    ]);
  });

  it("does not touch members where no operation names them", () => {
    expect(
      compile({
        op: "replace",
        value: { id: "x", displayName: "New", members: null, schemas: [], badge: 1 },
      }),
    ).toEqual({ displayName: "New", memberChanges: [], dropped: ["badge"] });
    expect(compile({ op: "add", path: "schemas", value: [groupUrn] })).toEqual({
      memberChanges: [],
      dropped: [],
    });
    expect(compile({ op: "add", path: "urn:example:other:Group:badge", value: 1 })).toEqual({
      memberChanges: [],
      dropped: ["urn:example:other:Group:badge"],
    });
  });

  it("sets and clears externalId", () => {
    expect(compile({ op: "add", path: "externalId", value: "e" })).toMatchObject({
      externalId: "e",
    });
    expect(compile({ op: "remove", path: "externalId" })).toMatchObject({ externalId: null });
    expect(compile({ op: "add", path: "externalId", value: null })).not.toHaveProperty(
      "externalId",
    );
  });

  it.each<[Operation, string, string]>([
    [{ op: "remove", path: "displayName" }, "invalidValue", "can be replaced, not removed"],
    [{ op: "replace", path: "displayName", value: " " }, "invalidValue", "not empty"],
    [{ op: "replace", path: "displayName", value: 7 }, "invalidValue", "got the number 7"],
    [{ op: "replace", path: "id", value: "x" }, "mutability", "id is read-only"],
    [{ op: "replace", path: "name", value: "x" }, "invalidPath", "a Group has"],
    [{ op: "replace", path: "members.value", value: "x" }, "invalidPath", "a Group has"],
    [
      { op: "replace", path: 'members[value eq "a"].display', value: "x" },
      "mutability",
      "cannot be changed",
    ],
    [
      { op: "replace", path: 'members[value eq "a"]', value: { value: "b" } },
      "mutability",
      "cannot be changed",
    ],
    [{ op: "remove", path: 'members[display eq "a"]' }, "invalidPath", "by their ids only"],
    [{ op: "remove", path: 'members[not (value eq "a")]' }, "invalidPath", "by their ids only"],
    [{ op: "remove", path: "members[value eq true]" }, "invalidValue", "as text"],
    [{ op: "remove", path: "members[value eq" }, "invalidPath", "at position"],
    [{ op: "remove", path: 'displayName[value eq "a"]' }, "invalidPath", "brackets"],
    [{ op: "add", path: "members", value: [{ value: 1 }] }, "invalidValue", "members[0].value"],
    [
      { op: "replace", path: "members", value: [{ display: "x" }] },
      "invalidValue",
      "[] means nobody",
    ],
    [{ op: "replace", value: "x" }, "invalidValue", "without a path"],
  ])("refuses %j", (operation, scimType, detail) => {
    const error = errorOf(() => compile(operation));
    expect(error).toMatchObject({ status: 400, scimType });
    expect(error.detail).toContain(detail);
    expect(error.detail).toContain("Operations[0]");
  });

  it("means what applying the operations one by one means", () => {
    const id = fc.constantFrom("a", "b", "c", "d");
    const ids = fc.array(id, { maxLength: 3 });
    const operation = fc.oneof(
      fc.record({
        op: fc.constantFrom("add", "replace", "remove"),
        path: fc.constant("members"),
        value: ids,
      }),
      id.map((value) => ({ op: "remove", path: `members[value eq "${value}"]` })),
      fc.constant({ op: "remove", path: "members" }),
    );
    const apply = (start: ReadonlySet<string>, delta: GroupDelta): ReadonlySet<string> => {
      const result = new Set(start);
      for (const change of delta.memberChanges) {
        if (change.op === "replace") result.clear();
        for (const member of change.memberIds) {
          if (change.op === "remove") result.delete(member);
          else result.add(member);
        }
      }
      return result;
    };
    fc.assert(
      fc.property(
        fc.uniqueArray(id),
        fc.array(operation, { minLength: 1, maxLength: 8 }),
        (start, operations) => {
          const atOnce = apply(new Set(start), compile(...operations));
          let oneByOne: ReadonlySet<string> = new Set(start);
          for (const item of operations) oneByOne = apply(oneByOne, compile(item));
          expect([...atOnce].sort()).toEqual([...oneByOne].sort());
        },
      ),
      { numRuns: 500 },
    );
  });

  it("throws nothing but ScimError, whatever it is given", () => {
    const value = fc.oneof(
      fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text) as unknown),
      fc.constantFrom<unknown>({ members: [{}] }, { displayName: null }, ["\0"], { __proto__: 1 }),
    );
    const path = fc.constantFrom(
      "members",
      "displayName",
      "externalId",
      'members[value eq "x"]',
      "members[",
      "id",
      "meta.x",
      "__proto__",
    );
    const operation = fc.record(
      { op: fc.constantFrom("add", "replace", "remove"), path, value },
      { requiredKeys: ["op"] },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 4 }), (operations) => {
        try {
          compile(...operations);
        } catch (error) {
          if (!(error instanceof ScimError)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
