import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Json } from "../model/json.ts";
import {
  argument,
  CommandError,
  exitCodes,
  flag,
  requiredFlag,
  type Command,
  type ExitCode,
  type Invocation,
} from "./command.ts";
import { listOf } from "./list-view.ts";
import { instant } from "./table.ts";

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Calls one operation; prints its answer as it is with --json, else what `render` makes of it. */
async function show(
  invocation: Invocation,
  method: Method,
  path: string,
  input: Readonly<Record<string, Json | undefined>>,
  render: (answer: unknown) => string,
): Promise<ExitCode> {
  const answer = await (await invocation.api()).call(method, path, input);
  invocation.terminal.out(
    invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : render(answer),
  );
  return exitCodes.ok;
}

const sourcePath = (invocation: Invocation) =>
  `/hr/sources/${encodeURIComponent(argument(invocation, 0, "source"))}`;

const added = z.object({ source: z.string(), url: z.string(), secret: z.string() });
const rotated = z.object({ secret: z.string(), formerUntil: z.number() });
const answered = z.object({
  uploadId: z.string(),
  receipts: z.array(
    z.object({
      position: z.number(),
      state: z.string(),
      code: z.string().optional(),
      why: z.string().optional(),
    }),
  ),
});
const replayed = z.object({ messages: z.number(), parked: z.number() });

/** A request to the operator's interface takes 1 MB; JSON writes some characters with more. */
const partBytes = 600_000;

/** HR sources, what they sent, and files. */
export const hrCommands: readonly Command[] = [
  {
    words: "hr source list",
    usage: "hr source list",
    summary: "HR systems that may push to us",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/hr/sources",
        {},
        listOf(
          "sources",
          {
            sourceId: "SOURCE",
            createdAt: "ADDED",
            lastMessageAt: "HEARD",
            removedAt: "REMOVED",
            secrets: "SECRETS",
          },
          "no HR sources: `rolecall hr source add NAME`",
        ),
      ),
  },
  {
    words: "hr source add",
    usage: "hr source add <source>",
    summary: "a new HR source with its signing secret, shown once",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "POST",
        "/hr/sources",
        { source: argument(invocation, 0, "source") },
        (answer) => {
          const { source, url, secret } = added.parse(answer);
          return `events: POST ${url}/events, state: POST ${url}/bulk, with the header Rolecall-Source: ${source}\nsecret (shown this once): ${secret}\n`;
        },
      ),
  },
  {
    words: "hr source rotate",
    usage: "hr source rotate <source> [--overlap HOURS]",
    summary: "a new secret; the one before stays good for 24 hours",
    flags: { overlap: "string" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        `${sourcePath(invocation)}/secrets`,
        { overlapHours: hours(flag(invocation, "overlap")) },
        (answer) => {
          const { secret, formerUntil } = rotated.parse(answer);
          return `secret (shown this once): ${secret}\nthe one before is good until ${instant(formerUntil)}\n`;
        },
      ),
  },
  {
    words: "hr source remove",
    usage: "hr source remove <source>",
    summary: "a source is heard no more; nobody leaves by it",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "DELETE",
        sourcePath(invocation),
        {},
        () => "removed; what it said stands\n",
      ),
  },
  {
    words: "hr import",
    usage: "hr import <file.csv> --source NAME [--as-of INSTANT] [--complete]",
    summary: "a CSV export of HR, read by hr.yaml",
    flags: { source: "string", "as-of": "string", complete: "boolean" },
    run: importFile,
  },
  {
    words: "parked",
    usage: "parked",
    summary: "HR messages that were kept and do nothing yet",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/hr/parked",
        {},
        listOf(
          "parked",
          {
            uploadId: "UPLOAD",
            position: "PLACE",
            sourceId: "SOURCE",
            kind: "KIND",
            receivedAt: "RECEIVED",
            code: "CODE",
            why: "WHY",
          },
          "nothing is parked",
        ),
      ),
  },
  {
    words: "hr replay",
    usage: "hr replay <upload>",
    summary: "read a kept upload again by what hr.yaml says now",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "POST",
        `/hr/uploads/${encodeURIComponent(argument(invocation, 0, "upload"))}/replay`,
        {},
        (answer) => {
          const { messages, parked } = replayed.parse(answer);
          return `${String(messages)} messages read, ${String(parked)} still parked\n`;
        },
      ),
  },
  {
    words: "hr dismiss",
    usage: "hr dismiss <upload> <place> --why TEXT",
    summary: "a parked message stays without effect, by decision",
    flags: { why: "string" },
    run: (invocation) =>
      show(
        invocation,
        "DELETE",
        `/hr/uploads/${encodeURIComponent(argument(invocation, 0, "upload"))}/messages/${encodeURIComponent(argument(invocation, 1, "place"))}`,
        { why: requiredFlag(invocation, "why") },
        () => "dismissed\n",
      ),
  },
  {
    words: "hr join",
    usage: "hr join <source> <key> [--identity E] --why TEXT",
    summary: "say whose an HR record is; without --identity: nobody's",
    flags: { identity: "string", why: "string" },
    run: (invocation) =>
      show(
        invocation,
        "PUT",
        `${sourcePath(invocation)}/people/${encodeURIComponent(argument(invocation, 1, "key"))}`,
        { identity: flag(invocation, "identity"), why: requiredFlag(invocation, "why") },
        () => "done; the person is looked at again\n",
      ),
  },
  {
    words: "hr show",
    usage: "hr show <source> <key>",
    summary: "what one source says about one person; for the role hr",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "GET",
        `${sourcePath(invocation)}/people/${encodeURIComponent(argument(invocation, 1, "key"))}`,
        {},
        (answer) => `${JSON.stringify(answer, null, 2)}\n`,
      ),
  },
];

