// npm run bench [-- [--smoke] [--profile folder] [filter …]]: measures all, or what matches a filter. Only a whole full run writes
// RESULTS.md. With --profile, each process leaves a processor profile (.cpuprofile) in the folder; figures are worse then.
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readMachine } from "./machine.ts";
import { allMeasures } from "./measures/all.ts";
import { report, table } from "./report.ts";
import { runMeasures } from "./run.ts";
import { judge } from "./verdict.ts";

const resultsPath = fileURLToPath(new URL("RESULTS.md", import.meta.url));

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { smoke: { type: "boolean", default: false }, profile: { type: "string" } },
  });
  const chosen = allMeasures.filter(
    ({ name }) => positionals.length === 0 || positionals.some((text) => name.includes(text)),
  );
  if (chosen.length === 0) {
    const names = allMeasures.map((measure) => measure.name).join(", ");
    process.stderr.write(`no measure matches ${positionals.join(" ")}: there are ${names}\n`);
    return 2;
  }
  const machine = readMachine();
  const startedAt = new Date();
  const outcomes = await runMeasures(chosen, {
    size: values.smoke ? "smoke" : "full",
    ...(values.profile === undefined ? {} : { profileFolder: values.profile }),
    say: (text) => process.stderr.write(`${text}\n`),
  });
  if (!values.smoke && positionals.length === 0) {
    await writeFile(resultsPath, report(machine, startedAt, outcomes, loadavg()[0] ?? 0));
    process.stderr.write(`written: ${resultsPath}\n`);
  }
  process.stdout.write(`${table(outcomes).join("\n")}\n`);
  const bad = outcomes.some(
    (outcome) =>
      "failure" in outcome || outcome.findings.rows.some((row) => judge(row).met === false),
  );
  return bad ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
