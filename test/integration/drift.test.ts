import { describe, expect, test } from "vitest";
import type { ActivityHint, Connector } from "../../src/connectors/connector.ts";
import { slotKey } from "../../src/model/entitlement.ts";
import { asId, type AccountId } from "../../src/model/ids.ts";
import { lookAgain } from "../../src/sync/look-again.ts";
import {
  connectionId,
  mapping,
  StoryWorld,
  tenantId,
  type StoryPerson,
} from "../support/story-world.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

async function settled() {
  const world = await StoryWorld.open({ mapping: mapping() });
  world.vendor.seed("ada@example.com");
  const ada = await world.hire("ada@example.com");
  await world.group("Engineering", [ada]);
  await world.group("Platform");
  await world.pass(6 * minute);
  expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
  return { world, ada };
}

/** Somebody takes the workspace away at the vendor, where no event of ours says so. */
function takeAway(world: StoryWorld, person: StoryPerson): void {
  const key = slotKey({ kind: "workspace", objectId: "ws_dev" });
  if (world.vendor.of(person.email)?.grants.delete(key) !== true) throw new Error("not held");
}

async function looked(world: StoryWorld): Promise<number> {
  const woken = await lookAgain(world.sync, tenantId);
  await world.settle();
  return woken;
}

describe("a sweep", () => {
  test("looks at who changed within a day hourly, and at everybody daily", async () => {
    const { world, ada } = await settled();
    expect(await looked(world)).toBe(0);
    await world.clock.advance(hour);
    takeAway(world, ada);
    expect(await looked(world)).toBe(1);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
    await world.clock.advance(2 * day);
    await world.settle();
    expect(await looked(world)).toBe(1);
    takeAway(world, ada);
    await world.clock.advance(hour);
    expect(await looked(world)).toBe(0);
    await world.clock.advance(day);
    expect(await looked(world)).toBe(1);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
  });

  test("looks at leavers of thirty days every quarter of an hour, and finds who came back", async () => {
    const { world, ada } = await settled();
    await world.setActive(ada, false);
    await world.pass(20 * minute);
    expect(world.vendor.of(ada.email)).toBeUndefined();
    await world.clock.advance(16 * minute);
    await world.settle();
    world.vendor.seed(ada.email);
    expect(await looked(world)).toBe(1);
    expect(await world.findings()).toContain("unlinked_lookalike");
    await world.clock.advance(31 * day);
    await world.settle();
    await looked(world);
    await world.clock.advance(hour);
    expect(await looked(world)).toBe(0);
  });
});

describe("drift", () => {
  test("that somebody fights over names who changed access by the vendor's log, ourselves left out", async () => {
    const { world, ada } = await settled();
    const lane = await world.store.getLane(tenantId, connectionId);
    const own = lane?.ownAccountIds[0] ?? asId<AccountId>("own");
    const hint = (by: AccountId, touchesAccess = true): ActivityHint => ({
      ...{ entryId: `e-${by}`, at: world.clock.now(), type: "member_removed", touchesAccess },
      ...{ alarming: false, by, byAddress: undefined },
    });
    const log: ActivityHint[] = [];
    Object.assign(world.vendor, {
      activity: {
        async *list() {
          yield* log;
          yield { complete: true, count: log.length };
        },
      } satisfies Connector["activity"],
    });
    for (let round = 0; round < 3; round++) {
      await world.clock.advance(hour);
      takeAway(world, ada);
      log.push(
        hint(asId<AccountId>("acc_mallory")),
        hint(own),
        hint(asId<AccountId>("idle"), false),
      );
      await looked(world);
    }
    const findings = await world.store.listFindings(tenantId, { open: true, limit: 50 });
    const fight = findings.find((finding) => finding.key.startsWith("fought:"));
    expect(fight?.text).toContain("acc_mallory (member_removed");
    expect(
      new Set((fight?.facts["actors"] as { accountId: string }[]).map((one) => one.accountId)),
    ).toEqual(new Set(lane?.ownAccountIds.length === 0 ? ["acc_mallory", "own"] : ["acc_mallory"]));
  });

  test("is repaired twice a day; then somebody is fighting us, and it waits for a person or a day", async () => {
    const { world, ada } = await settled();
    for (let round = 0; round < 3; round++) {
      await world.clock.advance(hour);
      takeAway(world, ada);
      await looked(world);
      expect(world.vendor.holding(ada.email)).toBe(round < 2 ? "user ws_dev:writer" : "user");
    }
    expect((await world.target(ada))?.reason?.code).toBe("DRIFT_FOUGHT");
    expect(await world.findings()).toContain("drift");
    const before = world.vendor.writes.length;
    await world.pass(20 * hour, hour);
    expect(world.vendor.writes.length).toBe(before);
    await world.pass(5 * hour, hour);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
    expect(await world.findings()).not.toContain("drift");
  });

  test("of a leaver is ended as often as it comes", async () => {
    const { world, ada } = await settled();
    await world.setActive(ada, false);
    world.vendor.fail("remove", "before", 3);
    await world.pass(hour);
    expect(world.vendor.of(ada.email)).toBeUndefined();
    expect(await world.findings()).not.toContain("drift");
  });
});
