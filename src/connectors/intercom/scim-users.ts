import type { VendorAccount } from "../../model/account.ts";
import { SyncError } from "../../model/errors.ts";
import { foldEmail } from "../../model/fold.ts";
import type { Applied, Call, NewAccount } from "../connector.ts";
import { findAdmins } from "./admins.ts";
import { saysNotFound, saysState, scimRefusals } from "./refusals.ts";
import { scimUserWire, scimUsersWire } from "./wire.ts";

const userSchema = "urn:ietf:params:scim:schemas:core:2.0:User";
const patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/** Proves that the SCIM token works. */
export async function proveScim(call: Call): Promise<void> {
  await call.http.request({
    operation: "scim_users.list",
    query: { startIndex: 1, count: 1 },
    parse: (body) => scimUsersWire.parse(body),
    refusals: scimRefusals,
  });
}

/**
 * Creates a teammate, who is in at once: without role and teams, with the workspace's default permissions. The teammate's id is
 * told by REST only.
 */
export async function createUser(
  call: Call,
  person: NewAccount,
): Promise<Applied & { readonly account?: VendorAccount }> {
  try {
    const answer = await call.http.request({
      operation: "scim_users.create",
      body: userOf(person),
      parse: (body) => scimUserWire.parse(body),
      refusals: scimRefusals,
    });
    const account = await readBack(() => teammateOf(call, person.email));
    return {
      outcome: "changed",
      requestIds: answer.requestId === undefined ? [] : [answer.requestId],
      ...(account === undefined ? {} : { account }),
    };
  } catch (error) {
    if (!saysState(error)) throw error;
    const account = await teammateOf(call, person.email);
    if (account === undefined) throw error;
    return { outcome: "unchanged", requestIds: [], account };
  }
}

function userOf(person: NewAccount) {
  return {
    schemas: [userSchema],
    userName: person.email,
    ...(person.reference === undefined ? {} : { externalId: person.reference }),
    displayName: person.displayName,
    name: {
      formatted: person.displayName,
      ...(person.givenName === undefined ? {} : { givenName: person.givenName }),
      ...(person.familyName === undefined ? {} : { familyName: person.familyName }),
    },
    emails: [{ value: person.email, type: "work", primary: true }],
    active: true,
  };
}

/**
 * Deactivates a teammate, which at this vendor deletes them. The answer may be good and the teammate still there: workspaces keep a list of
 * those who are never deprovisioned. So the list of teammates has the last word.
 */
export async function removeUser(call: Call, account: VendorAccount): Promise<Applied> {
  const user = await findUser(call, account.email);
  const requestIds: string[] = [];
  if (user !== undefined) {
    try {
      const answer = await call.http.request({
        operation: "scim_users.update",
        path: { userId: user.id },
        body: {
          schemas: [patchSchema],
          Operations: [{ op: "replace", path: "active", value: false }],
        },
        // Some servers answer 204; what counts is read below.
        parse: () => undefined,
        refusals: scimRefusals,
      });
      if (answer.requestId !== undefined) requestIds.push(answer.requestId);
    } catch (error) {
      if (!saysNotFound(error)) throw error;
    }
  }
  const left = await readBack(
    async () => (await findAdmins(call, { accountId: account.accountId, emails: [] }))[0],
  );
  if (left === undefined) {
    return { outcome: user === undefined ? "unchanged" : "changed", requestIds };
  }
  throw new SyncError(
    "VENDOR_REJECTED",
    user === undefined
      ? "intercom: SCIM does not know this teammate; remove them at Settings > Workspace > Teammates"
      : "intercom: the teammate is still there after SCIM said yes: they are on the list of those who are never deprovisioned (Settings > Security > SCIM); take them off it, or remove them by hand",
    { facts: { accountId: account.accountId } },
  );
}

/** The write was answered and its effect cannot be read now: that is not known, rather than not done. */
async function readBack<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new SyncError(
      "WRITE_AMBIGUOUS",
      "intercom: SCIM took the change and what became of it could not be read",
      { cause: error, facts: error instanceof SyncError ? { ...error.facts } : {} },
    );
  }
}

async function teammateOf(call: Call, email: string): Promise<VendorAccount | undefined> {
  return (await findAdmins(call, { emails: [email] }))[0];
}

async function findUser(call: Call, email: string) {
  const answer = await call.http.request({
    operation: "scim_users.list",
    // RFC 7644 section 3.4.2.2: a JSON string.
    query: { filter: `userName eq ${JSON.stringify(email)}`, startIndex: 1, count: 2 },
    parse: (body) => scimUsersWire.parse(body),
    refusals: scimRefusals,
  });
  return answer.value.Resources?.find((user) => foldEmail(user.userName) === email);
}
