import { z } from "zod";
import type { ObservedGrant, VendorAccount, VendorObject } from "../../model/account.ts";
import type { Slot } from "../../model/entitlement.ts";
import { SyncError } from "../../model/errors.ts";
import { asId, type AccountId } from "../../model/ids.ts";
import type { Roster, RosterMember } from "../../model/roster.ts";
import type { VendorFacts } from "../../model/vendor-facts.ts";
import type { Call, CheckReport, Connector, EndOfList, Whom } from "../connector.ts";
import { clayEnterpriseFacts, clayFacts, groupKind, member } from "./facts.ts";

export const clayBaseUrl = "https://api.clay.com";

/** A key is a person's: it stands for one user of one workspace and ends with their membership. */
export function clayHeaders(secret: string): Readonly<Record<string, string>> {
  return { "clay-api-key": secret };
}

const rosterMissingMs = 15 * 60_000;

/** Public API v0, `GET /me`: a user and a workspace by id; no address, no role. */
const meWire = z.object({
  user: z.object({ id: z.union([z.string(), z.number()]).transform(String) }),
  workspace: z.object({ id: z.union([z.string(), z.number()]).transform(String) }),
});

/** One workspace: read from rosters that people bring, changed by people. The API tells which workspace it is, and nothing else. */
function clay(facts: VendorFacts): Connector {
  return {
    facts,
    check,
    findAccounts: (call, who) => Promise.resolve(findAccounts(rosterOf(call), who)),
    readGrants: (call, account, slots) =>
      Promise.resolve(readGrants(rosterOf(call), account, slots)),
    async *listAccounts(call): AsyncGenerator<VendorAccount | EndOfList> {
      const { members } = await Promise.resolve(rosterOf(call));
      yield* members.map(accountOf);
      yield { complete: true, count: members.length };
    },
    async *listObjects(call): AsyncGenerator<VendorObject | EndOfList> {
      const objects = await Promise.resolve(groupsOf(facts, call.roster));
      yield* objects;
      yield { complete: true, count: objects.length };
    },
    createAccount: () => Promise.reject(byHand("invited")),
    setAccountRole: () => Promise.reject(byHand("given roles")),
    removeAccount: () => Promise.reject(byHand("removed")),
    grant: () => Promise.reject(byHand("put into groups")),
    revoke: () => Promise.reject(byHand("taken out of groups")),
  };
}

export const clayWorkspace = clay(clayFacts);
export const clayEnterprise = clay(clayEnterpriseFacts);

async function check(call: Call): Promise<CheckReport> {
  const { value } = await call.http.request({
    operation: "me.read",
    parse: (body) => meWire.parse(body),
  });
  const { roster } = call;
  return {
    organization: { id: value.workspace.id, name: `workspace ${value.workspace.id}` },
    // Members are known by address, the key's user by an id: which member it is cannot be told.
    ownAccountIds: [],
    credential: { kind: "personal API key, without scopes", owner: `the user ${value.user.id}` },
    notes: [
      `the key is a person's, the user ${value.user.id}: it ends when they leave the workspace, so use one of a service user`,
      roster === undefined
        ? "no roster yet: who is in the workspace is not known"
        : `the last roster shows ${String(roster.members.length)} members at ${new Date(roster.capturedAt).toISOString()}`,
    ],
  };
}

function rosterOf(call: Call): Roster {
  if (call.roster !== undefined) return call.roster;
  throw new SyncError(
    "ROSTER_MISSING",
    "clay: nobody brought a roster of this workspace yet: `rolecall roster import <connection> <file>`",
    { retryAfterMs: rosterMissingMs },
  );
}

function accountOf(item: RosterMember): VendorAccount {
  return {
    accountId: asId<AccountId>(item.email),
    email: item.email,
    otherEmails: [],
    state: item.status,
    role: item.role,
    displayName: item.name,
    createdAt: undefined,
    expiresAt: undefined,
  };
}

function findAccounts(roster: Roster, who: Whom): readonly VendorAccount[] {
  return roster.members
    .filter((item) => item.email === who.accountId || who.emails.includes(item.email))
    .map(accountOf);
}

function readGrants(
  roster: Roster,
  account: VendorAccount,
  slots: readonly Slot[],
): readonly ObservedGrant[] {
  const groups = roster.members.find((item) => item.email === account.accountId)?.groups ?? [];
  return slots
    .filter((slot) => slot.kind === groupKind && groups.includes(slot.objectId))
    .map((slot) => ({ ...slot, role: member, implicit: false }));
}

/** Groups that somebody is in; before a first roster, none. */
function groupsOf(facts: VendorFacts, roster: Roster | undefined): readonly VendorObject[] {
  if (facts.kinds[groupKind] === undefined) return [];
  const names = new Set((roster?.members ?? []).flatMap((item) => item.groups));
  return [...names].sort().map((name) => ({
    kind: groupKind,
    objectId: name,
    name,
    archived: false,
    manageable: true,
  }));
}

function byHand(what: string): SyncError {
  return new SyncError("VENDOR_WRITE_MISSING", `clay: people are ${what} by hand`);
}
