import { z } from "zod";
import type { Json, JsonObject } from "../../model/json.ts";

/** What a SCIM service sends for a resource; everything but `id` is passed through unread. */
const resourceSchema = z.looseObject({ id: z.string().min(1) });
export type ScimResource = JsonObject & { readonly id: string };

const listSchema = z.looseObject({
  totalResults: z.int(),
  startIndex: z.int().optional(),
  itemsPerPage: z.int().optional(),
  Resources: z.array(resourceSchema).default([]),
});

const errorSchema = z.looseObject({ detail: z.string() });

export interface ScimPage {
  readonly totalResults: number;
  readonly resources: readonly ScimResource[];
}

/** A request that did not succeed. `status` is undefined when no whole answer arrived. */
export class ScimRequestError extends Error {
  override readonly name = "ScimRequestError";
  readonly status: number | undefined;

  constructor(status: number | undefined, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
  }

  /** Whether the service may have done what was asked although no answer says so. */
  get lost(): boolean {
    return this.status === undefined || this.status >= 500;
  }
}

/**
 * The resource in an answer.
 * @throws ScimRequestError when there is none or it has no id: an IdP cannot link that.
 */
export function readResource(status: number, body: Json | undefined, what: string): ScimResource {
  const parsed = resourceSchema.safeParse(body);
  if (!parsed.success) throw unreadable(status, what, parsed.error);
  return parsed.data as ScimResource;
}

export function unreadable(status: number, what: string, cause: unknown): ScimRequestError {
  return new ScimRequestError(
    status,
    `${what}: the answer ${String(status)} is not a readable SCIM message`,
    cause,
  );
}

/** @throws ScimRequestError when the body is no ListResponse (RFC 7644 section 3.4.2). */
export function readPage(status: number, body: Json | undefined, what: string): ScimPage {
  const page = listSchema.safeParse(body);
  if (!page.success) throw unreadable(status, what, page.error);
  return {
    totalResults: page.data.totalResults,
    resources: page.data.Resources as readonly ScimResource[],
  };
}

/** The `detail` of a SCIM error body: what the IdP's administrator gets to read. */
export function readDetail(body: Json | undefined): string {
  const parsed = errorSchema.safeParse(body);
  return parsed.success ? parsed.data.detail : "no SCIM error body";
}

export const userSchema = "urn:ietf:params:scim:schemas:core:2.0:User";
export const enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
export const groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group";

/** A SCIM filter `attribute eq "value"`; the literal is a JSON string (RFC 7644 section 3.4.2.2). */
export function equals(attribute: string, value: string): string {
  return `${attribute} eq ${JSON.stringify(value)}`;
}

/** The envelope of RFC 7644 section 3.5.2. */
export function patchOp(operations: readonly JsonObject[]): JsonObject {
  return { schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], Operations: operations };
}

/** The value as an array; anything else has no elements. */
export function asArray(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** The value as an object; anything else has no members. */
export function asObject(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : {};
}
