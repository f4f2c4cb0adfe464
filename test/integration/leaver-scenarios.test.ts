// Goal: what went wrong elsewhere when people left goes right here. Each test is named after its scenario.
// Method: as leaver-stories.test.ts.
import { describe, expect, test } from "vitest";
import { SyncError } from "../../src/model/errors.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { AccountId } from "../../src/model/ids.ts";
import { leaverPack } from "../../src/offboarding/leaver-pack.ts";
import { HrSystem } from "../support/hr-sender.ts";
import { OfficeVendor } from "../support/office-vendor.ts";
import {
  connectionId,
  idpId,
  mapping,
  StoryWorld,
  tenantId,
  type StoryPerson,
} from "../support/story-world.ts";

const minute = 60_000;

async function staff(
  names: readonly string[],
  more: JsonObject = {},
  vendor = new OfficeVendor(),
): Promise<{ world: StoryWorld; vendor: OfficeVendor; people: readonly StoryPerson[] }> {
  const world = await StoryWorld.open({ mapping: mapping(more), vendor });
  const people: StoryPerson[] = [];
  for (const name of names) people.push(await world.hire(`${name}@example.com`));
  await world.group("Engineering", people);
  await world.group("Platform");
  await world.settle();
  for (const person of people) vendor.accept(person.email);
  await world.pass(6 * minute, minute);
  vendor.writes.length = 0;
  return { world, vendor, people };
}

const openDuties = async (world: StoryWorld, person: StoryPerson) =>
  (
    await world.store.listObligations(tenantId, {
      identityId: person.identityId,
      state: "open",
      limit: 50,
    })
  ).map((item) => item.kind);

const stateOf = async (world: StoryWorld, person: StoryPerson) =>
  (await world.store.listCases(tenantId, { identityId: person.identityId, limit: 10 })).map(
    (item) => item.state,
  );

