import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  deadlineMs,
  watchMs,
  type CaseDraft,
  type ObligationDraft,
} from "../../src/accounts/leaver-case.ts";
import { newId, type CaseId, type ConnectionId, type IdentityId } from "../../src/model/ids.ts";
import { newRecord } from "../../src/model/records.ts";
import { endTask, keepTask } from "../../src/tasks/keep-task.ts";
import type { TaskDraft } from "../../src/tasks/task.ts";
import { noAlso } from "../support/store.ts";
import { AccountStage, console_, other, type OpenStore } from "./account-stage.ts";

const actor = { kind: "worker" as const, id: "w1" };
const minute = 60_000;
const day = 24 * 60 * minute;

const handTask = (cause: TaskDraft["cause"]): Omit<TaskDraft, "identityId"> => ({
  ...{ key: cause, title: "a thing to do", connectionId: null, cause, lines: [], dueAt: day },
  ...{ fourEyes: false, proof: "word", assignee: null, fallback: null },
});

/** Leaver cases, what they owe, and orders to leave. */
export function leaverCaseSuite(open: OpenStore): void {
  let stage: AccountStage;
  let ada: IdentityId;
  beforeEach(async () => {
    stage = await AccountStage.open(open);
    ada = await stage.addPerson();
  });
  afterEach(() => stage.dispose());

  const record = (action: string, identityId = ada) =>
    newRecord(stage.clock, {
      actor,
      action,
      subject: { type: "identity", id: identityId },
      facts: {},
    });
  const also = (action: string, identityId = ada) => ({
    records: [record(action, identityId)],
    recompute: [],
  });
  const duty = (
    kind: ObligationDraft["kind"],
    connectionId: ConnectionId | undefined = console_,
    subject = "",
  ): ObligationDraft => ({
    connectionId,
    kind,
    subject,
    channel: "api",
    deadline: stage.now + deadlineMs[kind],
    facts: {},
  });
  const draft = (change: Partial<CaseDraft> = {}): CaseDraft => ({
    caseId: newId<CaseId>(stage.clock),
    source: "idp",
    t0: stage.now,
    hrAt: undefined,
    signalAt: stage.now,
    obligations: [
      duty("contain"),
      duty("remove"),
      duty("verify"),
      { ...duty("evidence"), connectionId: undefined },
    ],
    record: record("case.opened"),
    ...change,
  });
  /** One recompute that sees somebody gone. */
  const leave = async (change: Partial<CaseDraft> = {}, identityId = ada) => {
    const wanted = await stage.mark(identityId);
    const made = draft(change);
    await stage.store.commitSync(
      stage.tenantId,
      {
        identityId,
        wanted,
        wishes: [stage.wish({ role: null, lifecycle: "departed" })],
        nextDueAt: undefined,
        leaver: { gone: true, draft: made },
        now: stage.now,
      },
      noAlso,
    );
    return made.caseId;
  };
  const comeBack = async (identityId = ada) => {
    const wanted = await stage.mark(identityId);
    await stage.store.commitSync(
      stage.tenantId,
      {
        identityId,
        wanted,
        wishes: [stage.wish()],
        nextDueAt: undefined,
        leaver: { gone: false, record: record("case.cancelled", identityId) },
        now: stage.now,
      },
      noAlso,
    );
  };
  const current = (identityId = ada) => stage.store.currentCase(stage.tenantId, identityId);
  const states = async (caseId: CaseId) =>
    (await stage.store.listObligations(stage.tenantId, { caseId, limit: 100 })).map(
      (item) => `${item.connectionId ?? "case"} ${item.kind} ${item.subject} ${item.state}`,
    );
  const note = (
    change: Partial<Parameters<typeof stage.store.noteDuties>[1]> = {},
    identityId = ada,
  ) =>
    stage.store.noteDuties(
      stage.tenantId,
      {
        identityId,
        connectionId: console_,
        settle: [],
        found: [],
        again: null,
        now: stage.now,
        ...change,
      },
      also("case.duties_noted", identityId),
    );
  const settleAll = () =>
    note({
      settle: (["contain", "remove", "verify"] as const).map((kind) => ({
        kind,
        subject: "",
        facts: { by: "test" },
      })),
    });
  const waive = (caseId: CaseId) =>
    stage.store.decideObligation(
      stage.tenantId,
      {
        ...{ caseId, connectionId: console_, kind: "remove", subject: "", state: "waived" },
        facts: { why: "the vendor closed the workspace", by: "ida" },
        now: stage.now,
      },
      also("obligation.waived"),
    );
  const take = () => stage.store.takeDueCases({ now: stage.now, leaseMs: minute, limit: 10 });
  /** Takes what is due, tells its alarms, and lets it rest. */
  const look = async () => {
    const taken = await take();
    for (const { leaverCase, wake } of taken) {
      const { tenantId, caseId } = leaverCase;
      await stage.store.takeAlarms(tenantId, { caseId, now: stage.now });
      await stage.store.restCase(tenantId, { caseId, wake });
    }
    return taken.map((item) => item.leaverCase.caseId);
  };
  const close = (caseId: CaseId) =>
    stage.store.closeCase(
      stage.tenantId,
      { caseId, facts: { packHash: "h" }, watchUntil: stage.now + watchMs, now: stage.now },
      also("case.closed"),
    );
  const actions = async (identityId = ada) =>
    (await stage.store.findRecords(stage.tenantId, { identityId, limit: 100 })).map(
      (item) => item.record.action,
    );
  const again = () => ({
    kinds: ["contain", "remove", "verify"] as const,
    why: "back",
    deadlines: { contain: stage.now + 1, remove: stage.now + 2, verify: stage.now + 3 },
  });

  describe("a case", () => {
    it("opens in the commit of the recompute, with its duties in the order of their work", async () => {
      const caseId = await leave({ source: "hr", t0: 5, hrAt: 5 });
      expect(await current()).toEqual({
        tenantId: stage.tenantId,
        caseId,
        identityId: ada,
        state: "open",
        source: "hr",
        t0: 5,
        hrAt: 5,
        signalAt: stage.now,
        openedAt: stage.now,
      });
      expect(await states(caseId)).toEqual([
        "console contain  open",
        "console remove  open",
        "console verify  open",
        "case evidence  open",
      ]);
      expect(await actions()).toContain("case.opened");
      const [person] = await stage.store.readPeople(stage.tenantId, [ada]);
      expect(person?.leaverCase?.caseId).toBe(caseId);
    });

    it("does not open where nothing is or was at a vendor", async () => {
      await leave({ obligations: [] });
      expect(await current()).toBeUndefined();
      expect(await actions()).not.toContain("case.opened");
    });

    it("stays one however often the person is seen gone, and takes up a connection that came later", async () => {
      const caseId = await leave();
      await leave({ t0: 7, hrAt: 7, obligations: [duty("contain"), duty("contain", other)] });
      expect(await current()).toMatchObject({ caseId, t0: 7, hrAt: 7, source: "idp" });
      expect(await states(caseId)).toEqual([
        "console contain  open",
        "console remove  open",
        "console verify  open",
        "other contain  open",
        "case evidence  open",
      ]);
    });

    it("is not opened by a recompute that came too late to count", async () => {
      const wanted = await stage.mark(ada);
      await stage.commit(ada, wanted, []);
      await stage.store.commitSync(
        stage.tenantId,
        {
          identityId: ada,
          wanted,
          wishes: [],
          nextDueAt: undefined,
          leaver: { gone: true, draft: draft() },
          now: stage.now,
        },
        noAlso,
      );
      expect(await current()).toBeUndefined();
    });

    it("wakes a target that had come to rest", async () => {
      await stage.sync(ada, { role: null, lifecycle: "departed" });
      await stage.release(await stage.leaseOne(ada));
      expect(await stage.leaseAll()).toEqual([]);
      await leave();
      expect(await stage.leaseAll()).toHaveLength(1);
    });

    it("is cancelled when the person is back, and their next leave is a new one", async () => {
      const first = await leave();
      await note({ found: [duty("rotate_key", console_, "key_1")] });
      await stage.clock.advance(minute);
      await comeBack();
      expect(await current()).toBeUndefined();
      expect(await stage.store.getCase(stage.tenantId, first)).toMatchObject({
        state: "cancelled",
        returnedAt: stage.now,
        closedWhy: "the person is active again",
      });
      // A key that they made is still to be rotated, whoever comes back.
      expect(await states(first)).toEqual([
        "console contain  waived",
        "console remove  waived",
        "console rotate_key key_1 open",
        "console verify  waived",
        "case evidence  waived",
      ]);
      expect(await actions()).toContain("case.cancelled");
      const second = await leave();
      expect(second).not.toBe(first);
      expect((await current())?.caseId).toBe(second);
      const all = await stage.store.listCases(stage.tenantId, { identityId: ada, limit: 10 });
      expect(all.map((item) => [item.caseId, item.state])).toEqual([
        [second, "open"],
        [first, "cancelled"],
      ]);
    });

    it("ends only when nothing but its evidence is owed", async () => {
      const caseId = await leave();
      expect(await close(caseId)).toBe(false);
      await settleAll();
      expect(await close(caseId)).toBe(true);
      expect(await close(caseId)).toBe(false);
      expect(await current()).toMatchObject({ state: "done", watchUntil: stage.now + watchMs });
      const evidence = (
        await stage.store.listObligations(stage.tenantId, { caseId, limit: 10 })
      ).find((item) => item.kind === "evidence");
      expect(evidence).toMatchObject({ state: "done", facts: { packHash: "h" } });
      expect((await actions()).filter((action) => action === "case.closed")).toHaveLength(1);
    });

    it("is due when it opens, then at the next alarm of what it owes, then never", async () => {
      const caseId = await leave();
      expect(await look()).toEqual([caseId]);
      expect(await look()).toEqual([]);
      // Two thirds of the quarter of an hour that containing has.
      expect(await stage.store.nextCaseDueAt()).toBe(stage.now + 10 * minute);
      await stage.clock.advance(10 * minute);
      expect(await look()).toEqual([caseId]);
      expect(await stage.store.nextCaseDueAt()).toBe(stage.now + 5 * minute);
      await settleAll();
      await close(caseId);
      expect(await look()).toEqual([caseId]);
      expect(await stage.store.nextCaseDueAt()).toBeUndefined();
    });

    it("is due at once, and once, after each change of what it owes", async () => {
      const caseId = await leave();
      await look();
      const changes: readonly (() => Promise<unknown>)[] = [
        () => note({ settle: [{ kind: "contain", subject: "", facts: {} }] }),
        () => note({ found: [duty("rotate_key", console_, "key_1")] }),
        () => note({ again: again() }),
        () => waive(caseId),
        () => comeBack(),
      ];
      for (const change of changes) {
        await change();
        expect(await look()).toEqual([caseId]);
        expect(await look()).toEqual([]);
      }
      // What changes nothing is no reason to look.
      await note({ settle: [{ kind: "contain", subject: "", facts: {} }] });
      expect(await look()).toEqual([]);
    });

    it("is due when a task that a leaver is the cause of ends", async () => {
      const caseId = await leave();
      await look();
      const tasks = { store: stage.store, clock: stage.clock, actor };
      for (const cause of ["joiner", "leaver"] as const) {
        await keepTask(tasks, stage.tenantId, { ...handTask(cause), identityId: ada });
        expect(await look()).toEqual([]);
        await endTask(tasks, stage.tenantId, cause, { state: "cancelled", note: "over" });
        expect(await look()).toEqual(cause === "leaver" ? [caseId] : []);
      }
    });

    it("is taken by one of two keepers, and by the other one when the first does not end its look", async () => {
      const caseId = await leave();
      expect((await take()).map((item) => item.leaverCase.caseId)).toEqual([caseId]);
      expect(await take()).toEqual([]);
      await stage.clock.advance(minute);
      expect((await take()).map((item) => item.leaverCase.caseId)).toEqual([caseId]);
    });

    it("stays due where it changed while it was looked at", async () => {
      const caseId = await leave();
      const [taken] = await take();
      await note({ settle: [{ kind: "contain", subject: "", facts: {} }] });
      await stage.store.restCase(stage.tenantId, { caseId, wake: taken?.wake ?? -1 });
      expect(await look()).toEqual([caseId]);
    });

    it("is not opened a second time while the person stays away", async () => {
      const caseId = await leave();
      await settleAll();
      await close(caseId);
      await leave();
      expect(await current()).toMatchObject({ caseId, state: "done" });
    });

    it("opens again where something of theirs turns up at a further connection, with the whole time from then on", async () => {
      const caseId = await leave();
      await settleAll();
      await close(caseId);
      await stage.clock.advance(day);
      await leave({ obligations: [duty("contain"), duty("contain", other)] });
      expect(await current()).toMatchObject({ caseId, state: "open", reopenedAt: stage.now });
      const open = await stage.store.listObligations(stage.tenantId, {
        caseId,
        state: "open",
        limit: 10,
      });
      expect(open.map((item) => [item.connectionId, item.kind])).toEqual([
        [other, "contain"],
        [undefined, "evidence"],
      ]);
      expect(open[0]?.deadline).toBe(stage.now + deadlineMs.contain);
    });

    it("opens again, evidence too, where an account comes back", async () => {
      const caseId = await leave();
      await settleAll();
      await close(caseId);
      await stage.clock.advance(day);
      expect(await note({ again: again() })).toMatchObject({ reopened: true });
      expect(await current()).toMatchObject({ caseId, state: "open", reopenedAt: stage.now });
      expect(await states(caseId)).toEqual([
        "console contain  open",
        "console remove  open",
        "console verify  open",
        "case evidence  open",
      ]);
      expect(await note({ again: again() })).toMatchObject({ reopened: false });
    });
  });

  describe("duties", () => {
    it("are settled once, with what was seen", async () => {
      await leave();
      await stage.clock.advance(minute);
      const settle = [{ kind: "contain" as const, subject: "", facts: { readAt: 1 } }];
      expect(await note({ settle })).toEqual({ settled: 1, found: 0, reopened: false });
      expect(await note({ settle })).toEqual({ settled: 0, found: 0, reopened: false });
      const [contain] = await stage.store.listObligations(stage.tenantId, {
        identityId: ada,
        connectionId: console_,
        state: "done",
        limit: 10,
      });
      expect(contain).toMatchObject({ kind: "contain", doneAt: stage.now, facts: { readAt: 1 } });
      expect((await actions()).filter((item) => item === "case.duties_noted")).toHaveLength(1);
    });

    it("are of nobody where there is no case", async () => {
      expect(await note({ found: [duty("rotate_key", console_, "k")] })).toEqual({
        settled: 0,
        found: 0,
        reopened: false,
      });
    });

    it("that a look finds come once each", async () => {
      const caseId = await leave();
      const found = [duty("rotate_key", console_, "key_1"), duty("rotate_key", console_, "key_2")];
      expect(await note({ found })).toMatchObject({ found: 2 });
      expect(await note({ found })).toMatchObject({ found: 0 });
      expect((await states(caseId)).filter((item) => item.includes("rotate_key"))).toHaveLength(2);
    });

    it("are decided by a person, who is told where there is nothing to decide", async () => {
      const caseId = await leave();
      await waive(caseId);
      expect(await states(caseId)).toContain("console remove  waived");
      await expect(waive(caseId)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    it("warn before their deadline and tell once that it was missed", async () => {
      const caseId = await leave();
      const alarms = async () =>
        (await stage.store.takeAlarms(stage.tenantId, { caseId, now: stage.now })).map(
          (item) => `${item.alarm} ${item.obligation.kind}`,
        );
      expect(await alarms()).toEqual([]);
      await stage.clock.advance(10 * minute);
      expect(await alarms()).toEqual(["warning contain"]);
      expect(await alarms()).toEqual([]);
      await stage.clock.advance(5 * minute);
      expect(await alarms()).toEqual(["missed contain"]);
      expect(await alarms()).toEqual([]);
      await settleAll();
      const [contain] = await stage.store.listObligations(stage.tenantId, {
        identityId: ada,
        state: "done",
        limit: 1,
      });
      expect(contain?.missedAt).toBe(contain?.deadline);
      await stage.clock.advance(20 * minute);
      expect(await alarms()).toEqual([]);
    });

    it("are counted by channel and kind, with what is overdue", async () => {
      await leave();
      await stage.clock.advance(16 * minute);
      const rows = await stage.store.caseCounts();
      expect(rows.map((row) => [row.connectionId, row.kind, row.open, row.overdue])).toEqual([
        [undefined, "evidence", 1, 0],
        [console_, "contain", 1, 1],
        [console_, "remove", 1, 0],
        [console_, "verify", 1, 0],
      ]);
      expect(await stage.store.countCases()).toEqual([
        { tenantId: stage.tenantId, state: "open", count: 1 },
      ]);
    });

    it("belong to their tenant alone", async () => {
      const caseId = await leave();
      const neighbour = await stage.neighbour();
      expect(await stage.store.getCase(neighbour.tenantId, caseId)).toBeUndefined();
      expect(await stage.store.listCases(neighbour.tenantId, { limit: 10 })).toEqual([]);
      expect(await stage.store.listObligations(neighbour.tenantId, { caseId, limit: 10 })).toEqual(
        [],
      );
    });
  });

  describe("an order to leave", () => {
    const order = (emergency = false) =>
      stage.store.orderDeparture(
        stage.tenantId,
        { identityId: ada, by: "ida", why: "left at once", emergency, now: stage.now },
        also("departure.ordered"),
      );
    const facts = async () => (await stage.store.readIdentities(stage.tenantId, [ada]))[0];
    const leaving = () => stage.loss({ rail: "leavers", notBefore: stage.now });

    it("makes somebody gone whatever their source says, until it is lifted", async () => {
      expect(await facts()).toMatchObject({ active: true });
      await order();
      expect(await facts()).toMatchObject({
        active: false,
        inactiveSince: stage.now,
        departedAt: stage.now,
      });
      expect(await stage.store.getDeparture(stage.tenantId, ada)).toMatchObject({
        by: "ida",
        emergency: false,
      });
      const lift = () =>
        stage.store.liftDeparture(
          stage.tenantId,
          { identityId: ada, by: "ida", now: stage.now },
          also("departure.lifted"),
        );
      await lift();
      expect(await facts()).toMatchObject({ active: true });
      expect(await facts()).not.toHaveProperty("departedAt");
      await expect(lift()).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    it("in an emergency lets their held leaving run, and counts it no more", async () => {
      const [eve, bob] = [await stage.addPerson("eve"), await stage.addPerson("bob")];
      for (const person of [eve, bob, ada]) {
        await stage.sync(person, { role: null, lifecycle: "departed", rail: [leaving()] });
      }
      expect((await stage.entryStates()).toSorted()).toEqual(["held", "reserved", "reserved"]);
      await order(true);
      expect((await stage.entryStates()).toSorted()).toEqual(["approved", "reserved", "reserved"]);
      expect(await stage.openHolds()).toEqual([]);
      expect(await stage.passLoss(await stage.leaseOne(ada))).toMatchObject({ ok: true });
    });

    it("in an emergency keeps a leaving that is counted later out of a hold", async () => {
      await order(true);
      for (const name of ["eve", "bob", "cyd"]) {
        const person = await stage.addPerson(name);
        await stage.sync(person, { role: null, lifecycle: "departed", rail: [leaving()] });
      }
      await stage.sync(ada, { role: null, lifecycle: "departed", rail: [leaving()] });
      expect((await stage.entryStates()).toSorted()).toEqual([
        "approved",
        "held",
        "reserved",
        "reserved",
      ]);
      const [hold] = await stage.openHolds();
      expect(hold?.people).toBe(1);
    });
  });

  describe("the gate for what only leavers are done to", () => {
    const neutral = async () =>
      stage.pass(await stage.leaseOne(ada), {
        step: "deactivate_key",
        slot: { kind: "api_key", objectId: "k1" },
        direction: "neutral",
        roleTo: null,
      });

    it("wants their leaving to be counted first", async () => {
      await stage.sync(ada, { role: null, lifecycle: "departed" });
      expect(await neutral()).toMatchObject({ ok: false, why: "rail_missing" });
    });

    it("holds it with their account", async () => {
      const wave = [...(await stage.addPeople(2)), ada];
      for (const person of wave) {
        await stage.sync(person, {
          role: null,
          lifecycle: "departed",
          rail: [stage.loss({ rail: "leavers", notBefore: stage.now })],
        });
      }
      expect(await neutral()).toMatchObject({ ok: false, why: "rail_held" });
    });

    it("lets it pass where the leaving may run", async () => {
      await stage.sync(ada, {
        role: null,
        lifecycle: "departed",
        rail: [stage.loss({ rail: "leavers", notBefore: stage.now })],
      });
      expect(await neutral()).toMatchObject({ ok: true });
    });
  });
}
