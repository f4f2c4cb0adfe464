import { z } from "zod";
import { argument, exitCodes, type Command } from "./command.ts";
import { inputText } from "./input-file.ts";
import { listOf } from "./list-view.ts";
import { instant } from "./table.ts";

const importShape = z.object({
  roster: z.object({ count: z.number(), capturedAt: z.number(), workspaceId: z.string() }),
});

/** Lists of members, where a vendor shows them to people only. */
export const rosterCommands: readonly Command[] = [
  {
    words: "roster import",
    usage: "roster import <connection> <file.csv|file.json|-> [--shrunk]",
    summary:
      "bring a full list of a workspace's members; --shrunk says that it really became so small",
    flags: { shrunk: "boolean" },
    run: async (invocation) => {
      const connection = argument(invocation, 0, "connection");
      const file = argument(invocation, 1, "file");
      const text = await inputText(invocation.terminal, file);
      const answer = await (
        await invocation.api()
      ).call("POST", `/connections/${encodeURIComponent(connection)}/rosters`, {
        text,
        format: /^\s*[[{]/.test(text) ? "json" : "csv",
        shrinkAccepted: invocation.flags.shrunk === true,
      });
      if (invocation.json) invocation.terminal.out(`${JSON.stringify(answer, null, 2)}\n`);
      else {
        const { count, capturedAt, workspaceId } = importShape.parse(answer).roster;
        invocation.terminal.out(
          `${String(count)} members of ${workspaceId} at ${instant(capturedAt)}: everybody is looked at again\n`,
        );
      }
      return exitCodes.ok;
    },
  },
  {
    words: "roster list",
    usage: "roster list <connection>",
    summary: "lists of members that were brought and believed",
    flags: {},
    run: async (invocation) => {
      const connection = argument(invocation, 0, "connection");
      const answer = await (
        await invocation.api()
      ).call("GET", `/connections/${encodeURIComponent(connection)}/rosters`);
      const columns = {
        capturedAt: "SHOWS",
        acceptedAt: "BROUGHT",
        by: "BY",
        count: "MEMBERS",
        sha256: "SHA-256",
      };
      const text = listOf("rosters", columns, "nobody brought one yet");
      invocation.terminal.out(
        invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : text(answer),
      );
      return exitCodes.ok;
    },
  },
];
