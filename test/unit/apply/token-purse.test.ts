import { expect, it } from "vitest";
import type { AccountStore } from "../../../src/accounts/account-store.ts";
import { TokenPurses, type PurseOf } from "../../../src/apply/token-purse.ts";
import { asId, type ConnectionId, type TenantId } from "../../../src/model/ids.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { openMemoryStore } from "../../support/store.ts";

const tenantId = asId<TenantId>("acme");
const connectionId = asId<ConnectionId>("console");
const bucket = { name: "requests", capacity: 100, perMs: 60_000 };
const ordinary: PurseOf = { tenantId, connectionId, bucket, reserve: 0.2 };
const leaver: PurseOf = { ...ordinary, reserve: 0 };

type Drawing = Parameters<AccountStore["drawTokens"]>[1];

/** Purses over a bucket that gives what `answer` says, with all that was asked of it. */
function purses(answer: (asked: Drawing) => { granted: number; waitMs: number }) {
  const clock = fakeClock();
  const asked: Drawing[] = [];
  const store = {
    drawTokens: (_tenant: TenantId, command: Drawing) => {
      asked.push(command);
      return Promise.resolve(answer(command));
    },
  };
  return { clock, asked, purses: new TokenPurses({ store, clock }) };
}
const plenty = ({ want, ahead }: Drawing) => ({ granted: want + ahead, waitMs: 0 });
const take = (all: TokenPurses, of: PurseOf, count: number) =>
  Promise.all(Array.from({ length: count }, () => all.take(of)));

it("calls that want a token at the same moment draw together, each of them one", async () => {
  const { asked, purses: all } = purses(plenty);
  expect(await take(all, ordinary, 7)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect(asked.map(({ want }) => want)).toEqual([7]);
});

it("calls that come while a draw is under way share the next one", async () => {
  const { asked, purses: all } = purses(({ want }) => ({ granted: want, waitMs: 0 }));
  const first = all.take(ordinary);
  // By now the draw of the first is asked.
  for (let turn = 0; turn < 3; turn += 1) await Promise.resolve();
  await Promise.all([first, take(all, ordinary, 5)]);
  expect(asked.reduce((sum, { want }) => sum + want, 0)).toBe(6);
  expect(asked.length).toBeLessThanOrEqual(3);
});

it("who gets none is told how long to wait, and nobody more than was granted goes", async () => {
  let left = 3;
  const { purses: all } = purses(({ want }) => {
    const granted = Math.min(want, left);
    left -= granted;
    return { granted, waitMs: granted > 0 ? 0 : 600 };
  });
  const waits = await take(all, ordinary, 5);
  expect(waits.filter((ms) => ms === 0)).toHaveLength(3);
  expect(waits.filter((ms) => ms === 600)).toHaveLength(2);
});

it("while tokens are used up in time more are drawn ahead, and later calls cost no draw", async () => {
  const { asked, purses: all } = purses(plenty);
  for (let call = 0; call < 20; call += 1) await all.take(ordinary);
  expect(asked.length).toBeLessThan(10);
  expect(asked.reduce((sum, { want }) => sum + want, 0)).toBe(asked.length);
});

it("what was drawn ahead is thrown away when its time is over", async () => {
  const { asked, clock, purses: all } = purses(plenty);
  for (let call = 0; call < 3; call += 1) await all.take(ordinary);
  const before = asked.length;
  await clock.advance(1_001);
  await all.take(ordinary);
  expect(asked).toHaveLength(before + 1);
  expect(asked.at(-1)?.keepMs).toBe(1_000);
});

it("nothing is drawn ahead for leavers, nor of a small bucket", async () => {
  const { asked, purses: all } = purses(plenty);
  for (let call = 0; call < 5; call += 1) await all.take(leaver);
  const small = { ...ordinary, bucket: { name: "small", capacity: 2, perMs: 1_000 } };
  for (let call = 0; call < 5; call += 1) await all.take(small);
  expect(asked.map(({ ahead }) => ahead)).toEqual(Array.from({ length: 10 }, () => 0));
  expect(asked.slice(5).every(({ keepMs }) => keepMs === 0)).toBe(true);
});

it("what is held is gone once the vendor says not before", async () => {
  const { asked, purses: all } = purses(plenty);
  for (let call = 0; call < 3; call += 1) await all.take(ordinary);
  const before = asked.length;
  all.empty(tenantId, connectionId, "requests");
  await all.take(ordinary);
  expect(asked).toHaveLength(before + 1);
});

it("ten purses on one bucket never let more through than the vendor's own bucket holds", async () => {
  const clock = fakeClock();
  const { store, dispose } = await openMemoryStore(clock);
  await store.createTenant(tenantId, { now: clock.now() }, { records: [], recompute: [] });
  await store.upsertLane(
    tenantId,
    {
      connectionId,
      vendor: "fake",
      profile: "default",
      credential: "env:NONE",
      baseUrl: undefined,
      policy: { mode: "report-only" } as never,
      now: clock.now(),
    },
    { records: [], recompute: [] },
  );
  const fast: PurseOf = { ...leaver, bucket: { name: "fast", capacity: 40, perMs: 1_000 } };
  const workers = Array.from({ length: 10 }, () => new TokenPurses({ store, clock }));
  let vendor = 40;
  let lowest = vendor;
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let step = 0; step < 300; step += 1) {
    // Rests and rushes: what is held over a rest is what could come on top of a full bucket.
    const ms = random(4) === 0 ? random(300) : random(20);
    await clock.advance(ms);
    vendor = Math.min(40, vendor + (ms * 40) / 1_000);
    const kinds = [fast, { ...fast, reserve: 0.2 }];
    const asked = workers.flatMap((worker) =>
      Array.from({ length: random(6) }, () => worker.take(kinds[random(2)] ?? fast)),
    );
    vendor -= (await Promise.all(asked)).filter((waitMs) => waitMs === 0).length;
    lowest = Math.min(lowest, vendor);
  }
  await dispose();
  expect(lowest).toBeGreaterThan(-1e-6);
  // It does come near: the bucket was used.
  expect(lowest).toBeLessThan(8);
});
