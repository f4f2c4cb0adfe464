import { describe, expect, it } from "vitest";
import { presentedToken } from "../../../src/scim/bearer.ts";
import { namesVersion } from "../../../src/scim/etag.ts";
import { Places } from "../../../src/scim/limits.ts";
import { heardOperations } from "../../../src/scim/request-log.ts";
import { Turns } from "../../../src/scim/turns.ts";
import { draftOf } from "../../../src/scim/user-resource.ts";

describe("presentedToken", () => {
  it("is what follows Bearer in any case, or the whole value", () => {
    expect(presentedToken("Bearer abc")).toBe("abc");
    expect(presentedToken("bearer   abc ")).toBe("abc");
    expect(presentedToken("abc")).toBe("abc");
    for (const none of [undefined, "", "Bearer ", `Bearer ${"x".repeat(5_000)}`]) {
      expect(presentedToken(none)).toBeUndefined();
    }
  });
});

describe("namesVersion", () => {
  it("compares weakly, takes lists and the star", () => {
    for (const header of ['W/"7"', '"7"', "*", '"1", W/"7"']) {
      expect(namesVersion(header, 7), header).toBe(true);
    }
    for (const header of ['W/"70"', "7", "", '"1","2"']) {
      expect(namesVersion(header, 7), header).toBe(false);
    }
  });
});

describe("heardOperations", () => {
  it("holds no literal, quoted or not, open or closed", () => {
    const paths = ['emails[value eq "a\\"b@c"].x', "members[value eq 0199-secret]", 'x[y co "open'];
    const told = heardOperations(
      paths.map((path) => ({ op: "remove", path, value: undefined, place: "" })),
    );
    expect(told).toEqual([
      'remove emails[value eq "…"].x',
      "remove members[value eq …]",
      'remove x[y co "…"',
    ]);
  });

  it("is short, however many there were", () => {
    const one = { op: "add", path: "members", value: [], place: "" } as const;
    const told = heardOperations(Array.from({ length: 500 }, () => one));
    expect(told).toHaveLength(21);
    expect(told.at(-1)).toBe("and 480 more");
  });
});

describe("Places", () => {
  it("lets in as many as there are, and again who left, once", () => {
    const places = new Places(2);
    const leave = places.enter();
    places.enter();
    expect(places.enter()).toBeUndefined();
    leave?.();
    leave?.();
    expect(places.enter()).toBeDefined();
    expect(places.enter()).toBeUndefined();
  });
});

describe("Turns", () => {
  it("lets one work at a time per key, in order, and goes on after a failure", async () => {
    const turns = new Turns();
    const seen: string[] = [];
    const work =
      (name: string, fails = false) =>
      async () => {
        seen.push(`${name} begins`);
        await Promise.resolve();
        seen.push(`${name} ends`);
        if (fails) throw new Error(name);
      };
    const results = await Promise.allSettled([
      turns.run("a", work("one", true)),
      turns.run("a", work("two")),
      turns.run("b", work("other")),
    ]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
    expect(seen.indexOf("two begins")).toBeGreaterThan(seen.indexOf("one ends"));
    expect(seen.indexOf("other begins")).toBeLessThan(seen.indexOf("two begins"));
  });
});

describe("draftOf", () => {
  it("puts the primary address first, leaves out what is empty, and keeps activity that nobody spoke of", () => {
    const draft = draftOf(
      {
        userName: "ada",
        externalId: "",
        displayName: "",
        emails: [
          { value: "b@x" },
          { value: "" },
          { value: "a@x", primary: true },
          { type: "work" },
        ],
      },
      false,
    );
    expect(draft).toMatchObject({
      userName: "ada",
      externalId: undefined,
      displayName: undefined,
      active: false,
      emails: ["a@x", "b@x"],
    });
    expect(draft.resource["active"]).toBe(false);
  });
});
