import { expect, it } from "vitest";
import { asId, type ConnectionId, type IdentityId } from "../../src/model/ids.ts";
import type { PulseSettings } from "../../src/model/pulse-settings.ts";
import { pulseKeptMs, type PulseRun } from "../../src/pulse/pulse-store.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, tenantForEach } from "./directory-stage.ts";

const settings: PulseSettings = {
  ...{ email: "pulse@example.com", givenName: "A", familyName: "B", attributes: {} },
  ...{ groups: ["Pulse"], connections: [asId<ConnectionId>("wiki")] },
  ...{ everyMs: 86_400_000, withinMs: 1_800_000 },
};

/** What is declared of the pulse, and its runs: one at a time, kept for 400 days. */
export function pulseSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  const run = (change: Partial<PulseRun> = {}): PulseRun => ({
    ...{ runId: stage.newId<IdentityId>(), state: "joining", startedAt: stage.now },
    ...{ identityId: undefined, arrivedAt: undefined, leftAt: undefined },
    ...{ goneAt: undefined, endedAt: undefined, connections: [], missed: [] },
    ...change,
  });
  const begin = (of: PulseRun) =>
    stage.store.openPulseRun(stage.tenantId, of, stage.also("pulse.started"));
  const move = (of: PulseRun, from: PulseRun["state"]) =>
    stage.store.movePulseRun(
      stage.tenantId,
      { run: of, from, now: stage.now },
      stage.also("pulse.moved"),
    );
  const runs = (limit = 10) => stage.store.listPulseRuns(stage.tenantId, { limit });

  it("is declared, changed and taken away", async () => {
    const { store, tenantId } = stage;
    const set = (what: PulseSettings | undefined) =>
      store.setPulse(tenantId, { settings: what, now: stage.now }, stage.also("pulse.declared"));
    expect(await store.getPulse(tenantId)).toBeUndefined();
    await set(settings);
    await set({ ...settings, groups: ["Other"] });
    expect(await store.getPulse(tenantId)).toEqual({
      settings: { ...settings, groups: ["Other"] },
      since: stage.now,
    });
    await set(undefined);
    expect(await store.getPulse(tenantId)).toBeUndefined();
    expect(await stage.actions()).toEqual(Array<string>(3).fill("pulse.declared"));
  });

  it("has one run under way, whoever begins one beside it", async () => {
    const begun = await Promise.all(Array.from({ length: 6 }, () => begin(run())));
    expect(begun.filter(Boolean)).toHaveLength(1);
    expect(await stage.actions()).toEqual(["pulse.started"]);
    expect(
      await (await stage.neighbour()).store.listPulseRuns(stage.tenantId, { limit: 9 }),
    ).toHaveLength(1);
  });

  it("moves a run on from the state that it was seen in, once", async () => {
    const first = run();
    await begin(first);
    const leaving = run({
      ...{ runId: first.runId, state: "leaving", arrivedAt: stage.now + 1, leftAt: stage.now + 1 },
      connections: settings.connections,
    });
    expect([await move(leaving, "joining"), await move(leaving, "joining")]).toEqual([true, false]);
    expect(await runs()).toEqual([leaving]);
    expect(await stage.actions()).toEqual(["pulse.started", "pulse.moved"]);
    expect(await begin(run())).toBe(false);
    await move({ ...leaving, state: "passed", goneAt: stage.now, endedAt: stage.now }, "leaving");
    expect(await begin(run({ startedAt: stage.now + 5 }))).toBe(true);
    expect((await runs()).map((item) => item.state)).toEqual(["joining", "passed"]);
    expect(await runs(1)).toHaveLength(1);
    const passed = await stage.store.listPulseRuns(stage.tenantId, { state: "passed", limit: 9 });
    expect(passed).toHaveLength(1);
  });

  it("forgets what ended 400 days ago, when the next run begins", async () => {
    for (const days of [0, 1, 2]) {
      const made = run({ startedAt: stage.now + days * 86_400_000 });
      await begin(made);
      await move({ ...made, state: "passed" }, "joining");
    }
    await begin(run({ startedAt: stage.now + 86_400_000 + pulseKeptMs }));
    expect(await runs()).toHaveLength(3);
  });
}
