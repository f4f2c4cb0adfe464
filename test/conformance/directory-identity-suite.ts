import { describe, expect, it } from "vitest";
import type { AccessException } from "../../src/model/identity.ts";
import { asId, type IdentityId } from "../../src/model/ids.ts";
import { noAlso } from "../support/store.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, refusal, tenantForEach } from "./directory-stage.ts";

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/** People as mapping sees them, how they are found, and exceptions. */
export function directoryIdentitySuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  describe("an identity", () => {
    it("has what its source says, folded where it is a key", async () => {
      await stage.store.setIdpLoaded(
        stage.tenantId,
        { idpId: stage.idpId, loadedAt: stage.now },
        noAlso,
      );
      const ada = await stage.addUser("Ada@Example.com", {
        externalId: "00u1",
        displayName: "Ada Lovelace",
        emails: ["Ada@Example.com", "ada@example.com", "LOVE@example.org"],
        resource: {
          userType: "Employee",
          name: { givenName: "Ada", familyName: "Lovelace" },
          [enterprise]: { department: "Engines" },
        },
      });
      const { group } = await stage.addGroup("Engineering", [ada.sourceUserId]);
      const facts = await stage.facts(ada.identityId);
      expect(facts).toMatchObject({
        tenantId: stage.tenantId,
        identityId: ada.identityId,
        active: true,
        inactiveSince: undefined,
        userName: "Ada@Example.com",
        displayName: "Ada Lovelace",
        givenName: "Ada",
        familyName: "Lovelace",
        emails: ["ada@example.com", "love@example.org"],
        formerEmails: [],
        groups: new Set([group.groupId]),
        sources: [
          {
            idpId: stage.idpId,
            sourceUserId: ada.sourceUserId,
            externalId: "00u1",
            active: true,
            deleted: false,
            loaded: true,
          },
        ],
      });
      expect(facts.attributes).toMatchObject({ userType: "Employee", department: "Engines" });
    });

    it("keeps the addresses that it had before apart", async () => {
      const ada = await stage.addUser("ada", { emails: ["ada@old.com", "both@example.com"] });
      const changed = await stage.replaceUser(ada, { emails: ["both@example.com", "ada@new.com"] });
      expect(await stage.facts(ada.identityId)).toMatchObject({
        emails: ["both@example.com", "ada@new.com"],
        formerEmails: ["ada@old.com"],
      });
      await stage.replaceUser(changed, { emails: ["ada@old.com"] });
      const facts = await stage.facts(ada.identityId);
      expect(facts.emails).toEqual(["ada@old.com"]);
      expect([...facts.formerEmails].sort()).toEqual(["ada@new.com", "both@example.com"]);
    });

    it("gets a higher version with every change of the person and their groups", async () => {
      const ada = await stage.addUser("ada");
      const versions = [(await stage.facts(ada.identityId)).version];
      await stage.replaceUser(ada, { externalId: "x" });
      versions.push((await stage.facts(ada.identityId)).version);
      await stage.addGroup("Engineering", [ada.sourceUserId]);
      versions.push((await stage.facts(ada.identityId)).version);
      expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
    });

    it("is read with others in the order that was asked for, unknown and foreign ones left out", async () => {
      const ada = await stage.addUser("ada");
      const bob = await stage.addUser("bob");
      const eve = await (await stage.neighbour()).addUser("eve");
      const asked = [bob.identityId, asId<IdentityId>("nobody"), eve.identityId, ada.identityId];
      const read = await stage.store.readIdentities(stage.tenantId, asked);
      expect(read.map((facts) => facts.userName)).toEqual(["bob", "ada"]);
      expect(await stage.store.readIdentities(stage.tenantId, [])).toEqual([]);
    });

    it("is found by what a person types, the living first", async () => {
      const gone = await stage.addUser("Ada@Example.com", { externalId: "00u1" });
      await stage.deleteUser(gone);
      const ada = await stage.addUser("ada@example.com", {
        externalId: "00u2",
        emails: ["Ada@Former.com"],
      });
      await stage.replaceUser(ada, { externalId: "00u2", emails: ["Ada@Present.com"] });
      await (await stage.neighbour()).addUser("ada@example.com", { emails: ["ada@present.com"] });
      const find = (text: string) => stage.store.findIdentities(stage.tenantId, text);
      expect(await find(" ADA@example.com ")).toEqual([ada.identityId, gone.identityId]);
      for (const text of [
        ada.identityId,
        ada.sourceUserId.toUpperCase(),
        "ADA@present.com",
        "ada@former.COM",
        "00u2",
      ]) {
        expect(await find(text)).toEqual([ada.identityId]);
      }
      expect(await find("00U2")).toEqual([]);
      expect(await find("")).toEqual([]);
      expect(await find("%")).toEqual([]);
    });

    it("is found by how names, addresses and userNames begin, page by page", async () => {
      const named = (userName: string, displayName: string, emails: readonly string[] = []) =>
        stage.addUser(userName, { displayName, emails: [...emails] });
      const ada = await named("u1", "Ada Byron", ["countess@example.com"]);
      const grace = await named("u2", "Grace Hopper", ["grace@example.com"]);
      const all = await named("u100%", "Hop! All_", ["all@example.com"]);
      await (await stage.neighbour()).addUser("u3", { displayName: "Grace Next" });
      const search = (text: string, after?: IdentityId, limit = 10) =>
        stage.store.searchIdentities(stage.tenantId, { text, after, limit });
      expect(await search("hop")).toEqual([grace.identityId, all.identityId]);
      expect(await search("hop", grace.identityId)).toEqual([all.identityId]);
      expect(await search("u", undefined, 2)).toEqual([ada.identityId, grace.identityId]);
      expect(await search(" COUNT")).toEqual([ada.identityId]);
      expect(await search("race")).toEqual([]);
      // Signs of a pattern stand for themselves.
      expect(await search("u1__")).toEqual([]);
      expect(await search("u100%")).toEqual([all.identityId]);
      expect(await search("hop!")).toEqual([all.identityId]);
      expect(await search("all_")).toEqual([all.identityId]);
    });

    it("is found by its addresses, present ones before former ones", async () => {
      const ada = await stage.addUser("ada", { emails: ["shared@example.com"] });
      await stage.replaceUser(ada, { emails: ["ada@example.com"] });
      const bob = await stage.addUser("bob", { emails: ["shared@example.com"], active: false });
      await (await stage.neighbour()).addUser("eve", { emails: ["shared@example.com"] });
      const found = await stage.store.findIdentitiesByEmail(stage.tenantId, [
        "shared@example.com",
        "ada@example.com",
        "shared@example.com",
        "nobody@example.com",
      ]);
      expect(found).toEqual([
        { email: "ada@example.com", identityId: ada.identityId, active: true, former: false },
        { email: "shared@example.com", identityId: bob.identityId, active: false, former: false },
        { email: "shared@example.com", identityId: ada.identityId, active: true, former: true },
      ]);
    });

    it("is listed in the order of ids in pages, and counted", async () => {
      const people = [];
      for (const name of ["a", "b", "c", "d", "e"]) people.push(await stage.addUser(name));
      await (await stage.neighbour()).addUser("x");
      const [first] = people;
      if (first === undefined) throw new Error("nobody was made");
      await stage.deleteUser(first);
      const all: IdentityId[] = [];
      for (let after: IdentityId | undefined; ; after = all.at(-1)) {
        const page = await stage.store.listIdentities(stage.tenantId, { after, limit: 2 });
        all.push(...page);
        if (page.length < 2) break;
      }
      expect(all).toEqual(people.map((person) => person.identityId).toSorted());
      expect(await stage.store.countIdentities(stage.tenantId)).toEqual({ active: 4, total: 5 });
    });

    it("counts who has which attribute, among the active alone", async () => {
      await stage.addUser("a", { resource: { title: "x", [enterprise]: { department: "y" } } });
      await stage.addUser("b", { resource: { title: "x" } });
      await stage.addUser("c", { active: false, resource: { title: "x", userType: "z" } });
      const counts = await stage.store.attributeCounts(stage.tenantId);
      expect(counts.get("title")).toBe(2);
      expect(counts.get("department")).toBe(1);
      expect(counts.get("userType")).toBeUndefined();
    });
  });

  describe("exceptions", () => {
    const exception = (change: Partial<AccessException> = {}): AccessException => ({
      exceptionId: "e1",
      person: "ada@example.com",
      connectionId: "console",
      effect: "grant",
      kind: "org_role",
      object: null,
      role: "developer",
      until: 9_007_199_254_740_991,
      why: "on call",
      by: "lead",
      source: "decision",
      ...change,
    });
    const add = (one: AccessException) =>
      stage.store.addException(
        stage.tenantId,
        { exception: one, now: stage.now },
        stage.also("exception.added"),
      );

    it("are added once, found by the person, and withdrawn once", async () => {
      await add(exception());
      await add(exception({ exceptionId: "e2", person: "bob" }));
      expect(await refusal(add(exception()))).toMatch(/^ALREADY_EXISTS/);
      const find = (...people: readonly string[]) =>
        stage.store.findExceptions(stage.tenantId, people);
      expect(await find("ada@example.com", "ada")).toEqual([exception()]);
      expect(await find("cy")).toEqual([]);
      expect(await stage.store.listExceptions(stage.tenantId)).toHaveLength(2);
      const withdraw = () =>
        stage.store.withdrawException(
          stage.tenantId,
          { exceptionId: "e1", now: stage.now },
          stage.also("exception.withdrawn"),
        );
      await withdraw();
      expect(await refusal(withdraw())).toBe("NOT_FOUND");
      expect(await find("ada@example.com")).toEqual([]);
      expect(await stage.actions()).toEqual([
        "exception.added",
        "exception.added",
        "exception.withdrawn",
      ]);
    });

    it("of a file are replaced as a whole, decisions stay, and no change writes nothing", async () => {
      await add(exception({ exceptionId: "decision" }));
      const replace = (...ids: readonly string[]) =>
        stage.store.replaceFileExceptions(
          stage.tenantId,
          { exceptions: ids.map((exceptionId) => exception({ exceptionId, source: "file" })) },
          stage.also("exceptions.replaced"),
        );
      expect(await replace("f1", "f2")).toEqual({ changed: 2 });
      expect(await replace("f1", "f2")).toEqual({ changed: 0 });
      expect(await replace("f2", "f3")).toEqual({ changed: 2 });
      expect(
        (await stage.store.listExceptions(stage.tenantId)).map((one) => one.exceptionId),
      ).toEqual(["decision", "f2", "f3"]);
      expect(await stage.actions()).toEqual([
        "exception.added",
        "exceptions.replaced",
        "exceptions.replaced",
      ]);
    });
  });
}
