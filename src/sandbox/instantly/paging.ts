import { z } from "zod";
import type { Reply, SimulatedCall } from "../simulated-api.ts";
import { readQuery, refuse } from "./refusal.ts";
import type { Truth } from "./truth.ts";

/** The vendor documents no default; 10 is its example. */
const LIMIT_DEFAULT = 10;

/** Query of every list; `max` is 100, for the audit log 1,000. */
export function pageQuery(max = 100) {
  return z.object({
    limit: z.coerce.number().int().min(1).max(max).optional(),
    starting_after: z.string().optional(),
  });
}

interface Positioned {
  readonly id: string;
  readonly seq: number;
}

/**
 * A page, oldest first, after the row that `starting_after` names. A page that is full carries a cursor even when nothing
 * follows it: the next one is empty then (vendor's starter kit, conventions, 2026-08).
 */
export function pageReply<Row extends Positioned>(
  truth: Truth,
  call: SimulatedCall,
  rows: readonly Row[],
  options: { readonly render: (row: Row) => unknown; readonly limitMax?: number },
): Reply {
  const query = readQuery(pageQuery(options.limitMax), call);
  const limit = query.limit ?? LIMIT_DEFAULT;
  const after = query.starting_after;
  const place = after === undefined ? 0 : placeOf(truth, rows, after);
  const items = rows.filter((row) => row.seq > place).slice(0, limit);
  const last = items.at(-1);
  return {
    status: 200,
    body: {
      items: items.map(options.render),
      ...(items.length === limit && last !== undefined ? { next_starting_after: last.id } : {}),
    },
  };
}

/** The same page with fewer items, said to be the last. */
export function shortenPage(reply: Reply, keep: (count: number) => number): Reply {
  const { body } = reply;
  if (typeof body !== "object" || body === null || !("items" in body)) return reply;
  const items = body.items as readonly unknown[];
  return { ...reply, body: { items: items.slice(0, keep(items.length)) } };
}

/** A cursor may name a row that a filter hides or that is gone: it is a place, not a row. */
function placeOf(truth: Truth, rows: readonly Positioned[], id: string): number {
  const families: readonly (readonly Positioned[])[] = [
    rows,
    truth.members,
    truth.keys,
    truth.tags,
    truth.mappings,
    truth.groupMembers,
    truth.audit,
    truth.resources,
  ];
  for (const family of families) {
    const row = family.find((each) => each.id === id);
    if (row !== undefined) return row.seq;
  }
  const departed = Object.hasOwn(truth.departed, id) ? truth.departed[id] : undefined;
  if (departed === undefined) throw refuse(400, "Invalid starting_after");
  return departed;
}
