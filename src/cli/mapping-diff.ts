import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { countsAnswer, peopleAnswer } from "../console/answers/simulation.ts";
import { readConfig } from "../config/config.ts";
import { vendorFactsOf } from "../connectors/registry.ts";
import { changesBetween, renderChanges } from "../mapping/changes.ts";
import { loadMappings, type LoadedConnection, type LoadedTenant } from "../mapping/load.ts";
import type { JsonObject } from "../model/json.ts";
import {
  CommandError,
  exitCodes,
  flag,
  requiredFlag,
  type Api,
  type Invocation,
} from "./command.ts";
import { changesShape } from "./mapping-view.ts";

const run = promisify(execFile);
const gitBytesMax = 64 * 1024 * 1024;

const answerShape = z.object({
  changes: changesShape,
  simulation: countsAnswer,
  people: peopleAnswer,
  unnamed: z.number(),
});

/** What became of one connection between two commits. */
interface Difference {
  readonly tenant: string;
  readonly connection: string;
  /** Undefined: the file went, and its active version stays until somebody decides. */
  readonly answer: z.output<typeof answerShape> | undefined;
}

/** What became of a tenant's other files: settings as `path: from → to`, exceptions by person. */
interface FileDifference {
  readonly tenant: string;
  readonly file: "tenant.yaml" | "hr.yaml" | "pulse.yaml" | "exceptions.yaml";
  readonly changes: readonly string[];
}

/** Compares the mapping files of the working tree with those of a commit, and asks the service what that means for whom. */
export async function diffMappings(invocation: Invocation): Promise<0> {
  const base = requiredFlag(invocation, "base");
  const format = flag(invocation, "format") ?? (invocation.json ? "json" : "markdown");
  if (format !== "markdown" && format !== "json")
    throw new CommandError(exitCodes.usage, "--format is markdown or json");
  const { mappingsDir } = readConfig();
  const api = await invocation.api();
  const before = await filesOf(mappingsDir, base);
  try {
    const [was, now] = [
      await loadMappings(before, vendorFactsOf),
      await loadMappings(mappingsDir, vendorFactsOf),
    ];
    const differences = await compare(api, was, now);
    const files = compareFiles(was, now);
    invocation.terminal.out(
      format === "json"
        ? `${JSON.stringify({ differences, files }, null, 2)}\n`
        : markdown(differences, files),
    );
  } finally {
    await rm(before, { recursive: true, force: true });
  }
  return exitCodes.ok;
}

/** The folder of mapping files as a commit has it, in a new folder. @throws CommandError where Git does not know it */
async function filesOf(mappingsDir: string, base: string): Promise<string> {
  const git = async (cwd: string, ...args: readonly string[]): Promise<string> => {
    try {
      return (await run("git", args, { cwd, maxBuffer: gitBytesMax })).stdout;
    } catch (error) {
      const why = error instanceof Error ? error.message.split("\n").slice(0, 3).join(" ") : "";
      throw new CommandError(exitCodes.usage, `Git does not answer for ${base}: ${why}`);
    }
  };
  const folder = await realpath(mappingsDir);
  const top = (await git(folder, "rev-parse", "--show-toplevel")).trim();
  // A name that looks like an option is none; afterwards only the id of the commit is handed on.
  const commit = (
    await git(top, "rev-parse", "--verify", "--end-of-options", `${base}^{commit}`)
  ).trim();
  const inside = relative(top, folder).split(sep).join("/");
  const listed = await git(top, "ls-tree", "-r", "-z", "--name-only", commit, "--", inside || ".");
  const target = await mkdtemp(join(tmpdir(), "rolecall-base-"));
  for (const path of listed.split("\0").filter((name) => name.endsWith(".yaml"))) {
    const to = join(target, relative(inside, path));
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, await git(top, "show", `${commit}:${path}`));
  }
  return target;
}

async function compare(
  api: Api,
  was: readonly LoadedTenant[],
  now: readonly LoadedTenant[],
): Promise<readonly Difference[]> {
  const before = connectionsOf(was);
  const after = connectionsOf(now);
  const differences: Difference[] = [];
  for (const key of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, next] = [before.get(key), after.get(key)];
    if (old?.hash === next?.hash) continue;
    const [tenant = "", connection = ""] = key.split("/");
    const answer =
      next === undefined
        ? undefined
        : answerShape.parse(
            await api.call("POST", "/mappings/diff", {
              ...{ tenant, connection, after: next.document },
              ...(old === undefined ? {} : { before: old.document }),
            }),
          );
    differences.push({ tenant, connection, answer });
  }
  return differences;
}

