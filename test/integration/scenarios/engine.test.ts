// Scenarios of the way out: rules, rails, and a vendor that misbehaves; the table in README.md says where each scenario is tested.
import { describe, expect, test } from "vitest";
import type { EndOfList } from "../../../src/connectors/connector.ts";
import { retryAfterMs } from "../../../src/http/rate-headers.ts";
import type { VendorAccount } from "../../../src/model/account.ts";
import { SyncError } from "../../../src/model/errors.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { DAY_MS } from "../../../src/model/policy.ts";
import { planTarget } from "../../../src/plan/plan.ts";
import { FakeVendor } from "../../support/fake-vendor.ts";
import {
  connectionId,
  mapping,
  StoryWorld,
  tenantId,
  type StoryPerson,
} from "../../support/story-world.ts";
import { account, desired, input, wish } from "../../unit/plan/plan-fixture.ts";

const minute = 60_000;
const rules = mapping()["rules"] as readonly JsonObject[];

/** People who have everything that Engineering gives. */
async function company(count: number, vendor = new FakeVendor(), more: JsonObject = {}) {
  const world = await StoryWorld.open({ mapping: mapping(more), vendor });
  const people: StoryPerson[] = [];
  for (let at = 0; at < count; at++) {
    vendor.seed(`p${String(at)}@example.com`);
    people.push(await world.hire(`p${String(at)}@example.com`));
  }
  const groupId = await world.group("Engineering", people);
  await world.group("Platform");
  await world.pass(6 * minute);
  return { world, vendor, people, groupId, writes: vendor.writes.length };
}

const openHolds = (world: StoryWorld) =>
  world.store.listHolds(tenantId, { state: "open", limit: 10 });

/** A vendor whose list can break off after its first item, or be empty, with every sign of success. */
class BrokenList extends FakeVendor {
  how: "whole" | "broken" | "empty" = "whole";

  override async *listAccounts(): AsyncGenerator<VendorAccount | EndOfList> {
    if (this.how === "empty") {
      yield { complete: true, count: 0 };
      return;
    }
    let at = 0;
    for await (const item of super.listAccounts()) {
      if (this.how === "broken" && at++ === 1)
        throw new SyncError("VENDOR_UNAVAILABLE", "page 2 of 3: 502");
      yield item;
    }
  }
}

