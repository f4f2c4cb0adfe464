import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { keptTool } from "../kept-tool.ts";
import type { Found } from "../real-server.ts";

const run = promisify(execFile);
const pom = fileURLToPath(new URL("pom.xml", import.meta.url));
const resolveMs = 300_000;

/** The folder with the archives of Apache Kafka: resolved by Maven once per content of pom.xml, then kept for every later run. */
export async function kafkaJars(): Promise<Found<string>> {
  if (!(await canRun("java", "-version")))
    return { missing: "no Java (17 or newer) on this machine" };
  const goal = ["-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DincludeScope=runtime"];
  return keptTool(
    "kafka",
    [await readFile(pom)],
    async (folder) => {
      if (!(await canRun("mvn", "-version"))) throw new Error("there is no Maven (mvn)");
      await run("mvn", [...goal, `-DoutputDirectory=${folder}`], { timeout: resolveMs });
    },
    "Apache Kafka is not in the cache and could not be fetched",
  );
}

async function canRun(command: string, ...args: readonly string[]): Promise<boolean> {
  try {
    await run(command, args);
    return true;
  } catch {
    return false;
  }
}
