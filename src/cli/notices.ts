import { z } from "zod";
import { exitCodes, flag, type Command, type Invocation } from "./command.ts";
import { listOf } from "./list-view.ts";

async function call(
  invocation: Invocation,
  method: "GET" | "POST",
  path: string,
  input: Readonly<Record<string, string | undefined>>,
  render: (answer: unknown) => string,
): Promise<0> {
  const answer = await (await invocation.api()).call(method, path, input);
  invocation.terminal.out(
    invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : render(answer),
  );
  return exitCodes.ok;
}

/** Outgoing webhooks and mail. */
export const noticeCommands: readonly Command[] = [
  {
    words: "notify list",
    usage: "notify list [--state due|sent|failed]",
    summary: "what was told by webhook and mail, and what was not taken",
    flags: { state: "string" },
    run: (invocation) =>
      call(
        invocation,
        "GET",
        "/notices",
        { state: flag(invocation, "state") },
        listOf(
          "notices",
          {
            deliveryId: "DELIVERY",
            channel: "CHANNEL",
            type: "TYPE",
            createdAt: "SINCE",
            state: "STATE",
            attempts: "TRIES",
            lastError: "LAST ERROR",
          },
          "nothing was told",
        ),
      ),
  },
  {
    words: "notify test",
    usage: "notify test",
    summary: "send a test to every channel",
    flags: {},
    run: (invocation) =>
      call(invocation, "POST", "/notices/test", {}, (answer) => {
        const { channels } = z.object({ channels: z.array(z.string()) }).parse(answer);
        return `queued for ${channels.join(", ")}: \`rolecall notify list\` says what became of it\n`;
      }),
  },
  {
    words: "notify retry",
    usage: "notify retry [<delivery>]",
    summary: "send again what was given up: one, or all",
    flags: {},
    run: (invocation) =>
      call(
        invocation,
        "POST",
        "/notices/retry",
        { delivery: invocation.positionals[0] },
        (answer) =>
          `${String(z.object({ retried: z.number() }).parse(answer).retried)} sent again\n`,
      ),
  },
];
