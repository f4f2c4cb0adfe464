import { describe, expect, test } from "vitest";
import { departureOf } from "../../../src/model/employment.ts";
import { HrSystem } from "../../support/hr-sender.ts";
import { mapping, StoryWorld, tenantId, type StoryPerson } from "../../support/story-world.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

async function employed(options: Parameters<typeof HrSystem.connect>[1] = {}) {
  const world = await StoryWorld.open({ mapping: mapping() });
  const hr = await HrSystem.connect(world, options);
  const ada = await world.hire("ada@example.com");
  const engineering = await world.group("Engineering", [ada]);
  await world.group("Platform");
  await world.settle();
  world.vendor.accept(ada.email);
  await world.pass(6 * minute);
  expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
  return { world, hr, ada, engineering };
}

const has = (world: StoryWorld, person: StoryPerson) => world.vendor.holding(person.email);

/** Jumps to one minute before an instant, looks, and passes it. */
async function across(world: StoryWorld, instant: number, person: StoryPerson) {
  await world.clock.advance(instant - minute - world.clock.now());
  await world.settle();
  const before = has(world, person);
  await world.pass(2 * minute);
  return [before, has(world, person)];
}

async function departure(world: StoryWorld, person: StoryPerson) {
  const [facts] = await world.store.readIdentities(tenantId, [person.identityId]);
  if (facts === undefined) throw new Error("nobody");
  return departureOf(facts, world.clock.now());
}

describe("19. rehire before the old leaver case closed", () => {
  test("gives what the mapping says now, in a new spell, and nothing from memory", async () => {
    const { world, hr, ada, engineering } = await employed();
    await hr.says("leave.now", ada);
    await world.settle();
    expect(has(world, ada)).toBeUndefined();
    // The case is open still: absence is read again 15 minutes later, and the new spell begins before that.
    await world.clock.advance(5 * minute);
    const platform = (await world.store.findGroupsByName(tenantId, ["Platform"]))[0];
    if (platform === undefined) throw new Error("no group");
    await world.members(engineering, { op: "remove", memberIds: [ada.sourceUserId] });
    await world.members(platform.groupId, { op: "add", memberIds: [ada.sourceUserId] });
    const back = new Date(world.clock.now() + 5 * minute).toISOString();
    expect(await hr.says("rehire", ada, { start: back })).toBe("applied");
    await world.pass(4 * minute);
    expect(has(world, ada)).toBeUndefined();
    expect(await departure(world, ada)).toMatchObject({ spell: 1 });
    await world.pass(2 * minute);
    expect(await departure(world, ada)).toBeUndefined();
    expect(has(world, ada)).toBe("invited developer");
    world.vendor.accept(ada.email);
    await world.pass(20 * minute);
    expect(has(world, ada)).toBe("developer ws_prod:writer");
  });

  test("whose IdP is still inactive waits for it", async () => {
    const { world, hr, ada } = await employed();
    await world.setActive(ada, false);
    await world.settle();
    await world.clock.advance(hour);
    await hr.says("leave.planned", ada, { end: new Date(world.clock.now()).toISOString() });
    await world.clock.advance(day);
    await hr.says("rehire", ada);
    await world.settle();
    expect(has(world, ada)).toBeUndefined();
    expect(await departure(world, ada)).toMatchObject({ by: "idp", confirmed: false });
    await world.setActive(ada, true);
    await world.settle();
    expect(has(world, ada)).toBe("invited user");
  });
});

describe("20. HR dates", () => {
  test("Melbourne 23:59 is that minute of Melbourne's clocks", async () => {
    const { world, hr, ada } = await employed();
    await hr.says("leave.planned", ada, { end: { date: "2026-01-08", time: "23:59" } });
    // Summer time, 11 hours ahead.
    expect(await across(world, Date.UTC(2026, 0, 8, 12, 59), ada)).toEqual([
      "user ws_dev:writer",
      undefined,
    ]);
  });

  test("the day on which the clocks change ends an hour later than its length in winter says", async () => {
    const { world, hr, ada } = await employed({ reading: { zone: "Europe/Berlin" } });
    // 29 March 2026 has 23 hours in Berlin: it ends at 22:00 UTC, not at 23:00.
    await hr.says("leave.planned", ada, { end: "2026-03-29" });
    expect(await across(world, Date.UTC(2026, 2, 29, 22), ada)).toEqual([
      "user ws_dev:writer",
      undefined,
    ]);
  });

  test("a withdrawn date takes nothing", async () => {
    const { world, hr, ada } = await employed();
    await hr.says("leave.planned", ada, { end: "2026-01-08" });
    await world.settle();
    await world.clock.advance(day);
    await hr.says("leave.withdrawn", ada);
    expect(await across(world, Date.UTC(2026, 0, 8, 13), ada)).toEqual([
      "user ws_dev:writer",
      "user ws_dev:writer",
    ]);
  });

  test("a changed date counts instead of the one before it, whichever arrives first", async () => {
    const { world, hr, ada } = await employed();
    const at = (hours: number) => new Date(world.clock.now() - hours * hour).toISOString();
    const [older, newer] = [at(2), at(1)];
    await hr.says("leave.planned", ada, { end: "2026-01-20", time: newer });
    await hr.says("leave.planned", ada, { end: "2026-01-08", time: older });
    expect(await across(world, Date.UTC(2026, 0, 8, 13), ada)).toEqual([
      "user ws_dev:writer",
      "user ws_dev:writer",
    ]);
    expect(await across(world, Date.UTC(2026, 0, 20, 13), ada)).toEqual([
      "user ws_dev:writer",
      undefined,
    ]);
  });

  test("a date 10 days old acts at once, counts its deadline from now, and is a finding with the delay", async () => {
    const { world, hr, ada } = await employed();
    const now = world.clock.now();
    await hr.says("leave.planned", ada, { end: "2025-12-26" });
    await world.settle();
    expect(has(world, ada)).toBeUndefined();
    expect(await departure(world, ada)).toMatchObject({
      hrAt: Date.UTC(2025, 11, 26, 13),
      acceptedAt: now,
    });
    const [finding] = (await world.store.listFindings(tenantId, { open: true, limit: 100 })).filter(
      (item) => item.kind === "hr_late_notice",
    );
    expect(finding).toMatchObject({
      identityId: ada.identityId,
      facts: { delayMs: now - Date.UTC(2025, 11, 26, 13) },
    });
  });

  test("a date without a zone waits for one, and is not that of UTC", async () => {
    const { world, hr, ada } = await employed({ reading: { zone: undefined } });
    expect(await hr.says("leave.planned", ada, { end: "2026-01-05" })).toBe("parked");
    await world.pass(2 * day, 6 * hour);
    expect(has(world, ada)).toBe("user ws_dev:writer");
    expect(await hr.parked()).toEqual(["NO_ZONE"]);
  });
});
