import { z } from "zod";
import {
  argument,
  CommandError,
  exitCodes,
  flag,
  requiredFlag,
  type Api,
  type Command,
  type Invocation,
} from "./command.ts";
import { listOf } from "./list-view.ts";
import {
  renderCase,
  renderRehearsal,
  type RehearsalAnswer,
  rehearsalShape,
} from "./leaver-view.ts";

const orderShape = z.object({ identityId: z.string(), emergency: z.boolean() });

function print(invocation: Invocation, answer: unknown, render: (answer: unknown) => string): 0 {
  const text = invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : render(answer);
  invocation.terminal.out(text);
  return exitCodes.ok;
}

/** Everybody who could not leave cleanly, page by page. */
async function everybody(api: Api): Promise<RehearsalAnswer> {
  const people: RehearsalAnswer["people"][number][] = [];
  let after: string | undefined;
  for (;;) {
    const page = rehearsalShape.parse(await api.call("GET", "/offboard", { after }));
    people.push(...page.people);
    if (page.next === undefined) return { people };
    after = page.next;
  }
}

async function rehearsal(invocation: Invocation): Promise<0> {
  const api = await invocation.api();
  if (invocation.flags.all === true) {
    return print(invocation, await everybody(api), (answer) => renderRehearsal(answer, "all"));
  }
  const identity = argument(invocation, 0, "identity");
  const answer = await api.call("GET", "/offboard", { identity });
  return print(invocation, answer, (one) => renderRehearsal(one, "one"));
}

/** Shows what ends for good, and acts only where the address was typed. */
async function order(invocation: Invocation): Promise<0> {
  const identity = argument(invocation, 0, "identity");
  const why = requiredFlag(invocation, "why");
  const api = await invocation.api();
  const preview = await api.call("GET", "/offboard", { identity });
  invocation.terminal.err(renderRehearsal(preview, "one"));
  const confirm = flag(invocation, "confirm") ?? (await askFor(invocation));
  const emergency = invocation.flags.emergency === true;
  const answer = await api.call("POST", "/offboard", { identity, confirm, why, emergency });
  return print(invocation, answer, (made) => {
    const { identityId } = orderShape.parse(made);
    const rail = emergency ? "; no rail holds it" : "";
    return `access ends now${rail}: \`rolecall case show ${identityId}\`; \`rolecall readmit\` takes it back\n`;
  });
}

async function askFor(invocation: Invocation): Promise<string> {
  invocation.terminal.err(
    "type the person's e-mail address to end their access, then Enter and Ctrl-D: ",
  );
  const typed = (await invocation.terminal.readStdin()).trim();
  if (typed === "")
    throw new CommandError(exitCodes.usage, "nothing was typed, and nothing was done");
  return typed;
}

/** People who leave: what is owed, and what would be. */
export const leaverCommands: readonly Command[] = [
  {
    words: "offboard",
    usage:
      "offboard <identity> --why TEXT [--emergency] [--confirm EMAIL] | --rehearse <identity> | --rehearse --all",
    summary: "end somebody's access now, or show what that would meet",
    flags: {
      why: "string",
      emergency: "boolean",
      confirm: "string",
      rehearse: "boolean",
      all: "boolean",
    },
    run: (invocation) =>
      invocation.flags.rehearse === true ? rehearsal(invocation) : order(invocation),
  },
  {
    words: "readmit",
    usage: "readmit <identity> --why TEXT",
    summary: "take an order to leave back: what IdP and HR say counts again",
    flags: { why: "string" },
    run: async (invocation) => {
      const answer = await (
        await invocation.api()
      ).call("POST", "/readmit", {
        identity: argument(invocation, 0, "identity"),
        why: requiredFlag(invocation, "why"),
      });
      return print(invocation, answer, () => "the order is lifted\n");
    },
  },
  {
    words: "case list",
    usage: "case list [--state open|done|cancelled]",
    summary: "leaver cases, open ones first",
    flags: { state: "string" },
    run: async (invocation) => {
      const answer = await (
        await invocation.api()
      ).call("GET", "/cases", {
        state: flag(invocation, "state"),
      });
      return print(
        invocation,
        answer,
        listOf(
          "cases",
          {
            caseId: "CASE",
            userName: "PERSON",
            state: "STATE",
            source: "SOURCE",
            signalAt: "SIGNAL",
            open: "OWED",
            overdue: "OVERDUE",
            nextDeadlineAt: "NEXT DEADLINE",
          },
          "no leaver case",
        ),
      );
    },
  },
  {
    words: "case show",
    usage: "case show <case or identity>",
    summary: "one leaver's whole story, on both clocks",
    flags: {},
    run: async (invocation) => {
      const path = `/cases/${encodeURIComponent(argument(invocation, 0, "case"))}`;
      return print(invocation, await (await invocation.api()).call("GET", path), renderCase);
    },
  },
  {
    words: "case settle",
    usage:
      "case settle <case> --duty KIND --why TEXT [--connection C] [--subject S] [--outcome done|waived]",
    summary: "say that a duty was done where no vendor shows it, or needs not be done",
    flags: {
      duty: "string",
      why: "string",
      connection: "string",
      subject: "string",
      outcome: "string",
    },
    run: async (invocation) => {
      const path = `/cases/${encodeURIComponent(argument(invocation, 0, "case"))}/duties`;
      const answer = await (
        await invocation.api()
      ).call("POST", path, {
        kind: requiredFlag(invocation, "duty"),
        why: requiredFlag(invocation, "why"),
        connection: flag(invocation, "connection"),
        subject: flag(invocation, "subject"),
        outcome: flag(invocation, "outcome") ?? "done",
      });
      return print(invocation, answer, () => "noted\n");
    },
  },
];
