// Goal: one synthetic person joins and leaves every day through the whole chain, and somebody hears when that is not in time.
// Method: a whole engine run by hand on a fake clock, with a vendor inside the process; the keeper looks as its loop does.
import { expect, onTestFinished, test } from "vitest";
import { asId } from "../../src/model/ids.ts";
import type { Logger } from "../../src/model/log.ts";
import { pulseIdp, type PulseSettings } from "../../src/model/pulse-settings.ts";
import type { Actor } from "../../src/model/records.ts";
import { collectNotices } from "../../src/notify/collect.ts";
import { declarePulse } from "../../src/pulse/declare-pulse.ts";
import { keepPulse, type PulseDeps } from "../../src/pulse/pulse-keeper.ts";
import { pulseReport } from "../../src/pulse/pulse-report.ts";
import { connectionId, mapping, StoryWorld, tenantId } from "../support/story-world.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const actor: Actor = { kind: "system", id: "test" };

const settings: PulseSettings = {
  ...{ email: "pulse@example.com", givenName: "Rolecall", familyName: "Pulse" },
  ...{ attributes: { department: "Pulse" }, groups: ["Engineering"], connections: [connectionId] },
  ...{ everyMs: 24 * hour, withinMs: 30 * minute },
};

async function scene(change: Partial<PulseSettings> = {}) {
  const timing = { debounce: "90s", grace: "0s", verify: ["0s", "15m"] };
  const rules = [
    ...["Engineering", "Platform"].map((group) => ({
      ...{ id: group.toLowerCase(), when: { group, idp: pulseIdp } },
      grant: [{ kind: "org_role", role: "user" }],
    })),
  ];
  const world = await StoryWorld.open({ mapping: mapping({ timing, rules }) });
  onTestFinished(() => world.store.close());
  const { store, clock, vendor } = world;
  const deps: PulseDeps = {
    ...{ store, clock, logger: silent, owner: "p1", ringRelay: () => undefined },
  };
  const declare = (of: PulseSettings | undefined) => declarePulse(deps, tenantId, of, actor);
  await declare({ ...settings, ...change });
  /** Time goes by, with looks as often as the loop has them. */
  const pass = async (ms: number, stepMs = 30 * second) => {
    for (let left = ms; left > 0; left -= stepMs) {
      await keepPulse(deps, tenantId);
      await world.settle();
      await keepPulse(deps, tenantId);
      await clock.advance(Math.min(left, stepMs));
      await world.settle();
    }
  };
  const report = () => pulseReport(store, tenantId, clock.now(), 10);
  const urgent = async () =>
    (await store.listFindings(tenantId, { open: true, limit: 50 })).filter(
      (finding) => finding.kind === "pulse_missed",
    );
  const told = async () => {
    const channels = [
      { name: "webhook", topics: ["finding"] as const, send: () => Promise.resolve() },
    ];
    await collectNotices({ store, clock, channels }, tenantId);
    return (await store.listDeliveries(tenantId, { limit: 50 })).map((item) => item.notice.text);
  };
  return { world, store, clock, vendor, deps, declare, pass, report, urgent, told };
}

test("joins and leaves at the vendor, and the record says when: evidence that both work", async () => {
  const { world, store, vendor, pass, report, urgent } = await scene();
  await pass(minute);
  expect(vendor.writes.some((write) => write.includes("pulse@example.com"))).toBe(true);
  await pass(5 * minute);
  const [run] = (await report()).runs;
  expect(run).toMatchObject({ state: "passed", connections: [connectionId], missed: [] });
  expect(vendor.of("pulse@example.com")).toBeUndefined();
  expect(await urgent()).toEqual([]);
  const records = await store.findRecords(tenantId, { limit: 500 });
  const said = records
    .map(({ record }) => record.action)
    .filter((name) => name.startsWith("pulse."));
  expect(said.toReversed()).toEqual([
    "pulse.declared",
    "pulse.started",
    "pulse.arrived",
    "pulse.passed",
  ]);
  // It is a leaver as everybody is, with a case, and nobody of the identity provider.
  const identityId = run?.identityId ?? asId("none");
  expect(await store.currentCase(tenantId, identityId)).toMatchObject({ source: "idp" });
  const [facts] = await store.readIdentities(tenantId, [identityId]);
  expect(facts?.sources.map((source) => source.idpId)).toEqual([pulseIdp]);
  expect(facts?.attributes["department"]).toBe("Pulse");
  expect((await report()).verdict).toBe("ok");
  await world.store.ping();
});

test("comes again the next day as the same person, when the case of the last leave is closed", async () => {
  const { store, pass, report } = await scene();
  await pass(10 * minute);
  await pass(25 * hour, hour);
  await pass(10 * minute, minute);
  const { runs } = await report();
  expect(runs.map((run) => run.state)).toEqual(["passed", "passed"]);
  expect(new Set(runs.map((run) => run.identityId)).size).toBe(1);
  const cases = await store.listCases(tenantId, { limit: 10 });
  expect(cases.map((item) => item.closedWhy)).toContain("everything is verified");
});

