export interface ListResponse<T> {
  readonly schemas: readonly ["urn:ietf:params:scim:api:messages:2.0:ListResponse"];
  readonly totalResults: number;
  readonly startIndex: number;
  readonly itemsPerPage: number;
  readonly Resources: readonly T[];
}

/** RFC 7644 section 3.4.2. `itemsPerPage` is what this page holds, not what was asked for. */
export function listResponse<T>(
  resources: readonly T[],
  page: { readonly total: number; readonly startIndex: number } = {
    total: resources.length,
    startIndex: 1,
  },
): ListResponse<T> {
  return {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
    totalResults: page.total,
    startIndex: page.startIndex,
    itemsPerPage: resources.length,
    Resources: resources,
  };
}
