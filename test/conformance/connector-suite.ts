import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { VendorAccount } from "../../src/connectors/connector.ts";
import type { Slot } from "../../src/model/entitlement.ts";
import { failureTests, safetyTests } from "./connector-failures.ts";
import {
  badSecret,
  ConnectorStage,
  drain,
  jane,
  person,
  type ConnectorWorld,
} from "./connector-stage.ts";

/** What every connector keeps to, run against a stateful simulator of its vendor over real HTTP. */
export function connectorSuite(world: ConnectorWorld): void {
  const { facts } = world.connector;
  describe(`${facts.vendor}/${facts.profile}`, () => {
    const stage = new ConnectorStage(world);
    beforeEach(() => stage.open());
    // What must hold whatever a test did.
    afterEach(async () => {
      stage.expectOnlyDeclaredCalls();
      stage.expectNoSecretSaid();
      await stage.close();
    });
    identityTests(stage);
    accountTests(stage);
    if (world.grantRoles !== undefined) grantTests(stage, world.grantRoles);
    listTests(stage);
    failureTests(stage);
    safetyTests(stage);
  });
}

function identityTests(stage: ConnectorStage): void {
  describe("a check", () => {
    test("says for whom the credential answers, and only reads", async () => {
      const report = await stage.connector.check(stage.call());
      expect(report.organization.id).toBe(stage.vendor.organizationId);
      expect(report.organization.name).not.toBe("");
      expect(stage.writes()).toEqual([]);
    });

    test("says no to a credential that nobody has", async () => {
      expect(
        await stage.failure(stage.connector.check(stage.call({ secret: badSecret }))),
      ).toMatchObject({ code: "CREDENTIAL_REFUSED", disposition: "pause" });
    });

    test("says no to a credential that may do less, and to a lapsed plan, where the vendor tells", async () => {
      const { weakSecret, lapse } = stage.vendor;
      if (weakSecret !== undefined) {
        expect(
          await stage.failure(stage.connector.check(stage.call({ secret: weakSecret }))),
        ).toMatchObject({ code: "CREDENTIAL_SCOPE_MISSING", disposition: "pause" });
      }
      lapse?.();
      const after = stage.connector.check(stage.call());
      if (lapse === undefined) await after;
      else expect(await stage.failure(after)).toMatchObject({ code: "VENDOR_PLAN_REQUIRED" });
    });

    test("tells another organisation from the pinned one", async () => {
      const { organizationId } = stage.vendor;
      stage.fault({ operation: "*", kind: "wrong-organization", times: 10 });
      const call = stage.call({ pinnedOrganization: () => organizationId });
      if (stage.connector.facts.organizationHeader === undefined) {
        expect((await stage.connector.check(call)).organization.id).not.toBe(organizationId);
      } else {
        expect(await stage.failure(stage.connector.check(call))).toMatchObject({
          code: "WRONG_ORGANIZATION",
        });
      }
    });
  });
}

function accountTests(stage: ConnectorStage): void {
  const [role, other] = stage.world.roles;
  describe("an account", () => {
    test("is found by its id where no address of it is known", async () => {
      const accountId = stage.vendor.seed(jane, role);
      const found = await stage.connector.findAccounts(stage.call(), {
        accountId,
        emails: ["married@example.com"],
      });
      expect(found).toMatchObject([{ accountId, email: jane, state: "active" }]);
    });

    test("that nobody has is not found", async () => {
      expect(
        await stage.connector.findAccounts(stage.call(), { emails: ["nobody@example.com"] }),
      ).toEqual([]);
    });

    if (other !== undefined) {
      test("takes another role, and the same one again", async () => {
        stage.vendor.seed(jane, role);
        const before = await stage.one(jane);
        const call = stage.call();
        expect((await stage.connector.setAccountRole(call, before, other)).outcome).toBe("changed");
        expect(await stage.one(jane)).toMatchObject({ role: other });
        await stage.connector.setAccountRole(call, before, other);
        expect(await stage.one(jane)).toMatchObject({ accountId: before.accountId, role: other });
      });
    }
  });
  if (stage.world.operations.create === undefined) handTests(stage);
  else {
    creationTests(stage);
    if (stage.world.instant === true) instantTests(stage);
    else invitationTests(stage);
  }
}

