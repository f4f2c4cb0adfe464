import type { Json } from "../model/json.ts";

/** What a shell sees. A test compares this table with the README. */
export const exitCodes = {
  ok: 0,
  /** A fault of the service or of this program. */
  failed: 1,
  /** The command line is wrong; the message says how it should be. */
  usage: 2,
  /** The check found problems, the record does not verify, the demo did not end as the mapping says. */
  negative: 3,
  /** The service cannot be reached. */
  unreachable: 4,
  /** The service refuses the token. */
  refused: 5,
  /** No such person, connection, hold, …, or not in that state. */
  notThere: 6,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Where a command writes: results to `out`, remarks to `err`; never a log line among results. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isTty: boolean;
  readonly columns: number;
  readonly readStdin: () => Promise<string>;
}

/** The service's operator interface, as a command uses it. */
export interface Api {
  /** @throws CommandError unreachable, refused, notThere or failed with the service's own sentence */
  call(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    input?: Readonly<Record<string, Json | undefined>>,
  ): Promise<unknown>;
}

export interface Invocation {
  readonly positionals: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly api: () => Promise<Api>;
}

/** One command of the binary: `rolecall <words> [arguments] [flags]`. */
export interface Command {
  /** The words that name it: `holds approve`. */
  readonly words: string;
  readonly usage: string;
  readonly summary: string;
  /** Works without the service. */
  readonly offline?: boolean;
  readonly flags: Readonly<Record<string, "string" | "boolean">>;
  readonly run: (invocation: Invocation) => Promise<ExitCode>;
}

/** Ends a command with a sentence for the person and a code for the shell. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: ExitCode;

  constructor(code: ExitCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The argument at a place, or a usage error that names it. */
export function argument(invocation: Invocation, at: number, name: string): string {
  const value = invocation.positionals[at];
  if (value === undefined) throw new CommandError(exitCodes.usage, `missing <${name}>`);
  return value;
}

/** A string flag, or undefined. */
export function flag(invocation: Invocation, name: string): string | undefined {
  const value = invocation.flags[name];
  return typeof value === "string" ? value : undefined;
}

/** A string flag that must be given. */
export function requiredFlag(invocation: Invocation, name: string): string {
  const value = flag(invocation, name);
  if (value === undefined) throw new CommandError(exitCodes.usage, `missing --${name}`);
  return value;
}
