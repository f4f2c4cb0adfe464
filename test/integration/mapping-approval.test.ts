import { describe, expect, test } from "vitest";
import type { MappingChanges } from "../../src/mapping/changes.ts";
import type { MappingVersion } from "../../src/mapping/version-store.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { decideHold } from "../../src/sync/decide-hold.ts";
import { approveMapping, refuseMapping, resumeRollout } from "../../src/sync/decide-mapping.ts";
import { connectionId, mapping, StoryWorld, tenantId } from "../support/story-world.ts";

const minute = 60_000;
const ida = { kind: "operator" as const, id: "ida" };
const ben = { kind: "operator" as const, id: "ben" };
const rules = mapping()["rules"] as readonly JsonObject[];

/** Engineers become developers, and nobody gets Development any more. */
function changed(more: JsonObject = {}): JsonObject {
  const [engineers, platform] = rules;
  if (engineers === undefined || platform === undefined) throw new Error("no rules");
  const grant = [{ kind: "org_role", role: "developer" }];
  return mapping({ rules: [{ ...engineers, grant }, platform], ...more });
}

async function company(count: number, more: JsonObject = {}) {
  const world = await StoryWorld.open({ mapping: mapping(more) });
  const people = [];
  for (let i = 0; i < count; i++) {
    world.vendor.seed(`p${String(i)}@example.com`);
    people.push(await world.hire(`p${String(i)}@example.com`));
  }
  await world.group("Engineering", people);
  await world.group("Platform");
  await world.pass(6 * minute);
  return { world, people };
}

async function proposed(world: StoryWorld, document: JsonObject, actor = ida) {
  const result = await world.activate(document, "auto", { live: true, actor });
  if (result === undefined) throw new Error("nothing was proposed");
  return result;
}

function approve(
  world: StoryWorld,
  versionId: MappingVersion["versionId"],
  more: Partial<Parameters<typeof approveMapping>[2]> = {},
) {
  return approveMapping(world.sync, tenantId, {
    ...{ versionId, actor: ben, operators: ["ida", "ben"], why: "looks right" },
    ...more,
  });
}

const versions = (world: StoryWorld) => world.store.listMappings(tenantId, connectionId);

async function actions(world: StoryWorld, action: string) {
  return (await world.store.findRecords(tenantId, { limit: 500, action })).map(
    ({ record }) => record.facts,
  );
}

const holdings = (world: StoryWorld, people: readonly { readonly email: string }[]) =>
  people.map((person) => world.vendor.holding(person.email));