/** What the files beside the connections say otherwise: no rule shows it, and somebody may gain or lose by it. */
function compareFiles(
  was: readonly LoadedTenant[],
  now: readonly LoadedTenant[],
): readonly FileDifference[] {
  const names = new Set([...was, ...now].map((tenant) => tenant.tenantId as string));
  return [...names].sort().flatMap((tenant) => {
    const old = was.find((item) => item.tenantId === tenant);
    const next = now.find((item) => item.tenantId === tenant);
    const settings = (from: object | undefined, to: object | undefined) =>
      renderChanges(changesBetween(plain(from), plain(to)));
    const all: readonly FileDifference[] = [
      { tenant, file: "tenant.yaml", changes: settings(old?.settings, next?.settings) },
      { tenant, file: "hr.yaml", changes: settings(old?.hr, next?.hr) },
      { tenant, file: "pulse.yaml", changes: settings(old?.pulse, next?.pulse) },
      {
        tenant,
        file: "exceptions.yaml",
        changes: exceptionChanges(old?.exceptions ?? [], next?.exceptions ?? []),
      },
    ];
    return all.filter((item) => item.changes.length > 0);
  });
}

/** As JSON has it: what is undefined is not there. */
function plain(value: object | undefined): JsonObject {
  return value === undefined ? {} : (JSON.parse(JSON.stringify(value)) as JsonObject);
}

function exceptionChanges(
  was: LoadedTenant["exceptions"],
  now: LoadedTenant["exceptions"],
): readonly string[] {
  const text = (item: LoadedTenant["exceptions"][number]) => {
    const object = item.object === null ? "" : ` ${item.object.value}`;
    const until =
      item.until === null ? "until withdrawn" : `until ${new Date(item.until).toISOString()}`;
    const what = `${item.kind}${object}${item.role === null ? "" : ` as ${item.role}`}`;
    return `${item.person}: ${item.effect} ${what} at ${item.connectionId}, ${until}, by ${item.by}: ${item.why}`;
  };
  const [before, after] = [new Set(was.map(text)), new Set(now.map(text))];
  return [
    ...[...after].filter((line) => !before.has(line)).map((line) => `added: ${line}`),
    ...[...before].filter((line) => !after.has(line)).map((line) => `withdrawn: ${line}`),
  ];
}

function connectionsOf(tenants: readonly LoadedTenant[]): ReadonlyMap<string, LoadedConnection> {
  return new Map(
    tenants.flatMap((tenant) =>
      tenant.connections.map((item) => [`${tenant.tenantId}/${item.connectionId}`, item] as const),
    ),
  );
}

/** For a comment on a pull request. */
function markdown(differences: readonly Difference[], files: readonly FileDifference[]): string {
  if (differences.length + files.length === 0) return "No mapping changes what anybody has.\n";
  return [...differences.map(section), ...files.map(fileSection)].join("\n");
}

function fileSection({ tenant, file, changes }: FileDifference): string {
  return [`### ${tenant}/${file}`, "", ...changes.map((text) => `- ${code(text)}`), ""].join("\n");
}

function section({ tenant, connection, answer }: Difference): string {
  const title = `### ${tenant}/${connection}`;
  if (answer === undefined)
    return `${title}\n\nThe file is gone; its active version stays until somebody decides.\n`;
  const { simulation, changes, people, unnamed } = answer;
  const rows = people.map(
    (one) =>
      `| ${code(one.userName ?? one.identityId)} | ${one.privileged ? "**privileged** " : ""}${list(one.gains)} | ${list(one.losses)} |`,
  );
  const counts = `${String(simulation.gain)} gain (${String(simulation.privilegedGain)} something privileged), ${String(simulation.lose)} lose, ${String(simulation.blocked)} blocked`;
  return [
    title,
    "",
    `Of ${String(simulation.people)} people: ${counts}.`,
    "",
    ...renderChanges(changes).map((text) => `- ${code(text)}`),
    ...(rows.length === 0 ? [] : ["", "| person | gains | loses |", "|---|---|---|", ...rows]),
    ...(unnamed === 0 ? [] : ["", `${String(unnamed)} more are not named here.`]),
    "",
  ].join("\n");
}

function list(things: readonly string[]): string {
  return things.length === 0 ? "" : things.map(code).join(", ");
}

/** Text that stands for itself: names of people and groups are no markup, no mention and no end of a cell. */
function code(text: string): string {
  return `\`${text.replaceAll("`", "'").replaceAll("|", "\\|").replace(/\s+/g, " ")}\``;
}
