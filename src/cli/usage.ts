import { z } from "zod";
import { argument, CommandError, exitCodes, type Command, type Invocation } from "./command.ts";
import { inputText } from "./input-file.ts";
import { listOf } from "./list-view.ts";

/** What a vendor's usage comes to beside the budgets of the mapping. */
export const usageCommands: readonly Command[] = [
  {
    words: "usage import",
    usage: "usage import <connection> <file.csv|->",
    summary: "hold a vendor's credit usage export against the budgets of the mapping",
    flags: {},
    run: async (invocation) => {
      const file = argument(invocation, 1, "file");
      const text = await inputText(invocation.terminal, file);
      return show(invocation, "usage", { text });
    },
  },
  {
    words: "usage webhook",
    usage: "usage webhook <connection> <name> <count>",
    summary: "say how many records a webhook source took so far; warned of at 80 and 90 %",
    flags: {},
    run: async (invocation) => {
      const name = encodeURIComponent(argument(invocation, 1, "name"));
      const count = Number(argument(invocation, 2, "count"));
      if (!Number.isInteger(count) || count < 0)
        throw new CommandError(exitCodes.usage, "the count is a whole number");
      return show(invocation, `webhooks/${name}/readings`, { count });
    },
  },
];

async function show(
  invocation: Invocation,
  path: string,
  input: Readonly<Record<string, string | number>>,
) {
  const connection = encodeURIComponent(argument(invocation, 0, "connection"));
  const answer = await (
    await invocation.api()
  ).call("POST", `/connections/${connection}/${path}`, input);
  const columns = { severity: "SEVERITY", kind: "KIND", text: "WHAT" };
  const text = listOf("findings", columns, "all within its caps");
  invocation.terminal.out(
    invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : `${totals(answer)}${text(answer)}`,
  );
  return exitCodes.ok;
}

const totalsShape = z.object({
  totals: z.object({
    declared: z.number(),
    spent: z.number(),
    tables: z.number(),
    uncapped: z.number(),
  }),
});

function totals(answer: unknown): string {
  const found = totalsShape.safeParse(answer);
  if (!found.success) return "";
  const { declared, spent, tables, uncapped } = found.data.totals;
  return `${String(spent)} of ${String(declared)} declared credits, ${String(tables)} tables, ${String(uncapped)} credits without a cap\n`;
}
