import { expect, onTestFinished, test } from "vitest";
import { aloneWith } from "../../../src/apply/exclusive.ts";
import type { LeaseRows } from "../../../src/apply/apply-deps.ts";
import { asId, type ConnectionId, type TenantId } from "../../../src/model/ids.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { failureOf } from "../../support/vendor-http.ts";
import { addTenant, openMemoryStore } from "../../support/store.ts";

const tenantId = asId<TenantId>("acme");
const place = { tenantId, connectionId: asId<ConnectionId>("intercom"), key: "team:7" };

async function stage() {
  const clock = fakeClock();
  const { store, dispose } = await openMemoryStore(clock);
  onTestFinished(dispose);
  await addTenant(store, clock.now());
  const leases: LeaseRows = store;
  const deps = { leases, clock, owner: "worker-1" };
  const signal = new AbortController().signal;
  const alone = <T>(work: () => Promise<T>, key = place.key) =>
    aloneWith(deps, { ...place, key }, signal, work);
  return { clock, alone };
}

test("two pieces of work under one key never overlap, though they are of one process", async () => {
  const { clock, alone } = await stage();
  const log: string[] = [];
  let release = () => undefined as void;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const first = alone(async () => {
    log.push("first in");
    await gate;
    log.push("first out");
  });
  const second = alone(() => {
    log.push("second in");
    return Promise.resolve();
  });
  await clock.advance(1_000);
  expect(log).toEqual(["first in"]);
  release();
  await first;
  await clock.advance(1_000);
  await second;
  expect(log).toEqual(["first in", "first out", "second in"]);
});

test("another key does not wait, and a failure gives the key back", async () => {
  const { alone } = await stage();
  await alone(async () => {
    expect(await alone(() => Promise.resolve("other"), "team:8")).toBe("other");
  });
  const broken = alone(() => Promise.reject(new Error("broken")));
  expect(await failureOf(broken)).toMatchObject({ message: "broken" });
  expect(await alone(() => Promise.resolve("again"))).toBe("again");
});

test("who waits too long looks again instead", async () => {
  const { clock, alone } = await stage();
  const never = new Promise<void>(() => undefined);
  void alone(() => never);
  const waiting = failureOf(alone(() => Promise.resolve()));
  for (let i = 0; i < 30; i++) await clock.advance(1_000);
  expect(await waiting).toMatchObject({ code: "VENDOR_CONFLICT", disposition: "replan" });
});
