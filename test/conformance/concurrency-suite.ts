import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AccountStage, console_, other, type OpenStore } from "./account-stage.ts";
import { refusal, tenantForEach, type DirectoryStage } from "./directory-stage.ts";

/** What must hold when commands run beside each other: each ends as if one had run after the other. */
export function concurrencySuite(open: OpenStore): void {
  describe("people and groups", () => {
    let stage: DirectoryStage;
    tenantForEach(open, (made) => {
      stage = made;
    });

    /** The group's own count is what is in it. */
    const counted = async (groupId: Parameters<DirectoryStage["getGroup"]>[0]) => {
      const members = await stage.memberIds(groupId);
      expect((await stage.getGroup(groupId))?.memberCount).toBe(members.length);
      return new Set(members);
    };

    it("a member that is added while everybody is replaced is in the group, or was before it", async () => {
      const people = await Promise.all(
        Array.from({ length: 12 }, (_, n) => stage.addUser(`r${String(n)}`)),
      );
      const ids = people.map((person) => person.sourceUserId);
      for (let round = 0; round < 5; round += 1) {
        const { group } = await stage.addGroup(`replaced ${String(round)}`);
        await Promise.all([
          ...ids.map((id) => stage.changeMembers(group.groupId, { op: "add", memberIds: [id] })),
          stage.changeMembers(group.groupId, { op: "replace", memberIds: ids.slice(0, 3) }),
        ]);
        const members = await counted(group.groupId);
        for (const id of ids.slice(0, 3)) expect(members.has(id)).toBe(true);
      }
    });

    it("a person who is deleted while they are added to a group leaves no membership of a person", async () => {
      for (let round = 0; round < 10; round += 1) {
        const person = await stage.addUser(`d${String(round)}`);
        const { group } = await stage.addGroup(`deleted ${String(round)}`);
        await Promise.all([
          stage.deleteUser(person),
          stage.changeMembers(group.groupId, { op: "add", memberIds: [person.sourceUserId] }),
        ]);
        await counted(group.groupId);
        const members = await stage.store.listMembers(stage.tenantId, group.groupId, {
          after: undefined,
          limit: 10,
        });
        // Added before: gone with the person. Added after: an id of nobody, kept as the group says it.
        expect(members.filter((member) => member.kind === "user")).toEqual([]);
      }
    });

    it("a person who is deleted and removed from a group at once is counted out once", async () => {
      for (let round = 0; round < 10; round += 1) {
        const [person, other] = [
          await stage.addUser(`x${String(round)}`),
          await stage.addUser(`y${String(round)}`),
        ];
        const ids = [person.sourceUserId, other.sourceUserId];
        const { group } = await stage.addGroup(`left ${String(round)}`, ids);
        await Promise.all([
          stage.deleteUser(person),
          stage.changeMembers(group.groupId, { op: "remove", memberIds: [person.sourceUserId] }),
        ]);
        expect(await counted(group.groupId)).toEqual(new Set([other.sourceUserId]));
      }
    });

    it("of many replacements of one version one is written", async () => {
      const person = await stage.addUser("contended");
      const ended = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          stage.replaceUser(person, { displayName: `name ${String(n)}` }).then(
            () => "written",
            (error: unknown) => refusal(Promise.reject(error as Error)),
          ),
        ),
      );
      expect(ended.filter((end) => end === "written")).toHaveLength(1);
      expect(new Set(ended)).toEqual(new Set(["written", "VERSION_CONFLICT"]));
      expect((await stage.getUser(person))?.version).toBe(person.version + 1);
    });

    it("counts everybody who comes and goes at once", async () => {
      const people = await Promise.all(
        Array.from({ length: 30 }, (_, n) => stage.addUser(`c${String(n)}`)),
      );
      await Promise.all([
        ...people.slice(0, 10).map((person) => stage.deleteUser(person)),
        ...Array.from({ length: 10 }, (_, n) => stage.addUser(`e${String(n)}`)),
      ]);
      const [idp] = await stage.store.listIdps(stage.tenantId);
      expect(idp?.userCount).toBe(30);
    });

    it("a finding that many see first is opened by one of them", async () => {
      const raise = () =>
        stage.store.raiseFindings(stage.tenantId, {
          findings: [
            { key: "k", kind: "unlinked_lookalike", severity: "info", text: "seen", facts: {} },
          ],
          now: stage.now,
        });
      const opened = await Promise.all(Array.from({ length: 10 }, raise));
      expect(opened.flatMap((answer) => answer.opened)).toEqual(["k"]);
    });
  });

  describe("targets and rails", () => {
    let stage: AccountStage;
    beforeEach(async () => {
      stage = await AccountStage.open(open);
    });
    afterEach(() => stage.dispose());

    it("workers who lease at once fill the places of a lane, and no target is handed out twice", async () => {
      const people = await stage.addPeople(30);
      await Promise.all(people.map((person) => stage.sync(person, {})));
      const leased = await Promise.all(
        Array.from({ length: 8 }, (_, n) => stage.leaseAll({ owner: `w${String(n)}`, perLane: 5 })),
      );
      const ids = leased.flat().map((target) => target.identityId);
      expect(ids).toHaveLength(5);
      expect(new Set(ids).size).toBe(5);
    });

    it("losses that are decided at once on all sides never pass the rail together", async () => {
      const people = await stage.addPeople(25);
      await Promise.all(people.map((person) => stage.sync(person, { rail: [stage.loss()] })));
      const states = await stage.entryStates();
      expect(states).toHaveLength(25);
      // More than the allowance of 3: of what has not been sent, nothing goes on.
      expect(new Set(states)).toEqual(new Set(["held"]));
      expect(await stage.openHolds()).toHaveLength(1);
    });

    it("leavers who are decided at once go on up to the cap of the tenant, over all its lanes", async () => {
      const people = await stage.addPeople(16);
      const wish = { lifecycle: "departed", rail: [stage.loss({ rail: "leavers" })] } as const;
      await Promise.all(
        people.map((person, n) =>
          stage.sync(person, n % 2 === 0 ? wish : { ...wish, connectionId: other }),
        ),
      );
      const states = await stage.entryStates();
      expect(states.filter((state) => state === "reserved")).toHaveLength(2);
      expect(states.filter((state) => state === "held")).toHaveLength(14);
    });

    it("a batch that is decided while more join it leaves nobody waiting in a closed batch", async () => {
      const people = await stage.addPeople(20);
      const sync = (person: (typeof people)[number]) =>
        stage.sync(person, { rail: [stage.loss()] });
      await Promise.all(people.slice(0, 8).map(sync));
      const [hold] = await stage.openHolds();
      if (hold === undefined) throw new Error("nothing is held");
      const decide = () =>
        stage.store.decideHold(
          stage.tenantId,
          {
            holdId: hold.holdId,
            identityIds: "all",
            decision: "approve",
            by: "kim",
            now: stage.now,
          },
          { records: [], recompute: [] },
        );
      await Promise.all([...people.slice(8).map(sync), decide()]);
      const open = new Set((await stage.openHolds()).map((item) => item.holdId));
      const entries = await stage.store.listRailEntries(stage.tenantId, { limit: 100 });
      const stuck = entries.filter(
        (entry) => entry.state === "held" && (entry.holdId === null || !open.has(entry.holdId)),
      );
      expect(stuck).toEqual([]);
      expect(entries).toHaveLength(20);
    });

    it("an account that is listed while it is linked is known as linked", async () => {
      for (let round = 0; round < 10; round += 1) {
        const person = await stage.addPerson();
        const accountId = `acc-${String(round)}`;
        await Promise.all([stage.look([stage.account(accountId)]), stage.link(person, accountId)]);
      }
      const unlinked = await stage.store.listObserved(stage.tenantId, {
        connectionId: console_,
        unlinkedOnly: true,
        limit: 100,
      });
      expect(unlinked).toEqual([]);
      expect((await stage.store.getLane(stage.tenantId, console_))?.managedAccounts).toBe(10);
    });

    it("buckets give no token more than they have to ten who never drew before", async () => {
      const draws = await Promise.all(
        Array.from({ length: 10 }, () =>
          stage.store.drawTokens(stage.tenantId, {
            connectionId: console_,
            bucket: "writes",
            capacity: 10,
            perMs: 60_000,
            want: 4,
            ahead: 0,
            keepMs: 0,
            reserve: 0,
            now: stage.now,
          }),
        ),
      );
      expect(draws.reduce((sum, draw) => sum + draw.granted, 0)).toBe(10);
    });
  });
}
