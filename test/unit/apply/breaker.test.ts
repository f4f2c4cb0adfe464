import { expect, test } from "vitest";
import { Breaker } from "../../../src/apply/breaker.ts";
import type { CallReport } from "../../../src/model/vendor-http.ts";
import { fakeClock } from "../../support/fake-clock.ts";

const report = (failure: CallReport["failure"]): CallReport => ({
  operation: "users.list",
  bucket: "admin",
  status: undefined,
  durationMs: 1,
  failure,
  retryAfterMs: undefined,
});

function note(breaker: Breaker, failure: CallReport["failure"], times: number): void {
  for (let i = 0; i < times; i++) breaker.note(report(failure));
}

test("opens when half of at least twenty calls within a minute failed", () => {
  const breaker = new Breaker(fakeClock());
  note(breaker, "none", 10);
  note(breaker, "unavailable", 9);
  expect(breaker.takeRest()).toBeUndefined();
  note(breaker, "unavailable", 1);
  expect(breaker.takeRest()).toBeDefined();
  expect(breaker.takeRest()).toBeUndefined();
});

test("counts no rate limit: a vendor that says wait is well", () => {
  const breaker = new Breaker(fakeClock());
  note(breaker, "rate_limited", 50);
  expect(breaker.takeRest()).toBeUndefined();
});

test("forgets failures that are older than a minute", async () => {
  const clock = fakeClock();
  const breaker = new Breaker(clock);
  note(breaker, "unavailable", 19);
  await clock.advance(61_000);
  note(breaker, "unavailable", 1);
  expect(breaker.takeRest()).toBeUndefined();
});

test("rests longer while the trial call fails and forgets everything when it works", () => {
  const clock = fakeClock();
  const breaker = new Breaker(clock);
  note(breaker, "unavailable", 20);
  const first = (breaker.takeRest() ?? 0) - clock.now();
  note(breaker, "unavailable", 1);
  const second = (breaker.takeRest() ?? 0) - clock.now();
  expect(second).toBe(first * 2);
  note(breaker, "none", 1);
  note(breaker, "unavailable", 1);
  expect(breaker.takeRest()).toBeUndefined();
});