function hours(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > 720)
    throw new CommandError(exitCodes.usage, "--overlap takes hours, 0 to 720");
  return value;
}

/** Sends a file in parts that the interface takes, each with the header line; only a file of one part can be complete. */
async function importFile(invocation: Invocation): Promise<ExitCode> {
  const path = argument(invocation, 0, "file.csv");
  const source = requiredFlag(invocation, "source");
  const asOf = flag(invocation, "as-of");
  const complete = invocation.flags["complete"] === true;
  const parts = split(await textOf(path));
  if (complete && parts.length > 1)
    throw new CommandError(
      exitCodes.usage,
      "--complete takes a file of at most 600 kB; larger ones are pushed to POST /hr/v1/bulk",
    );
  const api = await invocation.api();
  const answers: z.output<typeof answered>[] = [];
  for (const text of parts) {
    answers.push(
      answered.parse(
        await api.call("POST", `/hr/sources/${encodeURIComponent(source)}/files`, {
          text,
          asOf,
          complete,
        }),
      ),
    );
  }
  if (invocation.json) {
    invocation.terminal.out(`${JSON.stringify(answers, null, 2)}\n`);
    return exitCodes.ok;
  }
  const receipts = answers.flatMap((answer) => answer.receipts);
  const count = (state: string) => String(receipts.filter((item) => item.state === state).length);
  invocation.terminal.out(
    `${String(receipts.length)} rows: ${count("applied")} news, ${count("unchanged")} known, ${count("parked")} parked\n`,
  );
  for (const item of receipts) {
    if (item.state === "parked")
      invocation.terminal.err(`row ${String(item.position + 1)}: ${item.why ?? item.code ?? ""}\n`);
  }
  return count("parked") === "0" ? exitCodes.ok : exitCodes.negative;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new CommandError(
      exitCodes.notThere,
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`,
    );
  }
}

/** A file with quoted line breaks is not cut: it goes as one part, or is refused by the interface. */
function split(text: string): readonly string[] {
  if (Buffer.byteLength(text) <= partBytes || text.includes('"')) return [text];
  const [header = "", ...lines] = text.split(/\r?\n/);
  const parts: string[] = [];
  let part = header;
  for (const line of lines) {
    if (Buffer.byteLength(part) + Buffer.byteLength(line) > partBytes) {
      parts.push(part);
      part = header;
    }
    part += `\n${line}`;
  }
  return [...parts, part];
}
