import type { PageRequest } from "../directory/query.ts";
import { maxResults } from "./discovery.ts";
import type { Answer } from "./scim-call.ts";
import { ScimError } from "./scim-error.ts";

/** What a list or search asks for (RFC 7644 sections 3.4.2 and 3.4.3), numbers already within bounds. */
export interface ListRequest {
  readonly filter: string | undefined;
  readonly sortBy: string | undefined;
  readonly sortOrder: string | undefined;
  readonly startIndex: number;
  readonly count: number;
  /** As sent; compiled per resource type. */
  readonly attributes: unknown;
  readonly excludedAttributes: unknown;
}

/** One page as JSON: `elements` with commas between them, in one text or in pieces. */
export interface ListPage {
  readonly total: number;
  readonly size: number;
  readonly elements: string | AsyncIterable<string>;
}

const defaultCount = 100;
/** Far behind the end of every list. */
const maxStartIndex = 1_000_000_000;

/** Parameters that we do not know are ignored: Entra's flags travel in the query. @throws ScimError 400 invalidValue */
export function readListParams(params: URLSearchParams): ListRequest {
  return {
    filter: params.get("filter") ?? undefined,
    sortBy: params.get("sortBy") ?? undefined,
    sortOrder: params.get("sortOrder") ?? undefined,
    ...readPage(params.get("startIndex"), params.get("count")),
    attributes: params.getAll("attributes"),
    excludedAttributes: params.getAll("excludedAttributes"),
  };
}

/** The body of POST /.search. @throws ScimError 400 invalidSyntax or invalidValue */
export function readSearchBody(body: unknown): ListRequest {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new ScimError(400, "invalidSyntax", "The request body: expected a JSON object");
  }
  const known = new Map(
    Object.entries(body).map(([name, value]) => [name.toLowerCase(), value as unknown]),
  );
  const text = (name: string): string | undefined => {
    const value = known.get(name.toLowerCase());
    if (value === undefined || value === null || typeof value === "string")
      return value ?? undefined;
    throw new ScimError(400, "invalidValue", `${name}: expected text`);
  };
  return {
    filter: text("filter"),
    sortBy: text("sortBy"),
    sortOrder: text("sortOrder"),
    ...readPage(known.get("startindex"), known.get("count")),
    attributes: known.get("attributes"),
    excludedAttributes: known.get("excludedattributes"),
  };
}

export function pageOf(list: ListRequest, sort: PageRequest["sort"]): PageRequest {
  return { startIndex: list.startIndex, count: list.count, sort };
}

/** A ListResponse around finished elements. */
export function listAnswer(page: ListPage, startIndex: number): Answer {
  const { total, size, elements } = page;
  const head = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":${String(total)},"startIndex":${String(startIndex)},"itemsPerPage":${String(size)},"Resources":[`;
  if (typeof elements === "string") return { status: 200, body: `${head}${elements}]}` };
  return { status: 200, body: enclose(head, elements, "]}") };
}

async function* enclose(
  head: string,
  pieces: AsyncIterable<string>,
  tail: string,
): AsyncGenerator<string> {
  yield head;
  yield* pieces;
  yield tail;
}

/** A startIndex below 1 means 1 and a negative count means 0 (RFC 7644 section 3.4.2.4). */
function readPage(
  startIndex: unknown,
  count: unknown,
): { readonly startIndex: number; readonly count: number } {
  return {
    startIndex: Math.min(Math.max(readInteger(startIndex, "startIndex") ?? 1, 1), maxStartIndex),
    count: Math.min(Math.max(readInteger(count, "count") ?? defaultCount, 0), maxResults),
  };
}

function readInteger(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const number =
    typeof value === "string" && /^[+-]?\d+$/.test(value.trim()) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number)) return number;
  throw new ScimError(400, "invalidValue", `${name}: expected a whole number`);
}
