import { z } from "zod";
import { argument, flag, requiredFlag, type Command } from "./command.ts";
import { listOf } from "./list-view.ts";
import { show } from "./show.ts";

const columns = {
  step: "STEP",
  kind: "KIND",
  objectId: "OBJECT",
  roleFrom: "WAS",
  roleTo: "BECAME",
  way: "WAY BACK",
  text: "WHAT IT MEANS",
};

const renderVersion = listOf(
  "steps",
  { userName: "PERSON", ...columns },
  "nothing that this version did is the last thing that was done for anybody",
);

const render = listOf("steps", columns, "nothing was done for this person here");

const undone = z.object({ people: z.number(), steps: z.number(), left: z.number() });

export const undoCommands: readonly Command[] = [
  {
    words: "mapping undo",
    usage: "mapping undo <version> [--why TEXT]",
    summary:
      "show what taking back all that a version did means; with --why, do it through the same rails",
    flags: { why: "string" },
    run: (invocation) => {
      const path = `/mappings/${encodeURIComponent(argument(invocation, 0, "version"))}/undo`;
      const why = flag(invocation, "why");
      if (why === undefined) return show(invocation, "GET", path, {}, renderVersion);
      return show(invocation, "POST", path, { why }, (answer) => {
        const { people, steps, left } = undone.parse(answer);
        const rest = left === 0 ? "" : `; ${String(left)} have no way back`;
        return `${String(steps)} changes of ${String(people)} people are taken back, by the rails${rest}: correct the file as well\n`;
      });
    },
  },
  {
    words: "undo",
    usage: "undo <identity> --connection C [--why TEXT]",
    summary:
      "show what taking the last applied plan back means; with --why, do it through the same rails",
    flags: { connection: "string", why: "string" },
    run: (invocation) => {
      const identity = argument(invocation, 0, "identity");
      const connection = requiredFlag(invocation, "connection");
      const why = flag(invocation, "why");
      return why === undefined
        ? show(invocation, "GET", "/undo", { identity, connection }, render)
        : show(invocation, "POST", "/undo", { identity, connection, why }, render);
    },
  },
];
