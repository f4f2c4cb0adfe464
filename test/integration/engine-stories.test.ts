import { describe, expect, test } from "vitest";
import { decideHold } from "../../src/sync/decide-hold.ts";
import { newRecord } from "../../src/model/records.ts";
import { FakeVendor } from "../support/fake-vendor.ts";
import {
  connectionId,
  idpId,
  mapping,
  StoryWorld,
  tenantId,
  type StoryPerson,
} from "../support/story-world.ts";

const minute = 60_000;
const operator = { kind: "operator" as const, id: "ida" };

async function joined(world: StoryWorld, count: number, group = "Engineering") {
  const people: StoryPerson[] = [];
  for (let i = 0; i < count; i++) people.push(await world.hire(`person${String(i)}@example.com`));
  const groupId = await world.group(group, people);
  // Every group that a rule names has arrived: else its absence could not take anything away.
  const platformId = await world.group("Platform");
  await world.settle();
  for (const person of people) {
    if (world.vendor.of(person.email)?.account.state === "invited")
      world.vendor.accept(person.email);
  }
  await world.pass(6 * minute);
  return { people, groupId, platformId };
}

describe("a joiner", () => {
  test("is invited at once and gets the workspace on acceptance", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const ada = await world.hire("ada@example.com");
    await world.group("Engineering", [ada]);
    await world.settle();
    expect(world.vendor.holding(ada.email)).toBe("invited user");
    world.vendor.accept(ada.email);
    await world.pass(6 * minute);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
    expect((await world.target(ada))?.state).toBe("idle");
    expect(world.vendor.writes).toEqual([
      "invite ada@example.com user",
      "grant ada@example.com ws_dev:writer",
    ]);
  });

  test("8 create answered, answer lost: the invitation is looked up, adopted and never sent twice", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    world.vendor.fail("create", "lost");
    const ada = await world.hire("ada@example.com");
    await world.group("Engineering", [ada]);
    await world.pass(5 * minute);
    expect(world.vendor.writes).toEqual(["invite ada@example.com user"]);
    expect(
      (await world.store.listLedger(tenantId, connectionId, ada.identityId)).map(
        (entry) => entry.role,
      ),
    ).toEqual(["user"]);
  });

  test("9 create not done, timeout: invited once more, and parked after a second loss", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    world.vendor.fail("create", "before", 2);
    const ada = await world.hire("ada@example.com");
    await world.group("Engineering", [ada]);
    await world.pass(10 * minute);
    expect((await world.target(ada))?.reason?.code).toBe("CREATE_AMBIGUOUS");
    expect(world.vendor.writes).toEqual([]);
  });

  test("at a vendor that takes two invitations is looked up twice a minute apart before the second is sent", async () => {
    const vendor = new FakeVendor({ create: { unique: false, invitationMs: null } });
    const world = await StoryWorld.open({ mapping: mapping(), vendor });
    vendor.fail("create", "before");
    const ada = await world.hire("ada@example.com");
    await world.group("Engineering", [ada]);
    await world.pass(minute);
    expect(vendor.writes).toEqual([]);
    await world.pass(3 * minute);
    expect(vendor.writes).toEqual(["invite ada@example.com user"]);
  });

  test("18 invite expires: another one is sent, as often as the file says", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const ada = await world.hire("ada@example.com");
    await world.group("Engineering", [ada]);
    await world.settle();
    const held = world.vendor.of(ada.email);
    if (held === undefined) throw new Error("not invited");
    held.account = { ...held.account, state: "expired" };
    world.vendor.accounts.delete(held.account.accountId);
    await world.pass(6 * minute);
    expect(world.vendor.writes).toEqual([
      "invite ada@example.com user",
      "invite ada@example.com user",
    ]);
  });

  test("who has an account already keeps it, is linked, and is given only what is missing", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    world.vendor.seed("ada@example.com", "developer");
    const ada = await world.hire("ada@example.com");
    await world.group("Engineering", [ada]);
    await world.pass(minute);
    expect(world.vendor.holding(ada.email)).toBe("developer ws_dev:writer");
    expect((await world.store.getLink(tenantId, connectionId, ada.identityId))?.origin).toBe(
      "matched",
    );
  });
});

