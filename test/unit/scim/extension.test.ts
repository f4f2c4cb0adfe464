import { expect, test } from "vitest";
import { InputError } from "../../../src/model/errors.ts";
import { readExtensions } from "../../../src/scim/extension.ts";

const badges = {
  id: "urn:example:badges:1.0",
  name: "Badges",
  attributes: [
    { name: "badge", type: "string", caseExact: true },
    { name: "contractor", type: "boolean" },
    {
      ...{ name: "desks", type: "complex", multiValued: true },
      subAttributes: [{ name: "value" }, { name: "type" }],
    },
  ],
};

function problemsOf(value: unknown): readonly string[] {
  try {
    readExtensions(typeof value === "string" ? value : JSON.stringify(value));
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

test("an extension is read with its parts, and described as RFC 7643 section 7 has it", () => {
  const [found] = readExtensions(JSON.stringify([badges]));
  expect([...(found?.extension.attributes.keys() ?? [])]).toEqual(["badge", "contractor", "desks"]);
  expect(found?.document).toMatchObject({
    id: "urn:example:badges:1.0",
    name: "Badges",
    attributes: [
      { name: "badge", type: "string", caseExact: true, required: false, mutability: "readWrite" },
      { name: "contractor", type: "boolean" },
      { name: "desks", multiValued: true, subAttributes: [{ name: "value" }, { name: "type" }] },
    ],
  });
});

test("every problem is told with its place, and nothing is taken by halves", () => {
  expect(problemsOf("{")).toEqual(["the file is not JSON"]);
  expect(problemsOf({})).toEqual(["expected a list of Schema documents"]);
  expect(problemsOf([badges, { ...badges, id: "URN:EXAMPLE:BADGES:1.0" }])).toEqual([
    "[1].id: URN:EXAMPLE:BADGES:1.0 is there already",
  ]);
  for (const id of [
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "urn:ietf:params:scim:schemas:core:2.0:Group",
  ]) {
    expect(problemsOf([{ ...badges, id }])).toEqual([`[0].id: ${id} is there already`]);
  }
  const attributes = [
    { name: "1x" },
    { name: "a", type: "float" },
    { name: "b", required: true },
    { name: "c", multiValued: true },
    { name: "d" },
    { name: "D" },
    { name: "e", type: "complex" },
  ];
  expect(
    problemsOf([{ ...badges, attributes }, { id: "badges" }, 7]).map((text) => text.split(":")[0]),
  ).toEqual([
    "[0].attributes[0].name",
    "[0].attributes[1].type",
    "[0].attributes[2].required",
    "[0].attributes[3].multiValued",
    "[0].attributes[5].name",
    "[0].attributes[6].subAttributes",
    "[1].id",
    "[2]",
  ]);
});
