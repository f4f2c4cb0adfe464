import { describe, expect, it } from "vitest";

import { compileProjection, isWanted, project, schemasOf } from "../../../src/scim/project.ts";
import {
  enterpriseUrn,
  groupSchema,
  groupUrn,
  userSchema,
  userUrn,
} from "../../../src/scim/schema.ts";

const ada = {
  schemas: [userUrn, enterpriseUrn],
  id: "1",
  userName: "ada@example.com",
  password: "never",
  name: { givenName: "Ada", familyName: "Quill" },
  emails: [{ value: "ada@example.com", type: "work" }, { type: "home" }],
  groups: [{ value: "g", display: "Engineering" }],
  [enterpriseUrn]: { department: "Platform", manager: { value: "7", displayName: "Bo" } },
  meta: { resourceType: "User", version: "1" },
};

const shown = (query: { attributes?: unknown; excludedAttributes?: unknown }) =>
  project(compileProjection(userSchema, query), ada);

describe("project", () => {
  it("gives everything but what is never returned when nothing is asked for", () => {
    const { password, ...rest } = ada;
    expect(password).toBe("never");
    expect(shown({})).toEqual(rest);
    expect(shown({ attributes: "", excludedAttributes: " , " })).toEqual(rest);
  });

  it("gives only what is asked for, with id and schemas", () => {
    const always = { schemas: ada.schemas, id: "1" };
    expect(shown({ attributes: "userName" })).toEqual({ ...always, userName: ada.userName });
    expect(shown({ attributes: "USERNAME, meta" })).toEqual({
      ...always,
      userName: ada.userName,
      meta: ada.meta,
    });
    expect(shown({ attributes: ["name.givenName", "emails.value"] })).toEqual({
      ...always,
      name: { givenName: "Ada" },
      emails: [{ value: "ada@example.com" }],
    });
    expect(shown({ attributes: "name,name.givenName" })).toEqual({ ...always, name: ada.name });
    expect(shown({ attributes: "name.givenName,name" })).toEqual({ ...always, name: ada.name });
    expect(shown({ attributes: `${userUrn}:title` })).toEqual(always);
    expect(shown({ attributes: "badge" })).toEqual(always);
    expect(shown({ attributes: "password" })).toEqual(always);
  });

  it("reaches into an extension, as a whole and in part", () => {
    expect(shown({ attributes: enterpriseUrn })).toHaveProperty(
      [enterpriseUrn],
      ada[enterpriseUrn],
    );
    expect(shown({ attributes: `${enterpriseUrn}:manager.value` })).toHaveProperty(
      [enterpriseUrn],
      { manager: { value: "7" } },
    );
    expect(shown({ attributes: "department" })).toHaveProperty([enterpriseUrn], {
      department: "Platform",
    });
    expect(shown({ excludedAttributes: `${enterpriseUrn}:manager` })).toHaveProperty(
      [enterpriseUrn],
      { department: "Platform" },
    );
    expect(shown({ excludedAttributes: enterpriseUrn })).not.toHaveProperty([enterpriseUrn]);
  });

  it("leaves out what is excluded, but never id and schemas", () => {
    const result = shown({
      excludedAttributes: "id,schemas,groups,emails.value,name.givenName,name.familyName,badge",
    });
    expect(result).toMatchObject({
      id: "1",
      schemas: ada.schemas,
      emails: [{ type: "work" }, { type: "home" }],
    });
    expect(result).not.toHaveProperty("groups");
    expect(result).not.toHaveProperty("name");
    expect(shown({ attributes: "name", excludedAttributes: "name.givenName" })).toEqual({
      schemas: ada.schemas,
      id: "1",
      name: { familyName: "Quill" },
    });
  });

  it("does not change what it was given", () => {
    const before = structuredClone(ada);
    shown({ attributes: "name.givenName,emails.value", excludedAttributes: "emails.type" });
    expect(ada).toEqual(before);
  });

  it("refuses hundreds of names", () => {
    expect(() => compileProjection(userSchema, { attributes: "a,".repeat(201) })).toThrow(
      /attributes: got 201 names/,
    );
  });
});

describe("isWanted", () => {
  it("tells what need not be loaded", () => {
    const wants = (query: object) => isWanted(compileProjection(groupSchema, query), "members");
    expect(wants({})).toBe(true);
    expect(wants({ excludedAttributes: "Members" })).toBe(false);
    expect(wants({ excludedAttributes: "members.display" })).toBe(true);
    expect(wants({ excludedAttributes: `${groupUrn}:members` })).toBe(false);
    expect(wants({ attributes: "displayName" })).toBe(false);
    expect(wants({ attributes: "members.value" })).toBe(true);
  });
});

describe("schemasOf", () => {
  it("names an extension if and only if it has values", () => {
    expect(schemasOf(userSchema, ada)).toEqual([userUrn, enterpriseUrn]);
    expect(schemasOf(userSchema, { userName: "x" })).toEqual([userUrn]);
    expect(schemasOf(groupSchema, {})).toEqual([groupUrn]);
  });
});
