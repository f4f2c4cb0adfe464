import { describe, expect, test } from "vitest";
import type { Target } from "../../../src/accounts/target.ts";
import { howKnown } from "../../../src/accounts/trust.ts";
import { clayFacts } from "../../../src/connectors/clay/facts.ts";
import { asId } from "../../../src/model/ids.ts";
import { desired } from "../plan/plan-fixture.ts";

const target = (more: Partial<Target>): Target => ({
  tenantId: asId("acme"),
  connectionId: asId("clay"),
  identityId: asId("1"),
  generation: 2,
  appliedGeneration: 2,
  wake: 1,
  dueAt: null,
  priority: 1,
  state: "idle",
  reason: null,
  desired: desired([]),
  attempts: 0,
  wishedAt: 0,
  verifiedAt: 1,
  notes: {},
  cause: "scim.user",
  ...more,
});
const said = (state: string, trust: string | null) => ({ task: { taskId: "t1", state, trust } });

describe("what is known of a target", () => {
  test.each([
    ["read at the vendor", {}, { trust: "verified", taskId: null }],
    ["not reached yet", { appliedGeneration: 1 }, { trust: null, taskId: null }],
    ["to be looked at again", { state: "due" }, { trust: null, taskId: null }],
    ["asked of people", { notes: said("open", null) }, { trust: null, taskId: "t1" }],
    [
      "said to be done",
      { notes: said("submitted", "attested") },
      { trust: "attested", taskId: "t1" },
    ],
    [
      "shown by a file",
      { notes: said("submitted", "observed") },
      { trust: "observed", taskId: "t1" },
    ],
    ["over with people", { notes: { task: null } }, { trust: "verified", taskId: null }],
  ] as const)("%s", (_what, more, known) => {
    expect(howKnown(target(more), {})).toEqual(known);
  });

  test("a roster shows, and proves no more", () => {
    expect(howKnown(target({}), clayFacts)).toEqual({ trust: "observed", taskId: null });
  });
});
