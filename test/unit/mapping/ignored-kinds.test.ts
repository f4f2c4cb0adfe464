import { expect, test } from "vitest";
import { compileMapping } from "../../../src/mapping/compile.ts";
import { InputError } from "../../../src/model/errors.ts";
import { facts } from "../plan/plan-fixture.ts";

const document = (sets: Readonly<Record<string, string>>) => ({
  version: 1,
  vendor: "acme",
  connection: { credential: "sealed:acme" },
  rules: [],
  sets,
});

test("a kind can be ignored, but not the account itself", () => {
  expect(() => compileMapping(document({ workspace: "ignore" }), facts)).not.toThrow();
  const wrong = () => compileMapping(document({ org_role: "ignore" }), facts);
  expect(wrong).toThrow(InputError);
  try {
    wrong();
  } catch (error) {
    expect((error as InputError).problems).toEqual([
      expect.stringContaining('"org_role" is the account itself and cannot be ignored'),
    ]);
  }
});