/** Where no API makes and ends accounts. */
function handTests(stage: ConnectorStage): void {
  test("an account that only people make and end is said to be theirs, and nothing is sent", async () => {
    const [role] = stage.world.roles;
    stage.vendor.seed(jane, role);
    const account = await stage.one(jane);
    const call = stage.call();
    for (const attempt of [
      () => stage.connector.createAccount(call, person("bo@example.com", role)),
      () => stage.connector.removeAccount(call, account),
    ]) {
      expect(await stage.failure(attempt())).toMatchObject({
        code: "VENDOR_WRITE_MISSING",
        disposition: "park",
      });
    }
    expect(stage.writes()).toEqual([]);
    const kind = Object.values(stage.connector.facts.kinds).find((item) => item.account);
    expect(kind?.byHand?.always).toBe(true);
  });
}

function creationTests(stage: ConnectorStage): void {
  const [role] = stage.world.roles;
  describe("an account", () => {
    test("that is created twice is answered, not doubled", async () => {
      const first = await stage.connector.createAccount(stage.call(), person(jane, role));
      const second = await stage.connector.createAccount(stage.call(), person(jane, role));
      expect(second).toMatchObject({ outcome: "unchanged", account: first.account });
      stage.vendor.seed("bo@example.com", role);
      const third = await stage.connector.createAccount(
        stage.call(),
        person("bo@example.com", role),
      );
      expect(third).toMatchObject({ outcome: "unchanged", account: { state: "active" } });
      expect(stage.vendor.simulator.createAttempts(jane).created).toBe(1);
      expect(stage.vendor.simulator.createAttempts("bo@example.com").created).toBe(0);
    });

    test("is removed once; the second time nothing changes", async () => {
      stage.vendor.seed("admin@example.com", role);
      stage.vendor.seed(jane, role);
      const account = await stage.one(jane);
      expect((await stage.connector.removeAccount(stage.call(), account)).outcome).toBe("changed");
      expect((await stage.connector.removeAccount(stage.call(), account)).outcome).toBe(
        "unchanged",
      );
      expect(await stage.living(jane)).toEqual([]);
    });
  });
}

function instantTests(stage: ConnectorStage): void {
  const [role] = stage.world.roles;
  test("an account that is created is in at once, and is found as it was answered", async () => {
    const created = await stage.connector.createAccount(stage.call(), person(jane, role));
    expect(created.outcome).toBe("changed");
    expect(await stage.one(jane)).toEqual(created.account);
    expect(created.account).toMatchObject({ email: jane, state: "active", role });
  });

  test("an account that was removed is had again by creating it, once", async () => {
    stage.vendor.seed(jane, role);
    await stage.connector.removeAccount(stage.call(), await stage.one(jane));
    const again = await stage.connector.createAccount(stage.call(), person(jane, role));
    expect(again).toMatchObject({ outcome: "changed", account: { state: "active" } });
    expect(await stage.living(jane)).toMatchObject([{ accountId: again.account?.accountId }]);
  });
}

function invitationTests(stage: ConnectorStage): void {
  const [role, other = role] = stage.world.roles;
  describe("an account", () => {
    test("that is created is pending, is found by its address, and holds its role", async () => {
      const created = await stage.connector.createAccount(stage.call(), person(jane, role));
      expect(created.outcome).toBe("pending");
      expect(await stage.one(jane)).toEqual(created.account);
      expect(created.account).toMatchObject({ email: jane, state: "invited", role });
    });

    test("that was invited is active, with its role, once the person accepts", async () => {
      const created = await stage.connector.createAccount(stage.call(), person(jane, other));
      stage.vendor.accept(jane);
      const found = await stage.connector.findAccounts(stage.call(), {
        ...(created.account === undefined ? {} : { accountId: created.account.accountId }),
        emails: [jane],
      });
      expect(found).toMatchObject([{ email: jane, state: "active", role: other }]);
    });

    test("that is still an invitation takes another role, and there is one invitation after", async () => {
      await stage.connector.createAccount(stage.call(), person(jane, role));
      const open = await stage.one(jane);
      const applied = await stage.connector.setAccountRole(stage.call(), open, other);
      expect(applied.outcome).toBe("pending");
      expect(await stage.one(jane)).toMatchObject({ state: "invited", role: other });
    });

    test("that is an invitation is cancelled once; the second time nothing changes", async () => {
      await stage.connector.createAccount(stage.call(), person(jane, role));
      const open = await stage.one(jane);
      expect((await stage.connector.removeAccount(stage.call(), open)).outcome).toBe("changed");
      expect((await stage.connector.removeAccount(stage.call(), open)).outcome).toBe("unchanged");
      expect(await stage.connector.findAccounts(stage.call(), { emails: [jane] })).toEqual([]);
    });

    test("shows beside those who are in when all are listed", async () => {
      stage.vendor.seed(jane, role);
      await stage.connector.createAccount(stage.call(), person("bo@example.com", role));
      const { items } = await drain(stage.connector.listAccounts(stage.call()));
      expect(items.map((item) => `${item.email} ${item.state}`)).toEqual(
        expect.arrayContaining([`${jane} active`, "bo@example.com invited"]),
      );
    });
  });
}

