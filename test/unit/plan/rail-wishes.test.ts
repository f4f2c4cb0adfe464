import { describe, expect, test } from "vitest";
import { asId } from "../../../src/model/ids.ts";
import { railWishes, type RailInput } from "../../../src/plan/rail-wishes.ts";
import { desired, facts, policy, wish } from "./plan-fixture.ts";

const at = 1_000_000;
const base: RailInput = {
  facts,
  policy,
  desired: desired([]),
  ledger: [],
  linked: false,
  seen: [],
  open: [],
  cause: { kind: "scim.user" },
  broken: [],
  now: at,
};
const gave = (kind: string, role: string, objectId = "", because = ["rule"]) => ({
  kind,
  objectId,
  role,
  because,
});

describe("leavers", () => {
  test("whom two sources name are counted apart from those whom one does", () => {
    const leaving = {
      ...base,
      desired: { ...desired([]), lifecycle: "departed" as const },
      linked: true,
    };
    const keys = (confirmed: boolean) =>
      railWishes({ ...leaving, confirmed }).map(({ rail, causeKey }) => [rail, causeKey]);
    expect(keys(false)).toEqual([["leavers", ""]]);
    expect(keys(true)).toEqual([["leavers", "confirmed"]]);
  });
});

describe("losses", () => {
  test("of an ordinary role wait out debounce and grace", () => {
    const wishes = railWishes({
      ...base,
      policy: { ...policy, timing: { ...policy.timing, graceMs: 1_000 } },
      desired: desired([wish("org_role", "user")]),
      ledger: [gave("org_role", "user"), gave("workspace", "writer", "ws_1")],
    });
    expect(wishes).toEqual([
      {
        slot: { kind: "workspace", objectId: "ws_1" },
        direction: "loss",
        roleFrom: "writer",
        roleTo: null,
        rail: "removals",
        causeKey: "",
        notBefore: at + 91_000,
      },
    ]);
  });

  test("of a privileged role do not wait", () => {
    const wishes = railWishes({
      ...base,
      desired: desired([wish("org_role", "user")]),
      ledger: [gave("org_role", "user"), gave("workspace", "keeper", "ws_1")],
    });
    expect(wishes[0]?.notBefore).toBe(at);
  });

  test("of the account count once and cover its slots", () => {
    const wishes = railWishes({
      ...base,
      ledger: [gave("org_role", "user"), gave("workspace", "writer", "ws_1")],
    });
    expect(wishes.map((item) => [item.slot.kind, item.rail])).toEqual([["org_role", "removals"]]);
  });

  test("of a leaver are one, at once, whoever made the account", () => {
    const wishes = railWishes({
      ...base,
      desired: desired([], { lifecycle: "departed" }),
      linked: true,
    });
    expect(wishes.map((item) => [item.rail, item.notBefore])).toEqual([["leavers", at]]);
  });

  test("that only a deleted group causes wait for a person, under that group", () => {
    const wishes = railWishes({
      ...base,
      desired: desired([wish("org_role", "user")]),
      ledger: [gave("org_role", "user"), gave("workspace", "writer", "ws_1", ["in-group"])],
      broken: [{ ruleId: "in-group", groupId: asId("g1"), groupName: "Platform" }],
    });
    expect(wishes.map((item) => [item.rail, item.causeKey])).toEqual([
      ["source", "group_deleted:g1"],
    ]);
  });

  test("stay with the rail that counted them first", () => {
    const first = railWishes({
      ...base,
      desired: desired([wish("org_role", "user")]),
      ledger: [gave("org_role", "user"), gave("workspace", "writer", "ws_1", ["in-group"])],
      broken: [{ ruleId: "in-group", groupId: asId("g1"), groupName: "Platform" }],
    });
    const later = railWishes({
      ...base,
      now: at + 5_000,
      desired: desired([wish("org_role", "user")]),
      ledger: [gave("org_role", "user"), gave("workspace", "writer", "ws_1")],
      open: first,
    });
    expect(later).toEqual(first);
  });

  test("that grow begin their time anew", () => {
    const lowered = railWishes({
      ...base,
      desired: desired([wish("org_role", "user"), wish("workspace", "reader", "ws_1")]),
      ledger: [gave("org_role", "user"), gave("workspace", "writer", "ws_1")],
    });
    expect(lowered.map((item) => [item.roleTo, item.notBefore])).toEqual([["reader", at + 90_000]]);
    const removed = railWishes({
      ...base,
      now: at + 80_000,
      desired: desired([wish("org_role", "user")]),
      ledger: [gave("org_role", "user"), gave("workspace", "writer", "ws_1")],
      open: lowered,
    });
    expect(removed.map((item) => [item.roleTo, item.notBefore])).toEqual([[null, at + 170_000]]);
  });

  test("are not counted while nothing may be written", () => {
    expect(
      railWishes({
        ...base,
        policy: { ...policy, mode: "report-only" },
        ledger: [gave("org_role", "user")],
      }),
    ).toEqual([]);
  });
});

describe("gains", () => {
  test("of one cause carry its key; of one person alone they are not counted", () => {
    const wished = { ...base, desired: desired([wish("org_role", "user")]) };
    expect(railWishes(wished)).toEqual([]);
    const wishes = railWishes({ ...wished, cause: { kind: "scim.group", key: "scim.group:g1" } });
    expect(wishes.map((item) => [item.rail, item.causeKey])).toEqual([
      ["one_cause", "scim.group:g1"],
    ]);
  });

  test("stay in their batch when a later recompute has another cause", () => {
    const wished = { ...base, desired: desired([wish("org_role", "user")]) };
    const first = railWishes({ ...wished, cause: { kind: "mapping", key: "mapping:v2" } });
    expect(railWishes({ ...wished, open: first })).toEqual(first);
  });

  test("of a privileged role are always counted", () => {
    const wishes = railWishes({ ...base, desired: desired([wish("org_role", "billing")]) });
    expect(wishes.map((item) => item.rail)).toEqual(["privileged"]);
  });

  test("that are held already are no gains", () => {
    expect(
      railWishes({
        ...base,
        cause: { kind: "mapping", key: "mapping:v2" },
        desired: desired([wish("org_role", "user")]),
        linked: true,
        seen: [{ kind: "org_role", objectId: "", role: "developer" }],
      }),
    ).toEqual([]);
  });
});
