import { z } from "zod";

/** A person in an IdP's own directory, before any SCIM. An empty string means that the field has no value. */
export const personSchema = z.strictObject({
  /** The IdP's object id (Okta user id, Entra objectId): sent as `externalId`. */
  id: z.string().min(1),
  /** The sign-in name (Okta login, Entra userPrincipalName). */
  userName: z.string().min(1),
  givenName: z.string(),
  familyName: z.string(),
  displayName: z.string(),
  /** The work address. */
  email: z.string(),
  title: z.string(),
  department: z.string(),
  userType: z.string(),
  employeeNumber: z.string(),
  /** `id` of the manager in the same directory. */
  managerId: z.string(),
});

export type Person = Readonly<z.infer<typeof personSchema>>;

/** Names a person where nothing but the id is needed; a whole `Person` fits. */
export type PersonKey = Pick<Person, "id">;

/** Fields that an administrator may edit. The empty string erases one. */
export type PersonChanges = Readonly<Partial<Omit<Person, "id">>>;

/** Field names in the order in which both IdPs list them in a request. */
export const personFields = [
  "userName",
  "givenName",
  "familyName",
  "displayName",
  "email",
  "title",
  "userType",
  "employeeNumber",
  "department",
  "managerId",
] as const satisfies readonly (keyof PersonChanges)[];

export type PersonField = (typeof personFields)[number];
