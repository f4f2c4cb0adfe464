import type { VendorAccount, VendorObject } from "../../model/account.ts";
import { SyncError } from "../../model/errors.ts";
import type { Call, CheckReport, Connector, EndOfList } from "../connector.ts";
import { listActivity } from "./activity.ts";
import { findAdmins, listAdmins, sendAway, whoAmI } from "./admins.ts";
import { handOver, listWork } from "./conversations.ts";
import { member, restFacts, scimFacts } from "./facts.ts";
import { createUser, proveScim, removeUser } from "./scim-users.ts";
import { joinTeam, leaveTeam, listTeamsAndRoles, readHeld, teamKey } from "./teams.ts";
import { closeTicket, listOpenTickets, openTicket, readTicket } from "./tickets.ts";
import { accountOf } from "./wire.ts";

export const intercomBaseUrl = "https://api.intercom.io";

/** The version in which teammates show their roles. */
const version = "2.16";

/** Headers of every REST call. A token is bound to one workspace and acts as one teammate. */
export function intercomHeaders(secret: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${secret}`, "intercom-version": version };
}

/** Headers of the SCIM interface, whose token is another one. */
export function intercomScimHeaders(secret: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${secret}` };
}

const shared = {
  findAccounts: findAdmins,
  readGrants: readHeld,
  async *listAccounts(call: Call): AsyncGenerator<VendorAccount | EndOfList> {
    const admins = await listAdmins(call);
    for (const admin of admins) yield accountOf(admin);
    yield { complete: true, count: admins.length };
  },
  async *listObjects(call: Call): AsyncGenerator<VendorObject | EndOfList> {
    const objects = await listTeamsAndRoles(call);
    yield* objects;
    yield { complete: true, count: objects.length };
  },
  grant: joinTeam,
  revoke: leaveTeam,
  exclusiveKey: teamKey,
  containment: { contain: sendAway },
  work: { kind: "conversation", toKind: "team", list: listWork, handOver },
  activity: { list: listActivity },
  tickets: { listOpen: listOpenTickets, read: readTicket, open: openTicket, close: closeTicket },
} as const satisfies Partial<Connector>;

/** One workspace by REST: people are invited and removed by hand, everything else is read, teams are written where the workspace lets us. */
export const intercom: Connector = {
  ...shared,
  facts: restFacts,
  check: (call) => check(call, []),
  createAccount: () => Promise.reject(byHand("invited")),
  setAccountRole: (_call, _account, role) => onlyMember(role),
  removeAccount: () => Promise.reject(byHand("removed")),
};

/** The same with the workspace's SCIM provisioning: people come and go by API. */
export const intercomScim: Connector = {
  ...shared,
  facts: scimFacts,
  async check(call) {
    const report = await check(call, ["the SCIM token works; whoever it deactivates is deleted"]);
    await proveScim(call);
    return report;
  },
  createAccount: createUser,
  setAccountRole: (_call, _account, role) => onlyMember(role),
  removeAccount: removeUser,
};

async function check(call: Call, notes: readonly string[]): Promise<CheckReport> {
  const me = await whoAmI(call);
  return {
    organization: me.organization,
    ownAccountIds: [me.accountId],
    credential: { kind: "access token of one app in one workspace", owner: me.accountId },
    notes: [
      `workspace in the region ${me.region}; the token acts as the teammate ${me.accountId} and can do what they can`,
      `API version ${version}; team members are written in version Preview, where the workspace has it`,
      ...notes,
    ],
  };
}

/** There is one account role: what a teammate may do is another kind. */
function onlyMember(role: string): ReturnType<Connector["setAccountRole"]> {
  if (role === member) return Promise.resolve({ outcome: "unchanged", requestIds: [] });
  return Promise.reject(
    new SyncError("VENDOR_REJECTED", `intercom: a teammate has no account role ${role}`, {
      facts: { role },
    }),
  );
}

function byHand(what: string): SyncError {
  return new SyncError(
    "VENDOR_WRITE_MISSING",
    `intercom: teammates are ${what} by hand; with the vendor's SCIM use the profile scim`,
  );
}
