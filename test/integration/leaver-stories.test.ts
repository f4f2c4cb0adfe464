// Goal: everybody who leaves becomes a case that says what is owed, and ends only when the vendor shows it.
// Method: a whole engine run by hand on a fake clock, with a vendor that has keys and open work.
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import { SyncError } from "../../src/model/errors.ts";
import { leaverPack } from "../../src/offboarding/leaver-pack.ts";
import { OfficeVendor } from "../support/office-vendor.ts";
import { mapping, StoryWorld, tenantId, type StoryPerson } from "../support/story-world.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const verify = { debounce: "90s", grace: "0s", verify: ["0s", "15m", "24h"] };

interface Scene {
  readonly world: StoryWorld;
  readonly vendor: OfficeVendor;
  readonly ada: StoryPerson;
  readonly accountId: string;
}

/** Ada works at the vendor. */
async function office(more: JsonObject = {}, vendor = new OfficeVendor()): Promise<Scene> {
  const world = await StoryWorld.open({ mapping: mapping({ timing: verify, ...more }), vendor });
  const ada = await world.hire("ada@example.com");
  await world.group("Engineering", [ada]);
  await world.group("Platform");
  await world.settle();
  vendor.accept(ada.email);
  await world.pass(6 * minute, minute);
  const accountId = vendor.of(ada.email)?.account.accountId;
  if (accountId === undefined) throw new Error("ada has no account");
  vendor.writes.length = 0;
  return { world, vendor, ada, accountId };
}

async function caseOf(world: StoryWorld, person: StoryPerson) {
  const found = await world.store.currentCase(tenantId, person.identityId);
  if (found === undefined) throw new Error("there is no case");
  return found;
}

const duties = async (world: StoryWorld, person: StoryPerson) =>
  (await world.store.listObligations(tenantId, { identityId: person.identityId, limit: 100 })).map(
    (item) => `${item.kind} ${item.subject}`.trim() + ` ${item.state}`,
  );

