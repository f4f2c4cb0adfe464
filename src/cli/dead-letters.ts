import { z } from "zod";
import { argument, exitCodes, requiredFlag, type Command } from "./command.ts";
import { instant, table } from "./table.ts";

const letter = z.object({
  letterId: z.string(),
  topic: z.string(),
  receivedAt: z.number(),
  why: z.string(),
  valueBytes: z.number(),
});
const listShape = z.object({ letters: z.array(letter) });
const showShape = z.object({
  letter: letter.extend({ key: z.string().nullable(), value: z.string().nullable() }),
});

/** What to do with messages of the bus that nobody could read. */
export const deadLetterCommands: readonly Command[] = [
  {
    words: "dead-letter list",
    usage: "dead-letter list",
    summary: "messages of the bus that nobody could read",
    flags: {},
    run: async (invocation) => {
      const answer = await (await invocation.api()).call("GET", "/dead-letters");
      if (invocation.json) invocation.terminal.out(`${JSON.stringify(answer, null, 2)}\n`);
      else {
        const rows = listShape.parse(answer).letters;
        invocation.terminal.out(
          table(
            ["LETTER", "RECEIVED", "BYTES", "WHY"],
            rows.map((row) => [row.letterId, instant(row.receivedAt), row.valueBytes, row.why]),
            "none",
          ),
        );
      }
      return exitCodes.ok;
    },
  },
  {
    words: "dead-letter show",
    usage: "dead-letter show <letter>",
    summary: "one of them, its bytes in hex",
    flags: {},
    run: async (invocation) => {
      const path = `/dead-letters/${encodeURIComponent(argument(invocation, 0, "letter"))}`;
      const answer = await (await invocation.api()).call("GET", path);
      if (invocation.json) invocation.terminal.out(`${JSON.stringify(answer, null, 2)}\n`);
      else {
        const { letter: row } = showShape.parse(answer);
        invocation.terminal.out(
          [
            `${row.letterId}, received ${instant(row.receivedAt)}: ${row.why}`,
            "",
            "key",
            dump(row.key),
            `value (${String(row.valueBytes)} bytes)`,
            dump(row.value),
            "",
          ].join("\n"),
        );
      }
      return exitCodes.ok;
    },
  },
  {
    words: "dead-letter drop",
    usage: "dead-letter drop <letter> --why TEXT",
    summary: "forget one of them; what its hint meant is still owed and done by the sweep",
    flags: { why: "string" },
    run: async (invocation) => {
      const letterId = argument(invocation, 0, "letter");
      const answer = await (
        await invocation.api()
      ).call("DELETE", `/dead-letters/${encodeURIComponent(letterId)}`, {
        why: requiredFlag(invocation, "why"),
      });
      invocation.terminal.out(
        invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : `${letterId} is dropped\n`,
      );
      return exitCodes.ok;
    },
  },
];

/** Sixteen bytes a line, hex and what of it is printable ASCII. */
function dump(base64: string | null): string {
  if (base64 === null) return "  none";
  const bytes = Buffer.from(base64, "base64");
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = bytes.subarray(at, at + 16);
    const hex = [...part].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const ascii = part.toString("latin1").replace(/[^\x20-\x7e]/g, ".");
    lines.push(`  ${at.toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${ascii}`);
  }
  return lines.length === 0 ? "  empty" : lines.join("\n");
}
