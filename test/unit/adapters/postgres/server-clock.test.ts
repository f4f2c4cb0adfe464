import { expect, test } from "vitest";
import { ServerClock } from "../../../../src/adapters/postgres/server-clock.ts";
import { fakeClock } from "../../../support/fake-clock.ts";

test("says the host's time until it is set, then the server's", async () => {
  const host = fakeClock();
  const clock = new ServerClock(host);
  expect(clock.now()).toBe(host.now());
  await clock.set(() => Promise.resolve(host.now() + 5_000));
  expect(clock.now()).toBe(host.now() + 5_000);
  await host.advance(1_000);
  expect(clock.now()).toBe(host.now() + 5_000);
});

test("takes the answer for the middle of asking and hearing", async () => {
  const host = fakeClock();
  const clock = new ServerClock(host);
  const serverTime = host.now() + 7_000;
  await clock.set(async () => {
    await host.advance(100);
    return serverTime + 50;
  });
  expect(clock.now()).toBe(serverTime + 100);
});

test("never goes back, and stands until the server's time has come", async () => {
  const host = fakeClock();
  const clock = new ServerClock(host);
  const before = clock.now();
  await clock.set(() => Promise.resolve(host.now() - 3_000));
  expect(clock.now()).toBe(before);
  await host.advance(2_999);
  expect(clock.now()).toBe(before);
  await host.advance(11);
  expect(clock.now()).toBe(before + 10);
});

test("is set again each minute, and goes on when the server does not answer", async () => {
  const host = fakeClock();
  const clock = new ServerClock(host);
  const answers = [() => Promise.reject(new Error("away")), () => Promise.resolve(host.now() + 40)];
  let asked = 0;
  clock.follow(() => {
    asked += 1;
    return answers[asked - 1]?.() ?? Promise.resolve(host.now() + 40);
  }, undefined);
  await host.advance(60_000);
  expect(clock.now()).toBe(host.now());
  await host.advance(60_000);
  expect(clock.now()).toBe(host.now() + 40);
  clock.stop();
  await host.advance(600_000);
  expect(asked).toBe(2);
});