describe("a leaver's case", () => {
  test("opens with the IdP's signal alone, and ends a day later when absence was read three times", async () => {
    const { world, vendor, ada } = await office();
    await world.setActive(ada, false);
    const left = world.clock.now();
    await world.settle();
    expect(vendor.holding(ada.email)).toBeUndefined();
    const opened = await caseOf(world, ada);
    expect(opened).toMatchObject({ state: "open", source: "idp", t0: left, signalAt: left });
    expect(opened.hrAt).toBeUndefined();
    expect(await duties(world, ada)).toEqual([
      "contain done",
      "remove done",
      "verify open",
      "evidence open",
    ]);
    await world.pass(20 * minute, minute);
    expect(await duties(world, ada)).toContain("verify open");
    await world.pass(day, hour);
    expect(await duties(world, ada)).toEqual([
      "contain done",
      "remove done",
      "verify done",
      "evidence done",
    ]);
    const closed = await caseOf(world, ada);
    expect(closed.state).toBe("done");
    expect(closed.watchUntil).toBe((closed.closedAt ?? 0) + 30 * day);
    const pack = await leaverPack(world.offboarding, closed);
    expect(pack.connections[0]).toMatchObject({
      channel: "api",
      contained: { fromSignal: 0, fromHr: undefined },
      removed: { fromSignal: 0 },
    });
    expect(pack.connections[0]?.writes.map((write) => write.step)).toContain("remove_account");
    expect(pack.open).toEqual([]);
  });

  test("does not open for somebody who never had anything at a vendor", async () => {
    const { world } = await office();
    const bob = await world.hire("bob@example.com");
    await world.settle();
    await world.setActive(bob, false);
    await world.settle();
    expect(await world.store.currentCase(tenantId, bob.identityId)).toBeUndefined();
  });

  test("of somebody whose groups are all taken away does not open: that is a mover to nothing", async () => {
    const { world, ada, vendor } = await office();
    const groups = await world.store.readIdentities(tenantId, [ada.identityId]);
    for (const groupId of groups[0]?.groups ?? []) {
      await world.members(groupId, { op: "remove", memberIds: [ada.sourceUserId] });
    }
    await world.pass(5 * minute);
    expect(vendor.holding(ada.email)).toBeUndefined();
    expect(await world.store.currentCase(tenantId, ada.identityId)).toBeUndefined();
  });

  test("stays open and is told of before and after its deadline while the vendor is down", async () => {
    const { world, vendor, ada } = await office();
    vendor.fail("find", "before", 1_000);
    await world.setActive(ada, false);
    await world.pass(9 * minute, minute);
    expect(await world.findings()).not.toContain("deadline_near");
    await world.pass(2 * minute, minute);
    expect(await world.findings()).toContain("deadline_near");
    await world.pass(5 * minute, minute);
    expect(await world.findings()).toContain("deadline_missed");
    expect((await caseOf(world, ada)).state).toBe("open");
    vendor.heal("find");
    await world.pass(10 * minute, minute);
    expect(vendor.holding(ada.email)).toBeUndefined();
    expect(await duties(world, ada)).toContain("contain done");
    const contain = (
      await world.store.listObligations(tenantId, { identityId: ada.identityId, limit: 9 })
    )[0];
    expect(contain?.missedAt).toBe(contain?.deadline);
  });

  test("is cancelled when the leave is withdrawn, and the next leave is a case of its own", async () => {
    const { world, vendor, ada } = await office();
    vendor.fail("find", "before", 3);
    await world.setActive(ada, false);
    await world.settle();
    const first = await caseOf(world, ada);
    await world.setActive(ada, true);
    await world.pass(5 * minute);
    expect(await world.store.getCase(tenantId, first.caseId)).toMatchObject({ state: "cancelled" });
    expect(await world.store.currentCase(tenantId, ada.identityId)).toBeUndefined();
    expect(vendor.writes.filter((write) => write.startsWith("remove"))).toEqual([]);
    await world.setActive(ada, false);
    await world.pass(5 * minute);
    expect((await caseOf(world, ada)).caseId).not.toBe(first.caseId);
  });

  test("opens again when an account with the leaver's address turns up within 30 days", async () => {
    const { world, vendor, ada } = await office();
    await world.setActive(ada, false);
    await world.pass(2 * day, hour);
    expect((await caseOf(world, ada)).state).toBe("done");
    vendor.seed(ada.email);
    await world.pass(hour, 5 * minute);
    const again = await caseOf(world, ada);
    expect(again.state).toBe("open");
    expect(again.reopenedAt).toBeDefined();
    expect(await duties(world, ada)).toEqual([
      "contain open",
      "remove open",
      "verify open",
      "evidence open",
    ]);
    expect(await world.findings()).toContain("leaver_returned");
    // Nobody linked it, so nobody removes it unasked; a person does, and the case ends.
    expect(vendor.of(ada.email)).toBeDefined();
    const found = vendor.of(ada.email);
    if (found !== undefined) vendor.accounts.delete(found.account.accountId);
    await world.pass(2 * hour, 10 * minute);
    expect((await caseOf(world, ada)).state).toBe("done");
  });
});

