import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { priorities } from "../../src/accounts/target.ts";
import { newRecord } from "../../src/model/records.ts";
import { noAlso } from "../support/store.ts";
import { AccountStage, console_, other, type OpenStore } from "./account-stage.ts";

/** Recompute results and leases: what every account store promises of targets. */
export function accountTargetSuite(open: OpenStore): void {
  let stage: AccountStage;
  beforeEach(async () => {
    stage = await AccountStage.open(open);
  });
  afterEach(() => stage.dispose());

  const target = (identityId: Awaited<ReturnType<AccountStage["addPerson"]>>) =>
    stage.store.getTarget(stage.tenantId, console_, identityId);

  describe("commitSync", () => {
    it("writes a new wish as generation 1, due now, and settles the mark", async () => {
      const ada = await stage.addPerson();
      const answer = await stage.sync(ada, {});
      expect(answer).toEqual({ applied: true, changed: [console_], opened: [] });
      expect(await target(ada)).toMatchObject({
        generation: 1,
        appliedGeneration: 0,
        state: "due",
        dueAt: stage.now,
        wishedAt: stage.now,
        attempts: 0,
      });
      const [mark] = await stage.store.readMarks(stage.tenantId, [ada]);
      expect(mark?.done).toBe(mark?.wanted);
    });

    it("leaves a target alone whose wish did not change", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, {});
      const before = await target(ada);
      await stage.clock.advance(1_000);
      expect(await stage.sync(ada, {})).toMatchObject({ applied: true, changed: [] });
      expect(await target(ada)).toEqual(before);
    });

    it("keeps where the present generation was wished, whoever says the same again", async () => {
      const ada = await stage.addPerson();
      const at = (n: number) => `00-${"c".repeat(32)}-${String(n).padStart(16, "0")}-01`;
      const wish = async (role: string, trace: string | undefined) =>
        stage.commit(ada, await stage.mark(ada), [{ ...stage.wish({ role }), trace }]);
      await wish("user", at(1));
      await wish("user", at(2));
      expect((await target(ada))?.trace).toBe(at(1));
      expect((await stage.leaseOne(ada)).trace).toBe(at(1));
      await wish("developer", at(3));
      expect((await target(ada))?.trace).toBe(at(3));
      await wish("user", undefined);
      expect((await target(ada))?.trace).toBeUndefined();
    });

    it("raises generation and wake when the wish changed, starts its attempts anew, and records it once", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, {});
      const leased = await stage.leaseOne(ada);
      await stage.release(leased, { state: "waiting", dueAt: stage.now + 9_000, attempts: 4 });
      await stage.clock.advance(1_000);
      await stage.sync(ada, { role: "user" });
      expect(await target(ada)).toMatchObject({
        generation: 2,
        attempts: 0,
        state: "due",
        dueAt: stage.now,
      });
      const records = await stage.store.findRecords(stage.tenantId, {
        action: "target.wished",
        limit: 10,
      });
      expect(records).toHaveLength(2);
    });

    it("ends in the newest wish whatever the order of two commits", async () => {
      for (const order of ["older first", "newer first"] as const) {
        const ada = await stage.addPerson();
        const older = await stage.mark(ada);
        const newer = await stage.mark(ada);
        const commitOld = () => stage.commit(ada, older, [stage.wish({ role: "old" })]);
        const commitNew = () => stage.commit(ada, newer, [stage.wish({ role: "new" })]);
        if (order === "older first") {
          expect((await commitOld()).applied).toBe(true);
          expect((await commitNew()).applied).toBe(true);
        } else {
          expect((await commitNew()).applied).toBe(true);
          expect((await commitOld()).applied).toBe(false);
        }
        expect((await target(ada))?.desired.assignments[0]?.role).toBe("new");
        expect((await stage.store.readMarks(stage.tenantId, [ada]))[0]?.done).toBe(newer);
      }
    });

    it("writes nothing for a read that was committed already, no entry and no record either", async () => {
      const ada = await stage.addPerson();
      const wanted = await stage.mark(ada);
      await stage.commit(ada, wanted, []);
      const record = newRecord(stage.clock, {
        actor: { kind: "worker", id: "w" },
        action: "late",
        subject: { type: "identity", id: ada },
        facts: {},
      });
      const answer = await stage.store.commitSync(
        stage.tenantId,
        {
          identityId: ada,
          wanted,
          wishes: [stage.wish({ rail: [stage.loss()] })],
          nextDueAt: stage.now + 5,
          now: stage.now,
        },
        { records: [record], recompute: [] },
      );
      expect(answer).toEqual({ applied: false, changed: [], opened: [] });
      expect(await target(ada)).toBeUndefined();
      expect(await stage.entryStates()).toEqual([]);
      expect(await stage.store.findRecords(stage.tenantId, { action: "late", limit: 5 })).toEqual(
        [],
      );
    });

    it("keeps what is owed when a newer reason came after the read", async () => {
      const ada = await stage.addPerson();
      const read = await stage.mark(ada);
      const newer = await stage.mark(ada);
      await stage.commit(ada, read, [stage.wish()]);
      const [mark] = await stage.store.readMarks(stage.tenantId, [ada]);
      expect(mark).toMatchObject({ wanted: newer, done: read });
    });

    it("arms the mark again for the day an exception ends", async () => {
      const ada = await stage.addPerson();
      const wanted = await stage.mark(ada);
      const end = stage.now + 1_000_000;
      await stage.commit(ada, wanted, [stage.wish()], end);
      const [mark] = await stage.store.readMarks(stage.tenantId, [ada]);
      expect(mark).toMatchObject({ done: wanted, wanted: wanted + 1, dueAt: end });
      const due = (now: number) => stage.store.listUnpublished({ now, limit: 10 });
      expect(await due(end - 1)).toEqual([]);
      expect((await due(end)).map((item) => item.identityId)).toContain(ada);
    });

    it("leaves the arming to the recompute that is still owed", async () => {
      const ada = await stage.addPerson();
      const read = await stage.mark(ada);
      const newer = await stage.mark(ada);
      await stage.commit(ada, read, [stage.wish()], stage.now + 1_000_000);
      const [mark] = await stage.store.readMarks(stage.tenantId, [ada]);
      expect(mark).toMatchObject({ wanted: newer, done: read, dueAt: stage.now });
    });

    it("keeps targets at connections that have no wish", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, {}, { connectionId: other });
      await stage.sync(ada, { connectionId: other, role: "user" });
      expect((await target(ada))?.generation).toBe(1);
      expect((await stage.store.getTarget(stage.tenantId, other, ada))?.generation).toBe(2);
    });
  });

  describe("readPeople", () => {
    it("answers one item per asked identity in the order asked, whole or empty", async () => {
      const [ada, bob] = await stage.addPeople(2);
      if (ada === undefined || bob === undefined) throw new Error("two people");
      await stage.sync(bob, { rail: [stage.loss()] }, { connectionId: other });
      await stage.link(bob, "bob");
      await stage.look([stage.account("bob"), stage.account("unlinked")]);
      await stage.store.recordLook(stage.tenantId, {
        connectionId: console_,
        accounts: [],
        gone: [],
        grants: [
          {
            accountId: stage.account("bob").accountId,
            asked: [{ kind: "workspace", objectId: "w1" }],
            held: [{ kind: "workspace", objectId: "w1", role: "user", implicit: false }],
          },
        ],
        now: stage.now,
      });
      const people = await stage.store.readPeople(stage.tenantId, [bob, ada]);
      expect(people.map((person) => person.identityId)).toEqual([bob, ada]);
      expect(people[0]).toMatchObject({
        links: [{ accountId: "bob" }],
        entries: [{ state: "reserved" }],
        observed: [{ accountId: "bob", gone: false }],
        observedGrants: [{ accountId: "bob", kind: "workspace", connectionId: console_ }],
      });
      expect(people[0]?.targets.map((item) => [item.connectionId, item.hash])).toEqual(
        expect.arrayContaining([
          [console_, "active:developer"],
          [other, "active:developer"],
        ]),
      );
      expect(people[1]).toMatchObject({ targets: [], links: [], ledger: [], entries: [] });
    });
  });

  describe("leases", () => {
    it("hand a target to one of many workers", async () => {
      const people = await stage.addPeople(12);
      await Promise.all(people.map((person) => stage.sync(person, {})));
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, i) => stage.leaseAll({ owner: `w${String(i)}`, limit: 3 })),
      );
      const handed = answers.flat().map((item) => item.identityId);
      expect(handed).toHaveLength(12);
      expect(new Set(handed).size).toBe(12);
    });

    it("hand out nothing before it is due", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, {});
      await stage.release(await stage.leaseOne(ada), { state: "waiting", dueAt: stage.now + 500 });
      expect(await stage.leaseAll()).toEqual([]);
      expect(await stage.store.nextTargetDueAt()).toBe(stage.now + 500);
      await stage.clock.advance(500);
      expect(await stage.leaseAll()).toHaveLength(1);
    });

    it("come back when they run out, with a higher fence", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, {});
      const first = await stage.leaseOne(ada);
      expect(await stage.leaseAll()).toEqual([]);
      await stage.clock.advance(60_000);
      const second = await stage.leaseOne(ada);
      expect(second.fence).toBe(first.fence + 1);
    });

    it("are renewed by the fence that holds them only", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, {});
      const leased = await stage.leaseOne(ada);
      const renew = (fence: number) =>
        stage.store.renewLease(stage.tenantId, {
          connectionId: console_,
          identityId: ada,
          fence,
          until: stage.now + 60_000,
        });
      await stage.clock.advance(50_000);
      expect(await renew(leased.fence)).toBe(true);
      await stage.clock.advance(50_000);
      expect(await stage.leaseAll()).toEqual([]);
      expect(await renew(leased.fence - 1)).toBe(false);
      await stage.release(leased);
      expect(await renew(leased.fence)).toBe(false);
    });

    it("respect the caps of a lane over all workers, with a share for leavers of its own", async () => {
      const people = await stage.addPeople(8);
      await Promise.all(
        people.map((person, i) =>
          stage.sync(person, i < 4 ? {} : { lifecycle: "departed", role: null }),
        ),
      );
      const caps = { perLane: 2, perLaneUrgent: 3 };
      const first = await stage.leaseAll({ ...caps, limit: 4 });
      const second = await stage.leaseAll({ ...caps, owner: "w2" });
      const leavers = [...first, ...second].filter((item) => item.priority === priorities.leaver);
      expect(leavers).toHaveLength(3);
      expect(first.length + second.length).toBe(5);
      expect(await stage.leaseAll({ ...caps, owner: "w3" })).toEqual([]);
      const [done] = leavers;
      if (done !== undefined) await stage.release(done);
      expect(await stage.leaseAll({ ...caps, owner: "w3" })).toHaveLength(1);
    });

    it("go to leavers first, then to what is due longest", async () => {
      const [ada, bob, eve] = await stage.addPeople(3);
      if (ada === undefined || bob === undefined || eve === undefined) throw new Error("three");
      await stage.sync(ada, { priority: priorities.background });
      await stage.clock.advance(10);
      await stage.sync(bob, { connectionId: other });
      await stage.clock.advance(10);
      await stage.sync(eve, { lifecycle: "departed", role: null });
      const order: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        order.push((await stage.leaseAll({ limit: 1 }))[0]?.identityId);
      }
      expect(order).toEqual([eve, bob, ada]);
    });

    it.each(["paused", "breaker", "stopped lane", "stopped tenant"] as const)(
      "are not given in a lane that is kept still: %s",
      async (how) => {
        const ada = await stage.addPerson();
        await stage.sync(ada, { lifecycle: "departed", role: null });
        const set =
          how === "paused"
            ? { state: "paused" as const }
            : { breakerUntil: how === "breaker" ? stage.now + 1_000 : null };
        await stage.store.updateLane(
          stage.tenantId,
          { connectionId: console_, set, now: stage.now },
          noAlso,
        );
        const stop = {
          connectionId: how === "stopped lane" ? console_ : undefined,
          covers: "all" as const,
          by: "op",
          why: "test",
          since: stage.now,
        };
        const stopped = how.startsWith("stopped");
        if (stopped)
          await stage.store.setStop(stage.tenantId, { stop, on: true, now: stage.now }, noAlso);
        expect(await stage.leaseAll()).toEqual([]);
        expect(await stage.store.nextTargetDueAt()).toBe(
          how === "breaker" ? stage.now + 1_000 : undefined,
        );
        await stage.store.updateLane(
          stage.tenantId,
          {
            connectionId: console_,
            set: { state: "open", breakerUntil: stage.now },
            now: stage.now,
          },
          noAlso,
        );
        if (stopped)
          await stage.store.setStop(stage.tenantId, { stop, on: false, now: stage.now }, noAlso);
        expect(await stage.leaseAll()).toHaveLength(1);
      },
    );

    it("go on for leavers alone where the switch says so", async () => {
      const [ada, eve] = await stage.addPeople(2);
      if (ada === undefined || eve === undefined) throw new Error("two people");
      await stage.sync(ada, {});
      await stage.sync(eve, { lifecycle: "departed", role: null });
      await stage.store.setStop(
        stage.tenantId,
        {
          stop: {
            connectionId: undefined,
            covers: "all-but-leavers",
            by: "op",
            why: "test",
            since: stage.now,
          },
          on: true,
          now: stage.now,
        },
        noAlso,
      );
      expect((await stage.leaseAll()).map((item) => item.identityId)).toEqual([eve]);
    });
  });

  describe("releaseTarget", () => {
    it("stores what the worker found", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, {});
      const leased = await stage.leaseOne(ada);
      const reason = { code: "INVITATION_OPEN" as const, text: "invited" };
      expect(
        await stage.release(leased, {
          state: "waiting",
          reason,
          dueAt: stage.now + 10,
          attempts: 2,
          notes: { plan: "x" },
          applied: { generation: 1, at: stage.now },
        }),
      ).toBe(true);
      expect(await target(ada)).toMatchObject({
        state: "waiting",
        reason,
        dueAt: stage.now + 10,
        attempts: 2,
        notes: { plan: "x" },
        appliedGeneration: 1,
        verifiedAt: stage.now,
      });
    });

    it("makes the target due again when it was woken meanwhile, whatever is said", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, {});
      const leased = await stage.leaseOne(ada);
      await stage.store.wakeTargets(
        stage.tenantId,
        { connectionId: console_, identityIds: [ada], priority: 1, now: stage.now },
        noAlso,
      );
      expect(await stage.leaseAll()).toEqual([]);
      await stage.clock.advance(5);
      expect(await stage.release(leased, { state: "idle", dueAt: null })).toBe(true);
      expect(await target(ada)).toMatchObject({ state: "due", dueAt: stage.now });
      expect(await stage.leaseAll()).toHaveLength(1);
    });

    it("writes nothing with an old fence, nor twice with the same", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, {});
      const old = await stage.leaseOne(ada);
      await stage.clock.advance(60_000);
      const current = await stage.leaseOne(ada);
      expect(await stage.release(old, { state: "parked" })).toBe(false);
      expect(await stage.release(current, { state: "idle" })).toBe(true);
      expect(await stage.release(current, { state: "parked" })).toBe(false);
      expect((await target(ada))?.state).toBe("idle");
    });
  });

  describe("wakeTargets", () => {
    it("wakes the named, or all of a connection, parked and held ones too, and counts them", async () => {
      const people = await stage.addPeople(3);
      for (const person of people) {
        await stage.sync(person, {}, { connectionId: other });
      }
      const states = ["parked", "held", "idle"] as const;
      for (const [i, leased] of (await stage.leaseAll()).entries())
        await stage.release(leased, { state: states[i % 3] ?? "idle", dueAt: null });
      const wake = (identityIds: "all" | readonly (typeof people)[number][]) =>
        stage.store.wakeTargets(
          stage.tenantId,
          { connectionId: console_, identityIds, priority: 2, now: stage.now },
          noAlso,
        );
      expect(await wake(people.slice(0, 2))).toBe(2);
      expect(await stage.leaseAll()).toHaveLength(2);
      expect(await wake("all")).toBe(3);
      const due = await stage.store.listTargets(stage.tenantId, { states: ["due"], limit: 10 });
      expect(due.map((item) => item.connectionId)).toEqual([console_, console_, console_]);
    });

    it("never takes a leaver's place in the queue", async () => {
      const eve = await stage.addPerson();
      await stage.sync(eve, { lifecycle: "departed", role: null });
      await stage.release(await stage.leaseOne(eve));
      await stage.store.wakeTargets(
        stage.tenantId,
        { connectionId: console_, identityIds: "all", priority: 2, now: stage.now },
        noAlso,
      );
      expect((await target(eve))?.priority).toBe(priorities.leaver);
    });
  });

  describe("lists and counts", () => {
    it("list targets page by page in a fixed order, by person, connection and state", async () => {
      const people = [...(await stage.addPeople(5))].sort();
      for (const person of people) await stage.sync(person, {}, { connectionId: other });
      const seen: string[] = [];
      let after: string | undefined;
      for (;;) {
        const page = await stage.store.listTargets(stage.tenantId, {
          limit: 3,
          ...(after === undefined ? {} : { after }),
        });
        const last = page.at(-1);
        if (last === undefined) break;
        seen.push(...page.map((item) => `${item.identityId}/${item.connectionId}`));
        after = `${last.identityId}/${last.connectionId}`;
      }
      expect(seen).toEqual(people.flatMap((id) => [`${id}/console`, `${id}/other`]));
      const byConnection = await stage.store.listTargets(stage.tenantId, {
        connectionId: other,
        after: people[1] ?? "",
        limit: 10,
      });
      expect(byConnection.map((item) => item.identityId)).toEqual(people.slice(2));
      const parked = await stage.store.listTargets(stage.tenantId, {
        states: ["parked"],
        limit: 10,
      });
      expect(parked).toEqual([]);
    });

    it("count by connection, state and lifecycle, with the oldest wish that is not reached", async () => {
      const [ada, eve] = await stage.addPeople(2);
      if (ada === undefined || eve === undefined) throw new Error("two people");
      await stage.sync(ada, {});
      const reached = await stage.leaseOne(ada);
      await stage.release(reached, { applied: { generation: 1, at: stage.now } });
      const wishedAt = stage.now;
      await stage.sync(eve, { lifecycle: "departed", role: null });
      await stage.clock.advance(10);
      expect(await stage.store.targetCounts(stage.tenantId)).toEqual(
        expect.arrayContaining([
          {
            tenantId: stage.tenantId,
            connectionId: console_,
            state: "idle",
            lifecycle: "active",
            count: 1,
            oldestWishedAt: null,
            retrying: 0,
            oldestRetryWishedAt: null,
          },
          {
            tenantId: stage.tenantId,
            connectionId: console_,
            state: "due",
            lifecycle: "departed",
            count: 1,
            oldestWishedAt: wishedAt,
            retrying: 0,
            oldestRetryWishedAt: null,
          },
        ]),
      );
    });

    it("tell how many failed and are tried again, and the oldest wish among them", async () => {
      const [ada, eve, bob] = await stage.addPeople(3);
      if (ada === undefined || eve === undefined || bob === undefined) throw new Error("three");
      const wishedAt = stage.now;
      for (const identityId of [ada, eve]) {
        await stage.sync(identityId, {});
        const leased = await stage.leaseOne(identityId);
        await stage.release(leased, { state: "waiting", dueAt: stage.now + 9_000, attempts: 1 });
        await stage.clock.advance(1_000);
      }
      await stage.sync(bob, {});
      const rows = await stage.store.targetCounts(stage.tenantId);
      expect(rows.find((row) => row.state === "waiting")).toMatchObject({
        count: 2,
        retrying: 2,
        oldestRetryWishedAt: wishedAt,
      });
      expect(rows.find((row) => row.state === "due")).toMatchObject({
        retrying: 0,
        oldestRetryWishedAt: null,
      });
    });
  });
}
