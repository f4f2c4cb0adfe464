import type { Machine } from "./machine.ts";
import type { Figure, Row } from "./measure.ts";
import type { Panel } from "./plot.ts";
import type { Outcome } from "./run.ts";
import { goalText, judge } from "./verdict.ts";

/** RESULTS.md. */
export function report(
  machine: Machine,
  startedAt: Date,
  outcomes: readonly Outcome[],
  loadAfter: number,
): string {
  return [
    "# Measurements",
    "",
    "Written by `npm run bench`; do not edit. One command, one machine, one run. **Floor** is the least that the same work can cost",
    "here, measured beside ours in the same run, round after round; **ratio** is ours over the floor, and the pass mark where it is the",
    "goal. Absolute figures belong to this machine at that hour.",
    "",
    ...machineLines(machine, startedAt, loadAfter),
    "",
    "## Goals",
    "",
    ...table(outcomes),
    ...shortfalls(outcomes),
    ...outcomes.flatMap(section),
    "",
  ].join("\n");
}

function machineLines(machine: Machine, startedAt: Date, loadAfter: number): readonly string[] {
  const load = `${machine.loadBefore.toFixed(2)} before, ${loadAfter.toFixed(2)} after`;
  return [
    `- ${startedAt.toISOString().slice(0, 16).replace("T", " ")} UTC, commit ${machine.commit}`,
    `- ${machine.cpu}, ${String(machine.cores)} cores, ${String(machine.memoryGb)} GB; ${machine.system}; Node ${machine.node}, SQLite ${machine.sqlite}`,
    `- load of the last minute: ${load}${machine.loadBefore > 0.5 ? ". The machine was NOT idle: others worked on the same cores, so trust the ratios, not the absolute figures" : ""}`,
  ];
}

/** The Markdown table of some outcomes' rows; also what a filtered run prints. */
export function table(outcomes: readonly Outcome[]): readonly string[] {
  return [
    "| measure | ours | floor | ratio | goal | verdict |",
    "|---|---|---|---|---|---|",
    ...outcomes.flatMap((outcome) =>
      "failure" in outcome
        ? [`| ${outcome.measure.title} | not measured | | | | **failed** |`]
        : outcome.findings.rows.map(line),
    ),
  ];
}

function line(row: Row): string {
  const { ratio, met } = judge(row);
  const cells = [
    row.measure,
    figure(row.ours),
    row.floor === undefined ? "" : `${figure(row.floor)} (${row.floor.what})`,
    ratio === undefined ? "" : ratio.toFixed(2),
    row.goal === undefined ? "" : goalText(row.goal, row.ours.unit),
    met === undefined ? "" : met ? "met" : "**missed**",
  ];
  return `| ${cells.join(" | ")} |`;
}

function shortfalls(outcomes: readonly Outcome[]): readonly string[] {
  const lines = outcomes.flatMap((outcome) => {
    if ("failure" in outcome) return [`- ${outcome.measure.title}: failed: ${outcome.failure}`];
    return outcome.findings.rows
      .filter((row) => judge(row).met === false)
      .map((row) => `- ${row.measure}: ${row.whenMissed ?? "the reason is not known yet"}`);
  });
  return lines.length === 0 ? [] : ["", "## What is short, and why", "", ...lines];
}

function section(outcome: Outcome): readonly string[] {
  const notes = "failure" in outcome ? [`Failed: ${outcome.failure}`] : outcome.findings.notes;
  const { name, title, method } = outcome.measure;
  return [
    "",
    `## ${title}`,
    "",
    `\`npm run bench -- ${name}\`, ${(outcome.tookMs / 1_000).toFixed(0)} s. ${method}`,
    ...(notes.length === 0 ? [] : ["", ...notes.map((note) => `- ${note}`)]),
    ...(hasPlot(outcome) ? ["", `![Growth curves: ${title}](${plotPath(name)})`] : []),
  ];
}

export function hasPlot(
  outcome: Outcome,
): outcome is Outcome & { readonly findings: { readonly panels: readonly Panel[] } } {
  return "findings" in outcome && (outcome.findings.panels ?? []).length > 0;
}

/** Where the curves of a measure lie, beside the report. */
export function plotPath(name: string): string {
  return `plots/${name}.svg`;
}

/** Three figures that count: more would be noise. */
function figure({ value, unit, range }: Figure): string {
  const text = `${digits(value)} ${unit}`.trim();
  return range === undefined ? text : `${text} [${digits(range[0])}–${digits(range[1])}]`;
}

function digits(value: number): string {
  if (value === 0) return "0";
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString("en-GB", { maximumFractionDigits: Math.min(places, 6) });
}