describe("scenario", () => {
  test("4 PUT with empty members: it is stored, and nobody loses anything before a decision", async () => {
    const { world, people, groupId, vendor, writes } = await company(20);
    await world.members(groupId, {
      op: "remove",
      memberIds: people.map((person) => person.sourceUserId),
    });
    await world.pass(30 * minute);
    expect(vendor.writes.length).toBe(writes);
    const [hold] = await openHolds(world);
    expect([hold?.rail, hold?.people]).toEqual(["removals", 20]);
  });

  test("7 e-mail takeover of a local account: an account that is somebody's is not given to who comes with its address", async () => {
    const { world, vendor, people, writes } = await company(1);
    const [owner] = people;
    if (owner === undefined) throw new Error("nobody");
    // The vendor's account takes the address that a newcomer will bring.
    const held = vendor.of(owner.email);
    if (held === undefined) throw new Error("no account");
    held.account = {
      ...held.account,
      otherEmails: ["mallory@example.com"],
      email: "mallory@example.com",
    };
    const mallory = await world.hire("mallory@example.com");
    await world.group("Newcomers", [mallory]);
    const group = (await world.store.findGroupsByName(tenantId, ["Engineering"]))[0];
    if (group === undefined) throw new Error("no group");
    await world.members(group.groupId, { op: "add", memberIds: [mallory.sourceUserId] });
    await world.pass(10 * minute);
    expect((await world.target(mallory))?.reason?.code).toBe("ACCOUNT_DISPUTED");
    expect((await world.store.getLink(tenantId, connectionId, owner.identityId))?.accountId).toBe(
      held.account.accountId,
    );
    expect(await world.store.getLink(tenantId, connectionId, mallory.identityId)).toBeUndefined();
    expect(vendor.writes.length).toBe(writes);
  });

  test("10 page 2 of 3 fails: who is not on page 1 is not gone", async () => {
    const vendor = new BrokenList();
    const { world, people, writes } = await company(10, vendor);
    vendor.how = "broken";
    await world.pass(2 * DAY_MS, 60 * minute);
    expect(vendor.writes.length).toBe(writes);
    const observed = await world.store.listObserved(tenantId, { connectionId, limit: 100 });
    expect(observed).toHaveLength(people.length);
  });

  test("11 vendor list suddenly empty with 200: nothing is concluded, and it is said", async () => {
    const vendor = new BrokenList();
    const { world, people, writes } = await company(10, vendor);
    vendor.how = "empty";
    await world.pass(2 * DAY_MS, 60 * minute);
    expect(await world.findings()).toContain("implausible_listing");
    expect(vendor.writes.length).toBe(writes);
    const observed = await world.store.listObserved(tenantId, { connectionId, limit: 100 });
    expect(observed).toHaveLength(people.length);
  });

  test("12 Retry-After 600 s and as HTTP-date: both are ten minutes, and are waited out whole", async () => {
    const now = Date.UTC(2026, 0, 1);
    expect(retryAfterMs(new Map([["retry-after", "600"]]), now)).toBe(10 * minute);
    expect(retryAfterMs(new Map([["retry-after", "Thu, 01 Jan 2026 00:10:00 GMT"]]), now)).toBe(
      10 * minute,
    );
    const world = await StoryWorld.open({ mapping: mapping() });
    const ada = await world.hire("ada@example.com");
    await world.settle();
    const busy = { retryAfterMs: 10 * minute };
    world.vendor.fail("find", new SyncError("VENDOR_RATE_LIMITED", "slow down", busy));
    await world.group("Engineering", [ada]);
    await world.pass(9 * minute);
    expect(world.vendor.writes).toEqual([]);
    await world.pass(2 * minute);
    expect(world.vendor.writes).toEqual(["invite ada@example.com user"]);
  });

  test("14 last admin removed, suspended, demoted, replaced: the floor is on every path", () => {
    const last = { activeAdmins: 2, account: account({ role: "lead" }) };
    const ledger = [{ kind: "org_role", objectId: "", role: "lead" }];
    const gone = desired([], { lifecycle: "departed" });
    const { facts } = input({});
    const plans = [
      planTarget(input({ ...last, desired: gone })),
      planTarget(input({ ...last, desired: gone, facts: { ...facts, removal: "suspended" } })),
      planTarget(input({ ...last, ledger, desired: desired([wish("org_role", "user")]) })),
      planTarget(input({ ...last, ledger, desired: desired([wish("org_role", "developer")]) })),
    ];
    for (const plan of plans) {
      expect(plan.steps).toEqual([]);
      expect(plan.blocked.map((item) => item.code)).toEqual(["ADMIN_FLOOR"]);
    }
  });

  test("22 five groups, three roles, one deny: the highest role, the union of workspaces, less what is denied", async () => {
    const grant = (id: string, group: string, ...grants: readonly JsonObject[]): JsonObject => ({
      ...{ id, when: { group }, grant: grants },
    });
    const space = (name: string, role: string) => ({ kind: "workspace", name, role });
    const document = mapping({
      rules: [
        grant("one", "One", { kind: "org_role", role: "user" }),
        grant("two", "Two", { kind: "org_role", role: "developer" }),
        grant("three", "Three", space("Development", "reader")),
        grant("four", "Four", space("Development", "writer"), space("Production", "writer")),
        { id: "five", when: { group: "Five" }, deny: [{ kind: "workspace", name: "Production" }] },
      ],
    });
    const world = await StoryWorld.open({ mapping: document });
    world.vendor.seed("ada@example.com");
    const ada = await world.hire("ada@example.com");
    for (const name of ["Five", "Four", "Three", "Two", "One"]) await world.group(name, [ada]);
    await world.pass(6 * minute);
    expect(world.vendor.holding(ada.email)).toBe("developer ws_dev:writer");
  });

  test("23 rule change that would remove 40 %: it waits for a person, and nothing is written before", async () => {
    const { world, people, vendor, groupId, writes } = await company(20);
    const [engineers, platform] = rules;
    if (engineers === undefined || platform === undefined) throw new Error("no rules");
    const leads = await world.group("Leads", people.slice(0, 12));
    expect(leads).not.toBe(groupId);
    const result = await world.activate(
      mapping({ rules: [{ ...engineers, when: { group: "Leads" } }, platform] }),
    );
    expect([result?.outcome, result?.simulation?.lose]).toEqual(["waits", 8]);
    await world.pass(30 * minute);
    expect(vendor.writes.length).toBe(writes);
    expect(await world.findings()).toContain("mapping_waits");
  });

  test("28 kill switch during a 200-step plan: what was let through ends, and nothing after it begins", async () => {
    const vendor = new FakeVendor();
    const world = await StoryWorld.open({ mapping: mapping(), vendor });
    const people = [];
    for (let at = 0; at < 200; at++) people.push(await world.hire(`p${String(at)}@example.com`));
    const stop = {
      ...{ connectionId: undefined, covers: "all" as const, by: "ida", why: "something is wrong" },
      since: world.clock.now(),
    };
    const set = (on: boolean) =>
      world.store.setStop(
        tenantId,
        { stop, on, now: world.clock.now() },
        world.also(on ? "switch.stopped" : "switch.started"),
      );
    const create = vendor.createAccount.bind(vendor);
    vendor.createAccount = async (call, person) => {
      const answer = await create(call, person);
      if (vendor.writes.length === 100) await set(true);
      return answer;
    };
    const rails = { rails: { grants: { one_cause: { floor: 500, fraction: 1 } } } };
    await world.activate(mapping(rails));
    await world.group("Engineering", people);
    await world.pass(30 * minute);
    expect(vendor.writes).toHaveLength(100);
    await set(false);
    await world.pass(10 * minute);
    expect(new Set(vendor.writes).size).toBe(200);
    expect(vendor.writes).toHaveLength(200);
  });
});
