import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SourceUser } from "../../src/directory/directory-store.ts";
import type { LeasedFanout } from "../../src/events/recompute-store.ts";
import type { FanoutRequest, RecomputeRequest } from "../../src/model/records.ts";
import type { IdentityId } from "../../src/model/ids.ts";
import { AccountStage, console_, type OpenStore } from "./account-stage.ts";
import { DirectoryStage, refusal } from "./directory-stage.ts";

/** Marks, fan-outs and schedules: the bookkeeping of what is owed. */
export function recomputeSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  let ada: SourceUser;
  let bob: SourceUser;
  beforeEach(async () => {
    stage = await DirectoryStage.open(open);
    ada = await stage.addUser("ada");
    bob = await stage.addUser("bob");
  });
  afterEach(() => stage.dispose());

  let turn = 0;
  const mark = async (
    person: SourceUser,
    change: Partial<RecomputeRequest> = {},
    on: DirectoryStage = stage,
  ) => {
    turn += 1;
    const request = {
      identityId: person.identityId,
      cause: { kind: "scim.user" },
      urgent: false,
      ...change,
    } as const;
    await on.addUser(`reason-${String(turn)}`, {}, { records: [], recompute: [request] });
  };
  const markOf = async (person: SourceUser) =>
    (await stage.store.readMarks(stage.tenantId, [person.identityId]))[0];
  const done = (person: SourceUser, wanted: number, nextDueAt?: number, nextUrgent = false) =>
    stage.store.commitSync(
      stage.tenantId,
      { identityId: person.identityId, wanted, wishes: [], nextDueAt, nextUrgent, now: stage.now },
      { records: [], recompute: [] },
    );
  const unpublished = async (limit = 100) =>
    (await stage.store.listUnpublished({ now: stage.now, limit })).map((one) => one.identityId);
  const overdue = async (limit = 100) =>
    (
      await stage.store.listOverdue({
        now: stage.now,
        ageMs: 10_000,
        urgentAgeMs: 2_000,
        limit,
      })
    ).map((one) => one.identityId);

  describe("a mark", () => {
    it("counts reasons, keeps the oldest instant, and becomes urgent with the first urgent one", async () => {
      const since = stage.now;
      await mark(ada);
      await stage.clock.advance(1_000);
      await mark(ada, { urgent: true, cause: { kind: "hr" } });
      await stage.clock.advance(1_000);
      await mark(ada);
      expect(await markOf(ada)).toEqual({
        tenantId: stage.tenantId,
        identityId: ada.identityId,
        wanted: 3,
        done: 0,
        urgent: true,
        cause: { kind: "scim.user" },
        since,
        dueAt: since,
      });
      expect(await markOf(bob)).toBeUndefined();
    });

    it("keeps where its reasons were traced, the oldest first and at most eight, until they are done", async () => {
      const at = (n: number) => `00-${"a".repeat(32)}-${String(n).padStart(16, "0")}-01`;
      const traced = (n: number) => mark(ada, { cause: { kind: "scim.user", trace: at(n) } });
      await mark(ada);
      expect((await markOf(ada))?.traces).toBeUndefined();
      await traced(1);
      await mark(ada);
      await traced(2);
      expect((await markOf(ada))?.traces).toEqual([at(1), at(2)]);
      for (let n = 3; n <= 12; n += 1) await traced(n);
      expect((await markOf(ada))?.traces).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map(at));
      await done(ada, 14);
      await traced(20);
      expect((await markOf(ada))?.traces).toEqual([at(20)]);
      // What time brings is nobody's request.
      await done(ada, 15, stage.now + 1_000);
      expect((await markOf(ada))?.traces).toBeUndefined();
    });

    it("made by a fan-out keeps where that was asked for", async () => {
      const trace = `00-${"b".repeat(32)}-${"1".repeat(16)}-01`;
      const fanout: FanoutRequest = {
        fanoutId: "f-traced",
        scope: { kind: "tenant" },
        cause: { kind: "operator", trace },
        urgent: false,
      };
      await stage.addUser("reason-traced", {}, { records: [], recompute: [], fanouts: [fanout] });
      const leased = await stage.store.leaseFanout({ owner: "w", now: stage.now, leaseMs: 1_000 });
      if (leased === undefined) throw new Error("no fan-out");
      await stage.store.workFanout({ fanout: leased, now: stage.now, limit: 100 });
      expect((await markOf(ada))?.traces).toEqual([trace]);
    });

    it("counts every reason of many that come at once", async () => {
      await Promise.all(Array.from({ length: 10 }, () => mark(ada)));
      expect(await stage.wanted(ada)).toEqual([10]);
    });

    it("is not hinted any more when it was recomputed before the bus took it", async () => {
      await mark(ada);
      await mark(bob);
      await mark(bob);
      await done(ada, 1);
      await done(bob, 1);
      expect(await unpublished()).toEqual([bob.identityId]);
      await mark(ada);
      expect(new Set(await unpublished())).toEqual(new Set([ada.identityId, bob.identityId]));
    });

    it("is hinted when it is due, urgent ones first, and once for each reason", async () => {
      await mark(ada);
      await stage.clock.advance(10);
      await mark(bob, { urgent: true });
      const cy = await stage.addUser("cy");
      await mark(cy, { dueAt: stage.now + 5_000 });
      expect(await unpublished()).toEqual([bob.identityId, ada.identityId]);
      expect(await unpublished(1)).toEqual([bob.identityId]);
      await stage.store.markPublished([
        { tenantId: stage.tenantId, identityId: ada.identityId, wanted: 1 },
        { tenantId: stage.tenantId, identityId: bob.identityId, wanted: 1 },
      ]);
      expect(await unpublished()).toEqual([]);
      await mark(ada);
      expect(await unpublished()).toEqual([ada.identityId]);
      // An answer that comes late never takes back what was hinted since.
      const published = (wanted: number) =>
        stage.store.markPublished([
          { tenantId: stage.tenantId, identityId: ada.identityId, wanted },
        ]);
      await published(2);
      await published(1);
      expect(await unpublished()).toEqual([]);
      await stage.clock.advance(5_000);
      expect(await unpublished()).toEqual([cy.identityId]);
      await stage.store.markPublished([]);
    });

    it("is closed by who read its last reason, never by an older reader", async () => {
      await mark(ada);
      await mark(ada);
      expect((await done(ada, 1)).applied).toBe(true);
      expect(await markOf(ada)).toMatchObject({ wanted: 2, done: 1 });
      expect((await done(ada, 2)).applied).toBe(true);
      expect((await done(ada, 1)).applied).toBe(false);
      expect(await markOf(ada)).toMatchObject({ wanted: 2, done: 2 });
    });

    it("of a leave that is planned is urgent at its instant, and hurries nothing that comes before", async () => {
      await mark(ada);
      const leavesAt = stage.now + 60_000;
      await done(ada, 1, leavesAt, true);
      expect(await markOf(ada)).toMatchObject({ urgent: true, dueAt: leavesAt, wanted: 2 });
      await mark(ada);
      expect(await markOf(ada)).toMatchObject({ urgent: false, dueAt: stage.now, wanted: 3 });
      await done(ada, 3, leavesAt, true);
      await stage.clock.advance(60_000);
      await mark(ada);
      expect(await markOf(ada)).toMatchObject({ urgent: true, dueAt: leavesAt, wanted: 5 });
    });

    it("that was closed starts afresh: not urgent, with a new instant and cause", async () => {
      await mark(ada, { urgent: true, cause: { kind: "scim.group", key: "scim.group:g" } });
      await done(ada, 1);
      await stage.clock.advance(5_000);
      await mark(ada);
      expect(await markOf(ada)).toMatchObject({
        wanted: 2,
        urgent: false,
        since: stage.now,
        dueAt: stage.now,
        cause: { kind: "scim.user" },
      });
    });

    it("keeps the earlier of two instants while it is owed", async () => {
      await mark(ada, { dueAt: stage.now + 60_000 });
      await mark(ada, { dueAt: stage.now + 30_000 });
      expect((await markOf(ada))?.dueAt).toBe(stage.now + 30_000);
      await mark(ada);
      expect((await markOf(ada))?.dueAt).toBe(stage.now);
    });

    it("is overdue after its age: urgent ones early and first, others later", async () => {
      await mark(ada);
      await mark(bob, { urgent: true });
      await stage.clock.advance(1_999);
      expect(await overdue()).toEqual([]);
      await stage.clock.advance(1);
      expect(await overdue()).toEqual([bob.identityId]);
      await stage.clock.advance(8_000);
      expect(await overdue()).toEqual([bob.identityId, ada.identityId]);
      expect(await overdue(1)).toEqual([bob.identityId]);
      await done(bob, 1);
      expect(await overdue()).toEqual([ada.identityId]);
    });

    it("that waits for its time ages from then on", async () => {
      await mark(ada, { dueAt: stage.now + 60_000 });
      await stage.clock.advance(69_999);
      expect(await overdue()).toEqual([]);
      await stage.clock.advance(1);
      expect(await overdue()).toEqual([ada.identityId]);
    });

    it("of a small tenant does not wait behind those of a large one", async () => {
      const neighbour = await stage.neighbour();
      const crowd = await Promise.all(
        Array.from({ length: 6 }, (_, n) => stage.addUser(`p${String(n)}`)),
      );
      for (const person of crowd) await mark(person);
      const eve = await neighbour.addUser("eve");
      await mark(eve, {}, neighbour);
      await stage.clock.advance(20_000);
      expect((await overdue(2)).includes(eve.identityId)).toBe(true);
    });

    it("is counted in the backlog when it is due", async () => {
      const start = stage.now;
      await mark(ada);
      await stage.clock.advance(1_000);
      await mark(bob, { urgent: true });
      await mark(await stage.addUser("cy"), { dueAt: stage.now + 1 });
      expect(await stage.store.recomputeBacklog(stage.now)).toEqual({
        owed: 2,
        urgentOwed: 1,
        oldestSince: start,
        oldestUrgentSince: start + 1_000,
      });
      await done(ada, 1);
      await done(bob, 1);
      expect(await stage.store.recomputeBacklog(stage.now)).toEqual({
        owed: 0,
        urgentOwed: 0,
        oldestSince: undefined,
        oldestUrgentSince: undefined,
      });
    });
  });

  describe("a fan-out", () => {
    const ask = async (
      fanoutId: string,
      scope: FanoutRequest["scope"],
      urgent = false,
      on: DirectoryStage = stage,
      cause: FanoutRequest["cause"] = { kind: "mapping", key: "m" },
    ) => {
      turn += 1;
      const fanouts = [{ fanoutId, scope, cause, urgent }];
      await on.addUser(`asker-${String(turn)}`, {}, { records: [], recompute: [], fanouts });
    };
    const lease = (owner = "w1", leaseMs = 60_000) =>
      stage.store.leaseFanout({ owner, now: stage.now, leaseMs });
    const leased = async (owner?: string): Promise<LeasedFanout> => {
      const fanout = await lease(owner);
      if (fanout === undefined) throw new Error("there is no fan-out");
      return fanout;
    };
    const work = (fanout: LeasedFanout, limit: number) =>
      stage.store.workFanout({ fanout, now: stage.now, limit });
    const workAll = async (fanout: LeasedFanout, limit: number) => {
      const pages: number[] = [];
      for (;;) {
        const answer = await work(fanout, limit);
        pages.push(answer.marked);
        if (answer.finished) return pages;
      }
    };

    it("marks everybody of its tenant, page by page, each once", async () => {
      const eve = await (await stage.neighbour()).addUser("eve");
      await ask("f", { kind: "tenant" });
      const pages = await workAll(await leased(), 2);
      expect(pages.reduce((sum, one) => sum + one, 0)).toBe(3);
      expect(await stage.wanted(ada, bob)).toEqual([1, 1]);
      expect((await markOf(ada))?.cause).toEqual({ kind: "mapping", key: "m" });
      expect(await stage.store.readMarks(stage.tenantId, [eve.identityId])).toEqual([]);
      expect(await lease()).toBeUndefined();
    });

    it("marks those of one IdP connection, of one group with nested and deleted ones, or of one connection", async () => {
      const entra = await stage.otherIdp();
      const cy = await entra.addUser("cy");
      const { group: inner } = await stage.addGroup("Inner", [bob.sourceUserId]);
      const { group: outer } = await stage.addGroup("Outer", [inner.groupId, ada.sourceUserId]);
      const before = await stage.wanted(ada, bob, cy);
      await ask("i", { kind: "idp", idpId: entra.idpId });
      await workAll(await leased(), 1);
      expect(await stage.wanted(ada, bob, cy)).toEqual([before[0], before[1], 1]);
      await stage.deleteGroup(outer.groupId);
      await ask("g", { kind: "group", groupId: outer.groupId });
      await workAll(await leased(), 1);
      expect(await stage.wanted(ada, bob, cy)).toEqual([
        ...before.slice(0, 2).map((wanted) => wanted + 1),
        1,
      ]);
    });

    it("marks those who have a target of a connection", async () => {
      const accounts = await AccountStage.open(open);
      const [one, other] = [await accounts.addPerson(), await accounts.addPerson("grace")];
      await accounts.sync(one, {});
      const wantedOf = async (identityId: IdentityId) =>
        (await accounts.store.readMarks(accounts.tenantId, [identityId]))[0]?.wanted ?? 0;
      await accounts.store.changeLedger(
        accounts.tenantId,
        { connectionId: console_, identityId: one, changes: [], now: accounts.now },
        {
          records: [],
          recompute: [],
          fanouts: [
            {
              fanoutId: "c",
              scope: { kind: "connection", connectionId: console_ },
              cause: { kind: "operator" },
              urgent: false,
            },
          ],
        },
      );
      const fanout = await accounts.store.leaseFanout({
        owner: "w",
        now: accounts.now,
        leaseMs: 1_000,
      });
      if (fanout === undefined) throw new Error("there is no fan-out");
      const before = await wantedOf(one);
      await accounts.store.workFanout({ fanout, now: accounts.now, limit: 10 });
      expect(await wantedOf(one)).toBe(before + 1);
      expect(await wantedOf(other)).toBe(0);
      await accounts.dispose();
    });

    it("is given to one worker at a time, urgent ones first, the oldest first", async () => {
      await ask("second", { kind: "tenant" });
      await stage.clock.advance(10);
      await ask("third", { kind: "tenant" });
      await ask("first", { kind: "tenant" }, true);
      const names: (string | undefined)[] = [];
      for (const owner of ["w1", "w2", "w3", "w4"]) names.push((await lease(owner))?.fanoutId);
      expect(names).toEqual(["first", "second", "third", undefined]);
    });

    it("over everybody because of a group joins one that nobody has begun, and no other", async () => {
      const everybody = { kind: "tenant" } as const;
      const group = (key: string) => ({ kind: "scim.group", key }) as const;
      await ask("one", everybody, false, stage, group("a"));
      await stage.clock.advance(10);
      await ask("joins", everybody, false, stage, group("b"));
      await stage.clock.advance(10);
      await ask("neighbours", everybody, false, await stage.neighbour(), group("c"));
      await ask("mapping", everybody);
      await ask("urgent", everybody, true, stage, group("d"));
      const begun = [await leased("w1"), await leased("w2")];
      expect(begun.map(({ fanoutId, cause }) => [fanoutId, cause.key])).toEqual([
        ["urgent", "d"],
        ["one", "b"],
      ]);
      await ask("late", everybody, false, stage, group("e"));
      const rest: (string | undefined)[] = [];
      for (const owner of ["w3", "w4", "w5", "w6"]) rest.push((await lease(owner))?.fanoutId);
      expect(rest.sort()).toEqual(["late", "mapping", "neighbours", undefined]);
    });

    it("is given to one of many who ask at once", async () => {
      await ask("f", { kind: "tenant" });
      const given = await Promise.all(["w1", "w2", "w3", "w4"].map((owner) => lease(owner)));
      expect(given.filter((fanout) => fanout !== undefined)).toHaveLength(1);
    });

    it("goes on from its cursor in other hands when its lease ran out, and the first hands are refused", async () => {
      await ask("f", { kind: "tenant" });
      const first = await leased("w1");
      const page = await work(first, 1);
      expect(page).toMatchObject({ finished: false, marked: 1 });
      await stage.clock.advance(59_999);
      expect(await lease("w2")).toBeUndefined();
      await stage.clock.advance(1);
      const second = await leased("w2");
      expect(second.cursor).toBe(page.cursor);
      expect(second.fence).toBe(first.fence + 1);
      expect(await refusal(work(first, 1))).toBe("VERSION_CONFLICT");
      await workAll(second, 1);
      expect(await stage.wanted(ada, bob)).toEqual([1, 1]);
      expect(await refusal(work(second, 1))).toBe("VERSION_CONFLICT");
    });

    it("keeps its lease while it moves", async () => {
      await ask("f", { kind: "tenant" });
      const fanout = await leased("w1");
      await stage.clock.advance(50_000);
      await work(fanout, 1);
      await stage.clock.advance(50_000);
      expect(await lease("w2")).toBeUndefined();
    });
  });

  describe("a schedule", () => {
    const lease = (owner: string, job = "listing") =>
      stage.store.leaseSchedule({
        tenantId: stage.tenantId,
        job,
        owner,
        now: stage.now,
        leaseMs: 1_000,
      });
    const finish = (owner: string, nextAt: number) =>
      stage.store.finishSchedule({ tenantId: stage.tenantId, job: "listing", owner, nextAt });

    it("is run by one owner, again when it is due, and by another one when the lease ran out", async () => {
      expect(await lease("w1")).toBe(true);
      expect(await lease("w2")).toBe(false);
      expect(await lease("w1")).toBe(true);
      expect(await lease("w2", "other job")).toBe(true);
      await finish("w1", stage.now + 10_000);
      expect(await lease("w1")).toBe(false);
      await stage.clock.advance(10_000);
      expect(await lease("w2")).toBe(true);
      await stage.clock.advance(1_000);
      expect(await lease("w1")).toBe(true);
    });

    it("is not moved by who has lost it", async () => {
      await lease("w1");
      await stage.clock.advance(1_000);
      await lease("w2");
      await finish("w1", stage.now + 86_400_000);
      await finish("w2", stage.now);
      expect(await lease("w3")).toBe(true);
    });

    it("is given to one of many who ask at once", async () => {
      const given = await Promise.all(["w1", "w2", "w3", "w4"].map((owner) => lease(owner)));
      expect(given.filter(Boolean)).toHaveLength(1);
    });
  });
}