describe("scenario", () => {
  test("13 token revoked mid-plan with two leavers waiting: the lane rests, both are told of, both go when it answers again", async () => {
    const { world, vendor, people } = await staff(["ada", "bob"]);
    vendor.fail("find", new SyncError("CREDENTIAL_REFUSED", "the key was revoked"), 1_000);
    for (const person of people) await world.setActive(person, false);
    await world.settle();
    expect((await world.store.getLane(tenantId, connectionId))?.state).toBe("paused");
    await world.pass(11 * minute, minute);
    const near = (await world.findings()).filter((kind) => kind === "deadline_near");
    expect(near).toHaveLength(2);
    expect(vendor.writes).toEqual([]);
    vendor.heal("find");
    world.credential = "cred-2";
    await world.pass(20 * minute, minute);
    for (const person of people) expect(vendor.holding(person.email)).toBeUndefined();
  });

  test("14 last admin removed: the floor keeps the account, and the case stays red until a person acts", async () => {
    const rules = [
      {
        id: "engineers",
        why: "they run it",
        owner: "lead@example.com",
        when: { group: "Engineering" },
        grant: [{ kind: "org_role", role: "developer" }],
      },
    ];
    const { world, vendor, people } = await staff(["ada"], { rules });
    const [ada] = people;
    if (ada === undefined) throw new Error("nobody");
    const held = vendor.of(ada.email);
    if (held === undefined) throw new Error("no account");
    held.account = { ...held.account, role: "lead" };
    await world.setActive(ada, false);
    await world.pass(16 * minute, minute);
    expect(vendor.holding(ada.email)).toMatch(/^lead/);
    expect(await openDuties(world, ada)).toContain("contain");
    expect(await world.findings()).toContain("deadline_missed");
  });

  test("15 our own principal in a leaver list: it is never touched, and said", async () => {
    const { world, vendor, people } = await staff(["ada"]);
    const [ada] = people;
    if (ada === undefined) throw new Error("nobody");
    const held = vendor.of(ada.email);
    if (held === undefined) throw new Error("no account");
    vendor.own = held.account.accountId;
    await world.pass(16 * minute, minute);
    await world.setActive(ada, false);
    await world.pass(5 * minute, minute);
    expect(vendor.writes).toEqual([]);
    expect(vendor.holding(ada.email)).toBeDefined();
    expect(await openDuties(world, ada)).toContain("remove");
  });

  test("17 invite accepted between read and revoke: the account that it became goes too", async () => {
    const vendor = new OfficeVendor();
    const world = await StoryWorld.open({ mapping: mapping(), vendor });
    const ada = await world.hire("ada@example.com");
    await world.group("Engineering", [ada]);
    await world.group("Platform");
    await world.settle();
    expect(vendor.holding(ada.email)).toBe("invited user");
    vendor.beforeRemove = (account) => {
      if (account.state === "invited") vendor.accept(ada.email);
    };
    await world.setActive(ada, false);
    await world.pass(2 * minute, 10_000);
    expect(vendor.holding(ada.email)).toBeUndefined();
    expect(await openDuties(world, ada)).not.toContain("remove");
  });

  test("19 rehire before the old leaver case closed: the case ends, access is made anew, the next leave is another case", async () => {
    const { world, vendor, people } = await staff(["ada"]);
    const [ada] = people;
    if (ada === undefined) throw new Error("nobody");
    const first = vendor.of(ada.email)?.account.accountId as AccountId;
    vendor.addKey("production", first);
    await world.setActive(ada, false);
    await world.pass(2 * minute);
    expect(vendor.holding(ada.email)).toBeUndefined();
    await world.setActive(ada, true);
    await world.pass(2 * minute);
    expect(await stateOf(world, ada)).toEqual(["cancelled"]);
    expect(vendor.holding(ada.email)).toBe("invited user");
    // What was owed for the old account is not forgotten by a new one.
    expect(await openDuties(world, ada)).toEqual(["rotate_key"]);
    vendor.accept(ada.email);
    await world.pass(6 * minute, minute);
    await world.setActive(ada, false);
    await world.pass(2 * minute);
    expect(vendor.holding(ada.email)).toBeUndefined();
    expect(await stateOf(world, ada)).toEqual(["open", "cancelled"]);
  });

  test("20 HR date Melbourne 23:59, withdrawn date, date 10 days old: the case opens at the instant and tells both clocks", async () => {
    const { world, vendor, people } = await staff(["ada", "bob", "cyd"]);
    const [ada, bob, cyd] = people;
    if (ada === undefined || bob === undefined || cyd === undefined) throw new Error("nobody");
    const hr = await HrSystem.connect(world);
    await hr.says("leave.planned", ada, { end: "2026-01-05" });
    await hr.says("leave.planned", bob, { end: "2026-01-05" });
    await world.clock.advance(minute);
    await hr.says("leave.withdrawn", bob);
    // The end of the 5th in Melbourne is 13:00 UTC.
    const leaves = Date.UTC(2026, 0, 5, 13);
    await world.pass(leaves - world.clock.now() - minute, 60 * minute);
    // A planned leave is a secret: nothing tells of it before.
    expect(await world.store.listCases(tenantId, { limit: 10 })).toEqual([]);
    await world.pass(2 * minute);
    const planned = await world.store.currentCase(tenantId, ada.identityId);
    expect(planned).toMatchObject({ source: "hr", t0: leaves, hrAt: leaves, signalAt: leaves });
    expect(await stateOf(world, bob)).toEqual([]);
    expect(vendor.holding(bob.email)).toBeDefined();

    const tenDaysAgo = Date.UTC(2025, 11, 26, 13);
    await hr.says("leave.planned", cyd, { end: "2025-12-26" });
    const heard = world.clock.now();
    await world.settle();
    const late = await world.store.currentCase(tenantId, cyd.identityId);
    if (late === undefined) throw new Error("no case");
    expect(late).toMatchObject({ source: "hr", t0: tenDaysAgo, hrAt: tenDaysAgo, signalAt: heard });
    expect(vendor.holding(cyd.email)).toBeUndefined();
    const [part] = (await leaverPack(world.offboarding, late)).connections;
    // Deadlines count from when we could act, what an auditor asks from when they left.
    expect(part?.contained).toEqual({ fromSignal: 0, fromHr: (heard - tenDaysAgo) / 1_000 });
    expect(part?.obligations[0]?.missedAt).toBeUndefined();
  });

  test("28 kill switch: over everything it stops leavers and their keys, over all but leavers it does not", async () => {
    const { world, vendor, people } = await staff(["ada", "bob"]);
    const [ada, bob] = people;
    if (ada === undefined || bob === undefined) throw new Error("nobody");
    for (const person of people) {
      const accountId = vendor.of(person.email)?.account.accountId as AccountId;
      vendor.addKey(`key of ${person.email}`, accountId, accountId);
    }
    const stop = (covers: "all" | "all-but-leavers", on: boolean) =>
      world.store.setStop(
        tenantId,
        {
          stop: {
            connectionId: undefined,
            covers,
            by: "ida",
            why: "test",
            since: world.clock.now(),
          },
          on,
          now: world.clock.now(),
        },
        world.also("stop.set"),
      );
    await stop("all", true);
    await world.setActive(ada, false);
    await world.pass(2 * minute);
    expect(vendor.writes).toEqual([]);
    await stop("all", false);
    await stop("all-but-leavers", true);
    await world.setActive(bob, false);
    await world.pass(2 * minute);
    for (const person of people) expect(vendor.holding(person.email)).toBeUndefined();
  });
});

describe("what is no leave", () => {
  test("a token of the identity provider that is revoked", async () => {
    const { world, vendor, people } = await staff(["ada"]);
    const [ada] = people;
    if (ada === undefined) throw new Error("nobody");
    const now = world.clock.now();
    const token = { kind: "scim" as const, idpId, hash: "h", label: "okta", createdAt: now };
    await world.store.createToken(
      tenantId,
      { tokenId: "t1", expiresAt: undefined, ...token },
      world.also("token.created"),
    );
    await world.store.revokeToken(tenantId, { tokenId: "t1", now }, world.also("token.revoked"));
    await world.pass(30 * minute, minute);
    expect(vendor.writes).toEqual([]);
    expect(await stateOf(world, ada)).toEqual([]);
  });

  test("an IdP connection that is taken back to the time before it was loaded", async () => {
    const { world, vendor, people } = await staff(["ada"]);
    const [ada] = people;
    if (ada === undefined) throw new Error("nobody");
    await world.store.setIdpLoaded(
      tenantId,
      { idpId, loadedAt: undefined },
      {
        ...world.also("idp.unloaded", [
          { identityId: ada.identityId, cause: { kind: "operator" }, urgent: false },
        ]),
      },
    );
    await world.pass(30 * minute, minute);
    expect(vendor.writes).toEqual([]);
    expect(await stateOf(world, ada)).toEqual([]);
    expect(vendor.holding(ada.email)).toBe("user ws_dev:writer");
  });
});
