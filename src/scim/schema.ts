import SCIMMY from "scimmy";

export type AttributeType =
  "string" | "boolean" | "integer" | "decimal" | "reference" | "binary" | "dateTime" | "complex";

/** One attribute of RFC 7643, as far as requests and responses need it. */
export interface Attribute {
  /** Canonical case. */
  readonly name: string;
  /** For messages: `name.givenName`, or the extension's URN, a colon and the name. */
  readonly path: string;
  readonly type: AttributeType;
  readonly multiValued: boolean;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: "readOnly" | "readWrite" | "immutable" | "writeOnly";
  readonly returned: "always" | "never" | "default" | "request";
  readonly uniqueness: "none" | "server" | "global";
  /**
   * Suggestions, never enforced: RFC 7643 section 2.3.8 lets clients send others, and Entra's `roles.type` and
   * Okta's `emails.type: "primary"` are others.
   */
  readonly canonicalValues: readonly string[];
  /** Empty unless complex. */
  readonly subAttributes: AttributeSet;
}

/** By lower-case name: names compare without case (RFC 7643 section 2.1). */
export type AttributeSet = ReadonlyMap<string, Attribute>;

export interface Extension {
  readonly urn: string;
  readonly attributes: AttributeSet;
}

export interface ResourceSchema {
  readonly resourceType: "User" | "Group";
  readonly urn: string;
  readonly attributes: AttributeSet;
  readonly extensions: readonly Extension[];
}

/** Where a dotted, possibly URN-prefixed name leads. */
export interface AttributePath {
  /** undefined: the core schema. */
  readonly extension: Extension | undefined;
  /** undefined: the whole extension. */
  readonly attribute: Attribute | undefined;
  readonly sub: Attribute | undefined;
}

export const userUrn = "urn:ietf:params:scim:schemas:core:2.0:User";
export const groupUrn = "urn:ietf:params:scim:schemas:core:2.0:Group";
export const enterpriseUrn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/**
 * What OneLogin writes instead of the URNs of RFC 7643 section 8
 * (request bodies quoted in goauthentik/authentik issue 11249).
 */
const urnAliases: ReadonlyMap<string, string> = new Map([
  ["urn:scim:schemas:core:2.0", "core"],
  ["urn:scim:schemas:extension:enterprise:2.0", enterpriseUrn.toLowerCase()],
]);

const supportedTypes: ReadonlySet<string> = new Set([
  "string",
  "boolean",
  "integer",
  "decimal",
  "reference",
  "binary",
  "dateTime",
  "complex",
] satisfies AttributeType[]);

/**
 * What holds here and not everywhere, for requests and for /Schemas alike: groups share no name, ids of members compare exactly and
 * what they are called is ours to say, and nobody is neither active nor inactive.
 */
export const ownTruths: ReadonlyMap<
  string,
  Partial<Pick<Attribute, "required" | "caseExact" | "mutability" | "returned" | "uniqueness">>
> = new Map([
  [`${groupUrn}:displayName`, { uniqueness: "server" }],
  [`${groupUrn}:members.value`, { caseExact: true }],
  [`${groupUrn}:members.display`, { mutability: "readOnly", returned: "request" }],
  [`${userUrn}:active`, { required: true }],
]);

type Definition = InstanceType<typeof SCIMMY.Types.SchemaDefinition>;
type Source = InstanceType<typeof SCIMMY.Types.Attribute>;

/** Users with the enterprise extension (RFC 7643 sections 4.1 and 4.3). */
export const userSchema: ResourceSchema = {
  resourceType: "User",
  urn: userUrn,
  attributes: compileSet(SCIMMY.Schemas.User.definition),
  extensions: [
    {
      urn: enterpriseUrn,
      attributes: compileSet(SCIMMY.Schemas.EnterpriseUser.definition, `${enterpriseUrn}:`),
    },
  ],
};

/** RFC 7643 section 4.2. */
export const groupSchema: ResourceSchema = {
  resourceType: "Group",
  urn: groupUrn,
  attributes: compileSet(SCIMMY.Schemas.Group.definition),
  extensions: [],
};

function compileSet(definition: Definition, prefix = ""): AttributeSet {
  const own = definition.attributes.filter(
    // Common attributes (id, schemas, meta) belong to the resource, not to an extension of it.
    (source) => prefix === "" || source.config.shadow !== true,
  );
  return toSet(own.map((source) => compile(definition.id, source, prefix)));
}

