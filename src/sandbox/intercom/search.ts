import { z } from "zod";
import type { Reply } from "../simulated-api.ts";
import { refuse } from "./refusal.ts";
import { seconds } from "./route.ts";
import type { Conversation } from "./truth.ts";

const groupMax = 15;
const depthMax = 2;
const perPageDefault = 20;
const perPageMax = 150;

export type Filter =
  | { readonly operator: "AND" | "OR"; readonly value: readonly Filter[] }
  | { readonly field: string; readonly operator: string; readonly value: unknown };

const filterSchema: z.ZodType<Filter> = z.lazy(() =>
  z.union([
    z.object({ operator: z.enum(["AND", "OR"]), value: z.array(filterSchema) }),
    z.object({ field: z.string(), operator: z.string(), value: z.unknown() }),
  ]),
);

export const searchSchema = z.object({
  query: filterSchema,
  pagination: z
    .object({ per_page: z.int().min(1).optional(), starting_after: z.string().nullish() })
    .nullish(),
});

/** Whether a filter fits. @throws Refusal 400 for fields, operators and nesting that the search does not take */
export function matches(filter: Filter, conversation: Conversation, depth = 0): boolean {
  if ("field" in filter) return matchesField(filter, conversation);
  if (depth >= depthMax || filter.value.length > groupMax) {
    throw refuse(400, "parameter_invalid", "Query is nested too deep or has too many filters");
  }
  const results = filter.value.map((each) => matches(each, conversation, depth + 1));
  return filter.operator === "AND" ? results.every(Boolean) : results.some(Boolean);
}

function matchesField(
  filter: { readonly field: string; readonly operator: string; readonly value: unknown },
  conversation: Conversation,
): boolean {
  const found = valueOf(filter.field, conversation);
  const wanted = filter.value;
  switch (filter.operator) {
    case "=":
      return String(found) === String(wanted);
    case "!=":
      return String(found) !== String(wanted);
    case "IN":
    case "NIN": {
      const among = Array.isArray(wanted) && wanted.map(String).includes(String(found));
      return among === (filter.operator === "IN");
    }
    // Both take the value itself in too.
    case ">":
      return Number(found) >= Number(wanted);
    case "<":
      return Number(found) <= Number(wanted);
    default:
      throw refuse(400, "parameter_invalid", `Invalid operator ${filter.operator}`);
  }
}

function valueOf(field: string, conversation: Conversation): string | number | boolean {
  switch (field) {
    case "id":
      return conversation.id;
    case "admin_assignee_id":
      return Number(conversation.adminAssigneeId ?? 0);
    case "team_assignee_id":
      return Number(conversation.teamAssigneeId ?? 0);
    case "open":
      return conversation.state === "open";
    case "state":
      return conversation.state;
    case "created_at":
      return seconds(conversation.createdAt);
    case "updated_at":
      return seconds(conversation.updatedAt);
    default:
      throw refuse(400, "parameter_invalid", `Invalid field ${field}`);
  }
}

/** A page of a search; the cursor is in the body of the request, and one in its query string is not looked at. */
export function searchPage(
  rows: readonly Conversation[],
  pagination: {
    readonly per_page?: number | undefined;
    readonly starting_after?: string | null | undefined;
  },
  render: (row: Conversation) => unknown,
): Reply {
  const perPage = Math.min(pagination.per_page ?? perPageDefault, perPageMax);
  const after = pagination.starting_after;
  const from = typeof after === "string" ? readCursor(after) : 0;
  const page = rows.slice(from, from + perPage);
  const more = from + perPage < rows.length;
  return {
    status: 200,
    body: {
      type: "conversation.list",
      pages: {
        type: "pages",
        page: Math.floor(from / perPage) + 1,
        per_page: perPage,
        total_pages: Math.max(1, Math.ceil(rows.length / perPage)),
        ...(more
          ? { next: { per_page: perPage, starting_after: writeCursor(from + perPage) } }
          : {}),
      },
      total_count: rows.length,
      conversations: page.map(render),
    },
  };
}

function writeCursor(position: number): string {
  return Buffer.from(JSON.stringify([position])).toString("base64");
}

function readCursor(text: string): number {
  const match = /^\[(\d+)\]$/.exec(Buffer.from(text, "base64").toString("utf8"));
  if (match === null) throw refuse(400, "parameter_invalid", "Invalid starting_after");
  return Number(match[1]);
}