describe("a mover", () => {
  test("gains at once and loses after the debounce", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { people, groupId, platformId } = await joined(world, 1);
    const [ada] = people;
    if (ada === undefined) throw new Error("nobody");
    await world.members(platformId, { op: "add", memberIds: [ada.sourceUserId] });
    await world.members(groupId, { op: "remove", memberIds: [ada.sourceUserId] });
    await world.settle();
    expect(world.vendor.holding(ada.email)).toBe("developer ws_dev:writer ws_prod:writer");
    await world.pass(100_000, 10_000);
    expect(world.vendor.holding(ada.email)).toBe("developer ws_prod:writer");
  });

  test("21 remove-and-re-add within 60 s: nothing is lost", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { people, groupId } = await joined(world, 1);
    const [ada] = people;
    if (ada === undefined) throw new Error("nobody");
    const before = world.vendor.writes.length;
    await world.members(groupId, { op: "remove", memberIds: [ada.sourceUserId] });
    await world.pass(60_000, 10_000);
    await world.members(groupId, { op: "add", memberIds: [ada.sourceUserId] });
    await world.pass(10 * minute);
    expect(world.vendor.writes.slice(before)).toEqual([]);
  });
});

describe("a leaver", () => {
  test("with a linked account that Rolecall never made is removed", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    world.vendor.seed("ada@example.com", "developer");
    const ada = await world.hire("ada@example.com");
    await world.settle();
    await world.setActive(ada, false);
    await world.settle();
    expect(world.vendor.holding(ada.email)).toBeUndefined();
  });

  test("who is only invited to be an admin loses the invitation, however few admins there are", async () => {
    const rules = [
      {
        id: "admins",
        why: "runs it",
        owner: "lead@example.com",
        when: { group: "Admins" },
        grant: [{ kind: "org_role", role: "lead" }],
      },
    ];
    const rails = { grants: { privileged: 10 } };
    const protection = { protected: { accounts: [], admins_min: 2 } };
    const world = await StoryWorld.open({ mapping: mapping({ rules, rails, ...protection }) });
    world.vendor.seed("boss@example.com", "lead");
    const ada = await world.hire("ada@example.com");
    await world.group("Admins", [ada]);
    await world.settle();
    expect(world.vendor.holding(ada.email)).toBe("invited lead");
    await world.setActive(ada, false);
    await world.pass(10 * minute);
    expect(world.vendor.holding(ada.email)).toBeUndefined();
  });

  test("with an unlinked look-alike leaves it alone, and it is said", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const ada = await world.hire("ada@example.com");
    await world.group("Engineering", [ada]);
    await world.settle();
    world.vendor.seed("ada+old@example.com");
    await world.setActive(ada, false);
    await world.pass(10 * minute);
    expect(world.vendor.holding("ada+old@example.com")).toBe("user");
    expect(world.vendor.holding("ada@example.com")).toBeUndefined();
    expect(await world.findings()).toContain("unlinked_lookalike");
  });

  test("in a wave beyond the cap: the cap goes, the rest is one hold", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { people } = await joined(world, 15);
    for (const person of people) await world.setActive(person, false);
    await world.pass(5 * minute);
    const removed = people.filter((person) => world.vendor.of(person.email) === undefined).length;
    expect(removed).toBe(10);
    const holds = await world.store.listHolds(tenantId, { state: "open", limit: 10 });
    expect(holds.map((hold) => [hold.rail, hold.people])).toEqual([["leavers", 5]]);
  });

  test("is read again after the removal and then let go of", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { people } = await joined(world, 1);
    const [ada] = people;
    if (ada === undefined) throw new Error("nobody");
    await world.setActive(ada, false);
    await world.settle();
    expect((await world.target(ada))?.reason?.code).toBe("VERIFY_AGAIN");
    await world.pass(16 * minute, minute);
    expect((await world.target(ada))?.state).toBe("idle");
    expect(await world.store.getLink(tenantId, connectionId, ada.identityId)).toBeUndefined();
  });
});

