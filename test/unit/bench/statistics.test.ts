import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { median, pairedRatio, quantile, range, ratioOf } from "../../bench/statistics.ts";

const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 });

describe("a quantile", () => {
  test("is read between its neighbours, whatever the order of the samples", () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([5, 1, 3], 0.5)).toBe(3);
    expect(quantile([10, 20, 30, 40, 50], 0.95)).toBeCloseTo(48);
    expect(quantile([7], 0.95)).toBe(7);
  });

  test("has the lowest and the highest sample at its ends", () => {
    fc.assert(
      fc.property(samples, (values) => {
        expect(range(values)).toEqual([Math.min(...values), Math.max(...values)]);
      }),
    );
  });

  test("never falls when the share rises", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(samples, share, share, (values, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(quantile(values, low)).toBeLessThanOrEqual(quantile(values, high));
      }),
    );
  });

  test("leaves the samples as they are", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  test("is refused without samples and for a share that is none", () => {
    expect(() => quantile([], 0.5)).toThrow("no samples");
    expect(() => quantile([1], 95)).toThrow("0..1");
    expect(() => quantile([1], Number.NaN)).toThrow("0..1");
  });
});

describe("a ratio", () => {
  test("of rounds is the median of the ratios of each pair, not the ratio of the medians", () => {
    // The machine was slow in the middle round, for both.
    expect(pairedRatio([90, 40, 95], [100, 50, 100])).toBeCloseTo(0.9);
  });

  test("is refused to a floor of nothing and for rounds that do not pair", () => {
    expect(() => ratioOf(1, 0)).toThrow("no ratio");
    expect(() => ratioOf(1, Number.NaN)).toThrow("no ratio");
    expect(() => pairedRatio([1, 2], [1])).toThrow("2 rounds of ours beside 1");
  });
});
