import type { Reply, SimulatedCall } from "../simulated-api.ts";
import { refuse } from "./refusal.ts";
import type { Truth } from "./truth.ts";

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 1000;

export interface Listing<Row> {
  /** In list order. */
  readonly rows: readonly Row[];
  readonly order: "newest-first" | "oldest-first";
  readonly seqOf: (row: Row) => number;
  /** The row's id for cursors. */
  readonly idOf: (row: Row) => string;
  /** The position of an id that is or was in this family; undefined: never heard of. */
  readonly position: (id: string) => number | undefined;
  readonly render: (row: Row) => unknown;
}

/**
 * A page by id cursors: `limit` 1 to 1,000 (20), at most one of `after_id` and `before_id` (Admin API reference, 2026-08).
 * A cursor is a place in the order, so that it stays good when its row is filtered out or removed meanwhile.
 */
export function pageReply<Row>(call: SimulatedCall, listing: Listing<Row>): Reply {
  const limit = readLimit(call);
  const after = call.query.get("after_id");
  const before = call.query.get("before_id");
  if (after !== null && before !== null) {
    throw refuse(400, "after_id, before_id: only one of both may be given");
  }
  const forward = listing.order === "oldest-first" ? 1 : -1;
  const beyond = (row: Row, place: number) => (listing.seqOf(row) - place) * forward;
  let data: readonly Row[];
  let hasMore: boolean;
  if (before !== null) {
    const place = placeOf(listing, "before_id", before);
    const earlier = listing.rows.filter((row) => beyond(row, place) < 0);
    data = earlier.slice(-limit);
    hasMore = earlier.length > data.length;
  } else {
    const place = after === null ? undefined : placeOf(listing, "after_id", after);
    const later =
      place === undefined ? listing.rows : listing.rows.filter((row) => beyond(row, place) > 0);
    data = later.slice(0, limit);
    hasMore = later.length > data.length;
  }
  const first = data[0];
  const last = data.at(-1);
  return {
    status: 200,
    body: {
      data: data.map(listing.render),
      has_more: hasMore,
      first_id: first === undefined ? null : listing.idOf(first),
      last_id: last === undefined ? null : listing.idOf(last),
    },
  };
}

/** The same page with fewer items, said to be the last. */
export function shortenPage(reply: Reply, keep: (count: number) => number): Reply {
  const { body } = reply;
  if (typeof body !== "object" || body === null || !("data" in body) || !Array.isArray(body.data)) {
    return reply;
  }
  const data = (body.data as unknown[]).slice(0, keep(body.data.length));
  const idOf = (row: unknown): unknown => {
    if (typeof row !== "object" || row === null) return null;
    if ("id" in row) return row.id;
    return "user_id" in row ? row.user_id : null;
  };
  return {
    ...reply,
    body: { data, has_more: false, first_id: idOf(data[0]), last_id: idOf(data.at(-1)) },
  };
}

/** Repeatable parameters: `roles=a&roles=b` and, as the SDK writes them, `roles[]=a&roles[]=b`. */
export function readMany<T extends string>(
  call: SimulatedCall,
  name: string,
  allowed?: readonly T[],
): readonly string[] | undefined {
  const values = [...call.query.getAll(name), ...call.query.getAll(`${name}[]`)];
  for (const value of values) {
    if (allowed !== undefined && !(allowed as readonly string[]).includes(value)) {
      throw refuse(400, `${name}: Input should be one of ${allowed.join(", ")}`);
    }
  }
  return values.length === 0 ? undefined : values;
}

export function readFlag(call: SimulatedCall, name: string): boolean {
  const value = call.query.get(name);
  if (value === null || value === "false") return false;
  if (value === "true") return true;
  throw refuse(400, `${name}: Input should be true or false`);
}

/** Positions of users, removed ones included: the cursors of users and of workspace members. */
export function userPosition(truth: Truth, id: string): number | undefined {
  const user = truth.users.find((each) => each.id === id);
  if (user !== undefined) return user.seq;
  return Object.hasOwn(truth.departed, id) ? truth.departed[id] : undefined;
}

function readLimit(call: SimulatedCall): number {
  const text = call.query.get("limit");
  if (text === null) return LIMIT_DEFAULT;
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > LIMIT_MAX) {
    throw refuse(400, `limit: Input should be a whole number from 1 to ${String(LIMIT_MAX)}`);
  }
  return limit;
}

function placeOf<Row>(listing: Listing<Row>, name: string, id: string): number {
  const place = listing.position(id);
  if (place === undefined) throw refuse(400, `${name}: "${id}" is no id of this list`);
  return place;
}
