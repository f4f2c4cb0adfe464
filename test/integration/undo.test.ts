import { describe, expect, test } from "vitest";
import { previewUndo, undo } from "../../src/sync/undo.ts";
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
