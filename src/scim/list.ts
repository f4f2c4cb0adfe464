import type { DirectoryQuery, PageRequest } from "../directory/query.ts";
import { defaultResults, maxResults } from "./discovery.ts";
import { maxScannedDocuments } from "./limits.ts";
import { compileProjection, type Projection } from "./project.ts";
import { planFilter, planSort } from "./query-plan.ts";
import type { ResourceSchema } from "./schema.ts";
import { type Answer, isOurId } from "./scim-call.ts";
import { ScimError } from "./scim-error.ts";

/** What a list or search asks for (RFC 7644 sections 3.4.2 and 3.4.3), numbers already within bounds. */
export interface ListRequest {
  readonly filter: string | undefined;
  readonly sortBy: string | undefined;
  readonly sortOrder: string | undefined;
  readonly startIndex: number;
  readonly count: number;
  /** RFC 9865: as sent, "" for the first page; undefined where pages are numbered. */
  readonly cursor: string | undefined;
  /** As sent; compiled per resource type. */
  readonly attributes: unknown;
  readonly excludedAttributes: unknown;
}

/** One page as JSON: `elements` with commas between them, in one text or in pieces. */
export interface ListPage {
  readonly total: number;
  readonly size: number;
  readonly elements: string | AsyncIterable<string>;
  /** Of a page by cursor that others follow. */
  readonly nextCursor?: string;
}

/** Far behind the end of every list. */
const maxStartIndex = 1_000_000_000;

/** Parameters that we do not know are ignored: Entra's flags travel in the query. @throws ScimError 400 invalidValue */
export function readListParams(params: URLSearchParams): ListRequest {
  return {
    filter: params.get("filter") ?? undefined,
    sortBy: params.get("sortBy") ?? undefined,
    sortOrder: params.get("sortOrder") ?? undefined,
    ...readPage(params.get("startIndex"), params.get("count")),
    cursor: params.get("cursor") ?? undefined,
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
    cursor: text("cursor"),
    attributes: known.get("attributes"),
    excludedAttributes: known.get("excludedattributes"),
  };
}

/**
 * The page of resources of one kind that a list asks for, by number or by cursor.
 * @param read one page from the store, with its last id
 */
export function answerPage(
  schema: ResourceSchema,
  list: ListRequest,
  read: (
    query: DirectoryQuery,
    page: PageRequest,
    projection: Projection,
  ) => Promise<ListPage & { readonly last?: string }>,
): Promise<ListPage> {
  const projection = compileProjection(schema, list);
  const query = planFilter(schema, list.filter);
  const sort = planSort(schema, list.sortBy, list.sortOrder);
  const find = (from: DirectoryQuery, page: PageRequest) => read(from, page, projection);
  const { cursor } = list;
  if (cursor !== undefined) return pageByCursor({ ...list, cursor }, query, find);
  return find(query, pageOf(list, sort));
}

function pageOf(list: ListRequest, sort: PageRequest["sort"]): PageRequest {
  return { startIndex: list.startIndex, count: list.count, sort, scanAtMost: maxScannedDocuments };
}

/** Where a cursor stands: behind the last id of its page, with the total as the first page counted it. */
interface Place {
  readonly after: string;
  readonly total: number;
}

/**
 * A page by cursor (RFC 9865): whoever came or went before its place moves nothing, and the end of a million costs what the
 * beginning does.
 * @param find asks for one page; answers its ids too
 * @throws ScimError 400 invalidCursor, or invalidValue with a sort of its own: cursors go by id
 */
async function pageByCursor(
  list: ListRequest & { readonly cursor: string },
  query: DirectoryQuery,
  find: (
    query: DirectoryQuery,
    page: PageRequest,
  ) => Promise<ListPage & { readonly last?: string }>,
): Promise<ListPage> {
  if (list.sortBy !== undefined && list.sortBy !== "") {
    throw new ScimError(400, "invalidValue", "sortBy: pages by cursor come in the order of ids");
  }
  const place = list.cursor === "" ? undefined : readCursor(list.cursor);
  const rest: DirectoryQuery | undefined = place && {
    op: "compare",
    field: { column: "id" },
    test: "gt",
    value: place.after,
    exact: true,
  };
  const from = rest === undefined ? query : ({ op: "and", of: [rest, query] } as const);
  const page = await find(from, pageOf({ ...list, startIndex: 1 }, undefined));
  const total = place?.total ?? page.total;
  const more = page.size < page.total && page.last !== undefined;
  return {
    ...page,
    total,
    ...(more ? { nextCursor: writeCursor({ after: page.last, total }) } : {}),
  };
}

function writeCursor({ after, total }: Place): string {
  return Buffer.from(`${after} ${String(total)}`).toString("base64url");
}

function readCursor(text: string): Place {
  const [after = "", total = ""] = Buffer.from(text, "base64url").toString("latin1").split(" ");
  if (text.length < 200 && isOurId(after) && /^\d{1,15}$/.test(total)) {
    return { after, total: Number(total) };
  }
  throw new ScimError(
    400,
    "invalidCursor",
    "cursor: this is none of ours; begin again with an empty cursor",
  );
}

/** A ListResponse around finished elements. */
export function listAnswer(page: ListPage, list: ListRequest): Answer {
  const { total, size, elements, nextCursor } = page;
  const next = nextCursor === undefined ? "" : `"nextCursor":"${nextCursor}",`;
  const start = list.cursor === undefined ? `"startIndex":${String(list.startIndex)},` : next;
  const head = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":${String(total)},${start}"itemsPerPage":${String(size)},"Resources":[`;
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
    count: Math.min(Math.max(readInteger(count, "count") ?? defaultResults, 0), maxResults),
  };
}

function readInteger(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const number =
    typeof value === "string" && /^[+-]?\d+$/.test(value.trim()) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number)) return number;
  throw new ScimError(400, "invalidValue", `${name}: expected a whole number`);
}
