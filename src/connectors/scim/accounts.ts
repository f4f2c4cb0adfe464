import type { VendorAccount } from "../../model/account.ts";
import { SyncError } from "../../model/errors.ts";
import type { Applied, NewAccount } from "../connector.ts";
import { findUsers } from "./find.ts";
import { saysNotFound, saysTaken } from "./refusals.ts";
import { isNothing, onlyRole, rolesAfter } from "./roles.ts";
import { requestIds, type ScimCall } from "./scim-call.ts";
import { readUser, userOrNothing, versioned, writeUser } from "./users.ts";
import { accountOf, accountRole, coreUser, type ScimUser } from "./wire.ts";
import { written } from "./patch.ts";

type Created = Applied & { readonly account: VendorAccount };

/**
 * Looks first and creates only where nobody is; a user who was switched off is switched on again. A refusal because the name is taken
 * is answered by looking once more.
 * @throws SyncError WRITE_AMBIGUOUS when a user may have been made and could not be read
 */
export async function createAccount(scim: ScimCall, person: NewAccount): Promise<Created> {
  refuseUnassignable(scim, person.role);
  const holder = await holderOf(scim, person);
  if (holder !== undefined) return takeOver(scim, holder);
  try {
    return await post(scim, person);
  } catch (error) {
    if (!saysTaken(error)) throw error;
    const taken = await holderOf(scim, person);
    if (taken !== undefined) return takeOver(scim, taken);
    throw new SyncError(
      "VENDOR_REJECTED",
      "scim: the userName is taken by a user that the server does not show, perhaps a deleted one: free it, or bring it back, at the vendor",
      { cause: error, facts: error.facts },
    );
  }
}

async function holderOf(scim: ScimCall, person: NewAccount): Promise<ScimUser | undefined> {
  const candidates = await findUsers(scim, {
    emails: [person.email],
    ...(person.reference === undefined ? {} : { reference: person.reference }),
  });
  return candidates.find((item) => item.active) ?? candidates[0];
}

async function takeOver(scim: ScimCall, found: ScimUser): Promise<Created> {
  if (found.active) {
    return { outcome: "unchanged", requestIds: [], account: accountOf(found, scim.target) };
  }
  if (scim.target.reactivate.how !== "update") {
    throw new SyncError(
      "VENDOR_REJECTED",
      "scim: the user is there, switched off, and this server cannot switch one on: a person does it at the vendor",
    );
  }
  const done = await writeUser(scim, found, { active: true });
  const now = done.user ?? (await readUser(scim, found.id));
  if (now === undefined) throw unseen("the user that was switched on is not there to be read");
  return {
    outcome: "changed",
    requestIds: done.requestIds,
    account: accountOf(now, scim.target),
  };
}

async function post(scim: ScimCall, person: NewAccount): Promise<Created> {
  const { omit, followUp } = scim.target.create;
  const wanted = attributesOf(scim, person);
  const early = Object.entries(wanted).filter(([name]) => ![...omit, ...followUp].includes(name));
  const answer = await scim.call.http.request({
    operation: "users.create",
    body: { schemas: [coreUser, ...extensionsIn(early)], ...nested(early) },
    parse: (body) => userOrNothing(scim, body),
    refusals: scim.refusals,
  });
  const created =
    answer.value === undefined
      ? await readCreated(scim, person, answer.location)
      : versioned(answer.value, answer);
  const late = Object.entries(wanted).filter(([name]) => followUp.includes(name));
  const whole = late.length === 0 ? created : await complete(scim, created, late);
  return {
    // 200 instead of 201: the server found the user there already.
    outcome: answer.status === 200 ? "unchanged" : "changed",
    requestIds: requestIds(answer),
    account: accountOf(whole, scim.target),
  };
}

/** An answer without a body: the new user is behind its address, or under its name. */
async function readCreated(
  scim: ScimCall,
  person: NewAccount,
  location: string | undefined,
): Promise<ScimUser> {
  const userId = location === undefined ? undefined : lastSegment(location);
  const found =
    (userId === undefined ? undefined : await readUser(scim, userId)) ??
    (await holderOf(scim, person));
  if (found === undefined) {
    throw unseen("the server answered without the new user, and does not show it yet");
  }
  return found;
}

/** What the server takes only now. Whatever goes wrong, the user is there: the next look finds it and goes on. */
async function complete(
  scim: ScimCall,
  created: ScimUser,
  late: readonly (readonly [string, unknown])[],
): Promise<ScimUser> {
  try {
    const done = await writeUser(scim, created, { attributes: Object.fromEntries(late) });
    return done.user ?? (await readUser(scim, created.id)) ?? created;
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    throw new SyncError(
      "WRITE_AMBIGUOUS",
      `scim: the user was made, and what follows was not certain: ${error.message}`,
      { cause: error, facts: error.facts },
    );
  }
}

