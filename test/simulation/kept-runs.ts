import { readFileSync, writeFileSync } from "node:fs";
import { shrink, type Job } from "./farm.ts";

const file = new URL("./kept-runs.json", import.meta.url);

/** A run that once broke a promise, as short as it got. */
export interface KeptRun extends Job {
  /** What it broke when it was found. */
  readonly found: string;
}

export function readKept(): readonly KeptRun[] {
  return JSON.parse(readFileSync(file, "utf8")) as readonly KeptRun[];
}

/** Makes failing runs short, keeps them in the list, and answers each with its trace. */
export async function tellAndKeep(
  kept: readonly KeptRun[],
  failed: readonly Job[],
): Promise<readonly string[]> {
  const texts: string[] = [];
  const runs: KeptRun[] = [...kept];
  for (const job of failed) {
    const { seed, actions, violations, trace } = await shrink(job);
    runs.push({ seed, actions, found: violations[0]?.split("\n")[0] ?? "" });
    texts.push([`seed ${String(seed)}`, ...violations, ...trace].join("\n"));
  }
  if (failed.length > 0) writeFileSync(file, `${JSON.stringify(runs, null, 1)}\n`);
  return texts;
}
