import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Hold } from "../../src/accounts/rail.ts";
import { asId, newId, type HoldId, type IdentityId } from "../../src/model/ids.ts";
import { DAY_MS } from "../../src/model/policy.ts";
import { newRecord } from "../../src/model/records.ts";
import { noAlso } from "../support/store.ts";
import { AccountStage, console_, other, rails, type OpenStore } from "./account-stage.ts";

/** Rails count what is intended, before anything is sent. */
export function accountRailSuite(open: OpenStore): void {
  let stage: AccountStage;
  beforeEach(async () => {
    stage = await AccountStage.open(open);
  });
  afterEach(() => stage.dispose());

  const loseOne = async (change: Parameters<AccountStage["loss"]>[0] = {}) => {
    const person = await stage.addPerson();
    const answer = await stage.sync(person, { rail: [stage.loss(change)] });
    return { person, opened: answer.opened };
  };
  const theHold = async (): Promise<Hold> => {
    const holds = await stage.openHolds();
    expect(holds).toHaveLength(1);
    const [hold] = holds;
    if (hold === undefined) throw new Error("no hold");
    return hold;
  };
  const decide = (
    holdId: HoldId,
    decision: "approve" | "reject",
    identityIds: readonly IdentityId[] | "all" = "all",
  ) =>
    stage.store.decideHold(
      stage.tenantId,
      { holdId, decision, identityIds, by: "ops", now: stage.now },
      noAlso,
    );
  const leave = (person: IdentityId, ...connections: readonly (typeof console_)[]) =>
    stage.sync(
      person,
      ...connections.map((connectionId) => ({
        connectionId,
        lifecycle: "departed" as const,
        role: null,
        rail: [stage.loss({ rail: "leavers", notBefore: stage.now })],
      })),
    );

  describe("the removals rail", () => {
    it("lets its allowance pass, then holds every loss that was not sent yet in one batch", async () => {
      for (let i = 0; i < 3; i++) expect((await loseOne()).opened).toEqual([]);
      expect(await stage.entryStates()).toEqual(["reserved", "reserved", "reserved"]);
      const { opened } = await loseOne();
      const hold = await theHold();
      expect(opened).toEqual([hold.holdId]);
      expect(hold).toMatchObject({
        connectionId: console_,
        rail: "removals",
        causeKey: "",
        count: 4,
        allowance: 3,
        people: 4,
        entries: 4,
      });
      expect(new Set(await stage.entryStates())).toEqual(new Set(["held"]));
      const records = await stage.store.findRecords(stage.tenantId, {
        action: "hold.opened",
        limit: 5,
      });
      expect(records.map((item) => item.record.subject.id)).toEqual([hold.holdId]);
    });

    it("stops five thousand single removals before the first is sent", async () => {
      const people = await stage.addPeople(5_000);
      await Promise.all(people.map((person) => stage.sync(person, { rail: [stage.loss()] })));
      const hold = await theHold();
      expect(hold).toMatchObject({ people: 5_000, entries: 5_000 });
      await stage.clock.advance(90_000);
      const leased = await stage.leaseAll({ limit: 50 });
      for (const target of leased)
        expect(await stage.passLoss(target)).toMatchObject({ ok: false, why: "rail_held" });
      expect(leased).toHaveLength(50);
    }, 300_000);

    it("catches a slow bleed: executed losses of the last 24 hours count, older ones do not", async () => {
      for (let i = 0; i < 3; i++) {
        const { person } = await loseOne({ notBefore: stage.now });
        const { intentId } = await stage.passLoss(await stage.leaseOne(person));
        await stage.finish(intentId, "done");
        await stage.clock.advance(DAY_MS / 4);
      }
      await loseOne();
      expect((await theHold()).count).toBe(4);
      await decide((await theHold()).holdId, "approve");
      await stage.clock.advance(DAY_MS / 4 + 1);
      // The first of them is older than a day now, and the approved one was decided.
      await loseOne();
      expect(await stage.openHolds()).toEqual([]);
    });

    it("counts as many as there are where many are allowed, without those of former days and of a shorter window", async () => {
      const allowing = (floor: number, windowMs: number = DAY_MS) => ({
        ...rails,
        removals: { floor, fraction: 0, windowMs },
      });
      const loseMany = async (count: number, policy: ReturnType<typeof allowing>) => {
        for (const person of await stage.addPeople(count))
          await stage.sync(person, { rail: [stage.loss()], policy });
      };
      await loseMany(50, allowing(60, DAY_MS / 2));
      await stage.clock.advance(DAY_MS / 2);
      // Another fifty in another half day: within it they are few, and over a whole day too many.
      await loseMany(50, allowing(60, DAY_MS / 2));
      expect(await stage.openHolds()).toEqual([]);
      await loseMany(1, allowing(101));
      expect(await stage.openHolds()).toEqual([]);
      await loseMany(1, allowing(101));
      expect(await theHold()).toMatchObject({ count: 102, allowance: 101 });
    });

    it("counts people, not slots", async () => {
      const ada = await stage.addPerson();
      const many = Array.from({ length: 10 }, (_, i) =>
        stage.loss({ slot: { kind: "workspace", objectId: `w${String(i)}` } }),
      );
      expect((await stage.sync(ada, { rail: many })).opened).toEqual([]);
    });

    it("allows the fraction of the linked accounts where that is more", async () => {
      for (const [i, person] of (await stage.addPeople(50)).entries())
        await stage.link(person, `acc${String(i)}`);
      for (let i = 0; i < 5; i++) await loseOne();
      expect(await stage.openHolds()).toEqual([]);
      await loseOne();
      expect(await theHold()).toMatchObject({ count: 6, allowance: 5 });
    });

    it("lets later losses join the open batch, even those of the past allowance", async () => {
      for (let i = 0; i < 4; i++) await loseOne();
      const { holdId } = await theHold();
      await stage.clock.advance(2 * DAY_MS);
      const { opened } = await loseOne();
      expect(opened).toEqual([]);
      expect(await theHold()).toMatchObject({ holdId, people: 5 });
    });

    it("above a size wants two people: the same one twice is one, and a rejection needs no second", async () => {
      const people = [];
      for (let i = 0; i < 5; i++) people.push((await loseOne()).person);
      const { holdId } = await theHold();
      const say = (by: string, identityIds: readonly IdentityId[] | "all", twoAbove = 4) =>
        stage.store.decideHold(
          stage.tenantId,
          { holdId, decision: "approve", identityIds, by, twoAbove, now: stage.now },
          { records: [said(by)], recompute: [] },
        );
      const said = (by: string) =>
        newRecord(stage.clock, {
          ...{ actor: { kind: "operator", id: by }, action: "hold.approved", facts: {} },
          subject: { type: "hold", id: holdId },
        });
      const few = people.slice(0, 2);
      expect(await say("ida", few)).toMatchObject({ entries: 0, open: true, seconding: 2 });
      expect(await say("ida", "all")).toMatchObject({ entries: 0, open: true, seconding: 5 });
      expect(await theHold()).toMatchObject({ firstBy: "ida" });
      expect(new Set(await stage.entryStates())).toEqual(new Set(["held"]));
      expect(await say("ben", few)).toMatchObject({ entries: 2, people: 2, seconding: 0 });
      const records = await stage.store.findRecords(stage.tenantId, {
        action: "hold.approved",
        limit: 9,
      });
      const counts = records.map(({ record }) => JSON.stringify(Object.values(record.facts)));
      expect(counts.toSorted()).toEqual(["[0,2]", "[0,5]", "[2,0]"]);
      expect(await decide(holdId, "reject")).toMatchObject({ entries: 3, open: false });
    });

    it("up to that size is decided by one", async () => {
      for (let i = 0; i < 4; i++) await loseOne();
      const { holdId } = await theHold();
      const one = { holdId, decision: "approve", identityIds: "all", by: "ida" } as const;
      const answer = await stage.store.decideHold(
        stage.tenantId,
        { ...one, twoAbove: 4, now: stage.now },
        noAlso,
      );
      expect(answer).toMatchObject({ entries: 4, open: false, seconding: 0 });
    });

    it("is one per connection", async () => {
      const [first, second] = [console_, other];
      for (const connectionId of [first, first, second, second]) {
        const person = await stage.addPerson();
        await stage.sync(person, { connectionId, rail: [stage.loss()] });
      }
      expect(await stage.openHolds()).toEqual([]);
    });
  });

  describe("entries", () => {
    it("stay when the same is wished again, with their first time and the earlier not-before", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, { rail: [stage.loss()] });
      const [before] = await stage.store.listRailEntries(stage.tenantId, { limit: 5 });
      await stage.clock.advance(1_000);
      await stage.sync(ada, { rail: [stage.loss()] });
      expect(await stage.store.listRailEntries(stage.tenantId, { limit: 5 })).toEqual([before]);
      await stage.sync(ada, { rail: [stage.loss({ notBefore: stage.now })] });
      expect(await stage.store.listRailEntries(stage.tenantId, { limit: 5 })).toEqual([
        { ...before, notBefore: stage.now },
      ]);
    });

    it("are cancelled when access is regained, and an emptied batch lapses", async () => {
      const people = await stage.addPeople(4);
      for (const person of people) await stage.sync(person, { rail: [stage.loss()] });
      const { holdId } = await theHold();
      for (const person of people) await stage.sync(person, { rail: [] });
      expect(await stage.entryStates()).toEqual([]);
      expect(await stage.store.getHold(stage.tenantId, holdId)).toMatchObject({
        state: "lapsed",
        people: 0,
        entries: 0,
        decidedBy: undefined,
      });
      await expect(decide(holdId, "approve")).rejects.toMatchObject({ code: "VERSION_CONFLICT" });
    });

    it("are counted anew under another rail, and leave the batch of the old one", async () => {
      const people = await stage.addPeople(4);
      for (const person of people) await stage.sync(person, { rail: [stage.loss()] });
      const { holdId } = await theHold();
      const [eve] = people;
      if (eve === undefined) throw new Error("four people");
      await leave(eve, console_);
      const entries = await stage.store.listRailEntries(stage.tenantId, {
        identityId: eve,
        limit: 5,
      });
      expect(entries).toMatchObject([
        { rail: "leavers", state: "reserved", holdId: null, notBefore: stage.now },
      ]);
      expect(await stage.store.getHold(stage.tenantId, holdId)).toMatchObject({ people: 3 });
    });

    it("past the gate are neither cancelled nor doubled", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, { rail: [stage.loss({ notBefore: stage.now })] });
      await stage.passLoss(await stage.leaseOne(ada));
      await stage.sync(ada, { rail: [stage.loss()] });
      expect(await stage.entryStates()).toEqual(["executing"]);
      await leave(ada, console_);
      expect(await stage.entryStates()).toEqual(["executing"]);
      await stage.sync(ada, { rail: [] });
      expect(await stage.entryStates()).toEqual(["executing"]);
    });

    it("count once when sync and a look reserve the same, and a look cancels none", async () => {
      const ada = await stage.addPerson();
      await stage.sync(ada, { rail: [stage.loss()] });
      const reserve = (objectId: string) =>
        stage.store.reserveRail(
          stage.tenantId,
          {
            connectionId: console_,
            identityId: ada,
            rail: stage.wish({
              rail: [
                objectId === ""
                  ? stage.loss()
                  : stage.loss({ slot: { kind: "workspace", objectId } }),
              ],
            }).rail,
            now: stage.now,
          },
          noAlso,
        );
      expect(await reserve("")).toEqual({ opened: [] });
      expect(await reserve("w1")).toEqual({ opened: [] });
      expect(await stage.entryStates()).toEqual(["reserved", "reserved"]);
    });

    it("are listed page by page, by person and by batch", async () => {
      const people = await stage.addPeople(4);
      for (const person of people) await stage.sync(person, { rail: [stage.loss()] });
      const { holdId } = await theHold();
      const page = await stage.store.listRailEntries(stage.tenantId, { holdId, limit: 3 });
      const rest = await stage.store.listRailEntries(stage.tenantId, {
        holdId,
        after: page.at(-1)?.entryId ?? "",
        limit: 3,
      });
      expect(new Set([...page, ...rest].map((item) => item.identityId))).toEqual(new Set(people));
      expect(rest).toHaveLength(1);
    });
  });

  describe("the leaver cap", () => {
    it("counts people over all connections of the tenant and holds only those above it", async () => {
      const people = await stage.addPeople(4);
      for (const person of people) await leave(person, console_, other);
      const hold = await theHold();
      expect(hold).toMatchObject({
        connectionId: undefined,
        rail: "leavers",
        people: 2,
        entries: 4,
        count: 3,
        allowance: 2,
      });
      const held = await stage.store.listRailEntries(stage.tenantId, {
        holdId: hold.holdId,
        limit: 10,
      });
      expect(new Set(held.map((item) => item.identityId))).toEqual(new Set(people.slice(2)));
      const [first, , third] = people;
      if (first === undefined || third === undefined) throw new Error("four people");
      const leased = await stage.leaseAll();
      const of = (id: IdentityId) => {
        const found = leased.find((item) => item.identityId === id);
        if (found === undefined) throw new Error("not leased");
        return found;
      };
      expect(await stage.passLoss(of(first))).toMatchObject({ ok: true });
      expect(await stage.passLoss(of(third))).toMatchObject({ ok: false, why: "rail_held" });
    });

    it("counts leavers whom two sources name apart, up to a cap of their own, and lets those go who are confirmed later", async () => {
      const people = await stage.addPeople(6);
      const confirmed = { causeKey: "confirmed" };
      const policy = { ...rails, confirmedLeavers: { floor: 3, fraction: 0, windowMs: DAY_MS } };
      const gone = (person: IdentityId, change: { causeKey?: string } = {}) =>
        stage.sync(person, {
          role: null,
          lifecycle: "departed",
          policy,
          rail: [stage.loss({ rail: "leavers", notBefore: stage.now, ...change })],
        });
      for (const person of people.slice(0, 3)) await gone(person);
      const hold = await theHold();
      expect(hold.people).toBe(1);
      for (const person of people.slice(3, 5)) await gone(person, confirmed);
      expect((await stage.entryStates()).filter((state) => state === "held")).toHaveLength(1);
      const [, , third, , , last] = people;
      if (third === undefined || last === undefined) throw new Error("six people");
      await gone(third, confirmed);
      expect(await stage.openHolds()).toEqual([]);
      await gone(last, confirmed);
      expect(await theHold()).toMatchObject({ rail: "leavers", people: 1, allowance: 3 });
    });

    it("counts those who are confirmed after they were executed, however many were confirmed before", async () => {
      const people = await stage.addPeople(72);
      const confirmed = { causeKey: "confirmed" };
      const policy = {
        ...rails,
        leavers: { floor: 100, fraction: 0, windowMs: DAY_MS },
        confirmedLeavers: { floor: 60, fraction: 0, windowMs: DAY_MS },
      };
      const gone = (person: IdentityId, change: { causeKey?: string } = {}) =>
        stage.sync(person, {
          role: null,
          lifecycle: "departed",
          policy,
          rail: [stage.loss({ rail: "leavers", notBefore: stage.now, ...change })],
        });
      const early = people.slice(0, 32);
      for (const person of people.slice(32)) {
        await gone(person);
        const { intentId } = await stage.passLoss(await stage.leaseOne(person));
        await stage.finish(intentId, "done");
      }
      for (const person of early) await gone(person, confirmed);
      expect(await stage.openHolds()).toEqual([]);
      for (const person of people.slice(32)) await stage.confirmLeave(person);
      const last = await stage.addPerson();
      await gone(last, confirmed);
      expect(await theHold()).toMatchObject({ count: 73, allowance: 60 });
    });

    it("takes its fraction of the active people, not of accounts", async () => {
      const people = await stage.addPeople(8);
      const policy = { ...rails, leavers: { floor: 0, fraction: 0.5, windowMs: DAY_MS } };
      for (const person of people.slice(0, 6)) {
        await stage.sync(person, {
          role: null,
          lifecycle: "departed",
          policy,
          rail: [stage.loss({ rail: "leavers", notBefore: stage.now })],
        });
      }
      expect(await theHold()).toMatchObject({ count: 5, allowance: 4, people: 2 });
    });

    it("lets leavers under the cap go on while a batch of others waits", async () => {
      const people = await stage.addPeople(4);
      for (const person of people.slice(0, 3)) await leave(person, console_);
      await theHold();
      await stage.clock.advance(DAY_MS + 1);
      const [, , , late] = people;
      if (late === undefined) throw new Error("four people");
      await leave(late, console_);
      expect((await stage.entryStates()).filter((state) => state === "held")).toHaveLength(1);
    });
  });

  describe("the source rail", () => {
    it("holds from the first person on, one batch per deleted group", async () => {
      for (const group of ["g1", "g2", "g1"])
        await loseOne({ rail: "source", causeKey: `group_deleted:${group}` });
      const holds = await stage.openHolds();
      expect(holds.map((hold) => [hold.causeKey, hold.people]).sort()).toEqual([
        ["group_deleted:g1", 2],
        ["group_deleted:g2", 1],
      ]);
      expect(new Set(await stage.entryStates())).toEqual(new Set(["held"]));
    });
  });

  describe("grants", () => {
    it("of one cause are held when they are too many, those of another cause are not", async () => {
      const grant = async (causeKey: string) =>
        stage.sync(await stage.addPerson(), { rail: [stage.gain({ causeKey })] });
      await grant("scim.group:b");
      for (let i = 0; i < 5; i++) await grant("scim.group:a");
      expect(await stage.openHolds()).toEqual([]);
      await grant("scim.group:a");
      expect(await theHold()).toMatchObject({
        rail: "one_cause",
        causeKey: "scim.group:a",
        people: 6,
      });
      expect((await stage.entryStates()).filter((state) => state === "reserved")).toHaveLength(1);
    });

    it("of privileged roles pass one in 24 hours", async () => {
      const promote = async () =>
        stage.sync(await stage.addPerson(), {
          rail: [stage.gain({ rail: "privileged", causeKey: "", roleTo: "billing" })],
        });
      await promote();
      await stage.clock.advance(DAY_MS);
      await promote();
      expect(await stage.openHolds()).toEqual([]);
      await promote();
      expect(await theHold()).toMatchObject({ rail: "privileged", count: 2, allowance: 1 });
    });
  });

  describe("a decision", () => {
    const fourHeld = async () => {
      const people = await stage.addPeople(4);
      for (const person of people) await stage.sync(person, { rail: [stage.loss()] });
      return { people, holdId: (await theHold()).holdId };
    };

    it("approves some and rejects others; the batch is open until nobody in it waits", async () => {
      const { people, holdId } = await fourHeld();
      expect(await decide(holdId, "approve", people.slice(0, 1))).toEqual({
        entries: 1,
        people: 1,
        open: true,
        seconding: 0,
      });
      expect(await stage.store.getHold(stage.tenantId, holdId)).toMatchObject({ state: "open" });
      expect(await decide(holdId, "reject", people.slice(1, 3))).toMatchObject({
        people: 2,
        open: true,
      });
      expect(await decide(holdId, "approve")).toEqual({
        entries: 1,
        people: 1,
        open: false,
        seconding: 0,
      });
      expect(await stage.store.getHold(stage.tenantId, holdId)).toMatchObject({
        state: "decided",
        decidedBy: "ops",
        decidedAt: stage.now,
        entries: 4,
      });
      const states = await stage.entryStates();
      expect([...states].sort()).toEqual(["approved", "approved", "rejected", "rejected"]);
      await expect(decide(holdId, "approve")).rejects.toMatchObject({ code: "VERSION_CONFLICT" });
    });

    it("wakes the people that it is about, and lets what is approved pass at once", async () => {
      const { people, holdId } = await fourHeld();
      for (const target of await stage.leaseAll())
        await stage.release(target, { state: "held", dueAt: null });
      const chosen = people.slice(0, 2);
      await decide(holdId, "approve", chosen);
      const leased = await stage.leaseAll();
      expect(leased.map((item) => item.identityId).sort()).toEqual([...chosen].sort());
      for (const target of leased) expect(await stage.passLoss(target)).toMatchObject({ ok: true });
    });

    it("takes what it approved out of the count, executed or not", async () => {
      const { holdId } = await fourHeld();
      await decide(holdId, "approve");
      const [first] = await stage.leaseAll({ limit: 1 });
      if (first === undefined) throw new Error("nothing leased");
      const { intentId } = await stage.passLoss(first);
      await stage.finish(intentId, "done");
      for (let i = 0; i < 3; i++) await loseOne();
      expect(await stage.openHolds()).toEqual([]);
    });

    it("of people who are not in the batch decides nothing", async () => {
      const { holdId } = await fourHeld();
      const stranger = await stage.addPerson();
      expect(await decide(holdId, "reject", [stranger])).toEqual({
        entries: 0,
        people: 0,
        open: true,
        seconding: 0,
      });
      expect((await theHold()).decidedBy).toBeUndefined();
    });

    it("of a batch that does not exist is an error", async () => {
      await expect(decide(newId<HoldId>(stage.clock), "approve")).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
      await expect(decide(asId<HoldId>("x"), "reject")).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
    });
  });

  it("two commits at once never pass the allowance together", async () => {
    const people = await stage.addPeople(10);
    const wanted = await Promise.all(people.map((person) => stage.mark(person)));
    await Promise.all(
      people.map((person, i) =>
        stage.commit(person, wanted[i] ?? 0, [stage.wish({ rail: [stage.loss()], policy: rails })]),
      ),
    );
    expect(await theHold()).toMatchObject({ people: 10 });
    expect(new Set(await stage.entryStates())).toEqual(new Set(["held"]));
  });
}
