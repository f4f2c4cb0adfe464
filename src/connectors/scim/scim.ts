import type { ObservedGrant, VendorAccount, VendorObject } from "../../model/account.ts";
import { SyncError } from "../../model/errors.ts";
import { completeTarget, targetProblems } from "../../model/scim-target.ts";
import type { ScimTarget, ScimTargetSettings } from "../../model/scim-target.ts";
import { InputError } from "../../model/errors.ts";
import type { Applied, Call, Connector, EndOfList } from "../connector.ts";
import { createAccount, removeAccount, setAccountRole } from "./accounts.ts";
import { groupKind, member, roleKind, scimFacts } from "./facts.ts";
import { findUsers, listUsers } from "./find.ts";
import { joinGroup, leaveGroup, listGroups, readGroupGrants } from "./groups.ts";
import { probe } from "./probe.ts";
import { scimProfiles } from "./profiles.ts";
import { isNothing, type RoleChange } from "./roles.ts";
import { scimCall, type ScimCall } from "./scim-call.ts";
import { readUser, writeUser } from "./users.ts";
import { accountOf } from "./wire.ts";

/**
 * The target that a shipped profile and a mapping file's differences come to; undefined: no such profile.
 * @throws InputError when they contradict each other
 */
export function scimTargetOf(
  profile: string,
  settings: ScimTargetSettings = {},
): ScimTarget | undefined {
  if (!Object.hasOwn(scimProfiles, profile)) return undefined;
  const target = completeTarget(scimProfiles[profile as keyof typeof scimProfiles], settings);
  const problems = targetProblems(target);
  if (problems.length === 0) return target;
  throw new InputError(
    "the SCIM target contradicts itself",
    problems.map(({ path, message }) => `${path.join(".")}: ${message}`),
  );
}

/** Any SCIM 2.0 server (RFC 7643, 7644) as its target says that it behaves: people, groups as entitlements, roles. */
export function scimConnector(target: ScimTarget, profile: string): Connector {
  const speak = (call: Call) => scimCall(call, target);
  return {
    facts: scimFacts(target, profile),
    check: (call) => probe(speak(call)),
    findAccounts: async (call, who) =>
      (await findUsers(speak(call), who)).map((item) => accountOf(item, target)),
    readGrants: (call, account, slots) => readGrants(speak(call), account, slots),
    listAccounts: (call) => listAccounts(speak(call)),
    listObjects: (call) => listObjects(speak(call)),
    createAccount: (call, person) => createAccount(speak(call), person),
    setAccountRole: (call, account, role) => setAccountRole(speak(call), account, role),
    removeAccount: (call, account) => removeAccount(speak(call), account),
    grant: (call, account, { kind, objectId }) =>
      change(speak(call), account, { kind, objectId }, "give"),
    revoke: (call, account, slot) => change(speak(call), account, slot, "take"),
    ...(writesWhole(target)
      ? {
          exclusiveKey: ({ kind, objectId }) =>
            kind === groupKind ? `group:${objectId}` : undefined,
        }
      : {}),
  };
}

function writesWhole({ groups }: ScimTarget): boolean {
  return groups.source !== "none" && (groups.write === "put" || groups.remove === "replace");
}

type SlotOf = Parameters<Connector["revoke"]>[2];

async function readGrants(
  scim: ScimCall,
  account: VendorAccount,
  slots: readonly SlotOf[],
): Promise<readonly ObservedGrant[]> {
  if (account.state !== "active") return [];
  const groups = slots.filter(({ kind }) => kind === groupKind);
  const roles = slots.filter(({ kind }) => kind === roleKind);
  const held = roles.length === 0 ? [] : ((await readUser(scim, account.accountId))?.roles ?? []);
  return [
    ...(await readGroupGrants(scim, account, groups)),
    ...roles
      .filter(({ objectId }) => held.includes(objectId))
      .map((slot) => ({ ...slot, role: member, implicit: false })),
  ];
}

async function change(
  scim: ScimCall,
  account: VendorAccount,
  { kind, objectId }: SlotOf,
  op: keyof RoleChange,
): Promise<Applied> {
  if (kind === groupKind && scim.target.groups.source === "resource") {
    return op === "give" ? joinGroup(scim, account, objectId) : leaveGroup(scim, account, objectId);
  }
  if (kind === roleKind && scim.target.roles.as === "each") {
    return changeRole(scim, account, objectId, op);
  }
  throw new SyncError("VENDOR_REJECTED", "scim: this server's profile has nothing of this kind", {
    facts: { kind },
  });
}

async function changeRole(
  scim: ScimCall,
  account: VendorAccount,
  role: string,
  op: keyof RoleChange,
): Promise<Applied> {
  const found = await readUser(scim, account.accountId);
  if (found === undefined) {
    if (op === "take") return { outcome: "unchanged", requestIds: [] };
    throw new SyncError("VENDOR_CONFLICT", "scim: the user is gone; looked for again");
  }
  const holds = found.roles.includes(role);
  const roles: RoleChange = {
    give: op === "give" && !holds ? [role] : [],
    take: op === "take" && holds ? [role] : [],
  };
  if (isNothing(roles)) return { outcome: "unchanged", requestIds: [] };
  const { requestIds } = await writeUser(scim, found, { roles });
  return { outcome: "changed", requestIds };
}

async function* listAccounts(scim: ScimCall): AsyncGenerator<VendorAccount | EndOfList> {
  let count = 0;
  for await (const item of listUsers(scim)) {
    count += 1;
    yield accountOf(item, scim.target);
  }
  yield { complete: true, count };
}

/** Groups as the server lists them, and the catalogue of roles: one that nobody holds could not be found by looking at people. */
async function* listObjects(scim: ScimCall): AsyncGenerator<VendorObject | EndOfList> {
  const { groups, roles } = scim.target;
  let count = 0;
  if (groups.source === "resource") {
    for await (const group of listGroups(scim)) {
      count += 1;
      yield group;
    }
  }
  if (roles.style !== "none" && roles.as === "each") {
    for (const [name, facts] of Object.entries(roles.catalogue)) {
      count += 1;
      yield { kind: roleKind, objectId: name, name, archived: false, manageable: facts.assignable };
    }
  }
  yield { complete: true, count };
}

/** How this server is told who calls, made from the opened credential. */
export function scimHeaders(target: ScimTarget, secret: string): Readonly<Record<string, string>> {
  const { scheme, header, prefix } = target.auth;
  switch (scheme) {
    case "header":
      return { [header]: secret };
    case "basic":
      return { authorization: `Basic ${Buffer.from(secret, "utf8").toString("base64")}` };
    case "bearer":
    case "oauth2":
      return { authorization: prefix === "" ? secret : `${prefix} ${secret}` };
  }
}
