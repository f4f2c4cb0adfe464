import { expect, test } from "vitest";
import { MinuteRate } from "../../../src/client/minute-rate.ts";

test("as many at once as the limit says, then as they come back, for each person", () => {
  let now = 0;
  const rate = new MinuteRate({ monotonic: () => now });
  for (let count = 0; count < 10; count += 1) expect(rate.take("ada", 10)).toBe(0);
  expect(rate.take("ada", 10)).toBeCloseTo(6_000);
  expect(rate.take("ben", 10)).toBe(0);
  now += 5_999;
  expect(rate.take("ada", 10)).toBeGreaterThan(0);
  now += 1;
  expect(rate.take("ada", 10)).toBe(0);
  expect(rate.take("ada", 10)).toBeGreaterThan(5_000);
  now += 3_600_000;
  for (let count = 0; count < 10; count += 1) expect(rate.take("ada", 10)).toBe(0);
  expect(rate.take("ada", 10)).toBeGreaterThan(0);
});
