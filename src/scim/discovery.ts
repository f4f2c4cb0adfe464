import SCIMMY from "scimmy";

import type { Json, JsonObject } from "../model/json.ts";
import type { CustomExtension } from "./extension.ts";
import { type ListResponse, listResponse } from "./list-response.ts";
import { enterpriseUrn, ownTruths } from "./schema.ts";

/** Resources in one page of a list, whatever `count` asks for. Okta reads pages of 100. */
export const maxResults = 1_000;
/** Where `count` is absent. */
export const defaultResults = 100;

/**
 * RFC 7643 section 5: what this service can do, in truth.
 * @param baseUrl public base of the SCIM endpoints without a slash at its end, for example `https://id.example.com/scim/v2`
 */
export function serviceProviderConfig(baseUrl: string): JsonObject {
  return {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
    patch: { supported: true },
    // RFC 7643 wants the two numbers even where nothing is supported.
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    // RFC 9865 section 4. Cursors name a place, not a search that is kept: they never end.
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: "index",
      defaultPageSize: defaultResults,
      maxPageSize: maxResults,
    },
    authenticationSchemes: [
      {
        type: "oauthbearertoken",
        name: "Bearer token",
        description: "A long-lived token of one IdP connection in the Authorization header.",
        specUri: "https://www.rfc-editor.org/info/rfc6750",
        primary: true,
      },
      {
        type: "oauth2",
        name: "Signed token",
        description:
          "A token (JWT) that your own authorization server gives to a client by its credentials, where it is set up for the IdP connection.",
        specUri: "https://www.rfc-editor.org/info/rfc6749",
      },
    ],
    meta: {
      resourceType: "ServiceProviderConfig",
      location: `${baseUrl}/ServiceProviderConfig`,
    },
  };
}

/** RFC 7643 section 6. */
export function resourceTypes(
  baseUrl: string,
  more: readonly CustomExtension[] = [],
): ListResponse<JsonObject> {
  return listResponse([
    describeType(baseUrl, SCIMMY.Schemas.User.definition, "/Users", [
      enterpriseUrn,
      ...more.map(({ extension }) => extension.urn),
    ]),
    describeType(baseUrl, SCIMMY.Schemas.Group.definition, "/Groups", []),
  ]);
}

/** One of {@link resourceTypes} by its id, without regard to case; undefined where there is none. */
export function resourceType(
  baseUrl: string,
  id: string,
  more: readonly CustomExtension[] = [],
): JsonObject | undefined {
  return findById(resourceTypes(baseUrl, more).Resources, id);
}

/** RFC 7643 section 7. Entra reads it as a list and wants camelCase names and no nulls. */
export function schemas(
  baseUrl: string,
  more: readonly CustomExtension[] = [],
): ListResponse<JsonObject> {
  return listResponse(
    [...schemaDocuments, ...more.map(({ document }) => document)].map((document) => ({
      ...document,
      meta: { resourceType: "Schema", location: `${baseUrl}/Schemas/${String(document["id"])}` },
    })),
  );
}

/** One of {@link schemas} by its URN, without regard to case; undefined where there is none. */
export function schema(
  baseUrl: string,
  id: string,
  more: readonly CustomExtension[] = [],
): JsonObject | undefined {
  return findById(schemas(baseUrl, more).Resources, id);
}

type Definition = InstanceType<typeof SCIMMY.Types.SchemaDefinition>;

const schemaDocuments: readonly JsonObject[] = [
  SCIMMY.Schemas.User.definition,
  SCIMMY.Schemas.Group.definition,
  SCIMMY.Schemas.EnterpriseUser.definition,
].map(describeSchema);

function describeSchema(definition: Definition): JsonObject {
  // The definition's own JSON form is RFC 7643 section 7; going through text rids it of accessors and proxies.
  const document = JSON.parse(JSON.stringify(definition.describe())) as JsonObject;
  const attributes = document["attributes"] as readonly JsonObject[];
  return {
    ...document,
    attributes: attributes
      // A password is never kept, so nobody should map one.
      .filter((attribute) => attribute["name"] !== "password")
      .map((attribute) => describeAttribute(`${definition.id}:`, attribute)),
  };
}

/** @param prefix of its path: the URN and a colon, and for a sub-attribute its parent and a dot */
function describeAttribute(prefix: string, attribute: JsonObject): JsonObject {
  const path = `${prefix}${String(attribute["name"])}`;
  const { canonicalValues, subAttributes, ...rest } = attribute;
  const result: Record<string, Json | undefined> = { ...rest, ...ownTruths.get(path) };
  // An empty list of suggestions reads as "no value is allowed".
  if (isList(canonicalValues) && canonicalValues.length > 0) {
    result["canonicalValues"] = canonicalValues;
  }
  if (isList(subAttributes)) {
    result["subAttributes"] = subAttributes.map((sub) =>
      describeAttribute(`${path}.`, sub as JsonObject),
    );
  }
  return result;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function describeType(
  baseUrl: string,
  definition: Definition,
  endpoint: string,
  extensions: readonly string[],
): JsonObject {
  return {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
    id: definition.name,
    name: definition.name,
    description: definition.description,
    endpoint,
    schema: definition.id,
    ...(extensions.length === 0
      ? {}
      : { schemaExtensions: extensions.map((urn) => ({ schema: urn, required: false })) }),
    meta: {
      resourceType: "ResourceType",
      location: `${baseUrl}/ResourceTypes/${definition.name}`,
    },
  };
}

function findById(documents: readonly JsonObject[], id: string): JsonObject | undefined {
  const lower = id.toLowerCase();
  return documents.find((document) => String(document["id"]).toLowerCase() === lower);
}
