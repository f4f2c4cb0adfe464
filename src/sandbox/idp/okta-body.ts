import { createHash } from "node:crypto";
import type { Json, JsonObject } from "../../model/json.ts";
import type { Person, PersonField } from "./person.ts";
import { personFields } from "./person.ts";
import type { ScimResource } from "./scim-message.ts";
import { asArray, asObject, enterpriseSchema, groupSchema, userSchema } from "./scim-message.ts";

/** A person with a link: what Okta writes about a member of a pushed group. */
export interface OktaMember {
  readonly scimId: string;
  readonly userName: string;
}

/**
 * The body of a create. Okta sends a password with each, also where password sync is off, and an empty `groups`
 * (Okta, SCIM 2.0 reference, 2026-08). The password is made from the id, so that a repeated task sends the same body.
 */
export function createBody(person: Person, manager: Person | undefined): JsonObject {
  const base: JsonObject = {
    schemas: [userSchema],
    externalId: person.id,
    locale: "en-US",
    groups: [],
    password: createHash("sha256").update(person.id).digest("base64url").slice(0, 20),
    active: true,
  };
  const filled = personFields.filter((field) => person[field] !== "");
  return withFields(base, person, filled, manager);
}

/**
 * The body of an update: what the service returned, all of it, with the changed attributes replaced. An erased
 * attribute is sent as an empty string, not left out.
 */
export function replaceBody(
  fetched: ScimResource,
  person: Person,
  fields: readonly PersonField[],
  manager: Person | undefined,
): JsonObject {
  return withFields(fetched, person, fields, manager);
}

/** The whole group, as the wizard's app replaces it. */
export function groupBody(
  displayName: string,
  members: readonly OktaMember[],
  scimId?: string,
): JsonObject {
  return {
    schemas: [groupSchema],
    ...(scimId === undefined ? {} : { id: scimId }),
    displayName,
    members: memberValues(members),
  };
}

/** Okta names a member by id and login; it sends neither `type` nor `$ref`. */
export function memberValues(members: readonly OktaMember[]): readonly JsonObject[] {
  return members.map(({ scimId, userName }) => ({ value: scimId, display: userName }));
}

function withFields(
  base: JsonObject,
  person: Person,
  fields: readonly PersonField[],
  manager: Person | undefined,
): JsonObject {
  let body = base;
  for (const field of fields) body = withField(body, field, person, manager);
  return body;
}

function withField(
  body: JsonObject,
  field: PersonField,
  person: Person,
  manager: Person | undefined,
): JsonObject {
  switch (field) {
    case "givenName":
    case "familyName":
      return { ...body, name: { ...asObject(body.name), [field]: person[field] } };
    case "email":
      return { ...body, emails: withWorkEmail(asArray(body.emails), person.email) };
    case "employeeNumber":
    case "department":
      return withEnterprise(body, { [field]: person[field] });
    case "managerId":
      // Okta's profile holds the manager as text; companies put the manager's login there.
      return withEnterprise(body, {
        manager: { value: manager?.userName ?? "", displayName: manager?.displayName ?? "" },
      });
    case "userName":
    case "displayName":
    case "title":
    case "userType":
      return { ...body, [field]: person[field] };
  }
}

function withEnterprise(body: JsonObject, values: JsonObject): JsonObject {
  const schemas = asArray(body.schemas);
  return {
    ...body,
    schemas: schemas.includes(enterpriseSchema) ? schemas : [...schemas, enterpriseSchema],
    [enterpriseSchema]: { ...asObject(body[enterpriseSchema]), ...values },
  };
}

function withWorkEmail(emails: readonly Json[], value: string): readonly Json[] {
  const isWork = (email: Json) => asObject(email).type === "work";
  if (emails.some(isWork)) {
    return emails.map((email) => (isWork(email) ? { ...asObject(email), value } : email));
  }
  return [...emails, { primary: true, value, type: "work" }];
}
