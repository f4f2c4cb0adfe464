import { describe, expect, it } from "vitest";
import {
  asId,
  newId,
  type IdentityId,
  type IdpId,
  type SourceUserId,
  type TenantId,
} from "../../src/model/ids.ts";
import { noAlso } from "../support/store.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, refusal, tenantForEach } from "./directory-stage.ts";

/** Tenants, IdP connections and people. */
export function directoryUserSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  describe("tenants and IdP connections", () => {
    it("are made once and listed in the order of their names", async () => {
      const neighbour = await stage.neighbour();
      await stage.otherIdp();
      const tenants = (await stage.store.listTenants()).map((tenant) => tenant.tenantId);
      expect(tenants).toEqual(tenants.toSorted());
      expect(tenants).toEqual(expect.arrayContaining([stage.tenantId, neighbour.tenantId]));
      expect((await stage.store.listIdps(stage.tenantId)).map((idp) => idp.idpId)).toEqual([
        "entra",
        "okta",
      ]);
      const { tenantId, idpId, now } = stage;
      expect(await refusal(stage.store.createTenant(tenantId, { now }, noAlso))).toMatch(
        /^ALREADY_EXISTS/,
      );
      expect(
        await refusal(stage.store.createIdp(tenantId, { idpId, kind: "okta", now }, noAlso)),
      ).toMatch(/^ALREADY_EXISTS/);
    });

    it("belong to a tenant that exists", async () => {
      const making = stage.store.createIdp(
        asId<TenantId>("nobody"),
        { idpId: stage.idpId, kind: "okta", now: stage.now },
        noAlso,
      );
      expect(await refusal(making)).toBe("NOT_FOUND");
    });

    it("keep when they were loaded and heard, and count who lives", async () => {
      const ada = await stage.addUser("ada");
      await stage.addUser("bob");
      const { group } = await stage.addGroup("Engineering");
      await stage.addGroup("Sales");
      await stage.deleteUser(ada);
      await stage.deleteGroup(group.groupId);
      const idp = { idpId: stage.idpId };
      await stage.store.setIdpLoaded(stage.tenantId, { ...idp, loadedAt: stage.now }, noAlso);
      const heard = { ...idp, requests: 1, refused: 0, failed: 0, recent: [] };
      for (const at of [stage.now + 5, stage.now + 2]) {
        await stage.store.noteTraffic(stage.tenantId, { ...heard, firstAt: at, lastAt: at });
      }
      expect(await stage.store.listIdps(stage.tenantId)).toEqual([
        {
          tenantId: stage.tenantId,
          idpId: stage.idpId,
          kind: "okta",
          loadedAt: stage.now,
          lastRequestAt: stage.now + 5,
          userCount: 1,
          groupCount: 1,
          createdAt: stage.now,
        },
      ]);
    });

    it("are loaded once: the second time writes nothing, and arriving again clears it", async () => {
      const loaded = (loadedAt: number | undefined) =>
        stage.store.setIdpLoaded(
          stage.tenantId,
          { idpId: stage.idpId, loadedAt },
          stage.also("idp.loaded"),
        );
      await loaded(stage.now);
      await loaded(stage.now);
      expect(await stage.actions()).toEqual(["idp.loaded"]);
      await loaded(undefined);
      expect(await stage.actions()).toHaveLength(2);
      expect((await stage.store.listIdps(stage.tenantId))[0]?.loadedAt).toBeUndefined();
    });

    it("that are not there cannot be loaded or heard", async () => {
      const idpId = asId<IdpId>("nowhere");
      const { tenantId, now } = stage;
      expect(
        await refusal(stage.store.setIdpLoaded(tenantId, { idpId, loadedAt: now }, noAlso)),
      ).toBe("NOT_FOUND");
      const counts = { requests: 1, refused: 0, failed: 0, recent: [] };
      expect(
        await refusal(
          stage.store.noteTraffic(tenantId, { idpId, firstAt: now, lastAt: now, ...counts }),
        ),
      ).toBe("NOT_FOUND");
    });
  });

  describe("a person", () => {
    it("is stored as they were sent, and read as they were stored", async () => {
      const resource = {
        userName: "Ada@Example.com",
        name: { familyName: "Lovelace", givenName: "Ada" },
        emails: [{ value: "Ada@Example.com", primary: true }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { costCenter: "007" },
        note: `quotes " and \\ and 🎩 and ünïcode`,
        big: 9_007_199_254_740_991,
        small: -0.125,
        none: null,
        list: [1, "1", true],
      };
      const made = await stage.addUser("Ada@Example.com", { externalId: "00u1", resource });
      expect(made).toMatchObject({
        tenantId: stage.tenantId,
        idpId: stage.idpId,
        userName: "Ada@Example.com",
        externalId: "00u1",
        active: true,
        resource,
        version: 1,
        createdAt: stage.now,
        updatedAt: stage.now,
      });
      expect(await stage.getUser(made)).toEqual(made);
    });

    it("has a userName of their own, whatever its case, among the living of one IdP connection", async () => {
      const ada = await stage.addUser("Ada@Example.com");
      expect(await refusal(stage.addUser("aDA@example.COM"))).toBe("ALREADY_EXISTS userName");
      const bob = await stage.addUser("bob@example.com");
      expect(await refusal(stage.replaceUser(bob, { userName: "ADA@EXAMPLE.COM" }))).toBe(
        "ALREADY_EXISTS userName",
      );
      await (await stage.otherIdp()).addUser("ada@example.com");
      await (await stage.neighbour()).addUser("ada@example.com");
      await stage.deleteUser(ada);
      await stage.addUser("ada@example.com");
    });

    it("may change the case of their own userName", async () => {
      const ada = await stage.addUser("ada");
      expect((await stage.replaceUser(ada, { userName: "ADA" })).userName).toBe("ADA");
    });

    it("shares nothing with others who have no externalId, and may share one", async () => {
      await stage.addUser("a");
      await stage.addUser("b");
      await stage.addUser("c", { externalId: "same" });
      await stage.addUser("d", { externalId: "same" });
      expect((await stage.store.listIdps(stage.tenantId))[0]?.userCount).toBe(4);
    });

    it("belongs to an IdP connection that exists", async () => {
      const making = stage.store.createUser(
        stage.tenantId,
        {
          idpId: asId<IdpId>("nowhere"),
          sourceUserId: newId<SourceUserId>(stage.clock),
          identityId: newId<IdentityId>(stage.clock),
          user: stage.draft("ada"),
          now: stage.now,
        },
        noAlso,
      );
      expect(await refusal(making)).toBe("NOT_FOUND");
    });

    it("is replaced at the version that was read, and only then", async () => {
      const ada = await stage.addUser("ada");
      await stage.clock.advance(1_000);
      const changed = await stage.replaceUser(ada, { externalId: "x" });
      expect(changed).toMatchObject({ version: 2, createdAt: ada.createdAt, updatedAt: stage.now });
      expect(await stage.getUser(ada)).toEqual(changed);
      expect(await refusal(stage.replaceUser(ada, { externalId: "y" }))).toBe("VERSION_CONFLICT");
      const again = await stage.replaceUser(changed, { externalId: undefined });
      expect(again.externalId).toBeUndefined();
      expect(await stage.getUser(ada)).toEqual(again);
    });

    it("is changed by one of many who read the same version", async () => {
      const ada = await stage.addUser("ada");
      const tries = await Promise.allSettled(
        Array.from({ length: 8 }, (_, n) => stage.replaceUser(ada, { externalId: String(n) })),
      );
      expect(tries.filter((one) => one.status === "fulfilled")).toHaveLength(1);
      expect((await stage.getUser(ada))?.version).toBe(2);
    });

    it("is made once by many who send the same userName at once", async () => {
      const tries = await Promise.allSettled(
        Array.from({ length: 8 }, (_, n) => stage.addUser(n % 2 === 0 ? "ada" : "ADA")),
      );
      expect(tries.filter((one) => one.status === "fulfilled")).toHaveLength(1);
      for (const one of tries) {
        if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "ALREADY_EXISTS" });
      }
      expect(await stage.find({ op: "all" })).toHaveLength(1);
    });

    it("that is replaced by the same content leaves no trace", async () => {
      const resource = { a: { x: 1, y: 2 }, b: 3 };
      const emails = ["ada@example.com"];
      const ada = await stage.addUser("ada", { resource, emails, displayName: "Ada" });
      const same = { resource: { b: 3, a: { y: 2, x: 1 } }, emails, displayName: "Ada" };
      await stage.clock.advance(1_000);
      const also = stage.also("user.changed", ada.identityId);
      expect(await stage.replaceUser(ada, same, also)).toMatchObject({
        version: 1,
        updatedAt: ada.updatedAt,
      });
      expect(await stage.getUser(ada)).toMatchObject({ version: 1, updatedAt: ada.updatedAt });
      expect(await stage.actions()).toEqual([]);
      expect(await stage.wanted(ada)).toEqual([0]);
    });

    it.each([
      ["address", { emails: ["b@example.com"] }],
      ["order of addresses", { emails: ["c@example.com", "a@example.com"] }],
      ["display name", { displayName: "Ada L." }],
      ["activity", { active: false }],
      ["resource", { resource: { title: "CTO" } }],
    ] as const)("that differs by its %s alone is written", async (_what, change) => {
      const rest = {
        emails: ["a@example.com", "c@example.com"],
        displayName: "Ada",
        resource: { title: "CEO" },
      };
      const ada = await stage.addUser("ada", rest);
      const also = stage.also("user.changed", ada.identityId);
      expect((await stage.replaceUser(ada, { ...rest, ...change }, also)).version).toBe(2);
      expect(await stage.actions()).toEqual(["user.changed"]);
      expect(await stage.wanted(ada)).toEqual([1]);
    });

    it("is out of reach for another IdP connection and another tenant", async () => {
      const ada = await stage.addUser("ada");
      for (const stranger of [await stage.otherIdp(), await stage.neighbour()]) {
        expect(await stranger.getUser(ada)).toBeUndefined();
        expect(await refusal(stranger.replaceUser(ada, { userName: "eve" }))).toBe("NOT_FOUND");
        expect(await refusal(stranger.deleteUser(ada))).toBe("NOT_FOUND");
      }
      expect(await stage.getUser(ada)).toEqual(ada);
    });

    it("who is deleted is gone for SCIM, and stays as a leaver", async () => {
      const ada = await stage.addUser("ada", { emails: ["ada@example.com"] });
      const { group } = await stage.addGroup("Engineering", [ada.sourceUserId]);
      await stage.clock.advance(1_000);
      expect(await refusal(stage.deleteUser(ada, noAlso, 7))).toBe("VERSION_CONFLICT");
      await stage.deleteUser(ada, stage.also("user.deleted", ada.identityId), ada.version);
      expect(await stage.getUser(ada)).toBeUndefined();
      expect(await refusal(stage.deleteUser(ada))).toBe("NOT_FOUND");
      expect(await refusal(stage.replaceUser(ada, { userName: "x" }))).toBe("NOT_FOUND");
      expect(await stage.memberIds(group.groupId)).toEqual([]);
      expect(await stage.getGroup(group.groupId)).toMatchObject({
        memberCount: 0,
        version: 2,
        updatedAt: stage.now,
      });
      expect(await stage.facts(ada.identityId)).toMatchObject({
        active: false,
        inactiveSince: stage.now,
        emails: ["ada@example.com"],
        groups: new Set(),
      });
      expect(await stage.wanted(ada)).toEqual([2]);
    });

    it("notes the instant of leaving once, and forgets it on return", async () => {
      const ada = await stage.addUser("ada");
      const leftAt = stage.now;
      const off = await stage.replaceUser(ada, { active: false });
      await stage.clock.advance(1_000);
      await stage.deleteUser(off);
      expect((await stage.facts(ada.identityId)).inactiveSince).toBe(leftAt);
      const bob = await stage.addUser("bob", { active: false });
      expect((await stage.facts(bob.identityId)).inactiveSince).toBe(stage.now);
      await stage.replaceUser(bob, { active: true });
      expect(await stage.facts(bob.identityId)).toMatchObject({
        active: true,
        inactiveSince: undefined,
      });
    });
  });

  describe("one commit", () => {
    it("keeps rows, marks and records together", async () => {
      const identityId = newId<IdentityId>(stage.clock);
      const sourceUserId = newId<SourceUserId>(stage.clock);
      const command = {
        idpId: stage.idpId,
        sourceUserId,
        identityId,
        user: stage.draft("ada"),
        now: stage.now,
      };
      await stage.store.createUser(stage.tenantId, command, stage.also("user.created", identityId));
      expect(await stage.actions()).toEqual(["user.created"]);
      expect(await stage.wanted({ identityId })).toEqual([1]);
    });

    it("of which one part cannot be written leaves nothing behind", async () => {
      const stranger = newId<IdentityId>(stage.clock);
      const record = stage.record("user.created");
      const bad = [
        stage.also("user.created", stranger),
        { records: [record, record], recompute: [] },
        { records: [stage.record("user\u0000created")], recompute: [] },
      ];
      for (const also of bad) {
        expect(await refusal(stage.addUser("ada", {}, also))).toMatch(
          /^(NOT_FOUND|ALREADY_EXISTS|INVALID)/,
        );
      }
      expect(await stage.find({ op: "all" })).toEqual([]);
      expect(await stage.actions()).toEqual([]);
      expect((await stage.store.listIdps(stage.tenantId))[0]?.userCount).toBe(0);
      expect(await stage.store.countIdentities(stage.tenantId)).toEqual({ active: 0, total: 0 });
    });

    it("that fails beside others takes none of them with it", async () => {
      await stage.addUser("ada");
      const tries = await Promise.allSettled(
        ["bob", "ADA", "cy", "ada", "di"].map((name) => stage.addUser(name)),
      );
      expect(tries.map((one) => one.status === "fulfilled")).toEqual([
        true,
        false,
        true,
        false,
        true,
      ]);
      expect([...(await stage.find({ op: "all" }))].sort()).toEqual(["ada", "bob", "cy", "di"]);
    });

    it("whose answer was lost can be sent again and is stored once", async () => {
      const command = {
        idpId: stage.idpId,
        sourceUserId: newId<SourceUserId>(stage.clock),
        identityId: newId<IdentityId>(stage.clock),
        user: stage.draft("ada"),
        now: stage.now,
      };
      const also = stage.also("user.created", command.identityId);
      await stage.store.createUser(stage.tenantId, command, also);
      expect(await refusal(stage.store.createUser(stage.tenantId, command, also))).toMatch(
        /^ALREADY_EXISTS/,
      );
      expect(await stage.actions()).toEqual(["user.created"]);
      expect(await stage.wanted(command)).toEqual([1]);
    });
  });
}
