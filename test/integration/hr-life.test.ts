import { describe, expect, test } from "vitest";
import { explain } from "../../src/sync/explain.ts";
import { newRecord } from "../../src/model/records.ts";
import { HrSystem } from "../support/hr-sender.ts";
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

/** People of Engineering who accepted, and an HR system in Melbourne. */
async function company(count: number, options: Parameters<typeof HrSystem.connect>[1] = {}) {
  const world = await StoryWorld.open({ mapping: mapping() });
  const hr = await HrSystem.connect(world, options);
  const people: StoryPerson[] = [];
  for (let at = 0; at < count; at += 1)
    people.push(await world.hire(`person${String(at)}@example.com`));
  const groupId = await world.group("Engineering", people);
  await world.group("Platform");
  await world.settle();
  for (const person of people) world.vendor.accept(person.email);
  await world.pass(6 * minute);
  const [ada] = people;
  if (ada === undefined) throw new Error("nobody");
  return { world, hr, people, ada, groupId };
}

async function actions(world: StoryWorld, person: StoryPerson) {
  const records = await world.store.findRecords(tenantId, { limit: 1_000 });
  return records
    .map(({ record }) => record)
    .filter(
      (record) => record.subject.id === person.identityId && record.action.startsWith("employment"),
    )
    .map((record) => record.action)
    .toReversed();
}

describe("a joiner whom HR knows", () => {
  test("is given nothing before the start less the lead time, and everything at it", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const hr = await HrSystem.connect(world, {
      settings: {
        employment: { decide: "first", order: [], leadMs: day, absence: "keep" },
      },
    });
    await hr.says("hire", "ada@example.com", { start: "2026-01-09" });
    const ada = await world.hire("ada@example.com");
    await world.group("Engineering", [ada]);
    await world.pass(2 * hour, 30 * minute);
    expect(world.vendor.writes).toEqual([]);
    // Midnight of the 9th in Melbourne less a day is 13:00 UTC on the 7th.
    const left = Date.UTC(2026, 0, 7, 13) - world.clock.now();
    await world.pass(left - minute, hour);
    expect(world.vendor.writes).toEqual([]);
    await world.pass(2 * minute);
    expect(world.vendor.writes).toEqual(["invite ada@example.com user"]);
  });
});

describe("what HR says of a person", () => {
  test("is asked by rules as hr.<name>: missing is unknown, a change moves, another source is asked next", async () => {
    const rule = (value: string, role: string) => ({
      id: `cost-${value}`,
      when: { all: [{ group: "Engineering" }, { attribute: "hr.costCenter", equals: value }] },
      grant: [{ kind: "org_role", role }],
    });
    const rules = [rule("r1", "user"), rule("r2", "developer")];
    const world = await StoryWorld.open({ mapping: mapping({ rules }) });
    const reading = { attributes: { costCenter: "Cost" } };
    const hr = await HrSystem.connect(world, { reading });
    const ada = await world.hire("ada@example.com", { costCenter: "r1" });
    await world.group("Engineering", [ada]);
    const say = (attributes: object) =>
      hr.says("change", ada, { person: { id: ada.email, email: ada.email, attributes } });
    await hr.says("hire", ada, { start: "2026-01-01" });
    await world.pass(5 * minute);
    // What the IdP calls by the same name is not HR's word.
    expect(world.vendor.holding(ada.email)).toBeUndefined();
    await say({ costCenter: "R1" });
    await world.pass(minute);
    world.vendor.accept(ada.email);
    await world.pass(6 * minute);
    expect(world.vendor.holding(ada.email)).toBe("user");
    await say({ costCenter: "r2" });
    await world.pass(6 * minute);
    expect(world.vendor.holding(ada.email)).toBe("developer");
    // Said to be empty: unknown, which gives nothing and takes nothing.
    await say({ costCenter: "" });
    await world.pass(10 * minute);
    const [facts] = await world.store.readIdentities(tenantId, [ada.identityId]);
    expect(facts?.attributes["hr.costCenter"]).toBeUndefined();
    expect(world.vendor.holding(ada.email)).toBe("developer");
    expect((await world.store.attributeCounts(tenantId)).get("hr.costCenter")).toBeUndefined();
    await say({ costCenter: "r1" });
    expect((await world.store.attributeCounts(tenantId)).get("hr.costCenter")).toBe(1);
  });
});

