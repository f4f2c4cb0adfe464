import { expect, test } from "vitest";
import type { AccountStore } from "../../../src/accounts/account-store.ts";
import { showLanes } from "../../../src/apply/lane-gauges.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";

type Asked = Pick<AccountStore, "listLanes" | "targetCounts" | "listHolds" | "listStops">;
type Store = Asked & { readBrake(): Promise<unknown> };
type Answers = { [Name in keyof Asked]: Awaited<ReturnType<Asked[Name]>> };

const lane = (tenantId: string, connectionId: string, state = "open", more: object = {}) =>
  ({ tenantId, connectionId, state, breakerUntil: null, ...more }) as Answers["listLanes"][number];
const row = (connectionId: string, state: string, count: number, more: object = {}) =>
  ({
    tenantId: "acme",
    connectionId,
    state,
    lifecycle: "active",
    count,
    oldestWishedAt: null,
    retrying: 0,
    oldestRetryWishedAt: null,
    ...more,
  }) as Answers["targetCounts"][number];

async function shown(answers: Partial<Answers>, brake?: object): Promise<string> {
  const { metrics, expose } = createMetrics({ processMetrics: false });
  const store: Store = {
    listLanes: () => Promise.resolve(answers.listLanes ?? []),
    targetCounts: () => Promise.resolve(answers.targetCounts ?? []),
    listHolds: () => Promise.resolve(answers.listHolds ?? []),
    listStops: () => Promise.resolve(answers.listStops ?? []),
    readBrake: () => Promise.resolve(brake),
  };
  await showLanes({ store, metrics, clock: { now: () => 1_000_000 } });
  return (await expose()).body;
}

test("people are counted per tenant, connection and state, both lifecycles together", async () => {
  const body = await shown({
    listLanes: [lane("acme", "anthropic"), lane("other", "anthropic")],
    targetCounts: [
      row("anthropic", "parked", 2),
      row("anthropic", "parked", 3, { lifecycle: "departed" }),
    ],
  });
  expect(body).toContain('rolecall_targets{tenant="acme",connection="anthropic",state="parked"} 5');
  expect(body).toContain('rolecall_targets{tenant="acme",connection="anthropic",state="due"} 0');
  expect(body).toContain(
    'rolecall_targets{tenant="other",connection="anthropic",state="parked"} 0',
  );
});

test("the oldest leaver is the one who waits longest, and nobody where all are out", async () => {
  const departed = { lifecycle: "departed" };
  const body = await shown({
    listLanes: [lane("acme", "anthropic"), lane("acme", "instantly")],
    targetCounts: [
      row("anthropic", "due", 1, { ...departed, oldestWishedAt: 940_000 }),
      row("anthropic", "parked", 1, { ...departed, oldestWishedAt: 100_000 }),
      row("anthropic", "due", 1, { oldestWishedAt: 1 }),
      row("instantly", "idle", 9, departed),
    ],
  });
  expect(body).toContain('leaver_oldest_seconds{tenant="acme",connection="anthropic"} 900');
  expect(body).toContain('leaver_oldest_seconds{tenant="acme",connection="instantly"} 0');
});

test("a lane is open unless it is paused or a stop switch covers it", async () => {
  const stop = { connectionId: "b", covers: "all", by: "ada", why: "x", since: 1 };
  const body = await shown({
    listLanes: [lane("acme", "a"), lane("acme", "b"), lane("acme", "c", "paused")],
    listStops: [stop as Answers["listStops"][number]],
    listHolds: [
      { connectionId: "a" } as Answers["listHolds"][number],
      { connectionId: "a" } as Answers["listHolds"][number],
    ],
  });
  for (const [connection, open] of [
    ["a", 1],
    ["b", 0],
    ["c", 0],
  ]) {
    expect(body).toContain(`lane_open{tenant="acme",connection="${connection}"} ${open}`);
  }
  expect(body).toContain('holds_open{tenant="acme",connection="a"} 2');
  expect(body).toContain('holds_open{tenant="acme",connection="b"} 0');
});

test("a lane says what it is: one of its states is 1, the others 0", async () => {
  const stop = { connectionId: "stopped", covers: "grants", by: "ada", why: "x", since: 1 };
  const body = await shown({
    listLanes: [
      lane("acme", "open", "open", { breakerUntil: 999_999 }),
      lane("acme", "resting", "open", { breakerUntil: 1_000_001 }),
      lane("acme", "paused", "paused"),
      lane("acme", "stopped", "paused"),
    ],
    listStops: [stop as Answers["listStops"][number]],
  });
  const states = ["open", "resting", "paused", "stopped"];
  for (const connection of states)
    for (const state of states)
      expect(body).toContain(
        `lane_state{tenant="acme",connection="${connection}",state="${state}"} ${String(Number(state === connection))}`,
      );
});

test("wishes that are tried again are counted over all states, with the age of the oldest", async () => {
  const body = await shown({
    listLanes: [lane("acme", "a"), lane("acme", "b")],
    targetCounts: [
      row("a", "waiting", 3, { retrying: 2, oldestRetryWishedAt: 940_000 }),
      row("a", "due", 1, { retrying: 1, oldestRetryWishedAt: 400_000 }),
    ],
  });
  expect(body).toContain('rolecall_retries{tenant="acme",connection="a"} 3');
  expect(body).toContain('retry_oldest_seconds{tenant="acme",connection="a"} 600');
  expect(body).toContain('rolecall_retries{tenant="acme",connection="b"} 0');
  expect(body).toContain('retry_oldest_seconds{tenant="acme",connection="b"} 0');
});

test("a braked store is told, and one that was released falls back to zero", async () => {
  expect(await shown({}, { since: 1, reasons: [] })).toContain("rolecall_store_braked 1");
  expect(await shown({})).toContain("rolecall_store_braked 0");
});
