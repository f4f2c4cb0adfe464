import { beforeEach, describe, expect, it, afterEach } from "vitest";
import type { AccessSubject, SubjectKey } from "../../src/access/access-store.ts";
import {
  asId,
  newId,
  type IdentityId,
  type IdpId,
  type SourceUserId,
} from "../../src/model/ids.ts";
import { noAlso } from "../support/store.ts";
import { AccountStage, console_, orgRole, other, rails, type OpenStore } from "./account-stage.ts";

/** What decisions are made from: found by name, as new as the last acknowledged write. */
export function accessSuite(open: OpenStore): void {
  let stage: AccountStage;
  beforeEach(async () => {
    stage = await AccountStage.open(open);
  });
  afterEach(() => stage.dispose());

  const idpId = asId<IdpId>("okta");
  const read = (key: SubjectKey, on = stage) => on.store.readAccess(on.tenantId, key);
  const one = async (identityId: IdentityId): Promise<AccessSubject> => {
    const [found] = await read({ identityId });
    if (found === undefined) throw new Error("nobody was found");
    return found;
  };
  const draft = (userName: string, emails: readonly string[], active = true) => ({
    ...{ userName, externalId: undefined, displayName: undefined, active, emails },
    resource: { userName },
  });
  const hire = async (userName: string, emails: readonly string[], on = stage) => {
    const identityId = newId<IdentityId>(stage.clock);
    const sourceUserId = newId<SourceUserId>(stage.clock);
    await on.store.createUser(
      on.tenantId,
      { idpId, sourceUserId, identityId, user: draft(userName, emails), now: stage.now },
      noAlso,
    );
    return {
      identityId,
      say: (version: number, user: ReturnType<typeof draft>) =>
        on.store.replaceUser(
          on.tenantId,
          { idpId, sourceUserId, expect: version, user, now: stage.now },
          noAlso,
        ),
      remove: () =>
        on.store.deleteUser(
          on.tenantId,
          { idpId, sourceUserId, expect: undefined, now: stage.now },
          noAlso,
        ),
    };
  };
  const names = async (name: string) => (await read({ name })).map((found) => found.identityId);

  describe("a person", () => {
    it("is found by present address, userName and id, without regard to case, at their own tenant", async () => {
      const neighbour = await stage.neighbour();
      const ada = await hire("ALove", ["Ada@Example.com", "ada.l@example.com"]);
      const theirs = await hire("alove", ["ada@example.com"], neighbour);
      for (const name of ["ada@EXAMPLE.com", "Ada.L@example.com", "alove", " ada@example.com "])
        expect(await names(name)).toEqual([ada.identityId]);
      expect(await names("love")).toEqual([]);
      expect((await one(ada.identityId)).active).toBe(true);
      expect(await read({ identityId: theirs.identityId })).toEqual([]);
    });

    it("is not found by an address that they have no more, or of a user who was deleted", async () => {
      const ada = await hire("ada", ["old@example.com"]);
      await ada.say(1, draft("ada", ["new@example.com"]));
      expect(await names("old@example.com")).toEqual([]);
      expect(await names("new@example.com")).toEqual([ada.identityId]);
      await ada.remove();
      expect(await names("new@example.com")).toEqual([]);
      expect((await one(ada.identityId)).active).toBe(false);
    });

    it("is inactive for the first read after the write that said so", async () => {
      const ada = await hire("ada", ["ada@example.com"]);
      await ada.say(1, draft("ada", ["ada@example.com"], false));
      expect(await read({ name: "ada" })).toMatchObject([
        { active: false, inactiveSince: stage.now },
      ]);
      await ada.say(2, draft("ada", ["ada@example.com"], true));
      expect(await read({ name: "ada" })).toMatchObject([{ active: true }]);
    });

    it("may be several, where two people go by one name", async () => {
      const ada = await hire("ada", ["team@example.com"]);
      const ben = await hire("ben", ["team@example.com"]);
      expect(await names("team@example.com")).toEqual([ada.identityId, ben.identityId].toSorted());
    });
  });

  describe("what they should hold", () => {
    it("is the wish of each connection, with its rules", async () => {
      const ada = await stage.addPerson();
      expect((await one(ada)).connections.size).toBe(0);
      await stage.sync(ada, { role: "developer" }, { connectionId: other, role: null });
      const { connections } = await one(ada);
      expect(connections.get(console_)).toMatchObject({
        lifecycle: "active",
        wished: [{ ...orgRole, role: "developer", because: ["r1"] }],
        heldBack: [],
        given: [],
      });
      expect(connections.get(other)?.wished).toEqual([]);
      await stage.sync(ada, { lifecycle: "departed", role: null });
      expect((await one(ada)).connections.get(console_)).toMatchObject({ lifecycle: "departed" });
    });

    it("says which gains wait for a decision or were refused, beside what was given before", async () => {
      const ada = await stage.addPerson();
      await stage.store.changeLedger(
        stage.tenantId,
        {
          connectionId: console_,
          identityId: ada,
          changes: [
            {
              op: "set",
              entitlement: { ...orgRole, role: "user" },
              origin: "granted",
              because: ["r0"],
            },
          ],
          now: stage.now,
        },
        noAlso,
      );
      const policy = { ...rails, oneCause: { ...rails.oneCause, floor: 0, fraction: 0 } };
      const gain = stage.gain({ roleFrom: "user" });
      const { opened } = await stage.sync(ada, { rail: [gain], policy });
      expect(opened).toHaveLength(1);
      const held = { heldBack: [orgRole], given: [{ ...orgRole, role: "user", because: ["r0"] }] };
      expect((await one(ada)).connections.get(console_)).toMatchObject(held);
      const decide = (decision: "approve" | "reject") =>
        stage.store.decideHold(
          stage.tenantId,
          {
            holdId: opened[0] ?? asId("?"),
            decision,
            identityIds: "all",
            by: "ops",
            now: stage.now,
          },
          noAlso,
        );
      await decide("reject");
      expect((await one(ada)).connections.get(console_)).toMatchObject(held);
    });

    it("is free again once its gain was approved", async () => {
      const ada = await stage.addPerson();
      const policy = { ...rails, oneCause: { ...rails.oneCause, floor: 0, fraction: 0 } };
      const { opened } = await stage.sync(ada, { rail: [stage.gain()], policy });
      expect((await one(ada)).connections.get(console_)?.heldBack).toEqual([orgRole]);
      await stage.store.decideHold(
        stage.tenantId,
        {
          holdId: opened[0] ?? asId("?"),
          ...{ decision: "approve", identityIds: "all", by: "ops", now: stage.now },
        },
        noAlso,
      );
      expect((await one(ada)).connections.get(console_)?.heldBack).toEqual([]);
    });
  });
}
