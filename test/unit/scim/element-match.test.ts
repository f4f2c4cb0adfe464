import { describe, expect, it } from "vitest";

import { matchesElement, seedOf } from "../../../src/scim/element-match.ts";
import { parseFilter } from "../../../src/scim/filter.ts";
import { type Attribute, userSchema } from "../../../src/scim/schema.ts";

function attribute(name: string): Attribute {
  const found = userSchema.attributes.get(name.toLowerCase());
  if (found === undefined) throw new Error(`no attribute ${name}`);
  return found;
}

const email = { value: "Ada@Example.com", type: "work", primary: true, display: "" };

describe("matchesElement", () => {
  it.each<[string, boolean]>([
    ['value eq "ada@example.COM"', true],
    ['value ne "ada@example.com"', false],
    ['value ne "bo@example.com"', true],
    ['value co "@EXAMPLE"', true],
    ['value sw "ada"', true],
    ['value sw "example"', false],
    ['value ew ".COM"', true],
    ['value gt "ADA"', true],
    ['value gt "b"', false],
    ['value ge "ada@example.com"', true],
    ['value lt "b"', true],
    ['value le "ada@example.com"', true],
    ['value le "ada"', false],
    ["value gt 7", false],
    ["value eq null", false],
    ["primary eq true", true],
    ['primary eq "True"', true],
    ["primary eq false", false],
    ["primary gt false", false],
    ["TYPE pr", true],
    ["display pr", false],
    ["not (type pr)", false],
    ['type eq "home" or value pr', true],
    ['type eq "home" and value pr', false],
  ])("answers %s", (filter, expected) => {
    expect(matchesElement(attribute("emails"), email, parseFilter(filter))).toBe(expected);
  });

  it("reads an absent mark as false, and an absent text as null", () => {
    expect(matchesElement(attribute("emails"), {}, parseFilter("primary eq false"))).toBe(true);
    expect(matchesElement(attribute("emails"), {}, parseFilter("type eq null"))).toBe(true);
  });

  it("compares what is case-exact by its letters", () => {
    const certificates = attribute("x509Certificates");
    expect(matchesElement(certificates, { value: "AbC" }, parseFilter('value eq "AbC"'))).toBe(
      true,
    );
    expect(matchesElement(certificates, { value: "AbC" }, parseFilter('value eq "abc"'))).toBe(
      false,
    );
    expect(matchesElement(certificates, { value: "AbC" }, parseFilter('value co "bc"'))).toBe(
      false,
    );
  });

  it("refuses parts that the attribute does not have, and says which it has", () => {
    expect(() => matchesElement(attribute("emails"), email, parseFilter("label pr"))).toThrow(
      /emails has no sub-attribute "label", but value, display, type, primary/,
    );
    expect(() => matchesElement(attribute("emails"), email, parseFilter("a[b pr]"))).toThrow(
      /no brackets inside brackets/,
    );
  });
});

describe("seedOf", () => {
  it.each<[string, unknown]>([
    ['type eq "work"', { type: "work" }],
    ['TYPE eq "work" and primary eq "True"', { type: "work", primary: true }],
    ['type eq "work" or type eq "home"', undefined],
    ['type eq "work" and value co "x"', undefined],
    ["type eq null", undefined],
    ["type pr", undefined],
    ['not (type eq "work")', undefined],
  ])("reads what %s describes", (filter, expected) => {
    expect(seedOf(attribute("emails"), parseFilter(filter))).toEqual(expected);
  });
});
