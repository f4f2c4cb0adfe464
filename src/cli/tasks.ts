import { basename, extname } from "node:path";
import { z } from "zod";
import {
  argument,
  exitCodes,
  flag,
  requiredFlag,
  type Command,
  type Invocation,
} from "./command.ts";
import { fileBytes } from "./input-file.ts";
import { instant, table } from "./table.ts";

const line = z.object({
  steps: z.array(z.string()),
  because: z.array(z.string()),
  roleFrom: z.string().nullable(),
  roleTo: z.string().nullable(),
});
const task = z.object({
  taskId: z.string(),
  title: z.string(),
  state: z.string(),
  trust: z.string().nullable(),
  cause: z.string(),
  dueAt: z.number(),
  assignee: z.string().nullable(),
  claimedBy: z.string().nullable(),
  submittedBy: z.string().nullable(),
  fourEyes: z.boolean(),
  proof: z.string(),
  attempt: z.number(),
  note: z.string().nullable(),
  lines: z.array(line),
});
const listShape = z.object({
  tasks: z.array(task.extend({ userName: z.string().nullable(), overdue: z.boolean() })),
});
const showShape = z.object({
  task,
  evidence: z.array(
    z.object({
      evidenceId: z.string(),
      kind: z.string(),
      text: z.string(),
      by: z.string(),
      at: z.number(),
      bytes: z.number(),
    }),
  ),
});
const oneShape = z.object({ task });

/** What people do by hand, where no API does. */
export const taskCommands: readonly Command[] = [
  {
    words: "tasks list",
    usage: "tasks list [--connection C] [--identity E] [--assignee E] [--overdue] [--all]",
    summary: "what people do by hand, what is due first",
    flags: {
      connection: "string",
      identity: "string",
      assignee: "string",
      overdue: "boolean",
      all: "boolean",
    },
    run: async (invocation) => {
      const { overdue, all } = invocation.flags;
      const answer = await (
        await invocation.api()
      ).call("GET", "/tasks", {
        connection: flag(invocation, "connection"),
        identity: flag(invocation, "identity"),
        assignee: flag(invocation, "assignee"),
        ...(overdue === true ? { overdue: true } : {}),
        ...(all === true ? { all: true } : {}),
      });
      return print(invocation, answer, () =>
        table(
          ["TASK", "DUE", "STATE", "TRUST", "WHY", "WHO", "WHAT", "ASSIGNEE"],
          listShape
            .parse(answer)
            .tasks.map((row) => [
              row.taskId,
              `${instant(row.dueAt)}${row.overdue ? " LATE" : ""}`,
              row.state,
              row.trust ?? "-",
              row.cause,
              row.userName ?? "-",
              row.title,
              row.claimedBy ?? row.assignee ?? "-",
            ]),
          "nothing is left to do by hand",
        ),
      );
    },
  },
  {
    words: "tasks show",
    usage: "tasks show <task>",
    summary: "what to click, for whom, until when, and what proves it",
    flags: {},
    run: async (invocation) => {
      const answer = await (await invocation.api()).call("GET", path(invocation));
      return print(invocation, answer, () => page(showShape.parse(answer)));
    },
  },
  {
    words: "tasks claim",
    usage: "tasks claim <task>",
    summary: "say that you are at it",
    flags: {},
    run: (invocation) => decide(invocation, "claim", {}),
  },
  {
    words: "tasks done",
    usage: "tasks done <task> [--note TEXT]",
    summary: "say that it is done; it closes once the vendor or a roster shows it",
    flags: { note: "string" },
    run: (invocation) => decide(invocation, "done", { note: flag(invocation, "note") }),
  },
  {
    words: "tasks reject",
    usage: "tasks reject <task> --why TEXT",
    summary: "say why it cannot or shall not be done",
    flags: { why: "string" },
    run: (invocation) => decide(invocation, "reject", { why: requiredFlag(invocation, "why") }),
  },
  {
    words: "tasks attach",
    usage: "tasks attach <task> --kind screenshot|log|ticket|note --text TEXT [--file PATH]",
    summary: "put evidence beside a task",
    flags: { kind: "string", text: "string", file: "string" },
    run: async (invocation) => {
      const file = flag(invocation, "file");
      const content = file === undefined ? undefined : await fileBytes(file);
      const answer = await (
        await invocation.api()
      ).call("POST", `${path(invocation)}/evidence`, {
        kind: requiredFlag(invocation, "kind"),
        text:
          flag(invocation, "text") ??
          (file === undefined ? requiredFlag(invocation, "text") : basename(file)),
        ...(file === undefined || content === undefined
          ? {}
          : {
              content: content.toString("base64"),
              mediaType: mediaTypes[extname(file)] ?? "application/octet-stream",
            }),
      });
      return print(invocation, answer, () => "attached\n");
    },
  },
];

const mediaTypes: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".pdf": "application/pdf",
  ".txt": "text/plain",
  ".csv": "text/csv",
  ".json": "application/json",
};

const path = (invocation: Invocation) =>
  `/tasks/${encodeURIComponent(argument(invocation, 0, "task"))}`;

async function decide(
  invocation: Invocation,
  what: "claim" | "done" | "reject",
  input: Readonly<Record<string, string | undefined>>,
) {
  const answer = await (await invocation.api()).call("POST", `${path(invocation)}/${what}`, input);
  return print(invocation, answer, () => {
    const { state, trust, fourEyes, proof } = oneShape.parse(answer).task;
    const waits =
      state !== "submitted"
        ? ""
        : proof === "read-back"
          ? ": it closes once the vendor or a roster shows it"
          : fourEyes
            ? ": another person has to confirm it"
            : "";
    return `${state}${trust === null ? "" : ` (${trust})`}${waits}\n`;
  });
}

function print(invocation: Invocation, answer: unknown, text: () => string) {
  invocation.terminal.out(invocation.json ? `${JSON.stringify(answer, null, 2)}\n` : text());
  return exitCodes.ok;
}

function page({ task: row, evidence }: z.infer<typeof showShape>): string {
  return [
    `${row.title} (${row.cause}), due ${instant(row.dueAt)}`,
    `${row.state}${row.trust === null ? "" : `, ${row.trust}`}${row.attempt > 1 ? `, attempt ${String(row.attempt)}` : ""}${row.note === null ? "" : `: ${row.note}`}`,
    `for ${row.assignee ?? "whoever claims it"}${row.claimedBy === null ? "" : `, claimed by ${row.claimedBy}`}${row.submittedBy === null ? "" : `, done by ${row.submittedBy}`}`,
    ...(row.fourEyes ? ["admin rights: who does it and who confirms it are two"] : []),
    "",
    ...row.lines.flatMap((item, at) => [
      ...item.steps.map(
        (step, index) => `${index === 0 ? `${String(at + 1)}.`.padEnd(3) : "   "} ${step}`,
      ),
      ...(item.because.length === 0 ? [] : [`    because ${item.because.join(", ")}`]),
    ]),
    ...(evidence.length === 0 ? [] : ["", "evidence"]),
    ...evidence.map(
      (item) =>
        `    ${instant(item.at)} ${item.kind} by ${item.by}: ${item.text} (${item.evidenceId})`,
    ),
    "",
  ].join("\n");
}
