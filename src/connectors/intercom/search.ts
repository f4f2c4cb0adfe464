import type { NextPage, VendorAnswer } from "../../model/vendor-http.ts";
import type { Call } from "../connector.ts";
import { refusals } from "./refusals.ts";
import { cursorOf, type CursorPages } from "./wire.ts";

/** The largest page of the vendor's searches. */
const pageLimit = 150;

/** One condition of a search. */
export interface SearchTerm {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string | number | boolean;
}

/** Pages of what meets every term. The cursor goes into the body, and the index lags behind writes. */
export function searchPages<Page extends { readonly pages?: CursorPages }>(
  call: Call,
  operation: string,
  terms: readonly SearchTerm[],
  parse: (body: unknown) => Page,
): AsyncIterable<VendorAnswer<Page>> {
  const query = { operator: "AND", value: terms };
  return call.http.pages(
    { operation, body: { query, pagination: { per_page: pageLimit } }, parse, refusals },
    (page): NextPage => {
      const cursor = cursorOf(page.pages);
      if (cursor === undefined) return "end";
      if (cursor === "") return "incomplete";
      return { body: { query, pagination: { per_page: pageLimit, starting_after: cursor } } };
    },
  );
}
