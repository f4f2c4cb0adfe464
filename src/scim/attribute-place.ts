import type { DirectoryField } from "../directory/query.ts";
import { type Attribute, resolvePath, type ResourceSchema } from "./schema.ts";
import { ScimError } from "./scim-error.ts";

/** Where an attribute lies in the directory, and how it compares. */
export interface AttributePlace {
  readonly field: DirectoryField;
  readonly type: "text" | "boolean" | "number" | "instant" | "complex";
  readonly exact: boolean;
  /** No index answers it. */
  readonly scan: boolean;
}

/** The same for every resource of a type: `meta.resourceType`, and that there is a `meta` at all. */
export interface Constant {
  readonly constant: string;
}

const columns: Readonly<
  Record<string, "id" | "userName" | "externalId" | "displayName" | "active">
> = {
  id: "id",
  userName: "userName",
  externalId: "externalId",
  displayName: "displayName",
  active: "active",
};

/** @throws ScimError 400 `scimType` that names the parameter and the attribute */
export function locate(
  schema: ResourceSchema,
  text: string,
  parameter: string,
  scimType: "invalidFilter" | "invalidPath",
): AttributePlace | Constant {
  const path = resolvePath(schema, text);
  if (typeof path !== "object" || path.attribute === undefined) {
    throw unknownAttribute(schema, text, parameter, scimType);
  }
  const { extension, attribute, sub } = path;
  refuseUnstored(schema, attribute, parameter, scimType);
  if (extension === undefined) {
    if (attribute.name === "meta") return locateMeta(schema, sub, parameter, scimType);
    const column = columns[attribute.name];
    if (column !== undefined) {
      const type = column === "active" ? "boolean" : "text";
      return { field: { column }, type, exact: attribute.caseExact, scan: false };
    }
    const many = attribute.name;
    if (
      (many === "emails" || many === "members") &&
      (sub ?? valueOf(attribute))?.name === "value"
    ) {
      return { field: { column: many }, type: "text", exact: many === "members", scan: false };
    }
    if (many === "members") {
      throw new ScimError(400, scimType, `${parameter}: members can be asked by "value" only`);
    }
  }
  const leaf = sub ?? valueOf(attribute) ?? attribute;
  const steps = [extension?.urn, attribute.name, leaf === attribute ? undefined : leaf.name];
  return {
    field: { resource: steps.filter((step) => step !== undefined) },
    type: typeOf(leaf),
    exact: leaf.caseExact,
    scan: true,
  };
}

function locateMeta(
  schema: ResourceSchema,
  sub: Attribute | undefined,
  parameter: string,
  scimType: "invalidFilter" | "invalidPath",
): AttributePlace | Constant {
  switch (sub?.name) {
    case undefined:
    case "resourceType":
      return { constant: schema.resourceType };
    case "created":
      return { field: { column: "createdAt" }, type: "instant", exact: true, scan: false };
    case "lastModified":
      return { field: { column: "updatedAt" }, type: "instant", exact: true, scan: false };
    default:
      throw new ScimError(
        400,
        scimType,
        `${parameter}: of meta, resourceType, created and lastModified can be asked`,
      );
  }
}

/** What a text stands for where an attribute with parts is compared as a whole. */
function valueOf(attribute: Attribute): Attribute | undefined {
  return attribute.type === "complex" ? attribute.subAttributes.get("value") : undefined;
}

export function typeOf(attribute: Attribute): AttributePlace["type"] {
  if (attribute.type === "boolean" || attribute.type === "complex") return attribute.type;
  if (attribute.type === "integer" || attribute.type === "decimal") return "number";
  return attribute.type === "dateTime" ? "instant" : "text";
}

/** Answers from empty storage would look like "no such resource", which is worse than an error. */
export function refuseUnstored(
  schema: ResourceSchema,
  attribute: Attribute,
  parameter: string,
  scimType: "invalidFilter" | "invalidPath",
): void {
  const hint =
    attribute.name === "groups" && schema.resourceType === "User"
      ? 'the groups of a person are asked with GET /Groups?filter=members eq "<id>"'
      : attribute.returned === "never" || attribute.name === "schemas"
        ? `${attribute.path} cannot be asked`
        : undefined;
  if (hint !== undefined) throw new ScimError(400, scimType, `${parameter}: ${hint}`);
}

export function unknownAttribute(
  schema: ResourceSchema,
  text: string,
  parameter = "filter",
  scimType: "invalidFilter" | "invalidPath" = "invalidFilter",
): ScimError {
  return new ScimError(
    400,
    scimType,
    `${parameter}: a ${schema.resourceType} has no attribute ${shown(text)}`,
  );
}

/** Part of a client's text for an error message. */
export function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100).toWellFormed());
}
