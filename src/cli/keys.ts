import { z } from "zod";
import {
  argument,
  CommandError,
  exitCodes,
  flag,
  requiredFlag,
  type Command,
  type Invocation,
} from "./command.ts";
import { show } from "./show.ts";
import { instant, table } from "./table.ts";

const key = z.object({
  connectionId: z.string(),
  vendor: z.string(),
  name: z.string(),
  keyId: z.string().nullable(),
  state: z.string(),
  owner: z.string().nullable(),
  purpose: z.string().nullable(),
  usedBy: z.array(z.string()),
  environment: z.string().nullable(),
  provider: z.string().nullable(),
  scopes: z.array(z.string()),
  madeBy: z.string().nullable(),
  createdAt: z.number().nullable(),
  rotatedAt: z.number().nullable(),
  rotateMs: z.number().nullable(),
  dueAt: z.number().nullable(),
  lastUsedAt: z.number().nullable(),
  about: z.array(z.string()),
  notes: z.array(z.string()),
});
const listShape = z.object({
  keys: z.array(key),
  gaps: z.array(z.object({ connectionId: z.string(), why: z.string() })),
});
const rotationShape = z.object({
  state: z.string(),
  sealedAs: z.string().nullable(),
  consumers: z.array(z.string()),
  ended: z.array(z.string()),
});
const revokedShape = z.object({ state: z.string(), consumers: z.array(z.string()) });

const day = (at: number | null) => (at === null ? "-" : instant(at).slice(0, 10));

/** API keys of every vendor, one register. */
export const keyCommands: readonly Command[] = [
  {
    words: "key list",
    usage: "key list [--connection C] [--person E] [--about rotate|unused|owner_left|…]",
    summary: "every API key, read or declared: whose, for whom, how old, what speaks against it",
    flags: { connection: "string", person: "string", about: "string" },
    run: (invocation) =>
      show(invocation, "GET", "/keys", filterOf(invocation), (answer) => {
        const { keys, gaps } = listShape.parse(answer);
        const rows = keys.map((row) => [
          row.connectionId,
          row.name,
          row.state,
          row.owner ?? "-",
          row.usedBy.join(", ") || "-",
          row.environment ?? "-",
          day(row.rotatedAt),
          row.rotateMs === null ? "on demand" : day(row.dueAt),
          day(row.lastUsedAt),
          row.about.join(", ") || "-",
        ]);
        const columns = ["CONNECTION", "KEY", "STATE", "OWNER", "USED BY", "FOR", "MADE", "DUE"];
        return `${table([...columns, "LAST USE", "ABOUT"], rows, "no key is read or declared")}${gaps.map((gap) => `${gap.connectionId} cannot be read: ${gap.why}\n`).join("")}`;
      }),
  },
  {
    words: "key show",
    usage: "key show <connection> <name|id>",
    summary: "all that is known of one key",
    flags: {},
    run: (invocation) => {
      const connection = argument(invocation, 0, "connection");
      const which = argument(invocation, 1, "name|id");
      return show(invocation, "GET", "/keys", { connection }, (answer) => {
        const found = listShape
          .parse(answer)
          .keys.filter((row) => row.name === which || row.keyId === which);
        if (found.length === 0)
          throw new CommandError(exitCodes.notThere, `${connection} has no key "${which}"`);
        return found.map(page).join("\n");
      });
    },
  },
  {
    words: "key revoke",
    usage: 'key revoke <connection> <name|id> --why "…" [--compromised]',
    summary: "end a key now; --compromised: whoever works with it, who are named",
    flags: { why: "string", compromised: "boolean" },
    run: (invocation) => {
      const input = {
        ...{ name: argument(invocation, 1, "name|id"), why: requiredFlag(invocation, "why") },
        compromised: invocation.flags["compromised"] === true,
      };
      return show(invocation, "POST", `${path(invocation)}/revoke`, input, (answer) => {
        const { state, consumers } = revokedShape.parse(answer);
        const stand = consumers.length === 0 ? "" : `; without a key now: ${consumers.join(", ")}`;
        return state === "done"
          ? `ended${stand}\n`
          : `no API ends it: a task asks for it now (\`rolecall tasks list\`)${stand}\n`;
      });
    },
  },
  {
    words: "key rotate",
    usage: 'key rotate <connection> <name> --why "…" [--finish]',
    summary: "make a declared key anew beside the old one; --finish ends the old one",
    flags: { why: "string", finish: "boolean" },
    run: (invocation) => {
      const finish = invocation.flags["finish"] === true;
      const input = {
        ...{ name: argument(invocation, 1, "name"), why: requiredFlag(invocation, "why"), finish },
      };
      return show(invocation, "POST", `${path(invocation)}/rotate`, input, (answer) => {
        const { state, sealedAs, consumers, ended } = rotationShape.parse(answer);
        if (state === "finished") return `finished: ${String(ended.length)} ended\n`;
        const whom = consumers.join(", ") || "whatever works with it";
        return state === "made"
          ? `made, sealed as ${sealedAs ?? ""}: give it to ${whom}, then --finish\n`
          : `a task says how to make it by hand: give it to ${whom}, then --finish\n`;
      });
    },
  },
];

/** Our own: the key that seals what vendors gave us. */
export const resealCommand: Command = {
  words: "credential reseal",
  usage: "credential reseal",
  summary: "seal anew what a former seal key (ROLECALL_SEAL_KEYS_FORMER) sealed",
  flags: {},
  run: (invocation) =>
    show(invocation, "POST", "/credentials/reseal", {}, (answer) => {
      const { resealed, unreadable } = z
        .object({ resealed: z.array(z.string()), unreadable: z.array(z.string()) })
        .parse(answer);
      const lost = unreadable.length === 0 ? "" : `; no key here opens ${unreadable.join(", ")}`;
      return `${String(resealed.length)} sealed anew${lost}\n`;
    }),
};

const path = (invocation: Invocation) =>
  `/connections/${encodeURIComponent(argument(invocation, 0, "connection"))}/keys`;

const filterOf = (invocation: Invocation) => ({
  connection: flag(invocation, "connection"),
  person: flag(invocation, "person"),
  about: flag(invocation, "about"),
});

function page(row: z.infer<typeof key>): string {
  const line = (name: string, value: string | null) => `${name.padEnd(12)}${value ?? "-"}`;
  return [
    `${row.connectionId} ${row.name} (${row.vendor}${row.provider === null ? "" : `, of ${row.provider}`}): ${row.state}`,
    line("id", row.keyId),
    line("owner", row.owner),
    line("purpose", row.purpose),
    line("used by", row.usedBy.join(", ") || null),
    line("for", row.environment),
    line("scopes", row.scopes.join(" ") || null),
    line("made by", row.madeBy),
    line("created", day(row.createdAt)),
    line("rotated", day(row.rotatedAt)),
    line("due", row.rotateMs === null ? "on demand" : day(row.dueAt)),
    line("last use", row.lastUsedAt === null ? "not told" : day(row.lastUsedAt)),
    ...row.notes.map((note) => `  ! ${note}`),
    "",
  ].join("\n");
}
