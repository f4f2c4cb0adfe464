import type { Instant } from "../model/clock.ts";
import type { JsonObject } from "../model/json.ts";
import type { Period } from "./period.ts";

export const populationKinds = ["leavers", "joiners", "movers", "operators"] as const;
export type PopulationKind = (typeof populationKinds)[number];

/** One line of a population; `id` names it, `gap` says why it does not add up. */
export interface PopulationRow {
  readonly id: string;
  readonly gap: string | null;
  /** Ids of the audit records behind it: their proofs are in the tree. */
  readonly records: readonly string[];
  readonly facts: JsonObject;
}

/** Everybody of a kind in a period, with what was asked to find them and whether that is all. */
export interface Population {
  readonly format: "rolecall-population/1";
  readonly kind: PopulationKind;
  /** What was asked, so that anybody can ask it again. */
  readonly query: string;
  readonly period: Period;
  readonly askedAt: Instant;
  readonly counts: Readonly<Record<string, number>>;
  /** true: no row and no source has a gap. */
  readonly complete: boolean;
  /** What is missing from the whole, beside the gaps of rows. */
  readonly gaps: readonly string[];
  readonly rows: readonly PopulationRow[];
}

export function population(
  draft: Omit<Population, "format" | "complete"> & { readonly rows: readonly PopulationRow[] },
): Population {
  const { askedAt, period } = draft;
  const gaps =
    period.to > askedAt ? [...draft.gaps, "the period is not over: more may come"] : draft.gaps;
  const complete = gaps.length === 0 && draft.rows.every((row) => row.gap === null);
  return { format: "rolecall-population/1", ...draft, gaps, complete };
}
