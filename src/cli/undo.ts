import { argument, flag, requiredFlag, type Command } from "./command.ts";
import { listOf } from "./list-view.ts";
import { show } from "./show.ts";

const render = listOf(
  "steps",
  {
    step: "STEP",
    kind: "KIND",
    objectId: "OBJECT",
    roleFrom: "WAS",
    roleTo: "BECAME",
    way: "WAY BACK",
    text: "WHAT IT MEANS",
  },
  "nothing was done for this person here",
);

export const undoCommands: readonly Command[] = [
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
