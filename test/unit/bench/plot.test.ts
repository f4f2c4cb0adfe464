import { describe, expect, test } from "vitest";
import { plot, type Panel } from "../../bench/plot.ts";

const panel: Panel = {
  title: "GET <one> & more",
  x: "people",
  y: "ms",
  series: [
    {
      name: "ours",
      points: [
        [1_000, 1],
        [10_000, 1],
        [100_000, 1],
      ],
    },
    {
      name: "other",
      points: [
        [1_000, 1],
        [100_000, 100],
      ],
    },
  ],
};

describe("growth curves", () => {
  test("have a decade as far from the next wherever it lies: the same factor is the same step", () => {
    const first = [...plot([panel]).matchAll(/<path d="(M[^"]*L[^"]*)"/g)][0]?.[1] ?? "";
    const xs = [...first.matchAll(/[ML]([\d.]+) /g)].map((match) => Number(match[1]));
    expect(xs).toHaveLength(3);
    expect((xs[1] ?? 0) - (xs[0] ?? 0)).toBeCloseTo((xs[2] ?? 0) - (xs[1] ?? 0), 0);
  });

  test("rise on paper where the figure rises, and lie flat where it does not", () => {
    const paths = [...plot([panel]).matchAll(/<path d="(M[^"]*L[^"]*)"/g)].map((match) => match[1]);
    const ys = paths.map((path) =>
      [...(path ?? "").matchAll(/ ([\d.]+)/g)].map((match) => Number(match[1])),
    );
    expect(new Set(ys[0]).size).toBe(1);
    expect(ys[1]?.[1]).toBeLessThan(ys[1]?.[0] ?? 0);
  });

  test("are one well-formed document with every name in it", () => {
    const text = plot([panel, panel, panel]);
    expect(text).toContain("GET &lt;one> &amp; more");
    expect(text.match(/<g /g)).toHaveLength(3);
    expect(text.match(/<g /g)?.length).toBe(text.match(/<\/g>/g)?.length);
    expect(text).not.toContain("NaN");
  });

  test("are refused without points and for values that have no logarithm", () => {
    expect(() => plot([{ ...panel, series: [] }])).toThrow("nothing to draw");
    const zero = { ...panel, series: [{ name: "a", points: [[1, 0] as const] }] };
    expect(() => plot([zero])).toThrow("above zero");
  });
});
