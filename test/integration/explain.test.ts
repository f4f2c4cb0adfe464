// Goal: what `explain` says about a person is what the rules, the vendor and the rails really say; an operator acts on it.
// Method: people in every situation on the whole way from the directory to a vendor, each explained and compared.
import { describe, expect, test } from "vitest";
import { renderExplanation } from "../../src/cli/explain-view.ts";
import { answerWant, explain } from "../../src/sync/explain.ts";
import {
  connectionId,
  mapping,
  StoryWorld,
  tenantId,
  type StoryPerson,
} from "../support/story-world.ts";

const minute = 60_000;

async function told(world: StoryWorld, person: StoryPerson, thing = "workspace Development") {
  const explanation = await explain(world.sync, tenantId, person.identityId);
  const [here] = explanation?.connections ?? [];
  if (explanation === undefined || here === undefined) throw new Error("nothing is explained");
  const want = answerWant(here, world.vendor.facts, thing);
  return { here, want, text: renderExplanation({ ...explanation, want: [want] }) };
}

async function engineer(world: StoryWorld, email = "ada@example.com") {
  const ada = await world.hire(email);
  const groupId = await world.group("Engineering", [ada]);
  await world.group("Platform");
  await world.settle();
  return { ada, groupId };
}

describe("explain", () => {
  test("names rule, wish and holding of somebody who has everything, by the vendor's own names", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { ada } = await engineer(world);
    world.vendor.accept(ada.email);
    await world.pass(6 * minute);
    const { here, want, text } = await told(world, ada);
    expect(here.rules.map((rule) => [rule.ruleId, rule.result, rule.outcome])).toEqual([
      ["engineers", "true", "won"],
      ["platform", "false", "no_match"],
    ]);
    expect(here.plan).toEqual([]);
    expect(want).toMatchObject({ has: true, ways: [{ ruleId: "engineers", missing: [] }] });
    for (const thing of ["Development", "ws_dev", "writer development", "org_role user"]) {
      expect((await told(world, ada, thing)).want.has).toBe(true);
    }
    for (const thing of ["Production", "org_role developer", "Develop"]) {
      expect((await told(world, ada, thing)).want.has).toBe(false);
    }
    expect(text).toContain("should have: workspace Development writer  because engineers");
    expect(text).toContain("has:         workspace Development writer");
    expect(text).toContain('"workspace Development" is held now');
  });

  test("does not call held what only waits for an invitation to be accepted", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { ada } = await engineer(world);
    const { here, want, text } = await told(world, ada, "org_role user");
    expect(here.observed).toMatchObject({ state: "invited", role: "user" });
    expect(want.has).toBe(false);
    expect(want.ways[0]?.blockedBy.join()).toMatch(/invited; waits/);
    expect(text).toContain("is not held");
  });

  test("says what is missing to somebody who lacks a thing, and that nothing gives another", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { ada } = await engineer(world);
    const { want, text } = await told(world, ada, "workspace Production");
    expect(want.ways).toEqual([
      { ruleId: "platform", missing: [expect.stringContaining("Platform")], blockedBy: [] },
    ]);
    expect(text).toMatch(/rule platform would give it\n {4}needs: .*Platform/);
    expect((await told(world, ada, "workspace Nowhere")).text).toContain("no rule gives it");
  });

  test("says that a group has never arrived, and that a source is still arriving", async () => {
    const world = await StoryWorld.open({ mapping: mapping(), loaded: false });
    const ada = await world.hire("ada@example.com");
    await world.group("Engineering", [ada]);
    await world.settle();
    const { want, text } = await told(world, ada, "workspace Production");
    expect(want.ways[0]?.missing).toEqual([expect.stringMatching(/Platform.*\(.+\)/)]);
    expect(text).toContain("still arriving");
  });

  test("says of a leaver that nothing is wished, and why no rule gives it any more", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { ada } = await engineer(world);
    world.vendor.accept(ada.email);
    await world.pass(6 * minute);
    await world.setActive(ada, false);
    await world.settle();
    const { here, want, text } = await told(world, ada);
    expect(here.desired).toMatchObject({ lifecycle: "departed", assignments: [] });
    expect(want.has).toBe(false);
    expect(want.ways[0]?.blockedBy).toEqual([expect.stringContaining("not active")]);
    expect(text).toContain("should have: nothing (left)");
  });

  test("says which hold keeps a loss from happening, and what would be done", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const people: StoryPerson[] = [];
    for (let n = 0; n < 8; n += 1) people.push(await world.hire(`p${String(n)}@example.com`));
    const groupId = await world.group("Engineering", people);
    await world.group("Platform");
    await world.settle();
    for (const person of people) world.vendor.accept(person.email);
    await world.pass(6 * minute);
    await world.members(groupId, { op: "replace", memberIds: [] });
    await world.pass(5 * minute);
    const [hold] = await world.store.listHolds(tenantId, { state: "open", limit: 10 });
    const { here, want, text } = await told(world, people[0] as StoryPerson);
    expect(want.has).toBe(true);
    expect(here.waiting).toContainEqual(
      expect.objectContaining({ state: "held", rail: "removals", holdId: hold?.holdId }),
    );
    expect(here.plan.length).toBeGreaterThan(0);
    expect(text).toContain(`hold ${hold?.holdId ?? ""}`);
    expect(text).toContain("should have: nothing");
  });

  test("tells of one connection alone when asked, and nothing of somebody unknown", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { ada } = await engineer(world);
    const one = await explain(world.sync, tenantId, ada.identityId, connectionId);
    expect(one?.connections).toHaveLength(1);
    const none = await explain(world.sync, tenantId, ada.identityId, "other" as never);
    expect(none?.connections).toEqual([]);
    expect(await explain(world.sync, tenantId, "nobody" as never)).toBeUndefined();
  });
});
