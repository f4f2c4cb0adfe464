import { StoreError } from "../model/errors.ts";
import { versionMoved } from "./etag.ts";
import { storeRetrySeconds } from "./limits.ts";
import { ScimError } from "./scim-error.ts";

/**
 * What a client is told about an error of the store or of ours. Nothing but a missing resource becomes 404: identity
 * providers read 404 as "this person is gone".
 */
export function toScimError(error: unknown, requestId: string): ScimError {
  if (error instanceof ScimError) return error;
  if (error instanceof StoreError) return fromStore(error, requestId);
  return internal(requestId);
}

function fromStore(error: StoreError, requestId: string): ScimError {
  switch (error.code) {
    case "NOT_FOUND":
      return new ScimError(404, undefined, "There is no such resource in this IdP connection.");
    case "VERSION_CONFLICT":
      return versionMoved();
    case "ALREADY_EXISTS":
      return taken(error.field);
    case "INVALID":
      return invalid(error);
    case "UNAVAILABLE":
      return new ScimError(
        503,
        undefined,
        `The directory cannot be reached now: send the request again (request ${requestId}).`,
        { "Retry-After": String(storeRetrySeconds) },
      );
  }
}

function taken(field: string | undefined): ScimError {
  const attribute = field ?? "a unique attribute";
  return new ScimError(
    409,
    "uniqueness",
    `${attribute}: another resource of this IdP connection has this value, which is compared without regard to case; find it with filter=${attribute} eq "…"`,
  );
}

function invalid(error: StoreError): ScimError {
  switch (error.field) {
    case "filter":
      return new ScimError(400, "invalidFilter", error.message);
    case "scanAtMost":
      return new ScimError(400, "tooMany", `filter, sortBy: ${error.message}`);
    case "sortBy":
      return new ScimError(400, "invalidPath", error.message);
    default:
      return new ScimError(400, "invalidValue", error.message);
  }
}

function internal(requestId: string): ScimError {
  return new ScimError(
    500,
    undefined,
    `The request failed for a reason of ours; it is in the log under request ${requestId}.`,
  );
}

export function notFound(resourceType: "User" | "Group"): ScimError {
  return new ScimError(
    404,
    undefined,
    `There is no ${resourceType} with this id in this IdP connection.`,
  );
}

/** A resource that other processes changed every time we tried: worth another try, so told in the one way that IdPs repeat. */
export function tooContended(): ScimError {
  return new ScimError(
    429,
    undefined,
    "The resource was changed by other requests all the time: send this one again.",
    { "Retry-After": String(storeRetrySeconds) },
  );
}
