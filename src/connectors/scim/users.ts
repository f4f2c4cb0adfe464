import { SyncError } from "../../model/errors.ts";
import type { VendorAnswer } from "../../model/vendor-http.ts";
import { patchBodies, written, type PatchOperation } from "./patch.ts";
import { saysNotFound } from "./refusals.ts";
import { roleOperations, rolesAfter, type RoleChange } from "./roles.ts";
import type { ScimCall } from "./scim-call.ts";
import { parseUser, withAttribute, type ScimUser } from "./wire.ts";

/** A user by id, as the server shows it now; undefined: it has none. */
export async function readUser(scim: ScimCall, userId: string): Promise<ScimUser | undefined> {
  try {
    const answer = await scim.call.http.request({
      operation: "users.read",
      path: { userId },
      parse: (body) => parseUser(scim.target, body),
      refusals: scim.refusals,
    });
    return versioned(answer.value, answer);
  } catch (error) {
    if (saysNotFound(error)) return undefined;
    throw error;
  }
}

/** The header of an answer says the version where the body does not. */
export function versioned(found: ScimUser, answer: Pick<VendorAnswer<unknown>, "etag">): ScimUser {
  return found.version === undefined ? { ...found, version: answer.etag } : found;
}

/** What a user must become; what is not named stays as it is. */
export interface UserChange {
  readonly active?: boolean;
  readonly roles?: RoleChange;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

export interface UserWritten {
  /** Undefined: the server kept its answer to itself. */
  readonly user: ScimUser | undefined;
  readonly requestIds: readonly string[];
}

/**
 * Writes a change to a user that was read just now, in the server's way: a PATCH of the change, or the whole user with everything that
 * the server showed, known or not, and `active` always said.
 * @throws SyncError VENDOR_CONFLICT when the user is gone or was changed meanwhile
 */
export async function writeUser(
  scim: ScimCall,
  found: ScimUser,
  change: UserChange,
): Promise<UserWritten> {
  const { mode, versions } = scim.target.update;
  const patching = mode === "patch";
  const bodies = patching
    ? patchBodies(scim.target.update, operationsOf(scim, found, change))
    : [wholeUser(scim, found, change)];
  const ids: string[] = [];
  let user: ScimUser | undefined;
  let version = versions === "if-match" ? found.version : undefined;
  try {
    for (const body of bodies) {
      const answer = await scim.call.http.request({
        operation: patching ? "users.patch" : "users.replace",
        path: { userId: found.id },
        body,
        ifMatch: version,
        parse: (answered) => userOrNothing(scim, answered),
        refusals: scim.refusals,
      });
      if (answer.requestId !== undefined) ids.push(answer.requestId);
      user = answer.value === undefined ? undefined : versioned(answer.value, answer);
      // A later part of a series is for the version that the part before it made; untold, it goes without one.
      version = versions === "if-match" ? (user?.version ?? answer.etag) : undefined;
    }
  } catch (error) {
    if (!saysNotFound(error)) throw error;
    throw new SyncError("VENDOR_CONFLICT", "scim: the user is gone; looked for again", {
      cause: error,
      facts: error.facts,
    });
  }
  return { user, requestIds: ids };
}

/** The body of an answer to a write: a user, or nothing where the server answers 204 or an empty 200. */
export function userOrNothing(scim: ScimCall, body: unknown): ScimUser | undefined {
  const empty = body === undefined || body === null || body === "";
  return empty ? undefined : parseUser(scim.target, body);
}

function operationsOf(
  scim: ScimCall,
  found: ScimUser,
  change: UserChange,
): readonly PatchOperation[] {
  const { target } = scim;
  return [
    ...(change.active === undefined
      ? []
      : [
          {
            op: "replace" as const,
            path: "active",
            value: written(target.update, change.active),
          },
        ]),
    ...Object.entries(change.attributes ?? {}).map(([path, value]) => ({
      op: "replace" as const,
      path,
      value,
    })),
    ...(change.roles === undefined ? [] : roleOperations(found, change.roles, target)),
  ];
}

function wholeUser(scim: ScimCall, found: ScimUser, change: UserChange): unknown {
  const { roles, update } = scim.target;
  let body = found.raw;
  for (const [name, value] of Object.entries(change.attributes ?? {})) {
    body = withAttribute(body, name, value);
  }
  if (change.roles !== undefined) {
    body = withAttribute(body, roles.attribute, rolesAfter(found, change.roles, scim.target));
  }
  body = withAttribute(body, "active", written(update, change.active ?? found.active));
  // The server's own: read-only, and stale as soon as it is sent back.
  const { meta: _meta, ...rest } = body;
  return rest;
}
