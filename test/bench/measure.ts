import type { Panel } from "./plot.ts";

/**
 * How much is measured. `smoke`: the smallest form, a second or two, to see that it runs · `full`: what the goals
 * speak of · `million`: beyond that where a measure grows with a company; takes long.
 */
export type Size = "smoke" | "full" | "million";

export type Unit = "µs" | "ms" | "s" | "/s" | "MB" | "%" | "";

export interface Figure {
  readonly value: number;
  readonly unit: Unit;
  /** Lowest and highest of the rounds, where there were several. */
  readonly range?: readonly [number, number];
}

/** What was promised. A ratio is ours over the floor of the same run. */
export type Goal =
  | { readonly kind: "ratio-at-least"; readonly value: number }
  | { readonly kind: "ratio-at-most"; readonly value: number }
  /** In the unit of ours. */
  | { readonly kind: "at-most"; readonly value: number }
  | { readonly kind: "at-least"; readonly value: number };

/** One line of the table. */
export interface Row {
  readonly measure: string;
  readonly ours: Figure;
  /** The least that the same work can cost here, measured beside ours in the same run. */
  readonly floor?: Figure & { readonly what: string };
  /** Ours over the floor, from rounds that ran beside each other; absent: of the two figures. */
  readonly ratio?: number;
  readonly goal?: Goal;
  /** Why the goal is not met, as far as it is known; printed only then. */
  readonly whenMissed?: string;
}

export interface Findings {
  readonly rows: readonly Row[];
  /** What a reader must know to judge the rows: the client's own cost, what the floor does, sizes. */
  readonly notes: readonly string[];
  /** Growth curves, drawn beside the report. */
  readonly panels?: readonly Panel[];
}

/** What a measure works with. */
export interface Stage {
  readonly size: Size;
  /** A fresh folder that is removed after the run. */
  folder(): Promise<string>;
  /** A data folder of a store with that many people, in teams of a hundred; removed after the run like any other. */
  company(people: number): Promise<string>;
  /** Aborts when the measure's time is over: everything that waits must listen. */
  readonly signal: AbortSignal;
  /** Is run when the measure is over, however it ended, last one first. */
  cleanUp(work: () => Promise<void> | void): void;
  /** Where processes leave their processor profiles; undefined: none are taken. */
  readonly profileFolder: string | undefined;
  /** One line of progress. */
  say(text: string): void;
}

/** One question and its answer. */
export interface Measure {
  /** kebab-case: what `npm run bench -- <filter>` matches. */
  readonly name: string;
  readonly title: string;
  /** How it is measured, in a few sentences. */
  readonly method: string;
  /** Wall time after which it is given up. */
  readonly timeoutMs: number;
  /** Servers that it cannot be measured without. */
  readonly needs?: readonly ("postgres" | "kafka")[];
  run(stage: Stage): Promise<Findings>;
}
