// npm run bench [-- [--smoke | --million] [--profile folder] [filter …]]: measures all, or what matches a filter. Only a whole full run writes
// RESULTS.md. With --profile, each process leaves a processor profile (.cpuprofile) in the folder; figures are worse then.
// Stopped by a signal it cleans up and reports what it has, the rest as not run.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readMachine } from "./machine.ts";
import { allMeasures } from "./measures/all.ts";
import { plot } from "./plot.ts";
import { hasPlot, plotPath, report, table } from "./report.ts";
import { runMeasures, type Outcome } from "./run.ts";
import { judge } from "./verdict.ts";

const resultsPath = fileURLToPath(new URL("RESULTS.md", import.meta.url));

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      smoke: { type: "boolean", default: false },
      million: { type: "boolean", default: false },
      profile: { type: "string" },
    },
  });
  const chosen = allMeasures.filter(
    ({ name }) => positionals.length === 0 || positionals.some((text) => matches(name, text)),
  );
  if (chosen.length === 0) {
    const names = allMeasures.map((measure) => measure.name).join(", ");
    process.stderr.write(`no measure matches ${positionals.join(" ")}: there are ${names}\n`);
    return 2;
  }
  const machine = readMachine();
  const startedAt = new Date();
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      stop.abort();
    });
  }
  const outcomes = await runMeasures(chosen, {
    signal: stop.signal,
    size: values.smoke ? "smoke" : values.million ? "million" : "full",
    ...(values.profile === undefined ? {} : { profileFolder: values.profile }),
    say: (text) => process.stderr.write(`${text}\n`),
  });
  if (!values.smoke && positionals.length === 0) {
    await writeFile(resultsPath, report(machine, startedAt, outcomes, loadavg()[0] ?? 0));
    await drawPlots(outcomes);
    process.stderr.write(`written: ${resultsPath}\n`);
  }
  process.stdout.write(`${table(outcomes).join("\n")}\n`);
  const bad = outcomes.some(
    (outcome) =>
      "failure" in outcome || outcome.findings.rows.some((row) => judge(row).met === false),
  );
  return bad ? 1 : 0;
}

/** A whole name means that measure alone. */
function matches(name: string, text: string): boolean {
  return allMeasures.some((measure) => measure.name === text) ? name === text : name.includes(text);
}

/** Old curves go: a report shows its own run only. */
async function drawPlots(outcomes: readonly Outcome[]): Promise<void> {
  await rm(new URL("plots", import.meta.url), { recursive: true, force: true });
  await mkdir(new URL("plots", import.meta.url));
  for (const outcome of outcomes) {
    if (!hasPlot(outcome)) continue;
    const path = new URL(plotPath(outcome.measure.name), import.meta.url);
    await writeFile(path, plot(outcome.findings.panels));
  }
}

process.exitCode = await main(process.argv.slice(2));