describe("in live mode a changed mapping", () => {
  test("waits until somebody other than its author approves it, with all of that stored", async () => {
    const { world, people } = await company(3);
    const { outcome, versionId } = await proposed(world, changed());
    expect(outcome).toBe("waits");
    await world.pass(5 * minute);
    expect(new Set(holdings(world, people))).toEqual(new Set(["user ws_dev:writer"]));
    await expect(approve(world, versionId, { actor: ida })).rejects.toThrow(
      "who wrote or brought a version does not approve it",
    );
    expect(await approve(world, versionId)).toMatchObject({ state: "active" });
    const [version] = await versions(world);
    const hash = version?.simulation?.["hash"];
    expect(version).toMatchObject({
      author: "ida",
      proposedBy: "ida",
      simulation: { people: 3, gain: 3, lose: 3 },
      decision: { outcome: "approved", by: "ben", alone: false, simulation: hash },
    });
    expect((version?.changes as unknown as MappingChanges).rules).toMatchObject([
      { id: "engineers", change: "changed" },
    ]);
    expect(await actions(world, "mapping.activated")).toContainEqual(
      expect.objectContaining({ decision: expect.objectContaining({ by: "ben" }) as unknown }),
    );
    await world.pass(5 * minute);
    expect(new Set(holdings(world, people))).toEqual(new Set(["developer"]));
    expect(await world.findings()).not.toContain("mapping_waits");
  });

  test("is also one whose mode alone changes, up from report-only and down to it", async () => {
    const { world } = await company(1, { mode: "report-only" });
    const up = await proposed(world, mapping());
    expect(up.outcome).toBe("waits");
    await approve(world, up.versionId);
    expect((await world.store.getLane(tenantId, connectionId))?.policy.mode).toBe("additive");
    const down = await proposed(world, mapping({ mode: "report-only" }), ben);
    expect(down.outcome).toBe("waits");
    const version = (await versions(world)).find((item) => item.versionId === down.versionId);
    expect(version?.changes).toMatchObject({
      head: [{ path: "mode", from: "additive", to: "report-only" }],
      rules: [],
    });
  });

  test("that only reads before and after activates itself", async () => {
    const { world } = await company(1, { mode: "report-only" });
    const result = await proposed(world, changed({ mode: "report-only" }));
    expect(result.outcome).toBe("activated");
    expect((await versions(world))[0]?.decision).toMatchObject({ outcome: "inside-rails" });
  });

  test("of a shop of one person is approved by its author, and that is what the record says", async () => {
    const { world } = await company(1);
    const { versionId } = await proposed(world, changed());
    await approve(world, versionId, { actor: ida, operators: ["ida"] });
    expect((await versions(world))[0]?.decision).toMatchObject({ by: "ida", alone: true });
  });

  test("that a process took by itself wants one person's word and another one's approval", async () => {
    const { world } = await company(1);
    const start = { kind: "system" as const, id: "start" };
    const { versionId } = await world
      .activate(changed(), "auto", { live: true, actor: start })
      .then((result) => result ?? { versionId: undefined });
    if (versionId === undefined) throw new Error("nothing was proposed");
    expect(await approve(world, versionId, { actor: ida })).toMatchObject({ state: "proposed" });
    await expect(approve(world, versionId, { actor: ida })).rejects.toThrow("another person");
    expect(await approve(world, versionId, { actor: ben })).toMatchObject({ state: "active" });
    expect((await versions(world))[0]).toMatchObject({ proposedBy: "ida" });
  });

  test("causes batches that its author does not approve, where there is somebody else", async () => {
    const { world } = await company(20);
    const [engineers, platform] = rules;
    const grant = [{ kind: "org_role", role: "user" }];
    const less = mapping({ rules: [{ ...engineers, grant }, { ...platform }] });
    const { versionId } = await proposed(world, less, ida);
    await approve(world, versionId);
    await world.pass(5 * minute);
    const [hold] = await world.store.listHolds(tenantId, { state: "open", limit: 10 });
    if (hold === undefined) throw new Error("no hold");
    const say = (id: string, operators: readonly string[]) =>
      decideHold(world.sync, tenantId, {
        ...{
          holdId: hold.holdId,
          decision: "approve",
          identityIds: "all",
          why: "right",
          operators,
        },
        actor: { kind: "operator", id },
      });
    await expect(say("ida", ["ida", "ben"])).rejects.toThrow("you wrote or brought");
    // Nobody else is there: the word of the only one counts, and the record says so.
    expect(await say("ida", ["ida"])).toMatchObject({ open: false });
    expect((await actions(world, "hold.approved"))[0]).toMatchObject({ alone: true });
  });

  test("is not approved by whom its files name as author, whoever brought them", async () => {
    const { world } = await company(1);
    const options = { live: true, actor: ida, author: "ben" };
    const result = await world.activate(changed(), "auto", options);
    if (result === undefined) throw new Error("nothing was proposed");
    for (const actor of [ida, ben])
      await expect(approve(world, result.versionId, { actor })).rejects.toThrow("another person");
    const eve = { kind: "operator" as const, id: "eve" };
    expect(await approve(world, result.versionId, { actor: eve })).toMatchObject({
      state: "active",
    });
  });

  test("that would do something else than what was looked at is looked at again first", async () => {
    const { world } = await company(1);
    const { versionId } = await proposed(world, changed());
    const late = await world.hire("late@example.com");
    const group = (await world.store.findGroupsByName(tenantId, ["Engineering"]))[0];
    if (group === undefined) throw new Error("no group");
    await world.members(group.groupId, { op: "add", memberIds: [late.sourceUserId] });
    await world.settle();
    await expect(approve(world, versionId)).rejects.toThrow("has changed since");
    expect((await versions(world))[0]?.simulation).toMatchObject({ gain: 2 });
    expect(await approve(world, versionId)).toMatchObject({ state: "active" });
  });

  test("that is refused changes nothing and says why", async () => {
    const { world, people } = await company(1);
    const { versionId } = await proposed(world, changed());
    await refuseMapping(world.sync, tenantId, { versionId, actor: ben, why: "too much" });
    await world.pass(5 * minute);
    expect(holdings(world, people)).toEqual(["user ws_dev:writer"]);
    expect((await versions(world))[0]).toMatchObject({
      state: "refused",
      decision: { outcome: "refused", by: "ben", why: "too much" },
    });
    await expect(approve(world, versionId)).rejects.toThrow("waits for no decision");
  });
});

