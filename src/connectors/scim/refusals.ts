import { z } from "zod";
import { SyncError } from "../../model/errors.ts";
import type { ScimTarget } from "../../model/scim-target.ts";
import type { Refusal } from "../../model/vendor-http.ts";

/** RFC 7644 §3.12; servers leave out any of it, and answer with pages and plain text as well. */
const errorShape = z.object({
  scimType: z.string().nullish(),
  detail: z.string().nullish(),
});

/** Reads SCIM's error body, and what the target says that a status means at this server. */
export function refusalsOf(target: ScimTarget) {
  return (status: number, body: unknown): Refusal | undefined => {
    if (status < 400) return undefined;
    const parsed = errorShape.safeParse(body);
    const { scimType, detail } = parsed.success ? parsed.data : {};
    const meant = target.errors.find(
      (item) =>
        item.status === status && (item.scimType === undefined || item.scimType === scimType),
    );
    return {
      ...(meant === undefined ? {} : { code: meant.code }),
      ...(typeof scimType === "string" ? { vendorCode: scimType } : {}),
      ...(typeof detail === "string" ? { detail } : {}),
    };
  };
}

export function saysNotFound(error: unknown): error is SyncError {
  return error instanceof SyncError && error.facts.status === 404;
}

/** The userName is taken: 409, or 400 with the scimType that means it (RFC 7644 §3.12). */
export function saysTaken(error: unknown): error is SyncError {
  if (!(error instanceof SyncError)) return false;
  const { status, vendorCode } = error.facts;
  return (
    status === 409 ||
    (status === 400 && typeof vendorCode === "string" && vendorCode.toLowerCase() === "uniqueness")
  );
}

/** The write was understood and refused over the state that it met: the state decides what that means. */
export function saysState(error: unknown): error is SyncError {
  return error instanceof SyncError && [400, 404, 409].includes(Number(error.facts.status));
}