function grantTests(stage: ConnectorStage, roles: readonly [string, string?]): void {
  describe("a grant", () => {
    const slotOf = (): Slot => {
      const { slot } = stage.vendor;
      if (slot === undefined) throw new Error("this vendor has no slot to grant in");
      return slot;
    };
    const held = async (account: VendorAccount) =>
      stage.connector.readGrants(stage.call(), account, [slotOf()]);

    test("is made once, changed by the next role, and taken once", async () => {
      const slot = slotOf();
      stage.vendor.seed(jane, stage.world.roles[0]);
      const account = await stage.one(jane);
      const { connector } = stage;
      const give = async (role: string) =>
        (await connector.grant(stage.call(), account, { ...slot, role })).outcome;
      const take = async () => (await connector.revoke(stage.call(), account, slot)).outcome;
      expect(await held(account)).toEqual([]);
      expect([await give(roles[0]), await give(roles[0])]).toEqual(["changed", "unchanged"]);
      expect(await held(account)).toEqual([{ ...slot, role: roles[0], implicit: false }]);
      if (roles[1] !== undefined) {
        expect(await give(roles[1])).toBe("changed");
        expect(await held(account)).toEqual([{ ...slot, role: roles[1], implicit: false }]);
      }
      expect([await take(), await take()]).toEqual(["changed", "unchanged"]);
      expect(await held(account)).toEqual([]);
    });

    test("names objects that the vendor lists, with an end marker", async () => {
      const { items, end } = await drain(stage.connector.listObjects(stage.call()));
      expect(items.map((item) => item.objectId)).toContain(slotOf().objectId);
      expect(end).toEqual({ complete: true, count: items.length });
    });
  });
}

function listTests(stage: ConnectorStage): void {
  const { pageSize, roles, operations } = stage.world;
  describe("a list of accounts", () => {
    const fill = (count: number) => {
      for (let i = 0; i < count; i++) {
        stage.vendor.seed(`person-${String(i)}@example.com`, roles[0]);
      }
      stage.vendor.seed("the.last@example.com", roles[0]);
      return count;
    };

    test("shows everybody once, over all its pages, and ends with its count", async () => {
      const count = fill(2 * (pageSize ?? 100));
      const { items, end } = await drain(stage.connector.listAccounts(stage.call()));
      expect(items.length).toBeGreaterThan(count);
      expect(new Set(items.map((item) => item.accountId)).size).toBe(items.length);
      expect(items.map((item) => item.email)).toContain("the.last@example.com");
      expect(end).toEqual({ complete: true, count: items.length });
      const pages = stage.vendor.simulator.requests.filter(
        (item) => item.operation === operations.list,
      );
      const least = stage.connector.facts.roster !== undefined ? 0 : pageSize === undefined ? 1 : 3;
      expect(pages.length).toBeGreaterThanOrEqual(least);
    });

    // A roster is whole, or it is refused when it is brought.
    if (stage.connector.facts.roster !== undefined) return;
    test("has no end marker when a page fails", async () => {
      fill(pageSize ?? 0);
      stage.fault({
        operation: operations.list,
        kind: "500",
        fromNth: pageSize === undefined ? 1 : 2,
      });
      const { items, end, error } = await drain(stage.connector.listAccounts(stage.call()));
      expect(items.length).toBeGreaterThanOrEqual(pageSize ?? 0);
      expect(end).toBeUndefined();
      expect(error).toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    });
  });
}
