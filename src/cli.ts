import { parseArgs } from "node:util";
import { apiClient } from "./cli/api-client.ts";
import {
  CommandError,
  exitCodes,
  type Command,
  type ExitCode,
  type Invocation,
  type Terminal,
} from "./cli/command.ts";
import { adoptCommands } from "./cli/adopt.ts";
import { completionCommand } from "./cli/completion.ts";
import { connectCommands } from "./cli/connect.ts";
import { consoleCommands } from "./cli/console.ts";
import { deadLetterCommands } from "./cli/dead-letters.ts";
import { evidenceCommands } from "./cli/evidence.ts";
import { hrCommands } from "./cli/hr.ts";
import { keyCommands, resealCommand } from "./cli/keys.ts";
import { signerCommands } from "./cli/idp-signers.ts";
import { leaverCommands } from "./cli/leavers.ts";
import { mappingCommands } from "./cli/mappings.ts";
import { noticeCommands } from "./cli/notices.ts";
import { reviewCommands } from "./cli/reviews.ts";
import { pulseCommands } from "./cli/pulse.ts";
import { rosterCommands } from "./cli/rosters.ts";
import { undoCommands } from "./cli/undo.ts";
import { thingCommands } from "./cli/things.ts";
import { usageCommands } from "./cli/usage.ts";
import { taskCommands } from "./cli/tasks.ts";
import { auditCommands } from "./cli/audit-view.ts";
import { offlineCommands } from "./cli/offline.ts";
import { onlineCommands } from "./cli/online.ts";
import { recoverCommands } from "./cli/recover.ts";
import { packageVersion } from "./config/config.ts";
import { InputError } from "./model/errors.ts";

/** Every command of the binary; `help` and a test read it. */
export const commands: readonly Command[] = [
  ...offlineCommands,
  ...onlineCommands,
  ...signerCommands,
  ...consoleCommands,
  ...auditCommands,
  ...hrCommands,
  ...leaverCommands,
  ...evidenceCommands,
  ...mappingCommands,
  ...noticeCommands,
  ...pulseCommands,
  ...recoverCommands,
  ...adoptCommands,
  ...connectCommands,
  ...taskCommands,
  ...rosterCommands,
  ...reviewCommands,
  ...undoCommands,
  ...usageCommands,
  ...thingCommands,
  ...keyCommands,
  resealCommand,
  ...deadLetterCommands,
  completionCommand(() => commands),
];

/** Runs one command line and answers what the shell is told. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const command = findCommand(args);
  if (args.includes("--version")) {
    terminal.out(`${packageVersion()}\n`);
    return exitCodes.ok;
  }
  if (command === undefined || args.includes("--help") || args.includes("-h")) {
    return help(args, command, terminal);
  }
  try {
    return await command.run(invocationOf(command, args, terminal));
  } catch (error) {
    if (error instanceof CommandError) {
      terminal.err(`${error.message}\n`);
      if (error.code === exitCodes.usage) terminal.err(`usage: rolecall ${command.usage}\n`);
      return error.code;
    }
    if (error instanceof InputError) {
      terminal.err(`${error.message}\n`);
      return exitCodes.negative;
    }
    terminal.err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return exitCodes.failed;
  }
}

/** Flags of every command; they may stand before its words too. */
const everyFlag = {
  json: { type: "boolean" },
  tenant: { type: "string" },
  url: { type: "string" },
} as const;

/** The command with the most words that the line begins with. */
function findCommand(args: readonly string[]): Command | undefined {
  // A value of a flag is no word; flags that only some commands know are judged once the command is known.
  const { tokens } = parseArgs({
    args: [...args],
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: everyFlag,
  });
  const words = tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : []));
  return [...commands]
    .sort((a, b) => b.words.length - a.words.length)
    .find((command) => command.words.split(" ").every((word, at) => words[at] === word));
}

function invocationOf(command: Command, args: readonly string[], terminal: Terminal): Invocation {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      strict: true,
      options: {
        ...everyFlag,
        ...Object.fromEntries(
          Object.entries(command.flags).map(([name, type]) => [name, { type }]),
        ),
      },
    });
  } catch (error) {
    throw new CommandError(exitCodes.usage, error instanceof Error ? error.message : String(error));
  }
  const flags = parsed.values as Readonly<Record<string, string | boolean | undefined>>;
  return {
    positionals: parsed.positionals.slice(command.words.split(" ").length),
    flags,
    json: flags.json === true,
    terminal,
    api: () =>
      apiClient({
        url: typeof flags.url === "string" ? flags.url : undefined,
        tenant: typeof flags.tenant === "string" ? flags.tenant : undefined,
      }),
  };
}

function help(args: readonly string[], command: Command | undefined, terminal: Terminal): ExitCode {
  if (command !== undefined) {
    terminal.out(
      `${command.summary}\n\nusage: rolecall ${command.usage} [--json] [--tenant T] [--url http://127.0.0.1:8081]\n`,
    );
    return exitCodes.ok;
  }
  const asked =
    args.length === 0 || args.includes("--help") || args.includes("-h") || args[0] === "help";
  const width = Math.max(...commands.map((item) => item.words.length));
  const lines = commands.map((item) => `  ${item.words.padEnd(width)}  ${item.summary}`);
  const text = [
    "usage: rolecall <command> [arguments] [--json] [--tenant T] [--url http://127.0.0.1:8081]",
    "",
    ...lines,
    "",
    "rolecall <command> --help says more about one of them.",
  ].join("\n");
  if (asked) {
    terminal.out(`${text}\n`);
    return exitCodes.ok;
  }
  terminal.err(
    `no command "${args
      .filter((arg) => !arg.startsWith("-"))
      .slice(0, 2)
      .join(" ")}"\n\n${text}\n`,
  );
  return exitCodes.usage;
}

/** Runs the process's own command line; the launcher calls it. */
export async function main(args: readonly string[]): Promise<void> {
  const terminal: Terminal = {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    isTty: process.stdout.isTTY,
    columns: process.stdout.columns,
    readStdin,
  };
  process.exitCode = await runCli(args, terminal);
}

async function readStdin(): Promise<string> {
  if (process.stdin.isTTY) {
    throw new CommandError(
      exitCodes.usage,
      "give the secret on standard input: `rolecall credential set NAME < file`",
    );
  }
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
