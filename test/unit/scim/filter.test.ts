import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  type Filter,
  maxFilterDepth,
  parseFilter,
  parseValuePath,
} from "../../../src/scim/filter.ts";
import { ScimError } from "../../../src/scim/scim-error.ts";

const eq = (path: string, value: string | number | boolean | null): Filter => ({
  op: "compare",
  path,
  test: "eq",
  value,
});

describe("parseFilter", () => {
  it.each(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])(
    "reads the operator %s",
    (test) => {
      expect(parseFilter(`title ${test} "x"`)).toEqual({
        op: "compare",
        path: "title",
        test,
        value: "x",
      });
      expect(parseFilter(`title ${test.toUpperCase()} "x"`)).toMatchObject({ test });
    },
  );

  it("reads presence, numbers, booleans in any case and null", () => {
    expect(parseFilter("title PR")).toEqual({ op: "present", path: "title" });
    expect(parseFilter("a eq -1.5e3")).toEqual(eq("a", -1500));
    expect(parseFilter("a eq True")).toEqual(eq("a", true));
    expect(parseFilter('a eq "True"')).toEqual(eq("a", "True"));
    expect(parseFilter("a eq null")).toEqual(eq("a", null));
  });

  it("binds not tighter than and, and tighter than or", () => {
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => eq(name, 1)) as [
      Filter,
      Filter,
      Filter,
      Filter,
    ];
    expect(parseFilter("a eq 1 or b eq 1 and c eq 1")).toEqual({
      op: "or",
      of: [a, { op: "and", of: [b, c] }],
    });
    expect(parseFilter("a eq 1 and (b eq 1 or c eq 1) and d eq 1")).toEqual({
      op: "and",
      of: [a, { op: "or", of: [b, c] }, d],
    });
    expect(parseFilter("NOT (a eq 1 OR b eq 1) AND c eq 1")).toEqual({
      op: "and",
      of: [{ op: "not", of: { op: "or", of: [a, b] } }, c],
    });
  });

  it("reads escapes in text as JSON does", () => {
    expect(parseFilter('a eq "x\\"y\\\\ \\u00e9 ) and"')).toEqual(eq("a", 'x"y\\ é ) and'));
  });

  it("keeps conditions on one element together", () => {
    const work = eq("type", "work");
    const at = { op: "compare", path: "value", test: "co", value: "@x" };
    expect(parseFilter('emails[type eq "work" and value co "@x"]')).toEqual({
      op: "element",
      path: "emails",
      of: { op: "and", of: [work, at] },
    });
    expect(parseFilter('emails[type eq "work"].value eq "a@example.com"')).toEqual({
      op: "element",
      path: "emails",
      of: { op: "and", of: [work, eq("value", "a@example.com")] },
    });
  });

  it("takes names behind a schema URN, with and without a part", () => {
    const path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";
    expect(parseFilter(`${path} eq "7"`)).toEqual(eq(path, "7"));
  });

  it("takes ids without quotes, as Entra's reference probe sends them", () => {
    const id = "5171a35d-82eb-4cf2-a259-e3dc5476c621";
    expect(parseFilter(`id eq ${id} and manager pr`)).toEqual({
      op: "and",
      of: [eq("id", id), { op: "present", path: "manager" }],
    });
  });

  it.each([
    ["", 1, "an attribute name"],
    ["foo", 4, "an operator"],
    ["userName eq", 12, "a value"],
    ["userName eq bob", 13, "a value"],
    ["userName like 1", 10, "an operator"],
    ['userName eq "bob', 13, "a closing double quote"],
    ["(a pr", 6, '")"'],
    ["a pr)", 5, "the end"],
    ["emails[type pr", 15, '"]"'],
    ["emails[a[b pr] pr]", 9, "no second bracket"],
    ["not a pr", 5, '"("'],
    ["a pr or", 8, "an attribute name"],
    ["a..b pr", 1, "an attribute name"],
    ['a eq "\\x"', 6, "escapes of JSON"],
    ['a eq "\\u0000"', 6, "without it"],
    ['a eq "\\ud800"', 6, "well-formed"],
    ["emails[a pr].b.c pr", 13, "sub-attribute"],
  ])("refuses %j and says where", (text, position, expected) => {
    let error: unknown;
    try {
      parseFilter(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ScimError);
    const { status, scimType, detail } = error as ScimError;
    expect({ status, scimType }).toEqual({ status: 400, scimType: "invalidFilter" });
    expect(detail).toContain(`at position ${String(position)} expected`);
    expect(detail).toContain(expected);
  });

  it("refuses what is too long or too deep, and takes what is just not", () => {
    const nested = (depth: number): string => `${"(".repeat(depth)}a pr${")".repeat(depth)}`;
    expect(parseFilter(nested(maxFilterDepth))).toEqual({ op: "present", path: "a" });
    expect(() => parseFilter(nested(maxFilterDepth + 1))).toThrow(/at most 32 open/);
    expect(() => parseFilter(`a eq "${"x".repeat(8_192)}"`)).toThrow(/at most 8192/);
  });

  it("throws nothing but ScimError, whatever it is given", () => {
    const piece = fc.constantFrom(
      ...'( ) [ ] " \\ . : and or not eq pr true null 12 -1 a emails value $ref urn:x:y \u0000 \ud800'.split(
        " ",
      ),
      " ",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.array(piece, { maxLength: 40 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (input) => {
        for (const parse of [parseFilter, parseValuePath]) {
          try {
            parse(input);
          } catch (error) {
            expect(error).toBeInstanceOf(ScimError);
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("reads back every filter that can be written", () => {
    const name = fc.constantFrom("userName", "name.givenName", "title", "$ref");
    const value = fc.oneof(
      fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const compare = fc
      .tuple(name, fc.constantFrom("eq" as const, "ne" as const, "co" as const), value)
      .map(([path, test, literal]): Filter => ({ op: "compare", path, test, value: literal }));
    const { tree } = fc.letrec<{ tree: Filter }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        compare,
        name.map((path): Filter => ({ op: "present", path })),
        tie("tree").map((of): Filter => ({ op: "not", of })),
        fc
          .tuple(
            fc.constantFrom("and" as const, "or" as const),
            fc.array(tie("tree"), { minLength: 2, maxLength: 4 }),
          )
          .map(([op, of]): Filter => ({ op, of })),
      ),
    }));
    fc.assert(
      fc.property(tree, (filter) => {
        expect(parseFilter(write(filter))).toEqual(filter);
      }),
    );
  });

  it("needs time in proportion to the length", () => {
    // The best of many rounds: what the machine does beside it does not count.
    const timeOf = (text: string): number => {
      let best = Infinity;
      for (let round = 0; round < 40; round += 1) {
        const started = performance.now();
        try {
          parseFilter(text);
        } catch {
          // Refused inputs have to be fast as well.
        }
        best = Math.min(best, performance.now() - started);
      }
      return best;
    };
    for (const unit of ["a pr or ", '"', "\\", "(", "a[", "urn:", "a.", ' "x" ', "1"]) {
      const short = unit.repeat(Math.floor(1_000 / unit.length));
      const long = unit.repeat(Math.floor(8_000 / unit.length));
      timeOf(long);
      expect(timeOf(long)).toBeLessThan(24 * Math.max(timeOf(short), 0.05));
    }
  });
});

describe("parseValuePath", () => {
  it("splits name, filter and part", () => {
    expect(parseValuePath("name.familyName")).toEqual({
      path: "name.familyName",
      filter: undefined,
      sub: undefined,
    });
    expect(parseValuePath('emails[type eq "work"].value')).toEqual({
      path: "emails",
      filter: eq("type", "work"),
      sub: "value",
    });
  });

  it.each(["", "a b", "a[", "a[]", "a[b pr]c", "a[b pr].", "a.b.c", "/x", "a[b pr] .c"])(
    "refuses %j as invalidPath",
    (text) => {
      expect(() => parseValuePath(text)).toThrow(
        expect.objectContaining({ status: 400, scimType: "invalidPath" }) as Error,
      );
    },
  );
});

/** Parentheses around every composed part, so that the tree is what precedence would otherwise decide. */
function write(filter: Filter): string {
  switch (filter.op) {
    case "and":
    case "or":
      return filter.of
        .map((part) => (part.op === "and" || part.op === "or" ? `(${write(part)})` : write(part)))
        .join(` ${filter.op} `);
    case "not":
      return `not (${write(filter.of)})`;
    case "present":
      return `${filter.path} pr`;
    case "compare":
      return `${filter.path} ${filter.test} ${JSON.stringify(filter.value)}`;
    case "element":
      return `${filter.path}[${write(filter.of)}]`;
  }
}
