import { SyncError } from "../../model/errors.ts";
import type { Whom } from "../connector.ts";
import { equals } from "./filter.ts";
import { findResources, listResources } from "./lists.ts";
import type { ScimCall } from "./scim-call.ts";
import { readUser } from "./users.ts";
import { carries, parseUser, type ScimUser } from "./wire.ts";

const attributes = {
  externalId: "externalId",
  userName: "userName",
  email: "emails.value",
} as const;
type Criterion = keyof typeof attributes;

/** Every user of the server. Complete or throws. */
export async function* listUsers(scim: ScimCall): AsyncGenerator<ScimUser> {
  for await (const item of listResources(scim, "users.list")) yield parseUser(scim.target, item);
}

/**
 * Everybody who could be this person: by the linked id, by our own mark, by each address. What the server's filter gives is compared
 * again here, so that one which ignores filters or compares in its own way gives nobody else's user. Complete or throws.
 * @throws SyncError ACCOUNT_DISPUTED when only a user with another system's mark carries the address
 */
export async function findUsers(scim: ScimCall, who: Whom): Promise<readonly ScimUser[]> {
  const found = new Map<string, ScimUser>();
  const linked = who.accountId === undefined ? undefined : await readLinked(scim, who);
  if (linked !== undefined) found.set(linked.id, linked);
  for (const candidate of await search(scim, who)) {
    if (!found.has(candidate.id)) found.set(candidate.id, candidate);
  }
  const candidates = [...found.values()];
  if (linked === undefined) refuseForeign(scim, who, candidates);
  return candidates;
}

async function readLinked(scim: ScimCall, who: Whom): Promise<ScimUser | undefined> {
  const found = await readUser(scim, who.accountId ?? "");
  if (found === undefined || !scim.target.find.idsReused) return found;
  return who.emails.some((email) => carries(found, email)) ? found : undefined;
}

async function search(scim: ScimCall, who: Whom): Promise<readonly ScimUser[]> {
  const { by, filters, caseExact } = scim.target.find;
  const found: ScimUser[] = [];
  let blind = false;
  for (const criterion of by) {
    for (const value of valuesOf(criterion, who)) {
      if (filters.includes(criterion)) {
        found.push(...(await filtered(scim, criterion, value, who)));
      } else if (criterion !== "email" || !by.includes("userName")) {
        // E-mail addresses beside userName are a help, not worth a read of everybody.
        blind = true;
      }
    }
  }
  const unsure = caseExact && found.length === 0;
  if (!blind && !unsure) return found;
  for await (const candidate of listUsers(scim)) if (fits(candidate, who)) found.push(candidate);
  return found;
}

async function filtered(
  scim: ScimCall,
  criterion: Criterion,
  value: string,
  who: Whom,
): Promise<readonly ScimUser[]> {
  const items = await findResources(scim, "users.list", equals(attributes[criterion], value));
  return items
    .map((item) => parseUser(scim.target, item))
    .filter((candidate) => fits(candidate, who));
}

function valuesOf(criterion: Criterion, who: Whom): readonly string[] {
  if (criterion !== "externalId") return who.emails;
  return who.reference === undefined ? [] : [who.reference];
}

function fits(candidate: ScimUser, who: Whom): boolean {
  return (
    (who.reference !== undefined && candidate.externalId === who.reference) ||
    who.emails.some((email) => carries(candidate, email))
  );
}

/** An address alone proves nothing where somebody else has marked the user as theirs: another system, or another person before. */
function refuseForeign(scim: ScimCall, who: Whom, candidates: readonly ScimUser[]): void {
  if (scim.target.externalId.foreign === "adopt" || who.reference === undefined) return;
  const living = candidates.filter((item) => item.active);
  const ours = (item: ScimUser) =>
    item.externalId === undefined || item.externalId === "" || item.externalId === who.reference;
  if (living.length === 0 || living.some(ours)) return;
  throw new SyncError(
    "ACCOUNT_DISPUTED",
    "scim: the user with this address carries an externalId that is not ours: another system provisions it, or it was somebody else's. Take that away at the vendor, or set externalId.foreign: adopt",
    { facts: { users: living.length } },
  );
}
