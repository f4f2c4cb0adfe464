import { z } from "zod";
import type { VendorAccount } from "../../model/account.ts";
import { fold, foldEmail } from "../../model/fold.ts";
import { asId, type AccountId } from "../../model/ids.ts";
import type { ScimTarget } from "../../model/scim-target.ts";
import { user as onlyRole } from "./facts.ts";

/**
 * SCIM's JSON, only as far as we use it. Read leniently: names without regard to case (RFC 7643 §2.1), booleans and numbers as text
 * too, null as absent, unknown attributes and values kept. Written strictly.
 */

export type Resource = Readonly<Record<string, unknown>>;

export const coreUser = "urn:ietf:params:scim:schemas:core:2.0:User";
export const coreGroup = "urn:ietf:params:scim:schemas:core:2.0:Group";
export const patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

const id = z.union([z.string().min(1).max(400), z.number().transform(String)]);
const bool = z.union([
  z.boolean(),
  z
    .string()
    .regex(/^(?:true|false)$/i)
    .transform((text) => text.toLowerCase() === "true"),
]);
const count = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]);
const resource = z.record(z.string(), z.unknown());

const meta = z.object({ version: z.string().nullish(), created: z.string().nullish() });
const element = z.union([z.string(), z.looseObject({ value: z.unknown().optional() })]);

const userShape = z.object({
  id,
  userName: z.string().min(1),
  externalId: z.union([z.string(), z.number().transform(String)]).nullish(),
  active: bool.nullish(),
  displayName: z.string().nullish(),
  name: z.object({ formatted: z.string().nullish() }).nullish(),
  emails: z.array(element).nullish(),
  groups: z.array(element).nullish(),
  meta: meta.nullish(),
});

const groupShape = z.object({
  id,
  displayName: z.string(),
  members: z.array(element).nullish(),
  meta: meta.nullish(),
});

const listShape = z.object({
  Resources: z.array(z.unknown()).nullish(),
  totalResults: count.nullish(),
  nextCursor: z.string().nullish(),
});

export interface ScimUser {
  readonly id: string;
  readonly userName: string;
  readonly externalId: string | undefined;
  readonly active: boolean;
  /** Folded, the primary one first. */
  readonly emails: readonly string[];
  readonly displayName: string | undefined;
  /** Undefined where the server shows none at all. */
  readonly groupIds: readonly string[] | undefined;
  /** Values of the role attribute, as they are. */
  readonly roles: readonly string[];
  readonly version: string | undefined;
  readonly createdAt: number | undefined;
  /** Everything that the server sent. */
  readonly raw: Resource;
}

export interface ScimGroup {
  readonly id: string;
  readonly displayName: string;
  readonly memberIds: readonly string[];
  /** What a member is, where the server says so: User or Group. */
  readonly memberTypes: ReadonlyMap<string, string>;
  readonly version: string | undefined;
  readonly raw: Resource;
}

export interface ListPage {
  readonly resources: readonly unknown[];
  readonly total: number | undefined;
  readonly nextCursor: string | undefined;
}

export function parseUser(target: ScimTarget, body: unknown): ScimUser {
  const raw = resource.parse(body);
  const shape = userShape.parse(canonical(raw, userShape));
  const { created } = shape.meta ?? {};
  const createdAt = typeof created === "string" ? Date.parse(created) : NaN;
  return {
    id: shape.id,
    userName: shape.userName,
    externalId: shape.externalId ?? undefined,
    // A server that says nothing knows no inactive users.
    active: shape.active ?? true,
    emails: addresses(shape.emails ?? []),
    displayName: shape.displayName ?? shape.name?.formatted ?? undefined,
    groupIds: shape.groups?.flatMap(valueOf),
    roles: target.roles.style === "none" ? [] : rolesOf(attributeOf(raw, target.roles.attribute)),
    version: shape.meta?.version ?? undefined,
    createdAt: Number.isNaN(createdAt) ? undefined : createdAt,
    raw,
  };
}

export function parseGroup(body: unknown): ScimGroup {
  const raw = resource.parse(body);
  const shape = groupShape.parse(canonical(raw, groupShape));
  return {
    id: shape.id,
    displayName: shape.displayName,
    memberIds: (shape.members ?? []).flatMap(valueOf),
    memberTypes: new Map(
      (shape.members ?? []).flatMap((item) => {
        const type = typeof item === "string" ? undefined : item["type"];
        return valueOf(item).flatMap((value) => (typeof type === "string" ? [[value, type]] : []));
      }),
    ),
    version: shape.meta?.version ?? undefined,
    raw,
  };
}