function attributesOf(scim: ScimCall, person: NewAccount): Readonly<Record<string, unknown>> {
  const { target } = scim;
  const { roles } = target;
  const names = {
    ...(person.givenName === undefined ? {} : { givenName: person.givenName }),
    ...(person.familyName === undefined ? {} : { familyName: person.familyName }),
  };
  return {
    userName: person.email,
    ...(target.externalId.write && person.reference !== undefined
      ? { externalId: person.reference }
      : {}),
    active: written(target.update, true),
    displayName: person.displayName,
    ...(Object.keys(names).length === 0 ? {} : { name: names }),
    emails: [{ value: person.email, type: "work", primary: written(target.update, true) }],
    ...(roles.style === "none" || roles.as === "each"
      ? {}
      : {
          [roles.attribute]: rolesAfter(
            { raw: {}, roles: [] },
            { give: [person.role], take: [] },
            target,
          ),
        }),
  };
}

/** Attributes of extensions go below their URN (RFC 7643 §3.3). */
function nested(
  entries: readonly (readonly [string, unknown])[],
): Readonly<Record<string, unknown>> {
  const body: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    const colon = name.lastIndexOf(":");
    if (colon < 0) body[name] = value;
    else body[name.slice(0, colon)] = { [name.slice(colon + 1)]: value };
  }
  return body;
}

function extensionsIn(entries: readonly (readonly [string, unknown])[]): readonly string[] {
  return entries.flatMap(([name]) =>
    name.includes(":") ? [name.slice(0, name.lastIndexOf(":"))] : [],
  );
}

function lastSegment(location: string): string | undefined {
  const segment = location.split(/[?#]/)[0]?.split("/").at(-1);
  try {
    return segment === undefined || segment === "" ? undefined : decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function unseen(what: string): SyncError {
  return new SyncError("WRITE_AMBIGUOUS", `scim: ${what}`);
}

/** Sets the one role of the catalogue that the account holds; what else is in the attribute stays. */
export async function setAccountRole(
  scim: ScimCall,
  account: VendorAccount,
  role: string,
): Promise<Applied> {
  refuseUnassignable(scim, role);
  if (scim.target.roles.style === "none" || scim.target.roles.as === "each") {
    return { outcome: "unchanged", requestIds: [] };
  }
  const found = await readUser(scim, account.accountId);
  if (found === undefined) {
    throw new SyncError("VENDOR_CONFLICT", "scim: the user is gone; looked for again");
  }
  const change = onlyRole(found, role, scim.target);
  if (isNothing(change)) return { outcome: "unchanged", requestIds: [] };
  const done = await writeUser(scim, found, { roles: change });
  const after = done.user ?? (await readUser(scim, found.id));
  if (after !== undefined)
    refuseIgnored(scim, accountRole(after, scim.target) === role, "the role");
  return { outcome: "changed", requestIds: done.requestIds };
}

/** Ends the account as the server understands it. A deletion of what it owned needs somebody who accepted that. */
export async function removeAccount(scim: ScimCall, account: VendorAccount): Promise<Applied> {
  const { means, method, lossAccepted } = scim.target.deactivate;
  if (means !== "disable" && !lossAccepted) {
    throw new SyncError(
      "VENDOR_REJECTED",
      `scim: deactivating a user here ${means === "delete" ? "deletes" : "may delete"} what it owns: hand it over first, then remove by hand or set deactivate.lossAccepted`,
      { facts: { means } },
    );
  }
  const found = await readUser(scim, account.accountId);
  if (found === undefined || (!found.active && method === "update")) {
    return { outcome: "unchanged", requestIds: [] };
  }
  return method === "delete" ? deleteUser(scim, found) : switchOff(scim, found);
}

async function deleteUser(scim: ScimCall, found: ScimUser): Promise<Applied> {
  try {
    const answer = await scim.call.http.request({
      operation: "users.delete",
      path: { userId: found.id },
      ifMatch: scim.target.update.versions === "if-match" ? found.version : undefined,
      parse: () => undefined,
      refusals: scim.refusals,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (saysNotFound(error)) return { outcome: "unchanged", requestIds: [] };
    throw error;
  }
}

async function switchOff(scim: ScimCall, found: ScimUser): Promise<Applied> {
  const done = await writeUser(scim, found, { active: false });
  // Read again by another way: servers answer 200 to this and keep protected people active all the same.
  const after = await readUser(scim, found.id);
  if (after?.active === true) refuseIgnored(scim, false, "the deactivation");
  return { outcome: "changed", requestIds: done.requestIds };
}

/** A server whose reads lag may still show the old state; one whose reads do not has ignored the write. */
function refuseIgnored(scim: ScimCall, done: boolean, what: string): void {
  if (done || scim.target.settleMs > 0) return;
  throw new SyncError(
    "VENDOR_REJECTED",
    `scim: the server accepted ${what} and did not do it: perhaps the account is protected there`,
  );
}

function refuseUnassignable(scim: ScimCall, role: string): void {
  const { style, as, catalogue } = scim.target.roles;
  if (style === "none" || as === "each") return;
  if (Object.hasOwn(catalogue, role) && catalogue[role]?.assignable === true) return;
  throw new SyncError("VENDOR_REJECTED", `scim: the role ${role} cannot be given here`, {
    facts: { role },
  });
}