describe("a roll-out", () => {
  test("reaches one person, then about a tenth, then all", async () => {
    const { world, people } = await company(40, {
      rails: { removals: { floor: 100, fraction: 1, window: "24h" } },
    });
    const wide = { rails: { removals: { floor: 100, fraction: 1, window: "24h" } } };
    const { versionId } = await proposed(world, changed(wide));
    const [first] = people;
    if (first === undefined) throw new Error("nobody");
    expect(await approve(world, versionId, { canary: first.identityId })).toMatchObject({
      state: "canary",
    });
    const reached = () => holdings(world, people).filter((text) => text === "developer").length;
    await world.settle();
    expect([world.vendor.holding(first.email), reached()]).toEqual(["developer ws_dev:writer", 0]);
    // What is taken away waits out its debounce; the stage waits with it.
    await world.pass(minute);
    expect((await versions(world))[0]?.rollout).toMatchObject({ stage: "person" });
    await world.pass(2 * minute);
    expect((await versions(world))[0]).toMatchObject({
      state: "canary",
      rollout: { stage: "tenth" },
    });
    await world.pass(5 * minute);
    const tenth = reached();
    expect(tenth).toBeGreaterThan(1);
    expect(tenth).toBeLessThan(15);
    await world.pass(15 * minute);
    expect(reached()).toBe(40);
    expect((await versions(world))[0]).toMatchObject({
      state: "active",
      rollout: undefined,
      decision: { by: "ben", why: "looks right" },
    });
    // What became of the first person stands in the record, before anybody else follows.
    expect(await actions(world, "mapping.rollout_widened")).toMatchObject([
      { result: { changed: 1, reached: 1, held: 0, parked: 0, waiting: 0 } },
    ]);
  });

  test("stops when a rail trips, stays where it is, goes on or is taken back by a person", async () => {
    const narrow = { rails: { removals: { floor: 1, fraction: 0, window: "24h" } } };
    const { world, people } = await company(40, narrow);
    const { versionId } = await proposed(world, changed(narrow));
    await approve(world, versionId, { canary: "any" });
    await world.pass(30 * minute);
    const [version] = await versions(world);
    const stopped = version?.rollout?.stopped;
    expect(version?.rollout?.stage).toBe("tenth");
    expect(stopped?.why).toMatch(/the rail removals tripped/);
    expect(await world.findings()).toContain("mapping_rollout_stopped");
    const before = holdings(world, people);
    await world.pass(30 * minute);
    expect(holdings(world, people)).toEqual(before);
    await resumeRollout(world.sync, tenantId, { versionId, actor: ben, why: "expected" });
    expect((await versions(world))[0]?.rollout?.stopped).toBeNull();
    await refuseMapping(world.sync, tenantId, { versionId, actor: ben, why: "not like that" });
    expect(await world.findings()).not.toContain("mapping_rollout_stopped");
    await world.pass(5 * minute);
    // What it gave is taken back under the same rail that stopped it.
    const [hold] = await world.store.listHolds(tenantId, { state: "open", limit: 10 });
    if (hold === undefined) throw new Error("no hold");
    const decision = {
      decision: "approve",
      identityIds: "all",
      why: "back",
      actor: ben,
      operators: [],
    } as const;
    await decideHold(world.sync, tenantId, { holdId: hold.holdId, ...decision });
    await world.pass(5 * minute);
    expect(new Set(holdings(world, people))).toEqual(new Set(["user ws_dev:writer"]));
  });
});
