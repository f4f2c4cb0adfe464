import { z } from "zod";
import {
  argument,
  CommandError,
  exitCodes,
  flag,
  requiredFlag,
  type Command,
  type Invocation,
} from "./command.ts";
import { listOf } from "./list-view.ts";
import { show } from "./show.ts";
import { instant, table } from "./table.ts";

const counts = z.object({
  items: z.number(),
  undecided: z.number(),
  kept: z.number(),
  revoked: z.number(),
  pending: z.number(),
});
const review = z.object({
  reviewId: z.string(),
  title: z.string(),
  state: z.string(),
  dueAt: z.number(),
  gaps: z.array(z.string()),
  itemsHash: z.string().nullable(),
});
const openShape = z.object({ review, counts });
const item = z.object({
  itemId: z.string(),
  kind: z.string(),
  connectionId: z.string().nullable(),
  userName: z.string().nullable().optional(),
  who: z.string(),
  object: z.string().nullable(),
  slot: z.object({ kind: z.string(), objectId: z.string() }).nullable(),
  role: z.string().nullable(),
  privileged: z.boolean(),
  provenance: z.object({ because: z.array(z.string()), origin: z.string(), approver: z.string() }),
  reviewer: z.string().nullable(),
  answer: z.object({ status: z.string(), text: z.string() }).nullable(),
  decision: z.object({ verdict: z.string(), by: z.string() }).nullable(),
  effect: z.object({ state: z.string(), text: z.string() }).nullable(),
});
const showShape = openShape.extend({ items: z.array(item), next: z.string().nullable() });

const path = (invocation: Invocation) =>
  `/reviews/${encodeURIComponent(argument(invocation, 0, "review"))}`;
const listed = (text: string | undefined) =>
  text === undefined
    ? []
    : text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "");

/** Campaigns in which people look at who has what. */
export const reviewCommands: readonly Command[] = [
  {
    words: "review open",
    usage:
      'review open "<title>" [--connections A,B] [--template access|clay-audit] [--reviewers A,B] [--manager] [--tokens] [--days N]',
    summary: "open an access review over what the vendors show now",
    flags: {
      connections: "string",
      template: "string",
      reviewers: "string",
      manager: "boolean",
      tokens: "boolean",
      days: "string",
    },
    run: (invocation) => {
      const days = Number(flag(invocation, "days") ?? "14");
      if (!Number.isInteger(days)) throw new CommandError(exitCodes.usage, "--days is a number");
      const input = {
        title: argument(invocation, 0, "title"),
        template: flag(invocation, "template"),
        connections: listed(flag(invocation, "connections")),
        reviewers: listed(flag(invocation, "reviewers")),
        manager: invocation.flags["manager"] === true,
        tokens: invocation.flags["tokens"] === true,
        days,
      };
      return show(invocation, "POST", "/reviews", input, (answer) => head(openShape.parse(answer)));
    },
  },
  {
    words: "review list",
    usage: "review list",
    summary: "access reviews, and how far they are",
    flags: {},
    run: (invocation) => {
      const columns = {
        reviewId: "REVIEW",
        title: "TITLE",
        state: "STATE",
        dueAt: "DUE",
        items: "ITEMS",
        undecided: "UNDECIDED",
        revoked: "REVOKED",
        pending: "PENDING",
      };
      const render = listOf("reviews", columns, "no review was opened yet");
      return show(invocation, "GET", "/reviews", {}, render);
    },
  },
  {
    words: "review show",
    usage: "review show <review> [--reviewer E] [--undecided] [--after ITEM]",
    summary: "who has what, by which rule, who let it in, and what was said of it",
    flags: { reviewer: "string", undecided: "boolean", after: "string" },
    run: (invocation) => {
      const input = {
        reviewer: flag(invocation, "reviewer"),
        after: flag(invocation, "after"),
        ...(invocation.flags["undecided"] === true ? { undecided: true } : {}),
      };
      return show(invocation, "GET", path(invocation), input, (answer) =>
        page(showShape.parse(answer)),
      );
    },
  },
  {
    words: "review decide",
    usage: 'review decide <review> <item> keep|revoke|confirm|gap --why "…"',
    summary: "say whether something stays; a revocation holds whatever a rule says later",
    flags: { why: "string" },
    run: (invocation) => {
      const which = encodeURIComponent(argument(invocation, 1, "item"));
      const input = {
        verdict: argument(invocation, 2, "keep|revoke|confirm|gap"),
        why: requiredFlag(invocation, "why"),
      };
      return show(
        invocation,
        "POST",
        `${path(invocation)}/items/${which}/decision`,
        input,
        (answer) => {
          const { decision, effect } = z.object({ item }).parse(answer).item;
          return `${decision?.verdict ?? ""}${effect === null ? "" : `: ${effect.text}`}\n`;
        },
      );
    },
  },
  {
    words: "review close",
    usage: 'review close <review> [--why "…"]',
    summary: "end a review; while something is undecided it takes a reason",
    flags: { why: "string" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        `${path(invocation)}/close`,
        { why: flag(invocation, "why") },
        (answer) => {
          const { itemsHash } = z.object({ review }).parse(answer).review;
          return `closed; SHA-256 of the items ${itemsHash ?? ""}\n`;
        },
      ),
  },
  {
    words: "review export",
    usage: "review export <review> [--format ndjson|csv|html]",
    summary: "one review as a file: for auditors, for a spreadsheet, to print",
    flags: { format: "string" },
    run: (invocation) =>
      show(
        invocation,
        "GET",
        `${path(invocation)}/export`,
        { format: flag(invocation, "format") },
        (answer) => z.object({ text: z.string() }).parse(answer).text,
      ),
  },
];

function head({ review: one, counts: of }: z.infer<typeof openShape>): string {
  const { reviewId, title, state, dueAt, gaps } = one;
  return [
    `${title} (${state}), due ${instant(dueAt)}: ${reviewId}`,
    `${String(of.items)} items, ${String(of.undecided)} undecided, ${String(of.kept)} kept, ${String(of.revoked)} revoked, ${String(of.pending)} of them still shown`,
    ...gaps.map((gap) => `  cannot say: ${gap}`),
    "",
  ].join("\n");
}

function page(answer: z.infer<typeof showShape>): string {
  const rows = answer.items.map((row) => [
    row.itemId,
    row.connectionId ?? "-",
    row.userName ?? row.who,
    row.kind === "line" ? (row.answer?.text ?? "-") : (row.object ?? row.slot?.objectId ?? "-"),
    `${row.role ?? row.answer?.status ?? "-"}${row.privileged ? " !" : ""}`,
    row.provenance.because.join(", ") || row.provenance.origin,
    row.provenance.approver,
    row.reviewer ?? "-",
    row.decision === null ? "-" : `${row.decision.verdict} by ${row.decision.by}`,
    row.effect === null ? "-" : row.effect.state,
  ]);
  const columns = ["ITEM", "CONNECTION", "WHO", "WHAT", "ROLE", "BECAUSE", "LET IN BY", "REVIEWER"];
  const more = answer.next === null ? "" : `more: --after ${answer.next}\n`;
  return `${head(answer)}\n${table([...columns, "SAID", "DONE"], rows, "nothing to look at")}${more}`;
}