export function parseList(body: unknown): ListPage {
  const shape = listShape.parse(canonical(resource.parse(body), listShape));
  return {
    resources: shape.Resources ?? [],
    total: shape.totalResults ?? undefined,
    nextCursor: shape.nextCursor ?? undefined,
  };
}

/** The resource with the names of the shape, however the server spells them. */
function canonical(raw: Resource, shape: { readonly shape: object }): Resource {
  const known = new Map(Object.keys(shape.shape).map((name) => [name.toLowerCase(), name]));
  return Object.fromEntries(
    Object.entries(raw).map(([name, value]) => [known.get(name.toLowerCase()) ?? name, value]),
  );
}

/** Where an attribute is in the resource: its own spelling, below the URN of its extension where it has one. */
export function placeOf(
  raw: Resource,
  attribute: string,
): { readonly extension: string | undefined; readonly name: string } {
  const colon = attribute.lastIndexOf(":");
  const extension = colon < 0 ? undefined : spelling(raw, attribute.slice(0, colon));
  const home = extension === undefined ? raw : resourceOr(raw[extension]);
  return { extension, name: spelling(home, attribute.slice(colon + 1)) };
}

export function attributeOf(raw: Resource, attribute: string): unknown {
  const { extension, name } = placeOf(raw, attribute);
  return extension === undefined ? raw[name] : resourceOr(raw[extension])[name];
}

/** A copy with the attribute set; everything else stays, known or not. */
export function withAttribute(raw: Resource, attribute: string, value: unknown): Resource {
  const { extension, name } = placeOf(raw, attribute);
  return extension === undefined
    ? { ...raw, [name]: value }
    : { ...raw, [extension]: { ...resourceOr(raw[extension]), [name]: value } };
}

function spelling(home: Resource, name: string): string {
  return Object.keys(home).find((key) => key.toLowerCase() === name.toLowerCase()) ?? name;
}

function resourceOr(value: unknown): Resource {
  const parsed = resource.safeParse(value);
  return parsed.success ? parsed.data : {};
}

function valueOf(item: z.infer<typeof element>): readonly string[] {
  const value = typeof item === "string" ? item : item.value;
  if (typeof value === "string") return value === "" ? [] : [value];
  return typeof value === "number" ? [String(value)] : [];
}

function addresses(items: readonly z.infer<typeof element>[]): readonly string[] {
  const primaryFirst = [...items].sort((a, b) => Number(isPrimary(b)) - Number(isPrimary(a)));
  return [...new Set(primaryFirst.flatMap(valueOf).map(foldEmail))];
}

function isPrimary(item: z.infer<typeof element>): boolean {
  if (typeof item === "string") return false;
  const parsed = bool.safeParse(item["primary"]);
  return parsed.success && parsed.data;
}

function rolesOf(value: unknown): readonly string[] {
  const items = z.array(element).safeParse(Array.isArray(value) ? value : [value]);
  return items.success ? items.data.flatMap(valueOf) : [];
}

export function accountOf(found: ScimUser, target: ScimTarget): VendorAccount {
  const email = found.userName.includes("@")
    ? foldEmail(found.userName)
    : (found.emails[0] ?? fold(found.userName));
  return {
    accountId: asId<AccountId>(found.id),
    email,
    otherEmails: found.emails.filter((item) => item !== email),
    state: found.active ? "active" : "suspended",
    role: accountRole(found, target),
    displayName: found.displayName,
    createdAt: found.createdAt,
    expiresAt: undefined,
  };
}

/** The highest role of the catalogue that the user holds; one that nobody listed is told as it is. */
export function accountRole(found: Pick<ScimUser, "roles">, target: ScimTarget): string {
  const { style, as, catalogue } = target.roles;
  if (style === "none" || as === "each") return onlyRole;
  const known = found.roles
    .flatMap((name) => (Object.hasOwn(catalogue, name) ? [name] : []))
    .sort((a, b) => (catalogue[b]?.rank ?? 0) - (catalogue[a]?.rank ?? 0));
  return known[0] ?? found.roles[0] ?? "none";
}

/** Whether the user carries the address, as userName or as e-mail. */
export function carries(found: ScimUser, address: string): boolean {
  return foldEmail(found.userName) === address || found.emails.includes(address);
}
