import { z } from "zod";
import type { Reply } from "../simulated-api.ts";
import { refuse } from "./refusal.ts";

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

/** What a row shows under the name of a field; undefined: the search knows no such field. */
export type FieldOf = (field: string) => string | number | boolean | undefined;

/** Whether a filter fits. @throws Refusal 400 for fields, operators and nesting that the search does not take */
export function matches(filter: Filter, fieldOf: FieldOf, depth = 0): boolean {
  if ("field" in filter) return matchesField(filter, fieldOf);
  if (depth >= depthMax || filter.value.length > groupMax) {
    throw refuse(400, "parameter_invalid", "Query is nested too deep or has too many filters");
  }
  const results = filter.value.map((each) => matches(each, fieldOf, depth + 1));
  return filter.operator === "AND" ? results.every(Boolean) : results.some(Boolean);
}

function matchesField(
  filter: { readonly field: string; readonly operator: string; readonly value: unknown },
  fieldOf: FieldOf,
): boolean {
  const found = fieldOf(filter.field);
  if (found === undefined) throw refuse(400, "parameter_invalid", `Invalid field ${filter.field}`);
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

/** A page of a search; the cursor is in the body of the request, and one in its query string is not looked at. */
export function searchPage<Row>(
  list: "conversation" | "ticket",
  rows: readonly Row[],
  pagination: {
    readonly per_page?: number | undefined;
    readonly starting_after?: string | null | undefined;
  },
  render: (row: Row) => unknown,
): Reply {
  const perPage = Math.min(pagination.per_page ?? perPageDefault, perPageMax);
  const after = pagination.starting_after;
  const from = typeof after === "string" ? readCursor(after) : 0;
  const page = rows.slice(from, from + perPage);
  const more = from + perPage < rows.length;
  return {
    status: 200,
    body: {
      type: `${list}.list`,
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
      [`${list}s`]: page.map(render),
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
