import { describe, expect, test } from "vitest";
import { asId, type MappingVersionId } from "../../src/model/ids.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { previewUndo, undo } from "../../src/sync/undo.ts";
import { previewVersionUndo, undoVersion } from "../../src/sync/undo-version.ts";
import {
  connectionId,
  mapping,
  StoryWorld,
  tenantId,
  type StoryPerson,
} from "../support/story-world.ts";

const minute = 60_000;
const ida = { kind: "operator" as const, id: "ida" };

/** An engineer who was given what Engineering gives. */
async function engineer() {
  const world = await StoryWorld.open({ mapping: mapping() });
  world.vendor.seed("ada@example.com");
  const ada = await world.hire("ada@example.com");
  const engineering = await world.group("Engineering", [ada]);
  const platform = await world.group("Platform");
  await world.pass(6 * minute);
  return { world, ada, engineering, platform };
}

const preview = (world: StoryWorld, person: StoryPerson) =>
  previewUndo(world.sync, tenantId, connectionId, person.identityId);

async function takeBack(world: StoryWorld, person: StoryPerson) {
  const { identityId } = person;
  await undo(world.sync, tenantId, { connectionId, identityId, why: "a mistake", actor: ida });
  await world.pass(6 * minute);
}

describe("all that a mapping version did", () => {
  /** People of Engineering, and a version that takes Development from them. */
  async function narrowed(count: number) {
    const world = await StoryWorld.open({ mapping: mapping() });
    const people: StoryPerson[] = [];
    for (let at = 0; at < count; at += 1) {
      const email = `p${String(at)}@example.com`;
      world.vendor.seed(email);
      people.push(await world.hire(email));
    }
    await world.group("Engineering", people);
    const platformId = await world.group("Platform");
    await world.pass(6 * minute);
    const [engineers, platform] = mapping()["rules"] as readonly JsonObject[];
    const rules = [
      { ...engineers, grant: [{ kind: "org_role", role: "developer" }] },
      { ...platform },
    ];
    const result = await world.activate(mapping({ rules }));
    if (result?.versionId === undefined) throw new Error("nothing was activated");
    await world.pass(6 * minute);
    return { world, people, platformId, versionId: result.versionId };
  }
  const holdings = (world: StoryWorld, people: readonly StoryPerson[]) => [
    ...new Set(people.map((person) => world.vendor.holding(person.email))),
  ];
  const previewed = async (world: StoryWorld, versionId: MappingVersionId) => {
    const found = [];
    for await (const item of previewVersionUndo(world.sync, tenantId, versionId)) found.push(item);
    return found;
  };

  test("is shown by person and taken back, but for whom something else changed since", async () => {
    const { world, people, versionId } = await narrowed(3);
    expect(holdings(world, people)).toEqual(["developer"]);
    const [first, ...others] = people;
    if (first === undefined) throw new Error("nobody");
    await takeBack(world, first);
    expect(world.vendor.holding(first.email)).toBe("user ws_dev:writer");
    expect(await previewed(world, versionId)).toHaveLength(2);
    const wish = { versionId, why: "a mistake", actor: ida };
    expect(await undoVersion(world.sync, tenantId, wish)).toEqual({ people: 2, steps: 4, left: 0 });
    await world.pass(10 * minute);
    expect(holdings(world, others)).toEqual(["user ws_dev:writer"]);
    expect(await previewed(world, versionId)).toEqual([]);
    expect(await undoVersion(world.sync, tenantId, wish)).toMatchObject({ people: 0 });
    const [record] = await world.store.findRecords(tenantId, {
      limit: 1,
      action: "mapping.undone",
    });
    expect(record?.record.facts).toMatchObject({ people: 2, steps: 4, why: "a mistake" });
  });

  test("leaves whoever gets another plan while it is said", async () => {
    const { world, people, platformId, versionId } = await narrowed(2);
    const moved: StoryPerson[] = [];
    const store = new Proxy(world.store, {
      get: (of, name) =>
        name !== "addException"
          ? (Reflect.get(of, name) as unknown)
          : async (...args: Parameters<typeof of.addException>) => {
              await of.addException(...args);
              const other = people.find((one) => one.email !== args[1].exception.person);
              if (moved.length > 0 || other === undefined) return;
              moved.push(other);
              await world.members(platformId, { op: "add", memberIds: [other.sourceUserId] });
              await world.pass(6 * minute);
            },
    });
    const wish = { versionId, why: "a mistake", actor: ida };
    expect(await undoVersion({ ...world.sync, store }, tenantId, wish)).toEqual({
      ...{ people: 1, steps: 2, left: 2 },
    });
    await world.pass(6 * minute);
    expect(moved.map((one) => world.vendor.holding(one.email))).toEqual([
      "developer ws_prod:writer",
    ]);
  });

  test("of a version that is not there is refused", async () => {
    const { world } = await engineer();
    const nowhere = asId<MappingVersionId>("01900000-0000-7000-8000-000000000000");
    await expect(previewed(world, nowhere)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("an applied plan", () => {
  test("is taken back, stays taken back, and is undone in turn", async () => {
    const { world, ada } = await engineer();
    expect(await preview(world, ada)).toMatchObject([
      { step: "grant", objectId: "ws_dev", way: "undo", text: "writer becomes nothing again" },
    ]);
    await takeBack(world, ada);
    expect(world.vendor.holding(ada.email)).toBe("user");
    const [record] = await world.store.findRecords(tenantId, { limit: 1, action: "plan.undone" });
    expect(record?.record.facts).toMatchObject({ why: "a mistake", roleTo: "writer" });
    await world.pass(60 * minute, 10 * minute);
    expect(world.vendor.holding(ada.email)).toBe("user");
    await takeBack(world, ada);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
  });

  test("gives back what a mover lost, all of the last plan and nothing older", async () => {
    const { world, ada, engineering, platform } = await engineer();
    await world.members(engineering, { op: "remove", memberIds: [ada.sourceUserId] });
    await world.members(platform, { op: "add", memberIds: [ada.sourceUserId] });
    await world.pass(6 * minute);
    expect(world.vendor.holding(ada.email)).toBe("developer ws_prod:writer");
    await takeBack(world, ada);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
  });

  test("that somebody changed at the vendor since is left as it is", async () => {
    const { world, ada } = await engineer();
    const held = world.vendor.of(ada.email);
    const [grant] = held?.grants.entries() ?? [];
    if (held === undefined || grant === undefined) throw new Error("nothing held");
    held.grants.set(grant[0], { ...grant[1], role: "keeper" });
    await world.store.wakeTargets(
      tenantId,
      { connectionId, identityIds: "all", priority: 2, now: world.clock.now() },
      { records: [], recompute: [] },
    );
    await world.settle();
    expect(await preview(world, ada)).toMatchObject([
      { way: "changed", text: "the vendor shows keeper, not writer, by now" },
    ]);
    await takeBack(world, ada);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:keeper");
  });

  test("of a leaver has no way back, and says so before", async () => {
    const { world, ada } = await engineer();
    await world.setActive(ada, false);
    await world.pass(20 * minute);
    expect(await preview(world, ada)).toMatchObject([
      { step: "remove_account", way: "impossible" },
    ]);
    await takeBack(world, ada);
    expect(world.vendor.of(ada.email)).toBeUndefined();
  });

  test("waits behind a stop switch like any change", async () => {
    const { world, ada } = await engineer();
    const stop = {
      ...{ connectionId: undefined, covers: "removals" as const, by: "ida", why: "a freeze" },
      since: world.clock.now(),
    };
    const at = { stop, on: true, now: world.clock.now() };
    await world.store.setStop(tenantId, at, world.also("switch.stopped"));
    await takeBack(world, ada);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
  });
});
