import { writeFile } from "node:fs/promises";
import { z } from "zod";
import { CsvError, csvRecords, plainField, writeCsv } from "../csv/csv-file.ts";
import { isRealDay } from "../model/zoned-time.ts";
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
import { inputText } from "./input-file.ts";
import { listOf } from "./list-view.ts";
import { instant, table } from "./table.ts";

const undecidedShape = z.array(
  z.object({
    connection: z.string(),
    account: z.string(),
    address: z.string(),
    state: z.string(),
    role: z.string(),
    kind: z.string(),
    candidates: z.array(z.string()),
    owner: z.string().nullable(),
    reason: z.string().nullable(),
    until: z.number().nullable(),
  }),
);
const baselineShape = z.object({
  connectionId: z.string(),
  mode: z.string(),
  listedAt: z.number().nullable(),
  counts: z.record(z.string(), z.number()),
  undecided: undecidedShape,
  changes: z.array(z.object({ userName: z.string().nullable(), plan: z.array(z.string()) })),
  hash: z.string(),
  signedOff: z.object({ by: z.string(), at: z.number(), hash: z.string() }).nullable(),
});
const pathOf = (connection: string, what: string) =>
  `/connections/${encodeURIComponent(connection)}/${what}`;

/** The columns that a person fills in, and those that say about what. */
const columns = [
  "connection",
  "account",
  "address",
  "state",
  "role",
  "kind",
  "candidates",
  "decision",
  "identity",
  "owner",
  "reason",
  "until",
] as const;

export const adoptCommands: readonly Command[] = [
  {
    words: "adopt",
    usage: "adopt <connection> [--write FILE] [--sign-off --why TEXT]",
    summary: "what is at a vendor before anything is changed; a mapping file from it; a sign-off",
    flags: { write: "string", "sign-off": "boolean", why: "string" },
    run: adopt,
  },
  {
    words: "link export",
    usage: "link export <connection>",
    summary: "accounts that are linked to nobody, as CSV for decisions",
    flags: {},
    run: exportLinks,
  },
  {
    words: "link import",
    usage: "link import <file.csv|->",
    summary: "carry out decisions of such a file: link or accept, with owner and reason",
    flags: {},
    run: importLinks,
  },
];

async function adopt(invocation: Invocation): Promise<ExitCode> {
  const connection = argument(invocation, 0, "connection");
  const api = await invocation.api();
  const baseline = baselineShape.parse(await api.call("GET", pathOf(connection, "baseline")));
  invocation.terminal.out(
    invocation.json ? `${JSON.stringify(baseline, null, 2)}\n` : renderBaseline(baseline),
  );
  const file = flag(invocation, "write");
  if (file !== undefined) {
    const answer = await api.call("GET", pathOf(connection, "starting-mapping"));
    const { text } = z.object({ text: z.string() }).parse(answer);
    try {
      // What somebody wrote is not written over.
      await writeFile(file, text, { flag: "wx" });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CommandError(exitCodes.usage, `the file cannot be written: ${why}`);
    }
    invocation.terminal.err(`a starting mapping was written to ${file}\n`);
  }
  if (invocation.flags["sign-off"] === true) {
    const why = requiredFlag(invocation, "why");
    await api.call("POST", pathOf(connection, "sign-off"), { hash: baseline.hash, why });
    invocation.terminal.err(`signed off: ${connection} may be let write\n`);
  }
  return exitCodes.ok;
}

