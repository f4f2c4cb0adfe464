import { describe, expect, test } from "vitest";
import {
  keyPolicyDefault,
  type DeclaredThing,
  type ObservedThing,
} from "../../../src/model/declared.ts";
import { environmentOf, fits, keyNotes } from "../../../src/plan/key-notes.ts";

const day = 86_400_000;
const now = Date.parse("2026-06-01");
const declared = (more: Partial<DeclaredThing> = {}): DeclaredThing => ({
  kind: "api_key",
  name: "prod-search",
  owner: "ops@example.com",
  consumers: ["search"],
  wants: {},
  ...more,
});
const living = (more: Partial<ObservedThing> = {}): ObservedThing => ({
  kind: "api_key",
  thingId: "key_1",
  name: "prod-search",
  state: "active",
  createdAt: now - 10 * day,
  facts: {},
  ...more,
});
const said = (
  mine: DeclaredThing | undefined,
  key: ObservedThing | undefined,
  names: readonly string[] = [],
) =>
  keyNotes({
    declared: mine,
    living: key,
    policy: { ...keyPolicyDefault, names },
    workspaceName: (id) => (id === "ws_1" ? "Production" : undefined),
    now,
  }).map((note) => note.what);

describe("of a key is said", () => {
  test.each([
    [100, []],
    [94.1, []],
    [93.9, ["rotate_soon"]],
    // Overdue is another note, of the declaration.
    [80, []],
  ])("that its rotation of %d days is due soon", (days, expected) => {
    expect(said(declared({ rotateMs: days * day }), living({ createdAt: now - 80 * day }))).toEqual(
      expected,
    );
  });

  test("that a date of the file older than the key itself counts for nothing", () => {
    const stale = declared({ rotateMs: 15 * day, rotatedAt: now - 400 * day });
    expect(said(stale, living())).toEqual(["rotate_soon"]);
  });

  test("that nothing works with it, only where the vendor tells when it was used", () => {
    expect(said(declared(), living({ lastUsedAt: now - 89 * day }))).toEqual([]);
    expect(said(declared(), living({ lastUsedAt: now - 91 * day }))).toEqual(["unused"]);
    expect(said(undefined, living({ lastUsedAt: null, createdAt: now - 91 * day }))).toEqual([
      "unused",
    ]);
    expect(said(undefined, living({ createdAt: now - 900 * day }))).toEqual([]);
  });

  test("that several systems work with it", () => {
    expect(said(declared({ consumers: ["crm", "mail"] }), undefined)).toEqual(["shared"]);
  });

  test("that it works in a workspace of another environment", () => {
    const inProduction = living({ name: "dev-search", facts: { workspaceId: "ws_1" } });
    expect(said(undefined, inProduction)).toEqual(["misplaced"]);
    expect(said(undefined, living({ facts: { workspaceId: "ws_1" } }))).toEqual([]);
    expect(said(undefined, living({ name: "dev-search", facts: { workspaceId: "ws_2" } }))).toEqual(
      [],
    );
    const wanted = declared({ environment: "development" });
    expect(said(wanted, living({ facts: { workspaceId: "ws_1" } }))).toEqual(["misplaced"]);
  });

  test("that its name has another form", () => {
    expect(said(undefined, living({ name: "mykey" }), ["prod-*", "dev-*"])).toEqual(["misnamed"]);
    expect(said(undefined, living(), ["prod-*", "dev-*"])).toEqual([]);
  });
});

test.each([
  ["prod-*", "prod-search", true],
  ["prod-*", "PROD-Search", true],
  ["prod-*", "a-prod-x", false],
  ["*-prod", "crm-sync-prod", true],
  ["a*b*c", "aXbYc", true],
  ["a*b*c", "acb", false],
  ["exact", "exact", true],
  ["exact", "exactly", false],
  ["ab*ba", "aba", false],
  ["*", "", true],
])("the form %s and the name %s", (form, name, expected) => {
  expect(fits(form, name)).toBe(expected);
});

test("a name says what a thing is for by its words, not by parts of them", () => {
  expect(environmentOf("crm-sync-prod")).toBe("production");
  expect(environmentOf("Development")).toBe("development");
  expect(environmentOf("ci-testing")).toBe("testing");
  expect(environmentOf("products")).toBeUndefined();
});
