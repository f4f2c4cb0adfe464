import { z } from "zod";
import { duties } from "../console/role.ts";
import { CommandError, exitCodes, flag, type Command } from "./command.ts";
import { show } from "./show.ts";
import { instant } from "./table.ts";

const linkShape = z.object({ url: z.string(), expiresAt: z.number() });

/** The way into the pages in a browser. */
export const consoleCommands: readonly Command[] = [
  {
    words: "console",
    usage: `console [--as NAME] [--role ${duties.join("|")}]`,
    summary: "print a link that signs you, or somebody else, in to the console, once",
    flags: { as: "string", role: "string" },
    run: (invocation) => {
      const role = flag(invocation, "role");
      if (role !== undefined && !duties.some((duty) => duty === role))
        throw new CommandError(exitCodes.usage, `--role is one of ${duties.join(", ")}`);
      const input = { as: flag(invocation, "as"), role };
      return show(invocation, "POST", "/sign-in-links", input, (answer) => {
        const { url, expiresAt } = linkShape.parse(answer);
        return `${url}\nworks once, until ${instant(expiresAt)} UTC\n`;
      });
    },
  },
];
