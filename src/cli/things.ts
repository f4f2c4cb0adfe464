import { argument, exitCodes, type Command } from "./command.ts";
import { listOf } from "./list-view.ts";

/** Keys, tags and workspaces that a mapping declares. */
export const thingCommands: readonly Command[] = [
  {
    words: "things list",
    usage: "things list <connection>",
    summary:
      "keys, tags and workspaces that the mapping declares, beside what the vendor shows now",
    flags: {},
    run: async (invocation) => {
      const connection = encodeURIComponent(argument(invocation, 0, "connection"));
      const answer = await (
        await invocation.api()
      ).call("GET", `/connections/${connection}/things`);
      const columns = {
        kind: "KIND",
        name: "NAME",
        state: "STATE",
        owner: "OWNER",
        usedBy: "USED BY",
        notes: "WHAT",
        thingId: "ID",
      };
      const text = listOf("things", columns, "nothing is declared and nothing shows");
      invocation.terminal.out(
        invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : text(answer),
      );
      return exitCodes.ok;
    },
  },
  {
    words: "things end",
    usage: 'things end <connection> <kind> <name|id> --why "…"',
    summary: "revoke a key, delete a tag, let a sub-workspace go: at once, at the vendor",
    flags: { why: "string" },
    run: async (invocation) => {
      const connection = encodeURIComponent(argument(invocation, 0, "connection"));
      const kind = argument(invocation, 1, "kind");
      const which = argument(invocation, 2, "name or id");
      const { why } = invocation.flags;
      const answer = await (
        await invocation.api()
      ).call("POST", `/connections/${connection}/things/end`, {
        ...{ kind, which },
        why: typeof why === "string" ? why : "",
      });
      invocation.terminal.out(
        invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : `${kind} ${which}: ended\n`,
      );
      return exitCodes.ok;
    },
  },
];
