import { SyncError } from "../../model/errors.ts";
import type { ScimTarget } from "../../model/scim-target.ts";
import type { NextPage } from "../../model/vendor-http.ts";
import { saysNotFound } from "./refusals.ts";
import type { ScimCall } from "./scim-call.ts";
import { parseList, type ListPage } from "./wire.ts";

type Query = Readonly<Record<string, string | undefined>>;

/**
 * Every resource of a list, or an error: nothing may be concluded from who is missing in half of one. Pages are counted by the rows
 * that came, never by what the server says that it sent; a total that is not met, a list that shrinks or a resource that comes twice
 * (an unstable order) makes the read incomplete.
 */
export async function* listResources(
  scim: ScimCall,
  operation: "users.list" | "groups.list",
  query: Query = {},
): AsyncGenerator<unknown> {
  const walk = new ListWalk(operation, scim.target.page);
  const pages = scim.call.http.pages(
    {
      operation,
      query: { ...query, ...walk.firstQuery() },
      parse: parseList,
      refusals: scim.refusals,
    },
    (page) => walk.next(page),
  );
  for await (const page of pages) yield* page.value.resources;
}

/** A list that a filter narrows. Some servers answer 404 where it finds nobody. */
export async function findResources(
  scim: ScimCall,
  operation: "users.list" | "groups.list",
  filter: string,
): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  try {
    for await (const item of listResources(scim, operation, { filter })) found.push(item);
    return found;
  } catch (error) {
    if (saysNotFound(error) && scim.target.find.noMatch === "not_found") return [];
    throw error;
  }
}

class ListWalk {
  readonly #operation: string;
  readonly #page: ScimTarget["page"];
  readonly #ids = new Set<string>();
  #received = 0;
  #total: number | undefined;

  constructor(operation: string, page: ScimTarget["page"]) {
    this.#operation = operation;
    this.#page = page;
  }

  firstQuery(): Query {
    const { style, sizeMax } = this.#page;
    switch (style) {
      case "none":
        return {};
      case "index":
        return { startIndex: "1", count: String(sizeMax) };
      case "cursor":
        return { cursor: "", count: String(sizeMax) };
    }
  }

  next(page: ListPage): NextPage {
    this.#take(page);
    const { style } = this.#page;
    if (style === "cursor") {
      const cursor = page.nextCursor ?? "";
      return cursor === "" ? this.#end() : { query: { cursor } };
    }
    if (style === "none") return this.#end();
    const more = this.#total === undefined || this.#received < this.#total;
    if (!more || page.resources.length === 0) return this.#end();
    return { query: { startIndex: String(this.#received + 1) } };
  }

  #take(page: ListPage): void {
    for (const item of page.resources) {
      const id = idOf(item);
      if (id === undefined) continue;
      if (this.#ids.has(id)) {
        throw this.#incomplete("holds one resource twice: its order changes while it is read");
      }
      this.#ids.add(id);
    }
    this.#received += page.resources.length;
    if (this.#page.totals === "unreliable" || page.total === undefined) return;
    if (this.#total !== undefined && page.total < this.#total) {
      throw this.#incomplete("shrank while it was read");
    }
    this.#total = page.total;
  }

  #end(): "end" {
    if (this.#total !== undefined && this.#received !== this.#total) {
      throw this.#incomplete(
        `counts ${String(this.#total)} and held ${String(this.#received)}; where the count means something else, set page.totals: unreliable`,
      );
    }
    return "end";
  }

  #incomplete(what: string): SyncError {
    return new SyncError("VENDOR_READ_INCOMPLETE", `scim ${this.#operation}: the list ${what}`, {
      facts: { operation: this.#operation, received: this.#received },
    });
  }
}

function idOf(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null || !("id" in item)) return undefined;
  return typeof item.id === "string" || typeof item.id === "number" ? String(item.id) : undefined;
}
