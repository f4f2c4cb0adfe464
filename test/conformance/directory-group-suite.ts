import { beforeEach, describe, expect, it } from "vitest";
import type { SourceUser } from "../../src/directory/directory-store.ts";
import { asId, type GroupId, type SourceUserId } from "../../src/model/ids.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, refusal, tenantForEach } from "./directory-stage.ts";

/** Groups and memberships. */
export function directoryGroupSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  let ada: SourceUser;
  let bob: SourceUser;
  tenantForEach(open, (made) => {
    stage = made;
  });
  beforeEach(async () => {
    ada = await stage.addUser("ada");
    bob = await stage.addUser("bob");
  });

  const ids = (...people: readonly SourceUser[]) =>
    people.map((person) => person.sourceUserId).toSorted();

  describe("a group", () => {
    it("is stored with its members", async () => {
      const { group, members } = await stage.addGroup("Engineering", ids(ada, bob), undefined, "e");
      expect(members).toEqual({ added: ids(ada, bob), removed: [], unknown: [] });
      expect(group).toEqual({
        tenantId: stage.tenantId,
        idpId: stage.idpId,
        groupId: group.groupId,
        displayName: "Engineering",
        externalId: "e",
        memberCount: 2,
        version: 1,
        createdAt: stage.now,
        updatedAt: stage.now,
      });
      expect(await stage.getGroup(group.groupId)).toEqual(group);
      expect(await stage.memberIds(group.groupId)).toEqual(ids(ada, bob));
      expect(await stage.wanted(ada, bob)).toEqual([1, 1]);
    });

    it("has a name of its own, whatever its case, among the living of one IdP connection", async () => {
      const { group } = await stage.addGroup("Engineering");
      expect(await refusal(stage.addGroup("ENGINEERING"))).toBe("ALREADY_EXISTS displayName");
      const sales = await stage.addGroup("Sales");
      const rename = stage.updateGroup(sales.group.groupId, { displayName: "engineering" });
      expect(await refusal(rename)).toBe("ALREADY_EXISTS displayName");
      await (await stage.otherIdp()).addGroup("engineering");
      await (await stage.neighbour()).addGroup("engineering");
      await stage.deleteGroup(group.groupId);
      await stage.addGroup("engineering");
    });

    it("is out of reach for another IdP connection and another tenant", async () => {
      const { group } = await stage.addGroup("Engineering", ids(ada));
      for (const stranger of [await stage.otherIdp(), await stage.neighbour()]) {
        expect(await stranger.getGroup(group.groupId)).toBeUndefined();
        expect(await refusal(stranger.updateGroup(group.groupId, { displayName: "x" }))).toBe(
          "NOT_FOUND",
        );
        expect(await refusal(stranger.deleteGroup(group.groupId))).toBe("NOT_FOUND");
      }
      const neighbour = await stage.otherIdp("third");
      const foreign = await neighbour.addGroup("Mixed", ids(ada));
      expect(foreign.members.unknown).toEqual(ids(ada));
      expect(await stage.wanted(ada)).toEqual([1]);
    });

    it("is renamed with If-Match at its version only", async () => {
      const { group } = await stage.addGroup("Engineering");
      await stage.clock.advance(1_000);
      const { group: renamed } = await stage.updateGroup(group.groupId, {
        expect: 1,
        displayName: "Platform",
        externalId: "p",
      });
      expect(renamed).toMatchObject({
        displayName: "Platform",
        externalId: "p",
        version: 2,
        createdAt: group.createdAt,
        updatedAt: stage.now,
      });
      expect(await stage.getGroup(group.groupId)).toEqual(renamed);
      const stale = stage.updateGroup(group.groupId, { expect: 1, displayName: "Other" });
      expect(await refusal(stale)).toBe("VERSION_CONFLICT");
      const { group: cleared } = await stage.updateGroup(group.groupId, { externalId: null });
      expect(cleared).toMatchObject({
        externalId: undefined,
        displayName: "Platform",
        version: 3,
      });
    });

    it("that is deleted frees its name, leaves other groups, and keeps its people for the fan-out", async () => {
      const { group: inner } = await stage.addGroup("Inner", ids(ada));
      const { group: outer } = await stage.addGroup("Outer", [inner.groupId]);
      expect(await refusal(stage.deleteGroup(inner.groupId, undefined, 9))).toBe(
        "VERSION_CONFLICT",
      );
      await stage.deleteGroup(inner.groupId, stage.also("group.deleted"), inner.version);
      expect(await stage.actions()).toEqual(["group.deleted"]);
      expect(await stage.getGroup(inner.groupId)).toBeUndefined();
      expect(await refusal(stage.deleteGroup(inner.groupId))).toBe("NOT_FOUND");
      expect(await refusal(stage.updateGroup(inner.groupId, { displayName: "x" }))).toBe(
        "NOT_FOUND",
      );
      expect(await stage.memberIds(inner.groupId)).toEqual([]);
      expect(await stage.getGroup(outer.groupId)).toMatchObject({ memberCount: 0, version: 2 });
      expect((await stage.facts(ada.identityId)).groups).toEqual(new Set());
      expect(await stage.store.findGroupsById(stage.tenantId, [inner.groupId])).toEqual([
        { groupId: inner.groupId, idpId: stage.idpId, displayName: "Inner", deleted: true },
      ]);
    });

    it("is found by its name whatever the case, deleted ones and those of every IdP connection too", async () => {
      const { group: old } = await stage.addGroup("Engineering");
      await stage.deleteGroup(old.groupId);
      const { group: fresh } = await stage.addGroup("engineering");
      const entra = await stage.otherIdp();
      const { group: theirs } = await entra.addGroup("ENGINEERING");
      await (await stage.neighbour()).addGroup("Engineering");
      const found = await stage.store.findGroupsByName(stage.tenantId, ["eNGINEERING", "Nothing"]);
      expect(new Map(found.map((group) => [group.groupId, [group.idpId, group.deleted]]))).toEqual(
        new Map([
          [old.groupId, ["okta", true]],
          [fresh.groupId, ["okta", false]],
          [theirs.groupId, ["entra", false]],
        ]),
      );
    });
  });

  describe("members", () => {
    it("change by difference: what is there is not added, what is not there is not removed", async () => {
      const { group } = await stage.addGroup("Engineering", ids(ada));
      const also = stage.also("group.members_changed");
      const { members, group: same } = await stage.updateGroup(
        group.groupId,
        {
          memberChanges: [
            { op: "add", memberIds: ids(ada) },
            { op: "remove", memberIds: ids(bob) },
          ],
        },
        also,
      );
      expect(members).toEqual({ added: [], removed: [], unknown: [] });
      expect(same.version).toBe(1);
      expect(await stage.actions()).toEqual([]);
      expect(await stage.wanted(ada, bob)).toEqual([1, 0]);
    });

    it("are applied in order, and only the net difference counts", async () => {
      const { group } = await stage.addGroup("Engineering", ids(ada));
      const { members } = await stage.changeMembers(
        group.groupId,
        { op: "remove", memberIds: ids(ada) },
        { op: "add", memberIds: ids(ada, bob) },
      );
      expect(members).toMatchObject({ added: ids(bob), removed: [] });
      expect(await stage.wanted(ada, bob)).toEqual([1, 1]);
      await stage.changeMembers(
        group.groupId,
        { op: "add", memberIds: ids(ada) },
        { op: "remove", memberIds: ids(ada) },
      );
      expect(await stage.memberIds(group.groupId)).toEqual(ids(bob));
    });

    it("are replaced by difference, and the record names each one", async () => {
      const cy = await stage.addUser("cy");
      const { group } = await stage.addGroup("Engineering", ids(ada, bob));
      await stage.updateGroup(
        group.groupId,
        { memberChanges: [{ op: "replace", memberIds: [...ids(bob, cy), "stranger"] }] },
        stage.also("group.members_changed"),
      );
      const [stored] = await stage.store.findRecords(stage.tenantId, { limit: 1 });
      expect(stored?.record.facts).toEqual({
        added: [cy.sourceUserId, "stranger"].toSorted(),
        removed: ids(ada),
        unknown: ["stranger"],
      });
      expect(await stage.wanted(ada, bob, cy)).toEqual([2, 1, 1]);
      const { members } = await stage.changeMembers(group.groupId, {
        op: "replace",
        memberIds: [],
      });
      expect(members.removed).toHaveLength(3);
      expect(await stage.getGroup(group.groupId)).toMatchObject({ memberCount: 0, version: 3 });
    });

    it("that are named twice in one change count once", async () => {
      const { group } = await stage.addGroup("Engineering", [...ids(ada), ...ids(ada)]);
      expect(group.memberCount).toBe(1);
      const { members } = await stage.changeMembers(group.groupId, {
        op: "add",
        memberIds: [...ids(bob), ...ids(bob)],
      });
      expect(members.added).toEqual(ids(bob));
    });

    it("that are changed by many at once all count", async () => {
      const people = await Promise.all(
        Array.from({ length: 12 }, (_, n) => stage.addUser(`p${String(n)}`)),
      );
      const { group } = await stage.addGroup("Engineering", ids(ada));
      await Promise.all([
        ...people.map((person) =>
          stage.changeMembers(group.groupId, { op: "add", memberIds: ids(person) }),
        ),
        stage.changeMembers(group.groupId, { op: "remove", memberIds: ids(ada) }),
      ]);
      expect(await stage.memberIds(group.groupId)).toEqual(ids(...people));
      expect(await stage.getGroup(group.groupId)).toMatchObject({ memberCount: 12, version: 14 });
    });

    it("of several groups may be changed at once in every order", async () => {
      const groups = await Promise.all(["A", "B", "C", "D"].map((name) => stage.addGroup(name)));
      const people = [ada, bob, await stage.addUser("cy"), await stage.addUser("di")];
      await Promise.all(
        groups.map(({ group }, turn) =>
          stage.changeMembers(group.groupId, {
            op: "add",
            memberIds: people.map((_, n) => people[(n + turn) % 4]?.sourceUserId ?? ""),
          }),
        ),
      );
      expect(await stage.wanted(...people)).toEqual([4, 4, 4, 4]);
    });

    it("that nobody knows are kept, and are no people", async () => {
      const { group, members } = await stage.addGroup("Engineering", ["stranger"]);
      expect(members.unknown).toEqual(["stranger"]);
      expect(await stage.store.listMembers(stage.tenantId, group.groupId, page())).toEqual([
        { memberId: "stranger", kind: "unknown", display: undefined },
      ]);
    });

    it("are listed by id in pages, with what each is called", async () => {
      const { group: inner } = await stage.addGroup("Inner");
      const all = [...ids(ada, bob), inner.groupId, "0-stranger"];
      const { group } = await stage.addGroup("Outer", all);
      const first = await stage.store.listMembers(
        stage.tenantId,
        group.groupId,
        page(undefined, 2),
      );
      const rest = await stage.store.listMembers(
        stage.tenantId,
        group.groupId,
        page(first.at(-1)?.memberId, 10),
      );
      const read = [...first, ...rest];
      expect(read.map((member) => member.memberId)).toEqual(all.toSorted());
      expect(new Map(read.map((member) => [member.kind, member.display]))).toEqual(
        new Map([
          ["unknown", undefined],
          ["user", "bob"],
          ["group", "Inner"],
        ]),
      );
    });

    it("mark the people of nested groups, through circles too", async () => {
      const { group: inner } = await stage.addGroup("Inner", ids(ada));
      const { group: middle } = await stage.addGroup("Middle", [inner.groupId, ...ids(bob)]);
      await stage.changeMembers(inner.groupId, { op: "add", memberIds: [middle.groupId] });
      const before = await stage.wanted(ada, bob);
      const { group: outer } = await stage.addGroup("Outer", [middle.groupId]);
      expect(await stage.wanted(ada, bob)).toEqual(before.map((wanted) => wanted + 1));
      const groups = new Set([inner.groupId, middle.groupId, outer.groupId]);
      expect((await stage.facts(ada.identityId)).groups).toEqual(groups);
      expect((await stage.facts(bob.identityId)).groups).toEqual(groups);
    });

    it("are told for each person, direct ones of living groups alone", async () => {
      const { group: inner } = await stage.addGroup("Inner", ids(ada));
      await stage.addGroup("Outer", [inner.groupId]);
      const { group: dead } = await stage.addGroup("Dead", ids(ada));
      await stage.deleteGroup(dead.groupId);
      const read = await stage.store.groupsOfUser(stage.tenantId, stage.idpId, [
        ada.sourceUserId,
        bob.sourceUserId,
        asId<SourceUserId>("nobody"),
      ]);
      expect(read.get(ada.sourceUserId)).toEqual([
        { groupId: inner.groupId, displayName: "Inner" },
      ]);
      expect(read.get(bob.sourceUserId)).toEqual([]);
    });

    it("carry their cause to the mark, and a cause with a key outlasts one without", async () => {
      await stage.addGroup("Engineering", ids(ada));
      await stage.replaceUser(ada, { externalId: "x" }, stage.also("user.changed", ada.identityId));
      const [mark] = await stage.store.readMarks(stage.tenantId, [ada.identityId]);
      expect(mark).toMatchObject({
        wanted: 2,
        done: 0,
        urgent: false,
        cause: { kind: "scim.group", key: "scim.group:g" },
      });
    });
  });

  it("a change of more than 5,000 people is one fan-out, for those who came and those who went", async () => {
    const people = await crowd(stage, 5_001);
    const { group } = await stage.addGroup("Everybody", ids(...people));
    const first = people[0];
    if (first === undefined) throw new Error("nobody was made");
    expect(await stage.wanted(first)).toEqual([0]);
    expect(await finishFanouts(stage)).toEqual({ scopes: [group.groupId], marked: 5_001 });
    expect(await stage.wanted(first)).toEqual([1]);
    await stage.changeMembers(group.groupId, { op: "replace", memberIds: [] });
    expect(await stage.wanted(first)).toEqual([1]);
    expect(await finishFanouts(stage)).toMatchObject({ marked: 5_001 });
    expect(await stage.wanted(first, ada)).toEqual([2, 0]);
  }, 120_000);
}

const page = (after?: string, limit = 100) => ({ after, limit });

async function crowd(stage: DirectoryStage, size: number): Promise<readonly SourceUser[]> {
  const people: SourceUser[] = [];
  while (people.length < size) {
    const some = Math.min(250, size - people.length);
    const from = people.length;
    people.push(
      ...(await Promise.all(
        Array.from({ length: some }, (_, n) => stage.addUser(`crowd-${String(from + n)}`)),
      )),
    );
  }
  return people;
}

/** Other tests of the store have no fan-outs: they are finished where they are made. */
async function finishFanouts(
  stage: DirectoryStage,
): Promise<{ readonly scopes: readonly GroupId[]; readonly marked: number }> {
  const scopes: GroupId[] = [];
  let marked = 0;
  for (;;) {
    const fanout = await stage.store.leaseFanout({ owner: "w", now: stage.now, leaseMs: 60_000 });
    if (fanout === undefined) return { scopes, marked };
    if (fanout.scope.kind === "group") scopes.push(fanout.scope.groupId);
    for (let finished = false; !finished;) {
      const answer = await stage.store.workFanout({ fanout, now: stage.now, limit: 1_000 });
      marked += answer.marked;
      finished = answer.finished;
    }
  }
}
