import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asId, type AccountId, type IdentityId } from "../../src/model/ids.ts";
import type { VendorObject } from "../../src/model/account.ts";
import { noAlso } from "../support/store.ts";
import { AccountStage, console_, orgRole, other, type OpenStore } from "./account-stage.ts";

const ids = (...names: readonly string[]) => names.map((name) => asId<AccountId>(name));

/** Links, ledger, and what was seen at the vendor. */
export function accountObservationSuite(open: OpenStore): void {
  let stage: AccountStage;
  beforeEach(async () => {
    stage = await AccountStage.open(open);
  });
  afterEach(() => stage.dispose());

  const observed = async (filter: { unlinkedOnly?: boolean; includeGone?: boolean } = {}) =>
    (
      await stage.store.listObserved(stage.tenantId, {
        connectionId: console_,
        limit: 100,
        ...filter,
      })
    ).map((item) => item.accountId);
  const list = (listingId: string, ...accounts: ReturnType<AccountStage["account"]>[]) =>
    stage.store.recordListing(stage.tenantId, {
      connectionId: console_,
      listingId,
      accounts,
      now: stage.now,
    });
  const finishList = (listingId: string, count: number) =>
    stage.store.finishListing(stage.tenantId, {
      connectionId: console_,
      listingId,
      count,
      shrinkMax: 0.2,
      now: stage.now,
    });
  const lane = async () => {
    const found = await stage.store.getLane(stage.tenantId, console_);
    if (found === undefined) throw new Error("no lane");
    return found;
  };

  describe("links", () => {
    it("keep one account for one identity: the second claimant is told which field is taken", async () => {
      const [ada, bob] = await stage.addPeople(2);
      if (ada === undefined || bob === undefined) throw new Error("two people");
      await stage.link(ada, "acc");
      await expect(stage.link(bob, "acc")).rejects.toMatchObject({
        code: "ALREADY_EXISTS",
        field: "accountId",
      });
      expect(await stage.store.getLink(stage.tenantId, console_, bob)).toBeUndefined();
      await stage.link(bob, "acc", other);
      const found = await stage.store.findLinks(stage.tenantId, console_, ids("acc", "none"));
      expect(found.map((item) => item.identityId)).toEqual([ada]);
    });

    it("keep their beginning while the account stays, and can be removed", async () => {
      const ada = await stage.addPerson();
      await stage.link(ada, "acc");
      const since = stage.now;
      await stage.clock.advance(10);
      await stage.link(ada, "acc");
      expect((await stage.store.getLink(stage.tenantId, console_, ada))?.since).toBe(since);
      await stage.link(ada, "acc2");
      expect((await stage.store.getLink(stage.tenantId, console_, ada))?.since).toBe(stage.now);
      await stage.store.changeLink(
        stage.tenantId,
        { change: { op: "remove" }, connectionId: console_, identityId: ada, now: stage.now },
        noAlso,
      );
      expect(await stage.store.getLink(stage.tenantId, console_, ada)).toBeUndefined();
      expect((await lane()).managedAccounts).toBe(0);
    });

    it("are listed page by page, by person and by connection", async () => {
      const people = [...(await stage.addPeople(3))].sort();
      for (const [i, person] of people.entries()) {
        await stage.link(person, `a${String(i)}`);
        await stage.link(person, `b${String(i)}`, other);
      }
      const page = await stage.store.listLinks(stage.tenantId, {
        connectionId: console_,
        after: people[0] ?? "",
        limit: 10,
      });
      expect(page.map((item) => item.accountId)).toEqual(["a1", "a2"]);
      const [first] = people;
      const own = await stage.store.listLinks(stage.tenantId, {
        ...(first === undefined ? {} : { identityId: first }),
        limit: 10,
      });
      expect(own.map((item) => item.accountId)).toEqual(["a0", "b0"]);
    });

    it("to people that do not exist are refused", async () => {
      await expect(stage.link(asId<IdentityId>("nobody"), "acc")).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
    });

    it("and open invitations among them are counted as they come and go", async () => {
      const [ada, bob] = await stage.addPeople(2);
      if (ada === undefined || bob === undefined) throw new Error("two people");
      await stage.link(ada, "inv1");
      await stage.look([
        stage.account("inv1", { state: "invited" }),
        stage.account("inv2", { state: "invited" }),
      ]);
      expect(await lane()).toMatchObject({ managedAccounts: 1, openInvitations: 1 });
      await stage.link(bob, "inv2");
      expect(await lane()).toMatchObject({ managedAccounts: 2, openInvitations: 2 });
      await stage.look([stage.account("inv2", { state: "expired" })]);
      expect((await lane()).openInvitations).toBe(1);
      await stage.link(ada, "user1");
      expect(await lane()).toMatchObject({ managedAccounts: 2, openInvitations: 0 });
      await stage.link(ada, "inv1");
      expect((await lane()).openInvitations).toBe(1);
      await stage.look([], ["inv1"]);
      expect((await lane()).openInvitations).toBe(0);
    });
  });

  describe("the ledger", () => {
    it("sets and removes one slot at a time", async () => {
      const ada = await stage.addPerson();
      const change = (role: string) =>
        stage.store.changeLedger(
          stage.tenantId,
          {
            connectionId: console_,
            identityId: ada,
            changes: [
              {
                op: "set",
                entitlement: { ...orgRole, role },
                origin: "adopted",
                because: ["r1", "r2"],
              },
              {
                op: "set",
                entitlement: { kind: "workspace", objectId: "w1", role: "user" },
                origin: "granted",
                because: [],
              },
            ],
            now: stage.now,
          },
          noAlso,
        );
      await change("user");
      await stage.clock.advance(5);
      await change("developer");
      const [role, workspace] = await stage.store.listLedger(stage.tenantId, console_, ada);
      expect(role).toMatchObject({ role: "developer", origin: "adopted", since: stage.now });
      expect(workspace?.since).toBe(stage.now - 5);
      await stage.store.changeLedger(
        stage.tenantId,
        {
          connectionId: console_,
          identityId: ada,
          changes: [{ op: "remove", slot: orgRole }],
          now: stage.now,
        },
        noAlso,
      );
      const left = await stage.store.listLedger(stage.tenantId, console_, ada);
      expect(left.map((item) => item.kind)).toEqual(["workspace"]);
    });
  });

  describe("a look", () => {
    it("stores accounts, finds them by any of their addresses, and marks the vanished", async () => {
      await stage.look([
        stage.account("a", { otherEmails: ["alias@example.com"], displayName: "A", createdAt: 5 }),
        stage.account("b"),
      ]);
      const byEmail = (email: string) =>
        stage.store.listObserved(stage.tenantId, {
          connectionId: console_,
          emails: [email],
          limit: 5,
        });
      expect(await byEmail("alias@example.com")).toEqual([
        {
          ...stage.account("a", {
            otherEmails: ["alias@example.com"],
            displayName: "A",
            createdAt: 5,
          }),
          connectionId: console_,
          readAt: stage.now,
          gone: false,
        },
      ]);
      await stage.look([stage.account("a", { email: "new@example.com" })], ["b"]);
      expect(await byEmail("alias@example.com")).toEqual([]);
      expect((await byEmail("new@example.com")).map((item) => item.accountId)).toEqual(["a"]);
      expect(await observed()).toEqual(["a"]);
      expect(await observed({ includeGone: true })).toEqual(["a", "b"]);
    });

    it("goes with the write that it leads to, known or new, and with none that is refused", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, {});
      const target = await stage.leaseOne(ada);
      const shown = (role: string) => ({
        accounts: [stage.account("ada", { role })],
        gone: [],
        grants: [],
        now: stage.now,
      });
      const roles = async () =>
        (await stage.store.listObserved(stage.tenantId, { connectionId: console_, limit: 5 })).map(
          (item) => item.role,
        );
      const old = { ...target, fence: target.fence - 1 };
      expect(await stage.pass(old, { look: shown("user") })).toMatchObject({ ok: false });
      expect(await roles()).toEqual([]);
      expect(await stage.pass(target, { look: shown("user") })).toMatchObject({ ok: true });
      expect(await roles()).toEqual(["user"]);
      expect(await stage.pass(target, { look: shown("admin") })).toMatchObject({ ok: true });
      expect(await roles()).toEqual(["admin"]);
    });

    it("goes with the end of its lease, also of one that is somebody else's by now", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, {});
      const target = await stage.leaseOne(ada);
      await stage.link(ada, "ada");
      const ends = (at: typeof target, role: string) =>
        stage.release(at, {
          look: {
            accounts: [stage.account("ada", { role })],
            gone: [],
            grants: [],
            now: stage.now,
          },
        });
      const seen = async () =>
        (await stage.store.readPeople(stage.tenantId, [ada]))[0]?.observed.map((item) => item.role);
      expect(await ends({ ...target, fence: target.fence - 1 }, "user")).toBe(false);
      expect(await seen()).toEqual(["user"]);
      expect(await ends(target, "admin")).toBe(true);
      expect(await seen()).toEqual(["admin"]);
    });

    it("keeps what was read since, however late an older look is stored", async () => {
      const look = (role: string, now: number, there = true) =>
        stage.store.recordLook(stage.tenantId, {
          connectionId: console_,
          accounts: there ? [{ ...stage.account("a"), role }] : [],
          gone: there ? [] : [asId<AccountId>("a")],
          grants: [],
          now,
        });
      const shown = async () =>
        (
          await stage.store.listObserved(stage.tenantId, {
            ...{ connectionId: console_, accountIds: ids("a"), includeGone: true, limit: 5 },
          })
        ).map((item) => [item.role, item.gone]);
      await look("user", stage.now);
      await look("admin", stage.now + 2);
      await look("user", stage.now + 1);
      await look("", stage.now + 1, false);
      expect(await shown()).toEqual([["admin", false]]);
      await look("", stage.now + 3, false);
      await look("user", stage.now + 2);
      expect(await shown()).toEqual([["admin", true]]);
    });

    it("keeps grants that were looked at before a listing and are stored after it", async () => {
      const accountId = asId<AccountId>("a");
      const slot = { kind: "workspace", objectId: "w1" };
      const look = (role: string, now: number) =>
        stage.store.recordLook(stage.tenantId, {
          connectionId: console_,
          accounts: [stage.account("a")],
          gone: [],
          grants: [{ accountId, asked: [slot], held: [{ ...slot, role, implicit: false }] }],
          now,
        });
      const held = async () =>
        (await stage.store.listObservedGrants(stage.tenantId, console_, [accountId])).map(
          (item) => item.role,
        );
      await stage.store.recordListing(stage.tenantId, {
        ...{ connectionId: console_, listingId: "l1", accounts: [stage.account("a")] },
        now: stage.now + 2,
      });
      await look("writer", stage.now + 1);
      expect(await held()).toEqual(["writer"]);
      await look("admin", stage.now + 3);
      await look("writer", stage.now + 2);
      expect(await held()).toEqual(["admin"]);
    });

    it("replaces what the asked slots hold, and leaves the others", async () => {
      const slot = (objectId: string) => ({ kind: "workspace", objectId });
      const look = (asked: readonly string[], held: Readonly<Record<string, string>>) =>
        stage.store.recordLook(stage.tenantId, {
          connectionId: console_,
          accounts: [stage.account("a")],
          gone: [],
          grants: [
            {
              accountId: asId<AccountId>("a"),
              asked: asked.map(slot),
              held: Object.entries(held).map(([objectId, role]) => ({
                ...slot(objectId),
                role,
                implicit: role === "admin",
              })),
            },
          ],
          now: stage.now,
        });
      const grants = async () =>
        (await stage.store.listObservedGrants(stage.tenantId, console_, ids("a"))).map((item) => [
          item.objectId,
          item.role,
          item.implicit,
        ]);
      await look(["w1", "w2"], { w1: "user", w2: "admin" });
      expect(await grants()).toEqual([
        ["w1", "user", false],
        ["w2", "admin", true],
      ]);
      await look(["w1", "w3"], { w3: "user" });
      expect(await grants()).toEqual([
        ["w2", "admin", true],
        ["w3", "user", false],
      ]);
      await stage.look([], ["a"]);
      expect(await grants()).toEqual([]);
    });
  });

  describe("a listing", () => {
    it("answers what is new or differs in state, role or address, and nothing else", async () => {
      expect(await list("l1", stage.account("a"), stage.account("b"), stage.account("c"))).toEqual([
        "a",
        "b",
        "c",
      ]);
      await finishList("l1", 3);
      const again = await list(
        "l2",
        stage.account("a", { role: "admin" }),
        stage.account("b", { displayName: "B" }),
        stage.account("c", { email: "c2@example.com" }),
        stage.account("d"),
      );
      expect(again).toEqual(["a", "c", "d"]);
    });

    it("marks what it did not show as gone, and what comes back as changed", async () => {
      await list("l1", stage.account("a"), stage.account("b"));
      await finishList("l1", 2);
      await stage.clock.advance(10);
      await list("l2", stage.account("a"));
      expect(await finishList("l2", 1)).toEqual({
        implausible: false,
        previousCount: 2,
        gone: ["b"],
      });
      expect(await observed()).toEqual(["a"]);
      await stage.clock.advance(10);
      expect(await list("l3", stage.account("a"), stage.account("b"))).toEqual(["b"]);
    });

    it("does not call an account gone that a look found while the pages came", async () => {
      await list("l1", stage.account("a"));
      await stage.clock.advance(10);
      await stage.look([stage.account("fresh")]);
      expect((await finishList("l1", 1)).gone).toEqual([]);
      expect(await observed()).toEqual(["a", "fresh"]);
    });

    it("that shrank by more than the fraction and by more than 3 marks nothing", async () => {
      const all = Array.from({ length: 10 }, (_, i) => stage.account(`a${String(i)}`));
      await list("l1", ...all);
      await finishList("l1", 10);
      await stage.clock.advance(10);
      await list("l2", ...all.slice(0, 6));
      expect(await finishList("l2", 6)).toEqual({
        implausible: true,
        previousCount: 10,
        gone: [],
      });
      expect(await observed()).toHaveLength(10);
      await stage.clock.advance(10);
      await list("l3", ...all.slice(0, 7));
      const third = await finishList("l3", 7);
      expect(third).toMatchObject({ implausible: false, previousCount: 10 });
      expect(third.gone).toHaveLength(3);
    });

    it("does not hold removals against itself that a look confirmed before", async () => {
      const all = Array.from({ length: 10 }, (_, i) => stage.account(`a${String(i)}`));
      await list("l1", ...all);
      await finishList("l1", 10);
      await stage.clock.advance(10);
      await stage.look([], ["a6", "a7", "a8", "a9"]);
      await list("l2", ...all.slice(0, 6));
      expect(await finishList("l2", 6)).toMatchObject({ implausible: false, previousCount: 6 });
    });

    it("that shows nobody on a small connection ends it", async () => {
      await list("l1", stage.account("a"));
      await finishList("l1", 1);
      await stage.clock.advance(10);
      expect((await finishList("l2", 0)).gone).toEqual(["a"]);
    });
  });

  it("lists unlinked accounts page by page", async () => {
    const ada = await stage.addPerson();
    await stage.link(ada, "b");
    await stage.look(["a", "b", "c"].map((id) => stage.account(id)));
    expect(await observed({ unlinkedOnly: true })).toEqual(["a", "c"]);
    const page = await stage.store.listObserved(stage.tenantId, {
      connectionId: console_,
      unlinkedOnly: true,
      after: "a",
      limit: 5,
    });
    expect(page.map((item) => item.accountId)).toEqual(["c"]);
    const named = await stage.store.listObserved(stage.tenantId, {
      connectionId: console_,
      accountIds: ids("c", "b"),
      limit: 5,
    });
    expect(named.map((item) => item.accountId)).toEqual(["b", "c"]);
  });

  it("counts active, accepted accounts by role", async () => {
    await stage.look(
      [
        stage.account("a", { role: "admin" }),
        stage.account("b", { role: "owner" }),
        stage.account("c", { role: "admin", state: "invited" }),
        stage.account("d", { role: "admin", state: "suspended" }),
        stage.account("e", { role: "user" }),
        stage.account("f", { role: "admin" }),
      ],
      [],
    );
    await stage.look([], ["f"]);
    const count = (...roles: readonly string[]) =>
      stage.store.countObserved(stage.tenantId, console_, roles);
    expect(await count("admin", "owner")).toBe(2);
    expect(await count("admin")).toBe(1);
    expect(await count()).toBe(0);
  });

  it("replaces the objects of a connection and says whether anything changed", async () => {
    const object = (objectId: string, change: Partial<VendorObject> = {}): VendorObject => ({
      kind: "workspace",
      objectId,
      name: objectId.toUpperCase(),
      archived: false,
      manageable: true,
      ...change,
    });
    const record = (...objects: readonly VendorObject[]) =>
      stage.store.recordObjects(stage.tenantId, {
        connectionId: console_,
        objects,
        now: stage.now,
      });
    const empty = await stage.store.listObjects(stage.tenantId, console_);
    expect(empty).toEqual({ readAt: undefined, objects: [] });
    expect(await record(object("w1"), object("w2"))).toEqual({ changed: true });
    await stage.clock.advance(5);
    expect(await record(object("w2"), object("w1"))).toEqual({ changed: false });
    expect(await stage.store.listObjects(stage.tenantId, console_)).toEqual({
      readAt: stage.now,
      objects: [object("w1"), object("w2")],
    });
    expect(await record(object("w1", { archived: true }), object("w2"))).toEqual({ changed: true });
    expect(await record(object("w2", { name: "Other" }))).toEqual({ changed: true });
    expect((await stage.store.listObjects(stage.tenantId, console_)).objects).toEqual([
      object("w2", { name: "Other" }),
    ]);
  });
}