function renderBaseline(baseline: z.output<typeof baselineShape>): string {
  const { counts, listedAt, signedOff, hash } = baseline;
  if (listedAt === null)
    return `${baseline.connectionId} has not been listed completely yet: try again in a minute\n`;
  const count = (name: string) => String(counts[name] ?? 0);
  const signed =
    signedOff === null
      ? "nobody has signed for it"
      : `signed for by ${signedOff.by} ${instant(signedOff.at)}${signedOff.hash === hash ? "" : ", as it was then"}`;
  const lines = [
    `${baseline.connectionId}: ${baseline.mode}, listed ${instant(listedAt)}, ${signed}`,
    `${count("accounts")} accounts: ${count("linked")} of known people, ${count("accepted")} that somebody answers for, ${count("undecided")} to be decided (${count("leavers")} of people who left)`,
    `${count("changes")} people would be changed`,
    "",
  ];
  const accounts = table(
    ["ACCOUNT", "ADDRESS", "STATE", "ROLE", "KIND", "CANDIDATES"],
    baseline.undecided.map((item) => [
      item.account,
      item.address,
      item.state,
      item.role,
      item.kind,
      item.candidates.join(", ") || "-",
    ]),
    "every account is somebody's",
  );
  const changes = table(
    ["PERSON", "WOULD CHANGE"],
    baseline.changes.flatMap((item) => item.plan.map((line) => [item.userName, line])),
    "nobody would be changed",
  );
  return `${lines.join("\n")}${accounts}\n${changes}`;
}

async function exportLinks(invocation: Invocation): Promise<ExitCode> {
  const connection = argument(invocation, 0, "connection");
  const answer = await (await invocation.api()).call("GET", pathOf(connection, "undecided"));
  const { accounts } = z.object({ accounts: undecidedShape }).parse(answer);
  const rows = accounts.map((item) => [
    ...[item.connection, item.account, item.address, item.state, item.role, item.kind],
    item.candidates.join(" "),
    ...["", item.candidates.length === 1 ? (item.candidates[0] ?? "") : ""],
    ...[item.owner ?? "", item.reason ?? ""],
    item.until === null ? "" : new Date(item.until).toISOString(),
  ]);
  invocation.terminal.out(
    invocation.json ? `${JSON.stringify({ accounts }, null, 2)}\n` : writeCsv(columns, rows),
  );
  return exitCodes.ok;
}

async function importLinks(invocation: Invocation): Promise<ExitCode> {
  const text = await inputText(invocation.terminal, argument(invocation, 0, "file"));
  const rows = decisionsOf(text);
  if (rows.length === 0) throw new CommandError(exitCodes.usage, "no row has a decision");
  const answer = await (await invocation.api()).call("POST", "/links/decisions", { rows });
  const { receipts } = z
    .object({ receipts: z.array(z.looseObject({ done: z.boolean() })) })
    .parse(answer);
  const render = listOf(
    "receipts",
    { account: "ACCOUNT", decision: "DECISION", done: "DONE", problem: "PROBLEM" },
    "nothing was decided",
  );
  invocation.terminal.out(
    invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : render(answer),
  );
  return receipts.every((receipt) => receipt.done) ? exitCodes.ok : exitCodes.negative;
}

/** Rows with a decision; every one has who answers for it and why. @throws CommandError (usage) that names the row */
function decisionsOf(text: string): readonly Record<string, string | number>[] {
  let records;
  try {
    records = csvRecords(text);
  } catch (error) {
    if (error instanceof CsvError) throw new CommandError(exitCodes.usage, error.message);
    throw error;
  }
  return records.flatMap((record, at) => {
    const field = (name: (typeof columns)[number]) => plainField(record.get(name) ?? "").trim();
    const decision = field("decision");
    if (decision === "") return [];
    const missing = (["connection", "account", "owner", "reason"] as const).filter(
      (name) => field(name) === "",
    );
    if (missing.length > 0)
      throw new CommandError(
        exitCodes.usage,
        `row ${String(at + 1)} has a decision and no ${missing.join(", ")}`,
      );
    const row: Record<string, string | number> = { decision };
    for (const name of ["connection", "account", "identity", "owner", "reason"] as const)
      if (field(name) !== "") row[name] = field(name);
    const until = field("until");
    if (until !== "") row["until"] = untilOf(until, at + 1);
    return [row];
  });
}

/** A day ends in UTC here; an instant is what it says. */
function untilOf(text: string, row: number): number {
  const day = text.slice(0, 10);
  const at = Date.parse(text.length === 10 ? `${text}T23:59:59.999Z` : text);
  if (!isRealDay(day) || !Number.isFinite(at))
    throw new CommandError(exitCodes.usage, `row ${String(row)}: until is no day as in 2027-01-31`);
  return at;
}