describe("a leaver by HR", () => {
  test("is out within a minute of the instant, though the IdP still calls them active", async () => {
    const { world, hr, ada } = await company(1);
    expect(await hr.says("leave.planned", ada, { end: "2026-01-05" })).toBe("applied");
    await world.pass(Date.UTC(2026, 0, 5, 13) - world.clock.now() - minute, hour);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
    expect((await world.store.readMarks(tenantId, [ada.identityId]))[0]).toMatchObject({
      urgent: true,
      dueAt: Date.UTC(2026, 0, 5, 13),
    });
    await world.pass(2 * minute);
    expect(world.vendor.holding(ada.email)).toBe(undefined);
    expect(await actions(world, ada)).toEqual(["employment.left"]);
  });

  test("stays when the leave is withdrawn before its instant", async () => {
    const { world, hr, ada } = await company(1);
    await hr.says("leave.planned", ada, { end: "2026-01-05" });
    await world.pass(hour, 30 * minute);
    expect(await hr.says("leave.withdrawn", ada)).toBe("applied");
    await world.pass(2 * day, 6 * hour);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
    expect(await actions(world, ada)).toEqual([]);
  });

  test("now is out at once, and a withdrawal afterwards gives back by the mapping and says so", async () => {
    const { world, hr, ada } = await company(1);
    await hr.says("leave.now", ada);
    await world.settle();
    expect(world.vendor.holding(ada.email)).toBe(undefined);
    await world.clock.advance(hour);
    await hr.says("leave.withdrawn", ada);
    await world.settle();
    expect(world.vendor.holding(ada.email)).toBe("invited user");
    expect(await world.findings()).toContain("hr_leave_withdrawn");
    expect(await actions(world, ada)).toEqual([
      "employment.changed",
      "employment.left",
      "employment.changed",
      "employment.resumed",
    ]);
  });

  test("is not what a removed source or a silent one makes of anybody", async () => {
    const { world, hr, ada } = await company(1);
    await hr.says("change", ada);
    await world.store.removeHrSource(
      tenantId,
      { sourceId: hr.sender.sourceId, now: world.clock.now() },
      world.also("hr.source_removed"),
    );
    await world.pass(day, 6 * hour);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
  });

  test("whom no IdP has sent is a finding once they are gone, and counts when the person arrives", async () => {
    const { world, hr } = await company(1);
    await hr.says("leave.now", "eve@example.com");
    expect(await world.findings()).toContain("hr_unmatched");
    const eve = await world.hire("eve@example.com");
    const [groups] = await world.store.findGroupsByName(tenantId, ["Engineering"]);
    if (groups === undefined) throw new Error("no group");
    await world.members(groups.groupId, { op: "add", memberIds: [eve.sourceUserId] });
    const before = world.vendor.writes.length;
    await world.pass(10 * minute);
    expect(world.vendor.writes.slice(before)).toEqual([]);
    expect(await world.findings()).not.toContain("hr_unmatched");
  });
});

describe("the leaver cap", () => {
  test("holds those whom HR alone says to have left, and lets pass whom the IdP knows to be gone too", async () => {
    const { world, hr, people } = await company(14);
    for (const person of people) await hr.says("leave.planned", person, { end: "2026-01-05" });
    await world.pass(Date.UTC(2026, 0, 5, 13) - world.clock.now() + minute, hour);
    const out = () =>
      people.filter((person) => world.vendor.holding(person.email) === undefined).length;
    expect(out()).toBe(10);
    const held = people.filter((person) => world.vendor.holding(person.email) !== undefined);
    for (const person of held) await world.setActive(person, false);
    await world.pass(5 * minute);
    expect(out()).toBe(14);
    expect(await world.store.listHolds(tenantId, { state: "open", limit: 10 })).toEqual([]);
  });

  test("is not used up by leavers of two facts, but by those beyond their own", async () => {
    const { world, hr, people } = await company(40);
    for (const person of people) await hr.says("leave.planned", person, { end: "2026-01-05" });
    await world.pass(Date.UTC(2026, 0, 5, 12) - world.clock.now(), hour);
    for (const person of people.slice(0, 25)) await world.setActive(person, false);
    await world.pass(65 * minute, 5 * minute);
    const out = people.filter((person) => world.vendor.holding(person.email) === undefined).length;
    // 25 of two facts beside the rail, 10 more under it.
    expect(out).toBe(35);
  });
});

