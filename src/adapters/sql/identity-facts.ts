import { hrAttributesOf, type EmploymentFacts } from "../../model/employment.ts";
import type { IdentityFacts } from "../../model/identity.ts";
import type { GroupId, IdentityId, IdpId, SourceUserId, TenantId } from "../../model/ids.ts";
import type { Json, JsonObject } from "../../model/json.ts";

/** One source user of an identity as every database reads it. */
export interface SourceRow {
  readonly source_user_id: SourceUserId;
  readonly idp_id: IdpId;
  readonly loaded: boolean;
  readonly user_name: string;
  readonly external_id: string | null;
  readonly display_name: string | null;
  readonly active: boolean;
  readonly deleted: boolean;
  readonly version: number;
  readonly created_at: number;
  readonly resource: string;
  /** Folded, primary first. */
  readonly emails: readonly string[];
  readonly formerEmails: readonly string[];
}

export interface IdentityRow {
  readonly tenantId: TenantId;
  readonly identityId: IdentityId;
  readonly active: boolean;
  readonly inactiveSince: number | undefined;
  readonly departedAt?: number;
  readonly employment: EmploymentFacts | undefined;
  /** Rises with every membership change that marked the person. */
  readonly wanted: number;
  readonly groups: ReadonlySet<GroupId>;
  /** At least one. */
  readonly sources: readonly SourceRow[];
}

/** Merges the sources of one person: live ones before deleted ones, active ones before others, then the oldest first. */
export function identityFacts(row: IdentityRow): IdentityFacts {
  const sources = row.sources.toSorted(
    (a, b) =>
      Number(a.deleted) - Number(b.deleted) ||
      Number(b.active) - Number(a.active) ||
      a.created_at - b.created_at ||
      (a.source_user_id < b.source_user_id ? -1 : 1),
  );
  const live = sources.filter((source) => !source.deleted);
  // A person whose last source is deleted keeps that one's facts: their accounts have to be found and removed.
  const telling = live.length > 0 ? live : sources;
  const documents = telling.map((source) => JSON.parse(source.resource) as JsonObject);
  const attributes: Record<string, AttributeValue> = {};
  for (const document of documents.toReversed()) Object.assign(attributes, attributesOf(document));
  // HR's own words have a name of their own: what an IdP says never passes for them, nor they for it.
  if (row.employment !== undefined)
    for (const [name, value] of Object.entries(hrAttributesOf(row.employment)))
      attributes[`hr.${name}`] = value;
  const emails = unique(telling.flatMap((source) => source.emails));
  const present = new Set(emails);
  const former = sources.flatMap((source) => [
    ...source.formerEmails,
    ...(telling.includes(source) ? [] : source.emails),
  ]);
  const text = (name: string) => {
    const value = attributes[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const userName = telling[0]?.user_name ?? "";
  return {
    tenantId: row.tenantId,
    identityId: row.identityId,
    active: row.active,
    inactiveSince: row.inactiveSince,
    ...(row.departedAt === undefined ? {} : { departedAt: row.departedAt }),
    ...(row.employment === undefined ? {} : { employment: row.employment }),
    userName,
    displayName: telling.find((source) => source.display_name !== null)?.display_name ?? userName,
    givenName: text("name.givenName"),
    familyName: text("name.familyName"),
    emails,
    formerEmails: unique(former).filter((email) => !present.has(email)),
    attributes,
    groups: row.groups,
    sources: sources.map((source) => ({
      idpId: source.idp_id,
      sourceUserId: source.source_user_id,
      externalId: source.external_id ?? undefined,
      active: source.active && !source.deleted,
      deleted: source.deleted,
      loaded: source.loaded,
    })),
    version: row.sources.reduce((sum, source) => sum + source.version, row.wanted),
  };
}

type AttributeValue = string | number | boolean | readonly string[];

/**
 * What conditions may read of a SCIM document: `title`, `name.givenName`, `department` and its full name
 * `urn:…:User:department`; many values as a list of their `value`s.
 */
export function attributesOf(document: JsonObject): Record<string, AttributeValue> {
  const found: Record<string, AttributeValue> = {};
  // Extensions first: a core attribute of the same name wins.
  for (const [name, value] of Object.entries(document)) {
    if (!name.startsWith("urn:") || !isObject(value)) continue;
    for (const [attribute, inner] of Object.entries(value)) {
      note(found, attribute, inner);
      note(found, `${name}:${attribute}`, inner);
    }
  }
  for (const [name, value] of Object.entries(document)) {
    if (!name.startsWith("urn:")) note(found, name, value);
  }
  return found;
}

function note(found: Record<string, AttributeValue>, name: string, value: Json | undefined): void {
  if (value === undefined || value === null) return;
  if (Array.isArray(value)) {
    found[name] = value.flatMap((element: Json) => {
      const inner = isObject(element) ? element["value"] : element;
      return inner === undefined || inner === null || typeof inner === "object"
        ? []
        : [String(inner)];
    });
  } else if (isObject(value)) {
    for (const [sub, inner] of Object.entries(value)) note(found, `${name}.${sub}`, inner);
    // A complex attribute with a value, as `manager` is, may be asked by its own name.
    if (value["value"] !== undefined) note(found, name, value["value"]);
  } else {
    found[name] = value as string | number | boolean;
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}