describe("rails", () => {
  test("see a wave of single removals whole: zero writes, one hold, and an approval lets it run", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { people, groupId } = await joined(world, 20);
    const before = world.vendor.writes.length;
    for (const person of people.slice(0, 8)) {
      await world.members(groupId, { op: "remove", memberIds: [person.sourceUserId] });
      await world.pass(1_000, 1_000);
    }
    await world.pass(30 * minute);
    expect(world.vendor.writes.slice(before)).toEqual([]);
    const [hold, ...more] = await world.store.listHolds(tenantId, { state: "open", limit: 10 });
    expect(more).toEqual([]);
    expect([hold?.rail, hold?.people]).toEqual(["removals", 8]);
    if (hold === undefined) throw new Error("no hold");
    await decideHold(world.sync, tenantId, {
      holdId: hold.holdId,
      decision: "approve",
      identityIds: "all",
      why: "a real change",
      actor: operator,
      operators: [operator.id],
    });
    await world.pass(5 * minute);
    expect(people.filter((person) => world.vendor.of(person.email) === undefined)).toHaveLength(8);
  });

  test("want two people above twice the cap, where there are two; one is recorded as alone", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { people, groupId } = await joined(world, 20);
    for (const person of people.slice(0, 8))
      await world.members(groupId, { op: "remove", memberIds: [person.sourceUserId] });
    await world.pass(5 * minute);
    const [hold] = await world.store.listHolds(tenantId, { state: "open", limit: 10 });
    if (hold === undefined) throw new Error("no hold");
    expect([hold.people, hold.allowance]).toEqual([8, 3]);
    const approve = (id: string) =>
      decideHold(world.sync, tenantId, {
        ...{ holdId: hold.holdId, decision: "approve", identityIds: "all", why: "right" },
        ...{ actor: { kind: "operator", id }, operators: ["ida", "ben"] },
      });
    expect(await approve("ida")).toMatchObject({ entries: 0, seconding: 8, open: true });
    expect(await approve("ida")).toMatchObject({ entries: 0, seconding: 8, open: true });
    await world.pass(5 * minute);
    expect(people.filter((person) => world.vendor.of(person.email) === undefined)).toEqual([]);
    expect(await approve("ben")).toMatchObject({ entries: 8, seconding: 0, open: false });
    await world.pass(5 * minute);
    expect(people.filter((person) => world.vendor.of(person.email) === undefined)).toHaveLength(8);
    const records = await world.store.findRecords(tenantId, { action: "hold.approved", limit: 9 });
    expect(records.map(({ record }) => record.facts)).toMatchObject([
      { alone: false, twoAbove: 6, settled: 8, seconding: 0 },
      { alone: false, twoAbove: 6, settled: 0, seconding: 8 },
      { alone: false, twoAbove: 6, settled: 0, seconding: 8 },
    ]);
  });

  test("turn a rejection into exceptions that the next recompute does not undo", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { people, groupId } = await joined(world, 20);
    await world.members(groupId, {
      op: "remove",
      memberIds: people.slice(0, 8).map((person) => person.sourceUserId),
    });
    await world.settle();
    const [hold] = await world.store.listHolds(tenantId, { state: "open", limit: 10 });
    if (hold === undefined) throw new Error("no hold");
    await decideHold(world.sync, tenantId, {
      holdId: hold.holdId,
      decision: "reject",
      identityIds: "all",
      why: "a mistake in the IdP",
      actor: operator,
      operators: [operator.id],
    });
    await world.pass(60 * minute, minute);
    expect(
      people.filter((person) => world.vendor.of(person.email)?.account.state === "active"),
    ).toHaveLength(20);
    expect(await world.store.listHolds(tenantId, { state: "open", limit: 10 })).toEqual([]);
  });

  test("24 slow bleed: single removals are counted over the day", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { people, groupId } = await joined(world, 20);
    for (let at = 0; at < 18; at += 2) {
      for (const person of people.slice(at, at + 2))
        await world.members(groupId, { op: "remove", memberIds: [person.sourceUserId] });
      await world.pass(60 * minute, 5 * minute);
    }
    // The second hour's two would be the third and fourth of the day: three may go.
    expect(people.filter((person) => world.vendor.of(person.email) === undefined)).toHaveLength(2);
    const [hold] = await world.store.listHolds(tenantId, { state: "open", limit: 10 });
    expect([hold?.rail, hold?.people]).toEqual(["removals", 16]);
  });
});