function compile(urn: string, source: Source, prefix: string): Attribute {
  const { name, type, config } = source;
  const path = `${prefix}${name}`;
  if (!supportedTypes.has(type)) {
    throw new Error(`The schema attribute ${path} has type ${type}, which nothing here handles.`);
  }
  const subAttributes = (source.subAttributes ?? []).map((sub) => compile(urn, sub, `${path}.`));
  const readOnly = name === "meta" || name === "schemas" || config.mutable === false;
  return {
    name,
    path,
    type: type as AttributeType,
    multiValued: config.multiValued === true,
    // scimmy builds `meta` itself and therefore calls it and `id` required; a client never has to send them.
    required: config.required === true && !readOnly,
    caseExact: config.caseExact === true || type === "binary",
    mutability: readOnly ? "readOnly" : mutability(config.mutable, config.direction),
    returned: name === "schemas" ? "always" : returned(config.returned),
    uniqueness:
      config.uniqueness === "server" || config.uniqueness === "global" ? config.uniqueness : "none",
    canonicalValues: Array.isArray(config.canonicalValues) ? config.canonicalValues : [],
    subAttributes: toSet(subAttributes),
    ...ownTruths.get(`${urn}:${path}`),
  };
}

function mutability(
  mutable: boolean | string | undefined,
  direction: string | undefined,
): Attribute["mutability"] {
  if (mutable === "immutable" || mutable === "readOnly" || mutable === "writeOnly") return mutable;
  return direction === "in" ? "writeOnly" : "readWrite";
}

function returned(value: boolean | string | undefined): Attribute["returned"] {
  if (value === "always" || value === "request" || value === "never") return value;
  return value === false ? "never" : "default";
}

function toSet(attributes: readonly Attribute[]): AttributeSet {
  return new Map(attributes.map((attribute) => [attribute.name.toLowerCase(), attribute]));
}

/**
 * Finds what a name such as `userName`, `name.givenName`, `urn:…:2.0:User:manager.value` or a whole extension URN means.
 * A name without URN that only an extension has is found there: Entra asks for `manager` that way.
 * @returns "unknownSchema" for a URN that is none of ours, "unknownAttribute" for a name that our schemas lack
 */
export function resolvePath(
  schema: ResourceSchema,
  text: string,
): AttributePath | "unknownSchema" | "unknownAttribute" {
  const lower = text.toLowerCase();
  if (!lower.startsWith("urn:")) {
    const core = resolveName(undefined, schema.attributes, lower);
    if (core !== undefined) return core;
    for (const extension of schema.extensions) {
      const found = resolveName(extension, extension.attributes, lower);
      if (found !== undefined) return found;
    }
    return "unknownAttribute";
  }
  const extension = schema.extensions.find((known) => isUrn(lower, known.urn.toLowerCase()));
  if (extension !== undefined) {
    return { extension, attribute: undefined, sub: undefined };
  }
  const colon = lower.lastIndexOf(":");
  const urn = lower.slice(0, colon);
  const name = lower.slice(colon + 1);
  if (urn === schema.urn.toLowerCase() || urnAliases.get(urn) === "core") {
    return resolveName(undefined, schema.attributes, name) ?? "unknownAttribute";
  }
  for (const known of schema.extensions) {
    if (!isUrn(urn, known.urn.toLowerCase())) continue;
    return resolveName(known, known.attributes, name) ?? "unknownAttribute";
  }
  return "unknownSchema";
}

function isUrn(candidate: string, lowerUrn: string): boolean {
  return candidate === lowerUrn || urnAliases.get(candidate) === lowerUrn;
}

function resolveName(
  extension: Extension | undefined,
  attributes: AttributeSet,
  lower: string,
): AttributePath | undefined {
  const dot = lower.indexOf(".");
  const attribute = attributes.get(dot < 0 ? lower : lower.slice(0, dot));
  if (attribute === undefined) return undefined;
  if (dot < 0) return { extension, attribute, sub: undefined };
  const sub = attribute.subAttributes.get(lower.slice(dot + 1));
  return sub === undefined ? undefined : { extension, attribute, sub };
}

/** Whether a schema URI is one of the resource's own, in any case and in OneLogin's spelling. */
export function knowsSchema(schema: ResourceSchema, uri: string): boolean {
  const lower = uri.toLowerCase();
  return (
    lower === schema.urn.toLowerCase() ||
    urnAliases.has(lower) ||
    schema.extensions.some((extension) => extension.urn.toLowerCase() === lower)
  );
}
