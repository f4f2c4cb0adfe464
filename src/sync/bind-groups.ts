import type { FindingDraft } from "../accounts/finding.ts";
import type { GroupName } from "../directory/directory-store.ts";
import type { GroupBinding, MappingVersion } from "../mapping/version-store.ts";
import { fold } from "../model/fold.ts";
import type { GroupId, TenantId } from "../model/ids.ts";
import { newId } from "../model/ids.ts";
import { newRecord, type FanoutRequest } from "../model/records.ts";
import type { SyncDeps } from "./sync-deps.ts";

/**
 * Runs once before the people of a new, renamed or deleted group are marked: brings the bindings of the active mappings up to
 * date. A rule follows its group by id: a rename changes nothing, a deletion breaks the binding, and a new group of the old
 * name does not take its place by itself. Only a name that never arrived binds at its first appearance.
 */
export async function bindGroup(
  deps: SyncDeps,
  tenantId: TenantId,
  groupId: GroupId,
): Promise<void> {
  const group = (await deps.store.findGroupsById(tenantId, [groupId]))[0];
  if (group === undefined) return;
  const findings: FindingDraft[] = [];
  for (const version of await deps.store.activeMappings(tenantId)) {
    const bindings = await deps.store.listBindings(tenantId, version.versionId);
    const namesakes = await deps.store.findGroupsByName(
      tenantId,
      bindings.map((binding) => binding.groupName),
    );
    const changed = bindings.flatMap((binding) => {
      const next = rebind(binding, group, namesakes, version, findings);
      return next === undefined ? [] : [next];
    });
    if (changed.length > 0) await store(deps, tenantId, version, changed, group);
  }
  if (findings.length > 0)
    await deps.store.raiseFindings(tenantId, { findings, now: deps.clock.now() });
}

/** The first bindings of a version, by what is in the directory now. */
export function firstBindings(
  names: readonly { readonly groupName: string; readonly idpId: GroupBinding["idpId"] }[],
  groups: readonly GroupName[],
  former: readonly GroupBinding[],
): readonly GroupBinding[] {
  return names.map(({ groupName, idpId }) => {
    // A version that goes on using a name keeps what the name meant: re-reading a file never re-points a rule.
    const kept = former.find(
      (item) => fold(item.groupName) === fold(groupName) && item.idpId === idpId,
    );
    if (kept !== undefined && (kept.state === "bound" || kept.state === "deleted")) return kept;
    const live = candidates(groupName, idpId, groups);
    const one = live[0];
    if (one === undefined) return { groupName, idpId, state: "absent", groupId: undefined };
    if (live.length > 1) return { groupName, idpId, state: "ambiguous", groupId: undefined };
    return { groupName, idpId, state: "bound", groupId: one.groupId };
  });
}

function rebind(
  binding: GroupBinding,
  group: GroupName,
  namesakes: readonly GroupName[],
  version: MappingVersion,
  findings: FindingDraft[],
): GroupBinding | undefined {
  const sameName = fold(binding.groupName) === fold(group.displayName);
  const note = (kind: FindingDraft["kind"], severity: FindingDraft["severity"], text: string) => {
    findings.push({
      key: `${kind}:${version.connectionId}:${binding.groupName}:${group.groupId}`,
      kind,
      severity,
      connectionId: version.connectionId,
      text,
      facts: { group: binding.groupName, groupId: group.groupId, now: group.displayName },
    });
  };
  if (binding.groupId === group.groupId) {
    if (group.deleted && binding.state === "bound") {
      note(
        "group_deleted",
        "warning",
        `the group "${binding.groupName}" was deleted at the identity provider: what its rules gave waits in a hold for your decision`,
      );
      return { ...binding, state: "deleted" };
    }
    if (!group.deleted && !sameName) {
      note(
        "group_renamed",
        "info",
        `the group "${binding.groupName}" is now called "${group.displayName}": the rule still follows it; change the name in the file when it suits you`,
      );
    }
    return undefined;
  }
  if (group.deleted || !sameName) return undefined;
  if (binding.idpId !== undefined && binding.idpId !== group.idpId) return undefined;
  if (binding.state === "deleted") {
    note(
      "group_remade",
      "warning",
      `a new group has the name "${binding.groupName}" of a deleted one: its rules do not follow it; bind it with \`rolecall mapping rebind\` if it is meant`,
    );
    return undefined;
  }
  const live = candidates(binding.groupName, binding.idpId, namesakes);
  if (binding.state === "bound") return undefined;
  if (live.length > 1) {
    note(
      "group_ambiguous",
      "warning",
      `two identity providers have a group "${binding.groupName}": say \`idp:\` in the rule`,
    );
    return binding.state === "ambiguous" ? undefined : { ...binding, state: "ambiguous" };
  }
  note(
    "privileged_binding",
    "info",
    `the group "${binding.groupName}" has arrived and its rules follow it from now on`,
  );
  return { ...binding, state: "bound", groupId: group.groupId };
}

function candidates(
  name: string,
  idpId: GroupBinding["idpId"],
  groups: readonly GroupName[],
): readonly GroupName[] {
  return groups.filter(
    (group) =>
      !group.deleted &&
      fold(group.displayName) === fold(name) &&
      (idpId === undefined || group.idpId === idpId),
  );
}

async function store(
  deps: SyncDeps,
  tenantId: TenantId,
  version: MappingVersion,
  bindings: readonly GroupBinding[],
  group: GroupName,
): Promise<void> {
  // Everybody is looked at again, not only members: for others the rule turns from unknown to false.
  const fanout: FanoutRequest = {
    fanoutId: newId(deps.clock),
    scope: { kind: "tenant" },
    cause: { kind: "scim.group", key: `scim.group:${group.groupId}` },
    urgent: false,
  };
  await deps.store.setBindings(
    tenantId,
    { connectionId: version.connectionId, versionId: version.versionId, bindings },
    {
      records: [
        newRecord(deps.clock, {
          actor: deps.actor,
          action: "mapping.bound",
          subject: { type: "mapping", id: version.versionId },
          connectionId: version.connectionId,
          cause: `scim.group:${group.groupId}`,
          mappingVersion: version.versionId,
          facts: {
            bindings: bindings.map(({ groupName, state, groupId }) => ({
              groupName,
              state,
              groupId: groupId ?? null,
            })),
          },
        }),
      ],
      recompute: [],
      fanouts: [fanout],
    },
  );
  deps.ringRelay();
}
