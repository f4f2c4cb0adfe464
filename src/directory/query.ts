/**
 * Questions to lists of people and groups, in the directory's own words: `scim` compiles RFC 7644 filters into these,
 * adapters compile these into SQL. Comparison of text ignores case unless `exact`.
 */
export type DirectoryQuery =
  | { readonly op: "all" }
  | { readonly op: "and" | "or"; readonly of: readonly DirectoryQuery[] }
  | { readonly op: "not"; readonly of: DirectoryQuery }
  | {
      readonly op: "compare";
      readonly field: DirectoryField;
      readonly test: "eq" | "ne" | "co" | "sw" | "ew" | "gt" | "ge" | "lt" | "le";
      readonly value: string | number | boolean | null;
      readonly exact: boolean;
    }
  | { readonly op: "present"; readonly field: DirectoryField }
  /** One element of a multi-valued attribute meets the whole inner query (fields are relative to the element). */
  | { readonly op: "element"; readonly field: DirectoryField; readonly of: DirectoryQuery };

/**
 * Columns are answered by an index; `resource` paths by a bounded scan of the JSON document. A path names attributes by
 * their canonical names; an extension is its whole URN as the first step. A multi-valued attribute in the path means "any element".
 */
export type DirectoryField =
  | {
      readonly column:
        | "id"
        | "userName"
        | "externalId"
        | "displayName"
        | "active"
        | "emails"
        | "createdAt"
        | "updatedAt"
        | "members";
    }
  | { readonly resource: readonly string[] };

export interface PageRequest {
  /** 1-based; past the end gives an empty page. */
  readonly startIndex: number;
  /** 0 to 1,000. 0: only the total. */
  readonly count: number;
  readonly sort: { readonly field: DirectoryField; readonly descending: boolean } | undefined;
  /**
   * Documents that may be read for conditions and an order that no column holds; with more live rows the question is refused.
   * Absent: any number.
   */
  readonly scanAtMost?: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Of all matches, exact. */
  readonly total: number;
}