test("is a finding, told to people, where the vendor does not show it in time; it still leaves", async () => {
  const { vendor, clock, pass, report, urgent, told } = await scene();
  vendor.fail("create", "before", 1_000);
  await pass(34 * minute, 2 * minute);
  const [missed] = await urgent();
  expect(missed).toMatchObject({ severity: "urgent" });
  expect(missed?.text).toContain(`${connectionId}: `);
  expect(await told()).toEqual([expect.stringContaining("the pulse did not arrive in time")]);
  expect((await report()).verdict).toBe("missed");
  vendor.heal("create");
  await pass(10 * minute);
  expect((await report()).runs[0]).toMatchObject({ state: "missed", arrivedAt: undefined });
  // Only a whole run that passes ends the alarm.
  expect(await urgent()).toHaveLength(1);
  await clock.advance(26 * hour);
  await pass(10 * minute);
  expect((await report()).verdict).toBe("ok");
  expect(await urgent()).toEqual([]);
});

test("is a finding where its access does not end in time, and no new run begins before it has", async () => {
  const { vendor, pass, report, urgent } = await scene();
  vendor.fail("remove", "before", 100_000);
  await pass(30 * second);
  await pass(35 * minute, minute);
  expect((await urgent()).map((finding) => finding.facts["way"])).toEqual(["leave"]);
  await pass(30 * hour, 2 * hour);
  expect((await report()).runs).toHaveLength(1);
  vendor.heal("remove");
  await pass(hour, minute);
  const { runs } = await report();
  expect(runs.at(-1)).toMatchObject({ state: "missed", goneAt: expect.any(Number) as number });
});

test("has nowhere to arrive: that is said, not passed over", async () => {
  const { pass, urgent } = await scene({ connections: [] });
  await pass(32 * minute, minute);
  expect((await urgent())[0]?.text).toContain("no rule names its groups");
});

test("is overdue where no process looks after it", async () => {
  const { clock, pass, report } = await scene();
  expect((await report()).verdict).toBe("new");
  await pass(10 * minute);
  expect((await report()).verdict).toBe("ok");
  await clock.advance(29 * hour);
  expect((await report()).verdict).toBe("overdue");
});

test("taken out of the files leaves, without an alarm", async () => {
  const { world, vendor, declare, pass, report } = await scene();
  await pass(30 * second);
  await declare(undefined);
  await pass(5 * minute);
  expect((await report()).verdict).toBe("none");
  expect((await report()).runs[0]?.state).toMatch(/withdrawn|passed/);
  expect(vendor.of("pulse@example.com")).toBeUndefined();
  expect(await world.findings()).not.toContain("pulse_missed");
});

test("takes no account away that was there before it, and says whose address it is not", async () => {
  const { world, store, vendor, pass, report, urgent } = await scene();
  // Nobody has read the vendor's list yet: the account is found when the person is there.
  const accountId = vendor.seed("pulse@example.com");
  await pass(10 * minute);
  const [run] = (await report()).runs;
  expect(run).toMatchObject({ state: "missed", arrivedAt: undefined });
  expect(run?.identityId).toBeDefined();
  expect((await urgent())[0]?.text).toContain("that it did not make");
  await pass(2 * hour, 10 * minute);
  expect(vendor.of("pulse@example.com")?.account.accountId).toBe(accountId);
  expect(await store.listLinks(tenantId, { limit: 5 })).toEqual([]);
  // Where the list shows it, nobody is told to be there at all.
  await world.clock.advance(26 * hour);
  await pass(minute);
  const [next, ...before] = (await report()).runs;
  expect(before).toHaveLength(1);
  expect(next).toMatchObject({ state: "missed", identityId: undefined });
  expect(vendor.of("pulse@example.com")?.account.accountId).toBe(accountId);
});

test("is missed where its address is that of somebody real, who keeps what they have", async () => {
  const { world, vendor, pass, report, urgent } = await scene();
  vendor.seed("pulse@example.com");
  await world.hire("pulse@example.com");
  await pass(10 * minute);
  expect((await report()).runs[0]).toMatchObject({ state: "missed", identityId: undefined });
  expect((await urgent())[0]?.text).toContain("somebody real");
  expect(vendor.of("pulse@example.com")).toBeDefined();
});

test("changes groups with its file", async () => {
  const { store, declare, pass, report, clock } = await scene();
  await pass(10 * minute);
  await declare({ ...settings, groups: ["Platform"] });
  await clock.advance(26 * hour);
  await pass(30 * second);
  const identityId = (await report()).runs[0]?.identityId ?? asId("none");
  const [facts] = await store.readIdentities(tenantId, [identityId]);
  const groups = await store.findGroupsById(tenantId, [...(facts?.groups ?? [])]);
  expect(groups.map((group) => group.displayName)).toEqual(["Platform"]);
});
