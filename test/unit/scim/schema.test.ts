import { describe, expect, it } from "vitest";

import {
  type Attribute,
  enterpriseUrn,
  groupSchema,
  groupUrn,
  knowsSchema,
  resolvePath,
  userSchema,
  userUrn,
} from "../../../src/scim/schema.ts";

const names = (text: string, schema = userSchema): unknown => {
  const path = resolvePath(schema, text);
  return typeof path === "string"
    ? path
    : [path.extension?.urn, path.attribute?.name, path.sub?.name];
};

describe("userSchema", () => {
  const get = (text: string): Attribute | undefined => {
    const path = resolvePath(userSchema, text);
    return typeof path === "string" ? undefined : (path.sub ?? path.attribute);
  };

  it("knows what requests and responses need of each attribute", () => {
    expect(get("id")).toMatchObject({
      mutability: "readOnly",
      returned: "always",
      caseExact: true,
      required: false,
    });
    expect(get("schemas")).toMatchObject({
      mutability: "readOnly",
      returned: "always",
      multiValued: true,
    });
    expect(get("meta.created")).toMatchObject({ type: "dateTime" });
    expect(get("groups")).toMatchObject({ mutability: "readOnly" });
    expect(get("externalId")).toMatchObject({ caseExact: true, mutability: "readWrite" });
    expect(get("userName")).toMatchObject({
      caseExact: false,
      required: true,
      uniqueness: "server",
    });
    expect(get("password")).toMatchObject({ mutability: "writeOnly", returned: "never" });
    expect(get("emails.primary")).toMatchObject({ type: "boolean", path: "emails.primary" });
    expect(get("x509Certificates.value")).toMatchObject({ type: "binary", caseExact: true });
    expect(get("manager.displayName")).toMatchObject({
      mutability: "readOnly",
      path: `${enterpriseUrn}:manager.displayName`,
    });
  });

  it("has only complex lists, as patching assumes, and one level of parts", () => {
    const all = [userSchema, groupSchema].flatMap((schema) => [
      ...schema.attributes.values(),
      ...schema.extensions.flatMap((extension) => [...extension.attributes.values()]),
    ]);
    for (const attribute of all) {
      if (attribute.multiValued && attribute.name !== "schemas")
        expect(attribute.type).toBe("complex");
      for (const sub of attribute.subAttributes.values()) {
        expect(sub.multiValued).toBe(false);
        expect(sub.type).not.toBe("complex");
      }
    }
  });

  it("keeps common attributes out of the extension", () => {
    expect([...(userSchema.extensions[0]?.attributes.keys() ?? [])]).toEqual([
      "employeenumber",
      "costcenter",
      "organization",
      "division",
      "department",
      "manager",
    ]);
  });
});

describe("resolvePath", () => {
  it.each<[string, unknown]>([
    ["USERNAME", [undefined, "userName", undefined]],
    ["name.givenname", [undefined, "name", "givenName"]],
    [`${userUrn}:name.givenName`, [undefined, "name", "givenName"]],
    ["urn:scim:schemas:core:2.0:userName", [undefined, "userName", undefined]],
    [enterpriseUrn.toUpperCase(), [enterpriseUrn, undefined, undefined]],
    [`${enterpriseUrn}:MANAGER.$REF`, [enterpriseUrn, "manager", "$ref"]],
    [
      "urn:scim:schemas:extension:enterprise:2.0:department",
      [enterpriseUrn, "department", undefined],
    ],
    ["manager", [enterpriseUrn, "manager", undefined]],
    ["members", "unknownAttribute"],
    ["name.nick", "unknownAttribute"],
    ["userName.value", "unknownAttribute"],
    ["name.givenName.x", "unknownAttribute"],
    ["", "unknownAttribute"],
    ["__proto__", "unknownAttribute"],
    [`${userUrn}:badge`, "unknownAttribute"],
    [`${enterpriseUrn}:badge`, "unknownAttribute"],
    ["urn:example:badges:2.0:User:badge", "unknownSchema"],
    [`${groupUrn}:members`, "unknownSchema"],
    ["urn:", "unknownSchema"],
  ])("finds %s", (text, expected) => {
    expect(names(text)).toEqual(expected);
  });
});

describe("knowsSchema", () => {
  it("compares without case", () => {
    expect(knowsSchema(userSchema, userUrn.toUpperCase())).toBe(true);
    expect(knowsSchema(userSchema, enterpriseUrn)).toBe(true);
    expect(knowsSchema(groupSchema, enterpriseUrn)).toBe(false);
    expect(knowsSchema(groupSchema, "urn:scim:schemas:core:2.0")).toBe(true);
  });
});