describe("what a leaver leaves behind", () => {
  test("30 leaver whose API key keeps working after removal: their own is switched off first, one that they made is never", async () => {
    const { world, vendor, ada, accountId } = await office();
    vendor.addKey("personal", accountId as never, accountId as never);
    vendor.addKey("production", accountId as never);
    await world.setActive(ada, false);
    await world.settle();
    expect(vendor.writes).toEqual([
      "key off personal",
      "away ada@example.com",
      "remove ada@example.com",
    ]);
    expect(vendor.keyring.map((key) => key.status)).toEqual(["inactive", "active"]);
    expect(await duties(world, ada)).toContain("rotate_key production open");
    expect(await world.findings()).toContain("api_keys_remain");
    await world.pass(2 * day, hour);
    expect((await caseOf(world, ada)).state).toBe("open");
    expect(vendor.keyring.map((key) => key.status)).toEqual(["inactive", "active"]);
    vendor.endKey("production");
    await world.pass(3 * hour, hour);
    expect(await duties(world, ada)).toContain("rotate_key production done");
    expect((await caseOf(world, ada)).state).toBe("done");
    expect(await world.findings()).not.toContain("api_keys_remain");
  });

  test("open work goes to the declared heirs before the account goes", async () => {
    const heirs = { work: [{ label: "billing", to: "Production" }, { to: "Development" }] };
    const { world, vendor, ada, accountId } = await office({ heirs });
    vendor.desk.set("c1", { owner: accountId, label: "Billing" });
    vendor.desk.set("c2", { owner: accountId });
    await world.setActive(ada, false);
    await world.settle();
    expect(vendor.writes).toEqual([
      "away ada@example.com",
      "c1 to ws_prod",
      "c2 to ws_dev",
      "remove ada@example.com",
    ]);
    expect(await duties(world, ada)).toContain("transfer conversation done");
  });

  test("work that nobody is declared for stays a duty of people and keeps nobody's access alive", async () => {
    const { world, vendor, ada, accountId } = await office();
    vendor.desk.set("c1", { owner: accountId });
    await world.setActive(ada, false);
    await world.settle();
    expect(vendor.holding(ada.email)).toBeUndefined();
    expect(await duties(world, ada)).toContain("transfer conversation open");
    await world.pass(2 * day, hour);
    expect((await caseOf(world, ada)).state).toBe("open");
  });

  test("work that cannot be read for want of a scope is left to people, and the account goes", async () => {
    const { world, vendor, ada } = await office();
    vendor.workFault = new SyncError("CREDENTIAL_SCOPE_MISSING", "no scope for conversations");
    await world.setActive(ada, false);
    await world.settle();
    expect(vendor.holding(ada.email)).toBeUndefined();
    expect(await duties(world, ada)).toContain("transfer conversation open");
    expect((await world.store.listLanes(tenantId))[0]?.state).toBe("open");
  });

  test("nothing of it is touched while the leaver waits in a hold", async () => {
    const rails = { leavers: { floor: 0, fraction: 0 } };
    const { world, vendor, ada, accountId } = await office({ rails });
    vendor.addKey("personal", accountId as never, accountId as never);
    await world.setActive(ada, false);
    await world.pass(5 * minute);
    expect(vendor.writes).toEqual([]);
    expect(vendor.keyring[0]?.status).toBe("active");
    expect(await duties(world, ada)).toContain("contain open");
  });

  test("nothing of it is touched by a connection that is report-only", async () => {
    const { world, vendor, ada, accountId } = await office();
    await world.activate(mapping({ timing: verify, mode: "report-only" }));
    vendor.addKey("personal", accountId as never, accountId as never);
    await world.setActive(ada, false);
    await world.pass(20 * minute, minute);
    expect(vendor.writes).toEqual([]);
    expect(await duties(world, ada)).toContain("contain open");
    expect(await world.findings()).toContain("deadline_missed");
  });
});

describe("an emergency", () => {
  test("of a named person is never held by the rail, others are", async () => {
    const rails = { leavers: { floor: 0, fraction: 0 } };
    const { world, vendor, ada } = await office({ rails });
    const bob = await world.hire("bob@example.com");
    const [group] = (await world.store.readIdentities(tenantId, [ada.identityId]))[0]?.groups ?? [];
    if (group === undefined) throw new Error("no group");
    await world.members(group, { op: "add", memberIds: [bob.sourceUserId] });
    await world.pass(2 * minute);
    vendor.accept(bob.email);
    await world.pass(6 * minute, minute);
    await world.setActive(bob, false);
    await world.pass(2 * minute);
    expect(vendor.holding(bob.email)).toBeDefined();
    await world.store.orderDeparture(
      tenantId,
      {
        identityId: ada.identityId,
        by: "ida",
        why: "stolen laptop",
        emergency: true,
        now: world.clock.now(),
      },
      world.also("departure.ordered", [
        { identityId: ada.identityId, cause: { kind: "operator" }, urgent: true },
      ]),
    );
    await world.settle();
    expect(vendor.holding(ada.email)).toBeUndefined();
    expect(await caseOf(world, ada)).toMatchObject({ source: "operator" });
    expect(vendor.holding(bob.email)).toBeDefined();
  });
});