describe("a leave of absence", () => {
  test("keeps everything by default, and withdraws by policy until the person is back", async () => {
    const { world, hr, ada } = await company(1);
    await hr.says("absence", ada, { from: "2026-01-05", until: "2026-01-07" });
    await world.pass(day, 6 * hour);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
    await hr.read({
      employment: { decide: "first", order: [], leadMs: 0, absence: "withdraw" },
    });
    await world.pass(10 * minute);
    expect(world.vendor.holding(ada.email)).toBe(undefined);
    await world.pass(2 * day, 6 * hour);
    expect(world.vendor.holding(ada.email)).toBe("invited user");
  });
});

describe("two HR sources", () => {
  test("that disagree are a finding, and the first of the file decides", async () => {
    const { world, hr, ada } = await company(1);
    const agency = await HrSystem.connect(world, {
      source: "agency",
      settings: {
        employment: {
          decide: "first",
          order: [hr.sender.sourceId],
          leadMs: 0,
          absence: "keep",
        },
      },
    });
    await hr.says("change", ada);
    await agency.says("leave.now", ada);
    await world.settle();
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
    expect(await world.findings()).toContain("hr_sources_disagree");
    await hr.says("leave.now", ada);
    await world.settle();
    expect(world.vendor.holding(ada.email)).toBe(undefined);
    expect(await world.findings()).not.toContain("hr_sources_disagree");
  });
});

describe("an HR record", () => {
  test("that fits two people counts for neither until somebody says whose it is", async () => {
    const { world, hr, people } = await company(2);
    const [ada, bo] = people;
    if (ada === undefined || bo === undefined) throw new Error("nobody");
    await world.store.applyHrMessage(
      tenantId,
      {
        message: {
          uploadId: (
            await hr.upload("event", "x", { id: "x", type: "change", person: { id: "z" } })
          ).uploadId,
          position: 1,
          person: { key: "z", employeeNumber: undefined, email: ada.email, displayName: undefined },
          statement: { type: "change", starts: undefined },
          saidAt: world.clock.now(),
          receivedAt: world.clock.now(),
          repeatedAt: undefined,
        },
        sourceId: hr.sender.sourceId,
        repeats: undefined,
        expect: 1,
        record: {
          sourceId: hr.sender.sourceId,
          person: { key: "z", employeeNumber: undefined, email: ada.email, displayName: undefined },
          spells: [{ spell: 1, starts: undefined, leaves: undefined, absences: [] }],
          identityId: ada.identityId,
          joinedBy: "operator",
          updatedAt: world.clock.now(),
        },
      },
      { records: [], recompute: [] },
    );
    // A second record of the same source claims the same person.
    await hr.says("leave.now", ada);
    await world.settle();
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
    expect(await world.findings()).toContain("hr_disputed");
  });

  test("is shown with the instant of a planned leave to HR, and without it to others", async () => {
    const { world, hr, ada } = await company(1);
    await hr.says("leave.planned", ada, { end: "2026-01-05" });
    const told = async (forHr: boolean) =>
      (await explain(world.sync, tenantId, ada.identityId, connectionId, forHr))?.person.employment;
    expect(await told(true)).toMatchObject({
      state: "employed",
      leavesAt: Date.UTC(2026, 0, 5, 13),
      leavesLocal: { day: "2026-01-05", time: "end", zone: "Australia/Melbourne" },
      confidential: true,
    });
    expect(JSON.stringify(await told(false))).not.toMatch(/2026-01-05|1767618000000/);
  });
});

test("every message leaves the same record, whatever it says", async () => {
  const { world, hr, ada } = await company(1);
  await hr.says("change", ada);
  await hr.says("leave.planned", ada, { end: "2026-01-30" });
  const records = (
    await world.store.findRecords(tenantId, { action: "hr.message_accepted", limit: 10 })
  ).map(({ record }) => record);
  expect(records).toHaveLength(2);
  for (const record of records) {
    const expected = newRecord(world.clock, {
      actor: hr.sender.actor,
      action: "hr.message_accepted",
      subject: { type: "hr_message", id: record.subject.id },
      cause: "hr",
      facts: { sourceId: "workday" },
    });
    expect({ ...record, recordId: "", at: 0 }).toEqual({ ...expected, recordId: "", at: 0 });
  }
});