describe("groups", () => {
  test("16 group renamed: nobody's access changes", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { people, groupId } = await joined(world, 2);
    const before = world.vendor.writes.length;
    await world.rename(groupId, "Engineers");
    await world.pass(10 * minute);
    expect(world.vendor.writes.slice(before)).toEqual([]);
    expect(await world.findings()).toContain("group_renamed");
    expect((await world.target(people[0] as StoryPerson))?.state).toBe("idle");
  });

  test("16 group deleted and re-made with the same name: nobody's access changes silently", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { people, groupId } = await joined(world, 2);
    const before = world.vendor.writes.length;
    await world.deleteGroup(groupId);
    await world.settle();
    const stranger = await world.hire("stranger@example.com");
    await world.group("Engineering", [stranger]);
    await world.pass(30 * minute);
    expect(world.vendor.writes.slice(before)).toEqual([]);
    expect(world.vendor.of("stranger@example.com")).toBeUndefined();
    const holds = await world.store.listHolds(tenantId, { state: "open", limit: 10 });
    expect(holds.map((hold) => [hold.rail, hold.people])).toEqual([["source", people.length]]);
    expect(await world.findings()).toEqual(
      expect.arrayContaining(["group_deleted", "group_remade"]),
    );
  });

  test("of a source that is still arriving give and never take", async () => {
    const world = await StoryWorld.open({ mapping: mapping(), loaded: false });
    const { people, groupId } = await joined(world, 1);
    const [ada] = people;
    if (ada === undefined) throw new Error("nobody");
    await world.members(groupId, { op: "remove", memberIds: [ada.sourceUserId] });
    await world.pass(10 * minute);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
    await world.store.setIdpLoaded(
      tenantId,
      { idpId, loadedAt: world.clock.now() },
      {
        records: [
          newRecord(world.clock, {
            actor: operator,
            action: "idp.loaded",
            subject: { type: "idp", id: idpId },
            facts: {},
          }),
        ],
        recompute: [{ identityId: ada.identityId, cause: { kind: "operator" }, urgent: false }],
      },
    );
    await world.pass(10 * minute);
    expect(world.vendor.of(ada.email)).toBeUndefined();
  });
});

describe("a connection", () => {
  test("whose key answers for another organisation is paused before any read is used", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const { people } = await joined(world, 1);
    world.vendor.organization = { id: "org_2", name: "Somebody else" };
    world.vendor.accounts.clear();
    world.credential = "cred-2";
    await world.setActive(people[0] as StoryPerson, false);
    await world.pass(2 * minute);
    const lane = await world.store.getLane(tenantId, connectionId);
    expect([lane?.state, lane?.pause?.code]).toEqual(["paused", "WRONG_ORGANIZATION"]);
    expect((await world.target(people[0] as StoryPerson))?.verifiedAt ?? 0).toBeLessThan(
      world.clock.now() - minute,
    );
  });

  test("in report-only mode writes nothing, notes its plan, and says when a leaver stays", async () => {
    const world = await StoryWorld.open({ mapping: mapping({ mode: "report-only" }) });
    world.vendor.seed("ada@example.com");
    const ada = await world.hire("ada@example.com");
    await world.group("Engineering", [ada]);
    await world.settle();
    expect(world.vendor.writes).toEqual([]);
    expect((await world.target(ada))?.notes.plan).toEqual([expect.stringContaining("grant")]);
    await world.setActive(ada, false);
    await world.settle();
    expect(world.vendor.writes).toEqual([]);
    expect((await world.target(ada))?.state).toBe("manual");
  });

  test("behind the kill switch sends nothing until it is taken back", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const stop = {
      connectionId: undefined,
      covers: "all" as const,
      by: "ida",
      why: "test",
      since: world.clock.now(),
    };
    await world.store.setStop(
      tenantId,
      { stop, on: true, now: world.clock.now() },
      world.also("switch.stopped"),
    );
    const ada = await world.hire("ada@example.com");
    await world.group("Engineering", [ada]);
    await world.pass(10 * minute);
    expect(world.vendor.writes).toEqual([]);
    await world.store.setStop(
      tenantId,
      { stop, on: false, now: world.clock.now() },
      world.also("switch.started"),
    );
    await world.pass(minute);
    expect(world.vendor.holding(ada.email)).toBe("invited user");
  });
});

describe("two recomputes of one person", () => {
  test("end in the newest wish, whichever finishes last", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    const ada = await world.hire("ada@example.com");
    const groupId = await world.group("Engineering", [ada]);
    await world.settle();
    // The older one has read everything; then the truth changes and a newer one runs through; then the older one commits.
    const { store } = world;
    const commit = store.commitSync.bind(store);
    let release: () => void = () => undefined;
    const parked = new Promise<void>((resolve) => (release = resolve));
    let first = true;
    world.sync.store.commitSync = async (...args) => {
      if (first) {
        first = false;
        await parked;
      }
      return commit(...args);
    };
    await world.members(groupId, { op: "remove", memberIds: [ada.sourceUserId] });
    const older = world.recompute(tenantId, [ada.identityId]);
    await world.clock.advance(1);
    await world.members(groupId, { op: "add", memberIds: [ada.sourceUserId] });
    await world.recompute(tenantId, [ada.identityId]);
    release();
    await older;
    const wished = (await world.target(ada))?.desired.assignments.map((item) => item.kind);
    expect(wished).toEqual(["org_role", "workspace"]);
  });
});
