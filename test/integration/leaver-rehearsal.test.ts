// Goal: who could not leave cleanly is known before they leave.
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import { heirOf } from "../../src/offboarding/heirs.ts";
import { rehearseNightly } from "../../src/offboarding/nightly-rehearsal.ts";
import { rehearse, type RehearsalDeps } from "../../src/offboarding/rehearse.ts";
import { mapping, StoryWorld, tenantId } from "../support/story-world.ts";

const day = 24 * 3_600_000;

async function company(more: JsonObject = {}, work?: string) {
  const world = await StoryWorld.open({ mapping: mapping(more) });
  const ada = await world.hire("ada@example.com", { manager: "boss@example.com" });
  const boss = await world.hire("boss@example.com");
  const heir = await world.hire("heir@example.com");
  await world.group("Engineering", [ada]);
  await world.group("Platform");
  await world.settle();
  world.vendor.accept(ada.email);
  await world.pass(6 * 60_000, 60_000);
  const deps: RehearsalDeps = {
    ...world.offboarding,
    leaverFacts: () => ({ facts: world.vendor.facts, channel: "api", work }),
  };
  const codes = async () =>
    (await rehearse(deps, tenantId, [ada.identityId])).flatMap((person) =>
      person.problems.map((problem) => problem.code),
    );
  return { world, deps, ada, boss, heir, codes };
}

describe("a rehearsal", () => {
  test("finds nothing in the way of somebody whom the API can end", async () => {
    const { codes } = await company();
    expect(await codes()).toEqual([]);
  });

  test("names open work without an heir, a connection that does not write, and the last admin", async () => {
    const heirless = await company({}, "conversation");
    expect(await heirless.codes()).toEqual(["NO_HEIR"]);
    const declared = await company({ heirs: { work: [{ to: "Production" }] } }, "conversation");
    expect(await declared.codes()).toEqual([]);
    const { world, ada, codes } = await company();
    const held = world.vendor.of(ada.email);
    if (held === undefined) throw new Error("no account");
    held.account = { ...held.account, role: "lead" };
    await world.activate(mapping({ mode: "report-only" }));
    await world.pass(25 * 3_600_000, 3_600_000);
    expect(await codes()).toEqual(["REPORT_ONLY", "SOLE_ADMIN"]);
  });

  test("runs once a day and leaves one finding, which goes when everybody could leave", async () => {
    const { world, deps } = await company({ mode: "additive" }, "conversation");
    const nightly = { ...deps, schedules: world.store, owner: "w1" };
    expect(await rehearseNightly(nightly, tenantId)).toBe(true);
    expect(await rehearseNightly(nightly, tenantId)).toBe(false);
    expect(await world.findings()).toContain("leave_not_clean");
    await world.activate(mapping({ heirs: { work: [{ to: "Production" }] } }));
    await world.clock.advance(day);
    expect(await rehearseNightly(nightly, tenantId)).toBe(true);
    expect(await world.findings()).not.toContain("leave_not_clean");
  });
});

describe("an heir", () => {
  const heirs = { work: [], people: ["heir@example.com"], owner: "boss@example.com" };

  test("is the declared one, then the manager, then the owner, and never one who leaves too", async () => {
    const { world, ada, boss, heir } = await company();
    const leaver = async () => {
      const [person] = await world.store.readIdentities(tenantId, [ada.identityId]);
      if (person === undefined) throw new Error("nobody");
      return person;
    };
    const found = async () => heirOf(world.offboarding, tenantId, await leaver(), heirs);
    expect(await found()).toEqual({ identityId: heir.identityId, as: "declared" });
    await world.setActive(heir, false);
    expect(await found()).toEqual({ identityId: boss.identityId, as: "manager" });
    expect(
      await heirOf(world.offboarding, tenantId, { ...(await leaver()), attributes: {} }, heirs),
    ).toEqual({ identityId: boss.identityId, as: "owner" });
    await world.setActive(boss, false);
    expect(await found()).toBeUndefined();
  });
});
