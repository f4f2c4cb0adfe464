import type { VendorAccount, VendorObject } from "../../model/account.ts";
import { SyncError } from "../../model/errors.ts";
import type { AccountId } from "../../model/ids.ts";
import type { VendorFacts } from "../../model/vendor-facts.ts";
import type { Call, CheckReport, Connector, EndOfList } from "../connector.ts";
import { listActivities } from "./activities.ts";
import { consoleFacts, enterpriseFacts, groupKind, orgRoleKind, workspaceKind } from "./facts.ts";
import { joinGroup, leaveGroup, listGroups, proveGroups, readGroupMemberships } from "./groups.ts";
import { cancelInvite, createInvite, listInvites, readInvite, replaceInvite } from "./invites.ts";
import { deactivateKey, listKeys } from "./keys.ts";
import { listUsers, readUser, removeUser, setUserRole, signOut } from "./members.ts";
import { refusals } from "./refusals.ts";
import { anthropicThings } from "./things.ts";
import { accountOfInvite, accountOfUser, organizationWire } from "./wire.ts";
import {
  grantMembership,
  listWorkspaces,
  proveWorkspaces,
  readMemberships,
  revokeMembership,
} from "./workspaces.ts";

export const anthropicBaseUrl = "https://api.anthropic.com";

/**
 * Headers of every call. Keys (`sk-ant-admin…`, `sk-ant-api…`) go in `x-api-key`, anything else (`sk-ant-oat…`) is an OAuth token. The members API is the same in
 * version 2026-10-21, which changes messages only.
 */
export function anthropicHeaders(secret: string): Readonly<Record<string, string>> {
  return {
    "anthropic-version": "2023-06-01",
    ...(/^sk-ant-(admin|api)/.test(secret)
      ? { "x-api-key": secret }
      : { authorization: `Bearer ${secret}` }),
  };
}

/** What both types of organisation have. */
const shared = {
  findAccounts,
  listAccounts,
  activity: { list: listActivities },
} as const satisfies Partial<Connector>;

/** Claude Console organisations: organisation roles by invitation, workspace memberships, API keys of leavers. */
export const anthropicConsole: Connector = {
  facts: consoleFacts,
  ...shared,
  check,
  readGrants: (call, account, slots) =>
    readMemberships(
      call,
      account,
      slots.filter((slot) => slot.kind === workspaceKind),
    ),
  listObjects: (call) => counted(listWorkspaces(call)),
  async createAccount(call, person) {
    refuseUnassignable(consoleFacts, person.role);
    return createInvite(call, person.email, person.role);
  },
  async setAccountRole(call, account, role) {
    refuseUnassignable(consoleFacts, role);
    if (account.state === "active") return setUserRole(call, account, role);
    return replaceInvite(call, account, role);
  },
  removeAccount: (call, account) =>
    account.state === "active" ? removeUser(call, account) : cancelInvite(call, account),
  grant: (call, account, entitlement) => grantMembership(call, account, entitlement),
  revoke: (call, account, slot) => revokeMembership(call, account, slot),
  keys: { list: listKeys, deactivate: deactivateKey },
  things: anthropicThings,
};

/** Claude Enterprise organisations: organisation roles by invitation, memberships of groups, and an end to sessions. */
export const anthropicEnterprise: Connector = {
  ...shared,
  facts: enterpriseFacts,
  check: checkEnterprise,
  readGrants: (call, account, slots) =>
    readGroupMemberships(
      call,
      account,
      slots.filter((slot) => slot.kind === groupKind),
    ),
  listObjects: (call) => counted(listGroups(call)),
  async createAccount(call, person) {
    refuseUnassignable(enterpriseFacts, person.role);
    return createInvite(call, person.email, person.role);
  },
  async setAccountRole(call, account, role) {
    refuseUnassignable(enterpriseFacts, role);
    if (account.state === "active") return setUserRole(call, account, role);
    return replaceInvite(call, account, role);
  },
  async removeAccount(call, account) {
    if (account.state !== "active") return cancelInvite(call, account);
    const signedOut = await signOut(call, account);
    const removed = await removeUser(call, account);
    return { ...removed, requestIds: [...signedOut, ...removed.requestIds] };
  },
  grant: joinGroup,
  revoke: leaveGroup,
};

/** A list of objects with its end marker. */
async function* counted(
  objects: AsyncIterable<VendorObject>,
): AsyncGenerator<VendorObject | EndOfList> {
  let count = 0;
  for await (const item of objects) {
    count += 1;
    yield item;
  }
  yield { complete: true, count };
}

function refuseUnassignable(facts: VendorFacts, role: string): void {
  if (facts.kinds[orgRoleKind]?.roles[role]?.assignable === true) return;
  throw new SyncError("VENDOR_REJECTED", `anthropic: the API cannot give the role ${role}`, {
    facts: { role },
  });
}

async function check(call: Call): Promise<CheckReport> {
  const answer = await call.http.request({
    operation: "organization.read",
    parse: (body) => organizationWire.parse(body),
    refusals,
  });
  await proveWorkspaces(call);
  return {
    organization: { id: answer.value.id, name: answer.value.name },
    // Admin keys belong to the organisation, not to a member.
    ownAccountIds: [],
    credential: { kind: "Console admin key or org:admin token, all scopes", owner: undefined },
    notes: ["Claude Console organisation; members, invitations and workspaces are readable"],
  };
}

async function checkEnterprise(call: Call): Promise<CheckReport> {
  const answer = await call.http.request({
    operation: "organization.read",
    parse: (body) => organizationWire.parse(body),
    refusals,
  });
  await proveGroups(call);
  return {
    organization: { id: answer.value.id, name: answer.value.name },
    ownAccountIds: [],
    credential: { kind: "Enterprise key with scopes", owner: undefined },
    notes: ["Claude Enterprise organisation; members, invitations and groups are readable"],
  };
}

async function findAccounts(
  call: Call,
  who: { readonly accountId?: AccountId; readonly emails: readonly string[] },
): Promise<readonly VendorAccount[]> {
  const found = new Map<AccountId, VendorAccount>();
  for (const email of who.emails) {
    // Invitations first: one that is accepted in between then shows as an account, never as nothing.
    for await (const account of listInvites(call, email)) found.set(account.accountId, account);
    for await (const account of listUsers(call, email)) found.set(account.accountId, account);
  }
  if (who.accountId !== undefined && !found.has(who.accountId)) {
    const account = await readById(call, who.accountId);
    if (account !== undefined) found.set(account.accountId, account);
  }
  return [...found.values()];
}

async function readById(call: Call, accountId: AccountId): Promise<VendorAccount | undefined> {
  if (accountId.startsWith("invite_")) {
    const invite = await readInvite(call, accountId);
    return invite === undefined ? undefined : accountOfInvite(invite, call.now());
  }
  const user = await readUser(call, accountId);
  return user === undefined ? undefined : accountOfUser(user);
}

async function* listAccounts(call: Call): AsyncGenerator<VendorAccount | EndOfList> {
  let count = 0;
  for (const list of [listInvites, listUsers]) {
    for await (const account of list(call)) {
      count += 1;
      yield account;
    }
  }
  yield { complete: true, count };
}
