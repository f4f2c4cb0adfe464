import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FindingDraft } from "../../src/accounts/finding.ts";
import { asId, type AccountId, type ConnectionId } from "../../src/model/ids.ts";
import { newRecord } from "../../src/model/records.ts";
import { noAlso } from "../support/store.ts";
import { AccountStage, console_, type OpenStore } from "./account-stage.ts";

/** Lanes, buckets, stop switches, findings; and that no tenant reaches into another. */
export function accountLaneSuite(open: OpenStore): void {
  let stage: AccountStage;
  beforeEach(async () => {
    stage = await AccountStage.open(open);
  });
  afterEach(() => stage.dispose());

  describe("lanes", () => {
    it("begin open and empty, and keep state, pin and listing when their mapping changes", async () => {
      expect(await stage.store.getLane(stage.tenantId, console_)).toMatchObject({
        state: "open",
        pause: null,
        organization: null,
        ownAccountIds: [],
        checkedAt: null,
        nextListAt: null,
        managedAccounts: 0,
        openInvitations: 0,
        baseUrl: undefined,
      });
      const set = {
        state: "paused" as const,
        pause: { code: "OPERATOR" as const, text: "audit", since: 5 },
        organization: { id: "org1", name: "Acme" },
        ownAccountIds: [asId<AccountId>("me")],
        checkedAt: 1,
        checkedCredential: "f00",
        listedAt: 2,
        nextListAt: 3,
        breakerUntil: 4,
        probeAt: 6,
      };
      await stage.store.updateLane(
        stage.tenantId,
        { connectionId: console_, set, now: stage.now },
        noAlso,
      );
      await stage.addLane(console_, { mode: "authoritative" });
      const lane = await stage.store.getLane(stage.tenantId, console_);
      expect(lane).toMatchObject(set);
      expect(lane?.policy.mode).toBe("authoritative");
      await stage.store.updateLane(
        stage.tenantId,
        { connectionId: console_, set: { pause: null, state: "open" }, now: stage.now },
        noAlso,
      );
      expect(await stage.store.getLane(stage.tenantId, console_)).toMatchObject({
        ...set,
        pause: null,
        state: "open",
      });
    });

    it("that do not exist cannot be changed, and nothing of the command is kept", async () => {
      const record = newRecord(stage.clock, {
        actor: { kind: "operator", id: "o" },
        action: "lane.changed",
        subject: { type: "connection", id: "none" },
        facts: {},
      });
      await expect(
        stage.store.updateLane(
          stage.tenantId,
          { connectionId: asId<ConnectionId>("none"), set: {}, now: stage.now },
          { records: [record], recompute: [] },
        ),
      ).rejects.toMatchObject({ code: "NOT_FOUND" });
      const filter = { action: "lane.changed", limit: 5 };
      expect(await stage.store.findRecords(stage.tenantId, filter)).toEqual([]);
    });

    it("are listed by tenant and altogether", async () => {
      const neighbour = await stage.neighbour();
      expect(await stage.store.listLanes(stage.tenantId)).toHaveLength(2);
      const all = await stage.store.listLanes(undefined);
      expect(all.map((lane) => lane.tenantId)).toEqual([
        stage.tenantId,
        stage.tenantId,
        neighbour.tenantId,
        neighbour.tenantId,
      ]);
    });
  });

  describe("token buckets", () => {
    const draw = (
      change: {
        want?: number;
        ahead?: number;
        keepMs?: number;
        reserve?: number;
        bucket?: string;
      } = {},
    ) =>
      stage.store.drawTokens(stage.tenantId, {
        connectionId: console_,
        bucket: "reads",
        capacity: 100,
        perMs: 60_000,
        want: 1,
        ahead: 0,
        keepMs: 0,
        reserve: 0,
        now: stage.now,
        ...change,
      });

    it("give their capacity to ten drawers at once and no token more, then refill evenly", async () => {
      const round = async () =>
        (await Promise.all(Array.from({ length: 10 }, () => draw({ want: 17 })))).reduce(
          (sum, answer) => sum + answer.granted,
          0,
        );
      expect(await round()).toBe(100);
      expect(await draw()).toEqual({ granted: 0, waitMs: 600 });
      await stage.clock.advance(600);
      expect(await draw({ want: 5 })).toEqual({ granted: 1, waitMs: 0 });
      let total = 0;
      for (let i = 0; i < 20; i++) {
        await stage.clock.advance(1_500);
        total += await round();
      }
      expect(total).toBe(50);
    });

    it("keep the leaver share from ordinary work", async () => {
      expect(await draw({ want: 100, reserve: 0.2 })).toMatchObject({ granted: 80 });
      expect(await draw({ reserve: 0.2 })).toEqual({ granted: 0, waitMs: 600 });
      expect(await draw({ want: 100 })).toMatchObject({ granted: 20 });
      expect(await draw({ reserve: 0.2 })).toEqual({ granted: 0, waitMs: 21 * 600 });
    });

    it("give more than is wanted while half of them is left, and never of the leaver share", async () => {
      expect(await draw({ want: 1, ahead: 30, reserve: 0.2 })).toMatchObject({ granted: 31 });
      expect(await draw({ want: 1, ahead: 30, reserve: 0.2 })).toMatchObject({ granted: 19 });
      expect(await draw({ want: 1, ahead: 30, reserve: 0.2 })).toMatchObject({ granted: 1 });
      expect(await draw({ want: 40, ahead: 30, reserve: 0.2 })).toMatchObject({ granted: 29 });
    });

    it("fill no further than what is kept and what refills meanwhile leave room for", async () => {
      // 6 s of a minute are 10 of 100.
      expect(await draw({ want: 100, keepMs: 6_000 })).toMatchObject({ granted: 90 });
      await stage.clock.advance(600_000);
      expect(await draw({ want: 100, keepMs: 6_000 })).toMatchObject({ granted: 90 });
    });

    it("of one token have nothing to keep back", async () => {
      const single = () =>
        stage.store.drawTokens(stage.tenantId, {
          connectionId: console_,
          bucket: "slow",
          capacity: 1,
          perMs: 1_000,
          want: 1,
          ahead: 0,
          keepMs: 0,
          reserve: 0.2,
          now: stage.now,
        });
      expect(await single()).toEqual({ granted: 1, waitMs: 0 });
      expect(await single()).toEqual({ granted: 0, waitMs: 1_000 });
    });

    it("rest as long as the vendor said, never shorter, leavers too", async () => {
      const rest = (ms: number) =>
        stage.store.restBucket(stage.tenantId, {
          connectionId: console_,
          bucket: "reads",
          until: stage.now + ms,
          now: stage.now,
        });
      await rest(60_000);
      await rest(1_000);
      expect(await draw()).toEqual({ granted: 0, waitMs: 60_000 });
      expect(await draw({ bucket: "writes" })).toMatchObject({ granted: 1 });
      await rest(90_000);
      await stage.clock.advance(89_999);
      expect(await draw()).toEqual({ granted: 0, waitMs: 1 });
      await stage.clock.advance(1);
      expect(await draw({ want: 200 })).toMatchObject({ granted: 100 });
    });

    it("give nothing twice when the clock is set back", async () => {
      await draw({ want: 50 });
      const start = stage.now;
      stage.clock.set(start - 30_000);
      expect((await draw({ want: 1 })).granted).toBe(1);
      stage.clock.set(start);
      expect((await draw({ want: 100 })).granted).toBe(49);
    });
  });

  it("keeps stop switches by what they cover, until each is taken back", async () => {
    const stop = (connectionId: ConnectionId | undefined, covers: "all" | "grants") => ({
      connectionId,
      covers,
      by: "ops",
      why: "incident",
      since: stage.now,
    });
    const set = (item: ReturnType<typeof stop>, on: boolean) =>
      stage.store.setStop(stage.tenantId, { stop: item, on, now: stage.now }, noAlso);
    await set(stop(undefined, "all"), true);
    await set(stop(console_, "grants"), true);
    await set(stop(console_, "grants"), true);
    expect(await stage.store.listStops(stage.tenantId)).toEqual([
      stop(undefined, "all"),
      stop(console_, "grants"),
    ]);
    await set(stop(undefined, "all"), false);
    expect(await stage.store.listStops(stage.tenantId)).toEqual([stop(console_, "grants")]);
  });

  describe("findings", () => {
    const draft = (key: string, change: Partial<FindingDraft> = {}): FindingDraft => ({
      key,
      kind: "drift",
      severity: "warning",
      text: "look at it",
      facts: { n: 1 },
      ...change,
    });
    const raise = (...findings: readonly FindingDraft[]) =>
      stage.store.raiseFindings(stage.tenantId, { findings, now: stage.now });
    const list = (filter: { open?: boolean; connectionId?: ConnectionId } = {}) =>
      stage.store.listFindings(stage.tenantId, { limit: 100, ...filter });

    it("open once, are refreshed while open, and open again after they were resolved", async () => {
      expect(await raise(draft("a"), draft("b", { connectionId: console_ }))).toEqual({
        opened: ["a", "b"],
      });
      const openedAt = stage.now;
      await stage.clock.advance(10);
      expect(await raise(draft("a", { text: "newer" }))).toEqual({ opened: [] });
      expect((await list()).find((item) => item.key === "a")).toEqual({
        ...draft("a", { text: "newer" }),
        openedAt,
        seenAt: stage.now,
        resolvedAt: undefined,
      });
      const resolve = () =>
        stage.store.resolveFindings(stage.tenantId, { keys: ["a", "x"], now: stage.now });
      expect(await resolve()).toBe(1);
      expect(await resolve()).toBe(0);
      expect((await list({ open: true })).map((item) => item.key)).toEqual(["b"]);
      expect((await list({ open: false })).map((item) => item.key)).toEqual(["a"]);
      await stage.clock.advance(10);
      expect(await raise(draft("a"))).toEqual({ opened: ["a"] });
      expect((await list({ open: true })).map((item) => [item.key, item.openedAt])).toEqual([
        ["a", stage.now],
        ["b", openedAt],
      ]);
      expect((await list({ connectionId: console_ })).map((item) => item.key)).toEqual(["b"]);
    });

    it("are resolved by the prefix of their key, whatever characters it has", async () => {
      await raise(draft("look%_a:1"), draft("look%_a:2"), draft("lookXYa:3"), draft("look%_b"));
      const prefix = { prefix: "look%_a:", now: stage.now };
      expect(await stage.store.resolveFindings(stage.tenantId, prefix)).toBe(2);
      expect((await list({ open: true })).map((item) => item.key)).toEqual([
        "look%_b",
        "lookXYa:3",
      ]);
    });
  });

  it("keeps every method of one tenant away from the rows of another", async () => {
    const neighbour = await stage.neighbour();
    const ada = await stage.addPerson();
    for (let i = 0; i < 4; i++) {
      const person = i === 0 ? ada : await stage.addPerson();
      await stage.sync(person, { rail: [stage.loss()] });
    }
    await stage.link(ada, "acc");
    await stage.look([stage.account("acc", { role: "admin" })]);
    const target = await stage.leaseOne(ada);
    const { intentId } = await stage.pass(target);
    await stage.store.recordObjects(stage.tenantId, {
      connectionId: console_,
      objects: [{ kind: "workspace", objectId: "w", name: "W", archived: false, manageable: true }],
      now: stage.now,
    });
    await stage.store.changeLedger(
      stage.tenantId,
      {
        connectionId: console_,
        identityId: ada,
        changes: [
          {
            op: "set",
            entitlement: { kind: "org_role", objectId: "", role: "developer" },
            origin: "granted",
            because: [],
          },
        ],
        now: stage.now,
      },
      noAlso,
    );
    await stage.store.raiseFindings(stage.tenantId, {
      findings: [{ key: "k", kind: "drift", severity: "info", text: "t", facts: {} }],
      now: stage.now,
    });
    const stop = {
      connectionId: undefined,
      covers: "all" as const,
      by: "o",
      why: "w",
      since: stage.now,
    };
    await stage.store.setStop(stage.tenantId, { stop, on: true, now: stage.now }, noAlso);
    const [hold] = await stage.openHolds();
    const holdId = hold?.holdId ?? asId("none");
    const { store } = stage;
    const foreign = neighbour.tenantId;
    const key = { connectionId: console_, identityId: ada };

    expect((await store.readPeople(foreign, [ada]))[0]).toEqual({
      identityId: ada,
      targets: [],
      links: [],
      ledger: [],
      entries: [],
      observed: [],
      observedGrants: [],
    });
    expect(await store.getTarget(foreign, console_, ada)).toBeUndefined();
    expect(await store.listTargets(foreign, { limit: 5 })).toEqual([]);
    expect(await store.targetCounts(foreign)).toEqual([]);
    expect(await store.getLink(foreign, console_, ada)).toBeUndefined();
    expect(await store.findLinks(foreign, console_, [asId<AccountId>("acc")])).toEqual([]);
    expect(await store.listLinks(foreign, { limit: 5 })).toEqual([]);
    expect(await store.listLedger(foreign, console_, ada)).toEqual([]);
    expect(await store.openIntents(foreign, console_, ada)).toEqual([]);
    expect(await store.listIntents(foreign, console_, ada, 5)).toEqual([]);
    expect(await store.listObserved(foreign, { connectionId: console_, limit: 5 })).toEqual([]);
    expect(await store.countObserved(foreign, console_, ["admin"])).toBe(0);
    expect((await store.listObjects(foreign, console_)).objects).toEqual([]);
    expect(await store.listRailEntries(foreign, { limit: 5 })).toEqual([]);
    expect(await store.listHolds(foreign, { limit: 5 })).toEqual([]);
    expect(await store.getHold(foreign, holdId)).toBeUndefined();
    expect(await store.listStops(foreign)).toEqual([]);
    expect(await store.listFindings(foreign, { limit: 5 })).toEqual([]);

    const fenced = { ...key, fence: target.fence };
    expect(await store.renewLease(foreign, { ...fenced, until: stage.now + 1 })).toBe(false);
    expect(
      await store.releaseTarget(
        foreign,
        {
          ...fenced,
          wake: target.wake,
          state: "idle",
          reason: null,
          dueAt: null,
          attempts: 0,
          notes: {},
          now: stage.now,
        },
        noAlso,
      ),
    ).toBe(false);
    expect(
      await store.wakeTargets(
        foreign,
        { connectionId: console_, identityIds: [ada], priority: 1, now: stage.now },
        noAlso,
      ),
    ).toBe(0);
    expect(await neighbour.pass({ ...target, tenantId: foreign })).toMatchObject({
      ok: false,
      why: "lease_lost",
    });
    await expect(neighbour.finish(intentId, "done")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(
      store.noteNegativeRead(foreign, { intentId, at: stage.now }),
    ).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(
      store.decideHold(
        foreign,
        { holdId, decision: "approve", identityIds: "all", by: "x", now: stage.now },
        noAlso,
      ),
    ).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(neighbour.link(ada, "mine")).rejects.toMatchObject({ code: "NOT_FOUND" });
    const wish = neighbour.wish({});
    expect(await neighbour.commit(ada, 1, [wish])).toMatchObject({ applied: false });
    expect(await store.resolveFindings(foreign, { keys: ["k"], now: stage.now })).toBe(0);
    await store.setStop(foreign, { stop, on: false, now: stage.now }, noAlso);

    expect(await store.listStops(stage.tenantId)).toHaveLength(1);
    expect(await stage.openHolds()).toHaveLength(1);
    expect(await store.openIntents(stage.tenantId, console_, ada)).toMatchObject([
      { intentId, state: "sent", negativeReads: [] },
    ]);
    const own = await neighbour.addPerson();
    await neighbour.link(own, "acc");
    await neighbour.sync(own, { rail: [neighbour.loss()] });
    expect(await neighbour.openHolds()).toEqual([]);
    expect(await neighbour.leaseAll()).toHaveLength(1);
  });
}
