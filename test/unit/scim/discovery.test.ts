import SCIMMY from "scimmy";
import { describe, expect, it } from "vitest";

import type { JsonObject } from "../../../src/model/json.ts";
import {
  maxResults,
  resourceType,
  resourceTypes,
  schema,
  schemas,
  serviceProviderConfig,
} from "../../../src/scim/discovery.ts";
import { enterpriseUrn, groupUrn, userUrn } from "../../../src/scim/schema.ts";

const base = "https://id.example.com/scim/v2";

function attributesOf(document: JsonObject | undefined): readonly JsonObject[] {
  return document?.["attributes"] as readonly JsonObject[];
}

describe("serviceProviderConfig", () => {
  it("says what is true, in the form that the library's own schema takes", () => {
    const document = serviceProviderConfig(base);
    expect(document).toMatchObject({
      patch: { supported: true },
      bulk: { supported: false },
      filter: { supported: true, maxResults: 1_000 },
      changePassword: { supported: false },
      sort: { supported: true },
      etag: { supported: true },
      pagination: {
        cursor: true,
        index: true,
        defaultPaginationMethod: "index",
        maxPageSize: 1_000,
      },
      meta: { location: `${base}/ServiceProviderConfig` },
    });
    expect(maxResults).toBe(1_000);
    // The library does not know RFC 9865.
    const { pagination: _, ...rest } = document;
    expect(() => new SCIMMY.Schemas.ServiceProviderConfig(structuredClone(rest))).not.toThrow();
  });
});

describe("resourceTypes", () => {
  it("is a list response of User with its extension and Group", () => {
    expect(resourceTypes(base)).toMatchObject({
      schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
      totalResults: 2,
      startIndex: 1,
      itemsPerPage: 2,
      Resources: [
        {
          id: "User",
          endpoint: "/Users",
          schema: userUrn,
          schemaExtensions: [{ schema: enterpriseUrn, required: false }],
        },
        { id: "Group", endpoint: "/Groups", schema: groupUrn },
      ],
    });
    expect(resourceTypes(base).Resources[1]).not.toHaveProperty("schemaExtensions");
  });

  it("is found by id without regard to case", () => {
    expect(resourceType(base, "user")).toMatchObject({
      meta: { location: `${base}/ResourceTypes/User` },
    });
    expect(resourceType(base, "Device")).toBeUndefined();
  });

  it("keeps no address between two calls", () => {
    expect(
      JSON.stringify([
        resourceTypes("https://a.example.com"),
        schemas("https://a.example.com"),
        serviceProviderConfig("https://a.example.com"),
      ]),
    ).not.toContain(base);
    expect(resourceType(base, "User")).toMatchObject({
      meta: { location: `${base}/ResourceTypes/User` },
    });
  });
});

describe("schemas", () => {
  it("is a list response of the three schemas with their addresses", () => {
    const list = schemas(base);
    expect(list.totalResults).toBe(3);
    expect(list.Resources.map((document) => document["id"])).toEqual([
      userUrn,
      groupUrn,
      enterpriseUrn,
    ]);
    expect(schema(base, enterpriseUrn.toUpperCase())).toMatchObject({
      meta: { resourceType: "Schema", location: `${base}/Schemas/${enterpriseUrn}` },
    });
    expect(schema(base, "urn:example:x")).toBeUndefined();
  });

  it("describes every attribute fully, in plain JSON without nulls", () => {
    const list = schemas(base);
    expect(JSON.parse(JSON.stringify(list))).toEqual(list);
    expect(JSON.stringify(list)).not.toContain("null");
    for (const attribute of list.Resources.flatMap((document) => attributesOf(document))) {
      expect(attribute).toMatchObject({
        name: expect.any(String),
        type: expect.any(String),
        mutability: expect.any(String),
        returned: expect.any(String),
      });
    }
  });

  it("offers no password, no empty list of allowed values, and says that group names are unique", () => {
    const userAttributes = attributesOf(schema(base, userUrn));
    expect(userAttributes.map((attribute) => attribute["name"])).not.toContain("password");
    expect(JSON.stringify(userAttributes)).not.toContain('"canonicalValues":[]');
    expect(JSON.stringify(userAttributes)).toContain('"canonicalValues":["work","home","other"]');
    expect(attributesOf(schema(base, groupUrn))[0]).toMatchObject({
      name: "displayName",
      uniqueness: "server",
    });
    expect(userAttributes.find((attribute) => attribute["name"] === "displayName")).toMatchObject({
      uniqueness: "none",
    });
    const part = (parent: string, name: string) => {
      const found = attributesOf(schema(base, groupUrn)).find((one) => one["name"] === parent);
      return (found?.["subAttributes"] as JsonObject[]).find((one) => one["name"] === name);
    };
    expect(part("members", "value")).toMatchObject({ caseExact: true });
    expect(part("members", "display")).toMatchObject({
      mutability: "readOnly",
      returned: "request",
    });
    expect(userAttributes.find((attribute) => attribute["name"] === "active")).toMatchObject({
      required: true,
    });
  });
});
