import type { SourceUser, SourceUserDraft } from "../directory/directory-store.ts";
import type { GroupId } from "../model/ids.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { etagOf } from "./etag.ts";
import { schemasOf } from "./project.ts";
import type { ResourceSchema } from "./schema.ts";

export interface GroupOfUser {
  readonly groupId: GroupId;
  readonly displayName: string;
}

/** The whole SCIM resource. `groups` undefined: not asked for, or known to be none. */
export function userResource(
  { baseUrl, schema }: { readonly baseUrl: string; readonly schema: ResourceSchema },
  user: SourceUser,
  groups: readonly GroupOfUser[] | undefined,
): JsonObject {
  return {
    schemas: schemasOf(schema, user.resource),
    id: user.sourceUserId,
    ...user.resource,
    ...(groups === undefined || groups.length === 0
      ? {}
      : {
          groups: groups.map(({ groupId, displayName }) => ({
            value: groupId,
            $ref: `${baseUrl}/Groups/${groupId}`,
            display: displayName,
            type: "direct",
          })),
        }),
    meta: {
      resourceType: "User",
      created: new Date(user.createdAt).toISOString(),
      lastModified: new Date(user.updatedAt).toISOString(),
      location: userLocation(baseUrl, user.sourceUserId),
      version: etagOf(user.version),
    },
  };
}

export function userLocation(baseUrl: string, sourceUserId: string): string {
  return `${baseUrl}/Users/${sourceUserId}`;
}

/**
 * The columns and the document of a canonical resource.
 * @param activeIfAbsent a body without `active` says nothing about it, least of all that somebody left
 */
export function draftOf(resource: JsonObject, activeIfAbsent: boolean): SourceUserDraft {
  const { userName } = resource;
  const active = typeof resource["active"] === "boolean" ? resource["active"] : activeIfAbsent;
  return {
    userName: typeof userName === "string" ? userName : "",
    externalId: filled(resource["externalId"]),
    displayName: filled(resource["displayName"]),
    active,
    emails: emailsOf(resource["emails"]),
    resource: resource["active"] === active ? resource : { ...resource, active },
  };
}

function emailsOf(value: Json | undefined): readonly string[] {
  if (!Array.isArray(value)) return [];
  const elements = value as readonly JsonObject[];
  const primary = elements.find((element) => element["primary"] === true);
  const addresses = [primary, ...elements]
    .map((element) => filled(element?.["value"]))
    .filter((address) => address !== undefined);
  return [...new Set(addresses)];
}

/** "" is how identity providers erase a text. */
function filled(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
