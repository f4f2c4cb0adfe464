import { startingFile, type CandidateGroup, type Holding } from "../mapping/starting-file.ts";
import { isOver } from "../model/account.ts";
import { StoreError } from "../model/errors.ts";
import type { ConnectionId, GroupId, IdentityId, TenantId } from "../model/ids.ts";
import { accountKindOf } from "../plan/plan.ts";
import { allAccounts } from "./baseline.ts";
import type { SyncDeps } from "./sync-deps.ts";

const pageSize = 500;

/** A mapping file, in YAML, that says what linked people hold at a vendor now. @throws StoreError NOT_FOUND */
export async function startingMapping(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
): Promise<string> {
  const lane = await deps.store.getLane(tenantId, connectionId);
  const facts =
    lane === undefined
      ? undefined
      : deps.vendorFacts(lane.vendor, lane.profile, lane.policy.target);
  if (lane === undefined || facts === undefined)
    throw new StoreError("NOT_FOUND", `there is no connection ${connectionId}`);
  const accountKind = accountKindOf(facts).name;
  const names = new Map(
    (await deps.store.listObjects(tenantId, connectionId)).objects.map((item) => [
      `${item.kind} ${item.objectId}`,
      item.name,
    ]),
  );
  const accounts = (await allAccounts(deps, tenantId, connectionId)).filter(
    (account) => !account.gone && !isOver(account, facts),
  );
  const held = new Map<string, Holding & { readonly holders: Set<IdentityId> }>();
  const groupsOf = new Map<GroupId, Set<IdentityId>>();
  for (let at = 0; at < accounts.length; at += pageSize) {
    const page = accounts.slice(at, at + pageSize);
    const ids = page.map((account) => account.accountId);
    const links = await deps.store.findLinks(tenantId, connectionId, ids);
    const whose = new Map(links.map((link) => [link.accountId, link.identityId]));
    const grants = await deps.store.listObservedGrants(tenantId, connectionId, ids);
    const things = [
      ...page.map(({ accountId, role }) => ({ accountId, kind: accountKind, objectId: "", role })),
      ...grants.filter((grant) => !grant.implicit),
    ];
    const people = await deps.store.readIdentities(tenantId, [...whose.values()]);
    const active = new Set(people.filter((one) => one.active).map((one) => one.identityId));
    for (const { accountId, kind, objectId, role } of things) {
      const identityId = whose.get(accountId);
      if (identityId === undefined || !active.has(identityId)) continue;
      const key = `${kind} ${objectId} ${role}`;
      const known = facts.kinds[kind]?.roles[role];
      const holding = held.get(key) ?? {
        ...{ kind, objectId, role, objectName: names.get(`${kind} ${objectId}`) },
        privileged: known?.privileged === true,
        assignable: known !== undefined && known.assignable,
        holders: new Set<IdentityId>(),
      };
      holding.holders.add(identityId);
      held.set(key, holding);
    }
    for (const person of people.filter((one) => one.active)) {
      for (const groupId of person.groups)
        groupsOf.set(groupId, (groupsOf.get(groupId) ?? new Set()).add(person.identityId));
    }
  }
  return startingFile({
    vendor: lane.vendor,
    profile: lane.profile,
    credential: lane.credential,
    baseUrl: lane.baseUrl,
    domains: lane.policy.domains,
    holdings: [...held.values()],
    groups: await candidates(deps, tenantId, groupsOf),
  });
}

/** Groups of these people. Members without an account count too: a rule would give them one. */
async function candidates(
  deps: SyncDeps,
  tenantId: TenantId,
  groupsOf: ReadonlyMap<GroupId, ReadonlySet<IdentityId>>,
): Promise<readonly CandidateGroup[]> {
  const groups = (await deps.store.findGroupsById(tenantId, [...groupsOf.keys()])).filter(
    (group) => !group.deleted,
  );
  const byName = Map.groupBy(groups, (group) => group.displayName.toLowerCase());
  const members = new Map<GroupId, Set<IdentityId>>(
    groups.map((group) => [group.groupId, new Set()]),
  );
  let after: IdentityId | undefined;
  for (;;) {
    const ids = await deps.store.listIdentities(tenantId, { after, limit: pageSize });
    for (const person of await deps.store.readIdentities(tenantId, ids)) {
      if (!person.active) continue;
      for (const groupId of person.groups) members.get(groupId)?.add(person.identityId);
    }
    if (ids.length < pageSize) break;
    after = ids.at(-1);
  }
  return groups.map((group) => ({
    name: group.displayName,
    idp: (byName.get(group.displayName.toLowerCase())?.length ?? 0) > 1 ? group.idpId : undefined,
    members: members.get(group.groupId) ?? new Set(),
  }));
}
