import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StopSwitch } from "../../src/accounts/lane.ts";
import type { LeasedTarget } from "../../src/accounts/target.ts";
import {
  asId,
  newId,
  type AccountId,
  type IdentityId,
  type IntentId,
} from "../../src/model/ids.ts";
import { newRecord } from "../../src/model/records.ts";
import { noAlso } from "../support/store.ts";
import { AccountStage, console_, orgRole, type OpenStore } from "./account-stage.ts";

/** The one gate, and the outcome of what passed it. */
export function accountGateSuite(open: OpenStore): void {
  let stage: AccountStage;
  let ada: IdentityId;
  beforeEach(async () => {
    stage = await AccountStage.open(open);
    ada = await stage.addPerson();
  });
  afterEach(() => stage.dispose());

  const leasedWith = async (
    draft: Parameters<AccountStage["sync"]>[1] = {},
  ): Promise<LeasedTarget> => {
    await stage.sync(ada, draft);
    return stage.leaseOne(ada);
  };
  const stopWith = (covers: StopSwitch["covers"], connectionId?: typeof console_) =>
    stage.store.setStop(
      stage.tenantId,
      {
        stop: { connectionId, covers, by: "op", why: "test", since: stage.now },
        on: true,
        now: stage.now,
      },
      noAlso,
    );

  describe("the gate", () => {
    it("lets a gain pass and keeps the intent as sent", async () => {
      const target = await leasedWith();
      const answer = await stage.pass(target);
      expect(answer.ok).toBe(true);
      const intents = await stage.store.openIntents(stage.tenantId, console_, ada);
      expect(intents).toEqual([
        {
          intentId: answer.intentId,
          connectionId: console_,
          identityId: ada,
          step: "set_account_role",
          slot: orgRole,
          roleFrom: null,
          roleTo: "developer",
          accountId: null,
          generation: 1,
          fence: target.fence,
          state: "sent",
          sentAt: stage.now,
          notAfter: stage.now + 30_000,
          negativeReads: [],
        },
      ]);
    });

    it("refuses an old fence, a lease that ran out and one that was given back", async () => {
      const first = await leasedWith();
      await stage.clock.advance(60_000);
      expect(await stage.pass(first)).toMatchObject({ ok: false, why: "lease_lost" });
      const second = await stage.leaseOne(ada);
      expect(await stage.pass(first)).toMatchObject({ ok: false, why: "lease_lost" });
      expect(await stage.pass(second)).toMatchObject({ ok: true });
      await stage.release(second);
      expect(await stage.pass(second)).toMatchObject({ ok: false, why: "lease_lost" });
      expect(await stage.store.openIntents(stage.tenantId, console_, ada)).toHaveLength(1);
    });

    it("refuses when the wish moved on", async () => {
      const target = await leasedWith();
      await stage.sync(ada, { role: "user" });
      expect(await stage.pass(target)).toMatchObject({ ok: false, why: "generation_moved" });
    });

    it("keeps the minimum of admins, also when several leave at the same moment", async () => {
      const people = await stage.addPeople(3);
      await stage.look([
        ...people.map((_, at) => stage.account(`admin-${String(at)}`, { role: "admin" })),
        stage.account("dev"),
      ]);
      for (const person of people) await stage.sync(person, {});
      const targets = await stage.leaseAll();
      const take = (identityId: IdentityId, at: number) => {
        const target = targets.find((item) => item.identityId === identityId);
        if (target === undefined) throw new Error("the target was not handed out");
        return stage.pass(target, {
          roleFrom: "admin",
          roleTo: "developer",
          accountId: asId<AccountId>(`admin-${String(at)}`),
          adminRoles: ["admin"],
        });
      };
      const answers = await Promise.all(people.map(take));
      const refusals = answers.filter((answer) => !answer.ok);
      expect(refusals).toMatchObject([{ why: "admin_floor" }, { why: "admin_floor" }]);
      const first = answers.findIndex((answer) => answer.ok);
      const second = (first + 1) % people.length;
      const takeSecond = () => take(people[second] ?? ada, second);
      const intentId = answers[first]?.intentId ?? newId<IntentId>(stage.clock);
      // Done, and not looked at since: on the way out all the same. Refused by the vendor: an admin again.
      await stage.finish(intentId, "unknown");
      expect(await takeSecond()).toMatchObject({ why: "admin_floor" });
      await stage.finish(intentId, "done");
      expect(await takeSecond()).toMatchObject({ why: "admin_floor" });
      await stage.clock.advance(1_000);
      await stage.look([stage.account(`admin-${String(first)}`, { role: "admin" })]);
      expect(await takeSecond()).toMatchObject({ ok: true });
    });

    it("refuses in a paused lane", async () => {
      const target = await leasedWith();
      await stage.store.updateLane(
        stage.tenantId,
        { connectionId: console_, set: { state: "paused" }, now: stage.now },
        noAlso,
      );
      expect(await stage.pass(target)).toMatchObject({ ok: false, why: "lane_paused" });
    });

    it("refuses kinds that are report-only, others pass", async () => {
      const target = await leasedWith();
      await stage.addLane(console_, { sets: { org_role: "report-only" } });
      expect(await stage.pass(target)).toMatchObject({ ok: false, why: "report_only" });
      const workspace = { kind: "workspace", objectId: "w1" };
      expect(await stage.pass(target, { slot: workspace })).toMatchObject({ ok: true });
      await stage.addLane(console_, { mode: "report-only", sets: { org_role: "additive" } });
      expect(await stage.pass(target)).toMatchObject({ ok: false, why: "report_only" });
    });

    it.each([
      ["all", "active", "gain", true],
      ["all", "departed", "loss", true],
      ["all-but-leavers", "active", "loss", true],
      ["all-but-leavers", "departed", "loss", false],
      ["grants", "active", "gain", true],
      ["grants", "active", "loss", false],
      ["removals", "active", "loss", true],
      ["removals", "active", "gain", false],
      ["removals", "departed", "loss", false],
    ] as const)(
      "with a switch over %s: %s, %s, stopped %s",
      async (covers, lifecycle, direction, stopped) => {
        const rail =
          direction === "loss" ? [stage.loss({ notBefore: stage.now, roleTo: null })] : [];
        const target = await leasedWith({ lifecycle, rail });
        await stopWith(covers, covers === "all" ? console_ : undefined);
        const answer =
          direction === "loss" ? await stage.passLoss(target) : await stage.pass(target);
        expect(answer).toMatchObject(stopped ? { ok: false, why: "stopped" } : { ok: true });
      },
    );

    it("lets a loss wait for its time, and pass with its entry then", async () => {
      const target = await leasedWith({ rail: [stage.loss()] });
      expect(await stage.passLoss(target)).toMatchObject({
        ok: false,
        why: "rail_waiting",
        until: stage.now + 90_000,
      });
      await stage.clock.advance(90_000);
      const again = await stage.leaseOne(ada);
      expect(await stage.passLoss(again)).toMatchObject({ ok: true });
      expect(await stage.entryStates()).toEqual(["executing"]);
    });

    it("refuses a loss that nobody counted, or that was counted for another change", async () => {
      const target = await leasedWith({ rail: [stage.loss({ roleTo: "user", notBefore: 0 })] });
      expect(await stage.passLoss(target)).toMatchObject({ ok: false, why: "rail_missing" });
    });

    it("refuses a loss and a gain that are held, and those that a person rejected", async () => {
      const target = await leasedWith({
        rail: [
          stage.loss({ rail: "source", causeKey: "g", notBefore: 0 }),
          stage.gain({ rail: "source", causeKey: "g" }),
        ],
      });
      expect(await stage.passLoss(target)).toMatchObject({ ok: false, why: "rail_held" });
      expect(await stage.pass(target)).toMatchObject({ ok: false, why: "rail_held" });
      const [hold] = await stage.openHolds();
      await stage.store.decideHold(
        stage.tenantId,
        {
          holdId: hold?.holdId ?? asId("none"),
          decision: "reject",
          identityIds: "all",
          by: "op",
          now: stage.now,
        },
        noAlso,
      );
      expect(await stage.passLoss(target)).toMatchObject({ ok: false, why: "rail_rejected" });
      expect(await stage.pass(target)).toMatchObject({ ok: false, why: "rail_rejected" });
    });

    it("asks an entry of a privileged gain, and none of an ordinary one", async () => {
      const target = await leasedWith();
      expect(await stage.pass(target, { privileged: true })).toMatchObject({
        ok: false,
        why: "rail_missing",
      });
      expect(await stage.pass(target)).toMatchObject({ ok: true });
      await stage.store.reserveRail(
        stage.tenantId,
        {
          connectionId: console_,
          identityId: ada,
          rail: stage.wish({ rail: [stage.gain({ rail: "privileged", causeKey: "" })] }).rail,
          now: stage.now,
        },
        noAlso,
      );
      expect(await stage.pass(target, { privileged: true })).toMatchObject({ ok: true });
    });
  });

  describe("the outcome", () => {
    const loseNow = async () => {
      const target = await leasedWith({ rail: [stage.loss({ notBefore: stage.now })] });
      const answer = await stage.passLoss(target);
      expect(answer.ok).toBe(true);
      return { target, intentId: answer.intentId };
    };

    it("done: executes the entry, writes ledger and link, and lists the intent as finished", async () => {
      const target = await leasedWith({ rail: [stage.gain()] });
      const { intentId } = await stage.pass(target);
      await stage.finish(intentId, "done", {
        ledger: [
          {
            op: "set",
            entitlement: { ...orgRole, role: "developer" },
            origin: "granted",
            because: ["r1"],
          },
        ],
        link: {
          op: "set",
          accountId: asId<AccountId>("inv1"),
          email: "ada@example.com",
          origin: "created",
        },
      });
      expect(await stage.entryStates()).toEqual([]);
      expect(await stage.store.openIntents(stage.tenantId, console_, ada)).toEqual([]);
      expect(await stage.store.listIntents(stage.tenantId, console_, ada, 5)).toMatchObject([
        { intentId, state: "done" },
      ]);
      expect(await stage.store.listLedger(stage.tenantId, console_, ada)).toEqual([
        {
          connectionId: console_,
          identityId: ada,
          ...orgRole,
          role: "developer",
          origin: "granted",
          because: ["r1"],
          since: stage.now,
        },
      ]);
      expect(await stage.store.getLink(stage.tenantId, console_, ada)).toMatchObject({
        accountId: "inv1",
        origin: "created",
      });
      expect((await stage.store.getLane(stage.tenantId, console_))?.managedAccounts).toBe(1);
    });

    it.each(["unsent", "refused"] as const)("%s: gives the entry back as it was", async (state) => {
      const { intentId, target } = await loseNow();
      await stage.finish(intentId, state);
      expect(await stage.entryStates()).toEqual(["reserved"]);
      expect(await stage.passLoss(target)).toMatchObject({ ok: true });
    });

    it("unsent after an approval: the entry is approved still", async () => {
      const target = await leasedWith({ rail: [stage.loss({ rail: "source", causeKey: "g" })] });
      const [hold] = await stage.openHolds();
      await stage.store.decideHold(
        stage.tenantId,
        {
          holdId: hold?.holdId ?? asId("none"),
          decision: "approve",
          identityIds: "all",
          by: "op",
          now: stage.now,
        },
        noAlso,
      );
      const { intentId } = await stage.passLoss(target);
      await stage.finish(intentId, "unsent");
      expect(await stage.entryStates()).toEqual(["approved"]);
    });

    it("unsent after the rail tripped: the entry joins the batch", async () => {
      const { intentId } = await loseNow();
      for (const person of await stage.addPeople(3))
        await stage.sync(person, { rail: [stage.loss()] });
      expect(await stage.openHolds()).toHaveLength(1);
      await stage.finish(intentId, "unsent");
      expect(await stage.entryStates()).toEqual(["held", "held", "held", "held"]);
    });

    it("unknown: stays executing and open until it is known", async () => {
      const { intentId } = await loseNow();
      await stage.finish(intentId, "unknown");
      expect(await stage.entryStates()).toEqual(["executing"]);
      expect(await stage.store.openIntents(stage.tenantId, console_, ada)).toMatchObject([
        { state: "unknown" },
      ]);
      await stage.finish(intentId, "done");
      expect(await stage.entryStates()).toEqual([]);
      expect(await stage.store.openIntents(stage.tenantId, console_, ada)).toEqual([]);
    });

    it("is written once: a second one changes nothing and leaves no record", async () => {
      const { intentId } = await loseNow();
      await stage.finish(intentId, "done");
      const record = newRecord(stage.clock, {
        actor: { kind: "worker", id: "w" },
        action: "second.outcome",
        subject: { type: "identity", id: ada },
        facts: {},
      });
      await stage.store.finishIntent(
        stage.tenantId,
        {
          intentId,
          state: "refused",
          facts: {},
          ledger: [],
          link: undefined,
          now: stage.now,
        },
        { records: [record], recompute: [] },
      );
      const [intent] = await stage.store.listIntents(stage.tenantId, console_, ada, 5);
      expect(intent?.state).toBe("done");
      const filter = { action: "second.outcome", limit: 5 };
      expect(await stage.store.findRecords(stage.tenantId, filter)).toEqual([]);
    });

    it("unknown twice leaves one record", async () => {
      const { intentId } = await loseNow();
      const again = async () => {
        const record = newRecord(stage.clock, {
          actor: { kind: "worker", id: "w" },
          action: "unknown.outcome",
          subject: { type: "identity", id: ada },
          facts: {},
        });
        await stage.store.finishIntent(
          stage.tenantId,
          {
            intentId,
            state: "unknown",
            facts: {},
            ledger: [],
            link: undefined,
            now: stage.now,
          },
          { records: [record], recompute: [] },
        );
      };
      await again();
      await again();
      const filter = { action: "unknown.outcome", limit: 5 };
      expect(await stage.store.findRecords(stage.tenantId, filter)).toHaveLength(1);
    });

    it("is a fact whatever the fence and the link are", async () => {
      const target = await leasedWith();
      const { intentId } = await stage.pass(target);
      await stage.clock.advance(60_000);
      await stage.leaseOne(ada);
      const bob = await stage.addPerson("bob");
      await stage.link(bob, "acc");
      await stage.finish(intentId, "done", {
        link: {
          op: "set",
          accountId: asId<AccountId>("acc"),
          email: "ada@example.com",
          origin: "created",
        },
      });
      expect(await stage.store.listIntents(stage.tenantId, console_, ada, 5)).toHaveLength(1);
      expect(await stage.store.getLink(stage.tenantId, console_, ada)).toBeUndefined();
      expect((await stage.store.getLink(stage.tenantId, console_, bob))?.accountId).toBe("acc");
    });

    it("of an intent that does not exist is an error", async () => {
      await expect(stage.finish(newId<IntentId>(stage.clock), "done")).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
    });

    it("keeps the negative reads of an unanswered create, oldest first", async () => {
      const target = await leasedWith();
      const { intentId } = await stage.pass(target);
      for (const at of [10, 70_010])
        await stage.store.noteNegativeRead(stage.tenantId, { intentId, at });
      const [intent] = await stage.store.openIntents(stage.tenantId, console_, ada);
      expect(intent?.negativeReads).toEqual([10, 70_010]);
    });
  });
}
