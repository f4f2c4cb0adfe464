import type { Reply, SimulatedCall } from "../simulated-api.ts";
import { refuse, scimReply } from "./refusal.ts";
import type { Truth } from "./truth.ts";

const schemas = ["urn:ietf:params:scim:api:messages:2.0:ListResponse"];

/** One page of a list: RFC 7644 §3.4.2.4 by index, RFC 9865 by cursor, or everything at once. */
export function listReply<T extends { readonly seq: number }>(
  truth: Truth,
  call: SimulatedCall,
  rows: readonly T[],
  render: (row: T) => unknown,
): Reply {
  const { quirks } = truth;
  const sorted = [...rows].sort((a, b) => a.seq - b.seq);
  const count = asked(call, "count", quirks.pageMax);
  const size = Math.min(count, quirks.pageMax);
  const start = startOf(truth, call);
  // An order that moves between two pages: what was first comes again, what was next is never shown.
  const ordered =
    quirks.order === "unstable" && start > 0 ? [...sorted.slice(start - 1), ...sorted] : sorted;
  const from = quirks.order === "unstable" && start > 0 ? 0 : start;
  const page = quirks.paging === "none" ? sorted : ordered.slice(from, from + size);
  const next = start + page.length;
  const more = quirks.paging === "cursor" && next < sorted.length;
  return scimReply(200, {
    schemas,
    totalResults: quirks.totals === "page" ? page.length : sorted.length,
    ...(quirks.paging === "index" ? { startIndex: start + 1 } : {}),
    itemsPerPage: quirks.itemsPerPageEcho ? count : page.length,
    Resources: page.map(render),
    ...(more ? { nextCursor: `c${String(next)}` } : {}),
  });
}

function startOf(truth: Truth, call: SimulatedCall): number {
  const { quirks } = truth;
  if (quirks.paging === "none") return 0;
  if (quirks.paging === "index") return Math.max(1, asked(call, "startIndex", 1)) - 1;
  const cursor = call.query.get("cursor") ?? "";
  if (cursor === "") return 0;
  const at = /^c(\d+)$/.exec(cursor)?.[1];
  if (at === undefined) throw refuse(quirks, 400, "The cursor is not one of ours", "invalidCursor");
  return Number(at);
}

function asked(call: SimulatedCall, name: string, absent: number): number {
  const text = call.query.get(name);
  return text !== null && /^\d+$/.test(text) ? Number(text) : absent;
}

/** The same list with its first rows only, said to be all: pages that follow are not promised any more. */
export function shortenList(reply: Reply, keep: (count: number) => number): Reply {
  const body = JSON.parse(reply.text?.content ?? "{}") as Readonly<Record<string, unknown>>;
  const rows = Array.isArray(body["Resources"]) ? (body["Resources"] as readonly unknown[]) : [];
  const kept = rows.slice(0, keep(rows.length));
  const { nextCursor: _next, ...rest } = body;
  return scimReply(reply.status, { ...rest, totalResults: kept.length, Resources: kept });
}
