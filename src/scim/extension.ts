import { readFile } from "node:fs/promises";
import { InputError } from "../model/errors.ts";
import type { Json, JsonObject } from "../model/json.ts";
import {
  type Attribute,
  type AttributeType,
  type Extension,
  knowsSchema,
  type ResourceSchema,
  userSchema,
} from "./schema.ts";

/** A schema extension of people that an installation adds to the enterprise extension. */
export interface CustomExtension {
  readonly extension: Extension;
  /** RFC 7643 section 7, as /Schemas shows it. */
  readonly document: JsonObject;
}

const maxAttributes = 100;
const types: readonly AttributeType[] = [
  "string",
  "boolean",
  "integer",
  "decimal",
  "reference",
  "dateTime",
  "complex",
];
const attributeName = /^[A-Za-z][\w$-]{0,63}$/;
const schemaUrn = /^urn:[\w:.%~+$-]{1,180}$/i;

/** The schema of people with extensions behind the ones that everybody has. */
export function userSchemaWith(extensions: readonly CustomExtension[]): ResourceSchema {
  if (extensions.length === 0) return userSchema;
  return {
    ...userSchema,
    extensions: [...userSchema.extensions, ...extensions.map(({ extension }) => extension)],
  };
}

/** @throws InputError, for a file that cannot be read too */
export async function loadExtensions(
  path: string | undefined,
): Promise<readonly CustomExtension[]> {
  if (path === undefined) return [];
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InputError("the schema extensions cannot be read", [why]);
  }
  return readExtensions(text);
}

/**
 * Reads schema extensions of people: a JSON list of Schema documents (RFC 7643 section 7). Only what says how values are kept is
 * taken; no attribute can be required, or a mapping that lacks it would stop people from leaving.
 * @throws InputError with every problem and its place
 */
export function readExtensions(text: string): readonly CustomExtension[] {
  let documents: unknown;
  try {
    documents = JSON.parse(text);
  } catch {
    throw new InputError("the schema extensions cannot be used", ["the file is not JSON"]);
  }
  const problems: string[] = [];
  const found: CustomExtension[] = [];
  if (!Array.isArray(documents)) problems.push("expected a list of Schema documents");
  else {
    for (const [index, document] of documents.entries()) {
      const read = readDocument(document, `[${String(index)}]`, problems);
      if (read === undefined) continue;
      if (
        knowsSchema(userSchemaWith(found), read.extension.urn) ||
        read.extension.urn.toLowerCase().startsWith("urn:ietf:params:scim:schemas:core:")
      ) {
        problems.push(`[${String(index)}].id: ${read.extension.urn} is there already`);
      } else found.push(read);
    }
  }
  if (problems.length > 0) throw new InputError("the schema extensions cannot be used", problems);
  return found;
}

function readDocument(
  source: unknown,
  place: string,
  problems: string[],
): CustomExtension | undefined {
  if (!isObject(source)) {
    problems.push(`${place}: expected a Schema document, an object with id, name and attributes`);
    return undefined;
  }
  const { id, name, description, attributes } = source;
  if (typeof id !== "string" || !schemaUrn.test(id) || id.endsWith(":")) {
    problems.push(`${place}.id: expected the URN of the extension, as in urn:example:badges:1.0`);
    return undefined;
  }
  const parts = readAttributes(attributes, `${place}.attributes`, `${id}:`, problems);
  return {
    extension: { urn: id, attributes: parts },
    document: {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
      id,
      name: typeof name === "string" ? name : id,
      ...(typeof description === "string" ? { description } : {}),
      attributes: [...parts.values()].map(describeAttribute),
    },
  };
}

function readAttributes(
  source: unknown,
  place: string,
  path: string,
  problems: string[],
): Attribute["subAttributes"] {
  const found = new Map<string, Attribute>();
  if (!Array.isArray(source) || source.length === 0 || source.length > maxAttributes) {
    problems.push(`${place}: expected a list of 1 to ${String(maxAttributes)} attributes`);
    return found;
  }
  for (const [index, item] of source.entries()) {
    const attribute = readAttribute(item, `${place}[${String(index)}]`, path, problems);
    if (attribute === undefined) continue;
    const lower = attribute.name.toLowerCase();
    if (found.has(lower)) problems.push(`${place}[${String(index)}].name: ${lower} is there twice`);
    found.set(lower, attribute);
  }
  return found;
}

function readAttribute(
  source: unknown,
  place: string,
  path: string,
  problems: string[],
): Attribute | undefined {
  const given = isObject(source) ? source : {};
  const { name, type = "string", multiValued = false, caseExact = false, required } = given;
  const kind = types.find((known) => known === type);
  if (typeof name !== "string" || !attributeName.test(name)) {
    problems.push(`${place}.name: expected a letter, then letters, digits, "_", "-" or "$"`);
  } else if (kind === undefined) {
    problems.push(`${place}.type: expected ${types.join(", ")}`);
  } else if (typeof multiValued !== "boolean" || typeof caseExact !== "boolean") {
    problems.push(`${place}: multiValued and caseExact are true or false`);
  } else if (required === true) {
    problems.push(`${place}.required: an extension cannot require a value`);
  } else if (multiValued && kind !== "complex") {
    problems.push(`${place}.multiValued: only complex attributes have many, with a part "value"`);
  } else {
    const own = `${path}${name}`;
    return {
      ...{ name, path: own, type: kind, multiValued, required: false, caseExact },
      ...{ mutability: "readWrite", returned: "default", uniqueness: "none" },
      canonicalValues: [],
      subAttributes:
        kind === "complex"
          ? readAttributes(given["subAttributes"], `${place}.subAttributes`, `${own}.`, problems)
          : new Map(),
    };
  }
  return undefined;
}

function describeAttribute(attribute: Attribute): JsonObject {
  const { name, type, multiValued, required, caseExact, mutability, returned, uniqueness } =
    attribute;
  const subAttributes: readonly Json[] = [...attribute.subAttributes.values()].map(
    describeAttribute,
  );
  return {
    ...{ name, type, multiValued, required, mutability, returned },
    ...(type === "string" || type === "reference" ? { caseExact, uniqueness } : {}),
    ...(type === "reference" ? { referenceTypes: ["uri"] } : {}),
    ...(type === "complex" ? { subAttributes } : {}),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
