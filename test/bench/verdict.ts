import type { Figure, Goal, Row } from "./measure.ts";
import { ratioOf } from "./statistics.ts";

export interface Verdict {
  readonly ratio: number | undefined;
  /** undefined: nothing was promised. */
  readonly met: boolean | undefined;
}

/** Compares a row with its goal. @throws Error for a goal on a ratio without a floor */
export function judge(row: Row): Verdict {
  const ratio =
    row.ratio ??
    (row.floor === undefined ? undefined : ratioOf(inBase(row.ours), inBase(row.floor)));
  if (row.goal === undefined) return { ratio, met: undefined };
  if (row.goal.kind === "at-most") return { ratio, met: row.ours.value <= row.goal.value };
  if (row.goal.kind === "at-least") return { ratio, met: row.ours.value >= row.goal.value };
  if (ratio === undefined) throw new Error(`${row.measure}: a goal on a ratio needs a floor`);
  return {
    ratio,
    met: row.goal.kind === "ratio-at-least" ? ratio >= row.goal.value : ratio <= row.goal.value,
  };
}

const base = { µs: 1e-6, ms: 1e-3, s: 1, "/s": 1, MB: 1, "%": 1, "": 1 } as const;

const inBase = (figure: Figure): number => figure.value * base[figure.unit];

export function goalText(goal: Goal, unit: Figure["unit"]): string {
  switch (goal.kind) {
    case "ratio-at-least":
      return `ratio ≥ ${String(goal.value)}`;
    case "ratio-at-most":
      return `ratio ≤ ${String(goal.value)}`;
    case "at-least":
      return `≥ ${String(goal.value)} ${unit}`.trim();
    case "at-most":
      return `≤ ${String(goal.value)} ${unit}`.trim();
  }
}
