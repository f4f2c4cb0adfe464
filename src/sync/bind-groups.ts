import type { FindingDraft } from "../accounts/finding.ts";
import type { GroupName } from "../directory/directory-store.ts";
import { bindGroups, type BindingNote, type Bound, type NamedGroup } from "../mapping/bind.ts";
import type { GroupBinding } from "../mapping/version-store.ts";
import { fold } from "../model/fold.ts";
import { newId, type ConnectionId, type GroupId, type TenantId } from "../model/ids.ts";
import { newRecord, type FanoutRequest } from "../model/records.ts";
import type { SyncDeps } from "./sync-deps.ts";
import { Worlds, type ConnectionWorld } from "./world.ts";

/**
 * Runs once before the people of a new, renamed or deleted group are marked: brings the bindings of the active mappings up to
 * date, says what a person should know, and has everybody looked at again where a binding changed.
 */
export async function bindGroup(
  deps: SyncDeps,
  tenantId: TenantId,
  groupId: GroupId,
): Promise<void> {
  const group = (await deps.store.findGroupsById(tenantId, [groupId]))[0];
  if (group === undefined) return;
  const { connections, rolling } = await new Worlds(deps).read(tenantId);
  for (const connection of [...connections, ...rolling])
    await rebind(deps, tenantId, connection, group);
}

/** Where the names of a version point to now. */
export async function readBindings(
  deps: SyncDeps,
  tenantId: TenantId,
  names: readonly NamedGroup[],
  former: readonly GroupBinding[],
): Promise<Bound> {
  const bound = former.flatMap((binding) =>
    binding.groupId === undefined ? [] : [binding.groupId],
  );
  const [byName, byId] = await Promise.all([
    deps.store.findGroupsByName(
      tenantId,
      names.map((name) => name.groupName),
    ),
    deps.store.findGroupsById(tenantId, bound),
  ]);
  const groups = new Map([...byName, ...byId].map((group) => [group.groupId, group]));
  return bindGroups(names, [...groups.values()], former);
}

async function rebind(
  deps: SyncDeps,
  tenantId: TenantId,
  connection: ConnectionWorld,
  group: GroupName,
): Promise<void> {
  const concerned = connection.bindings.some(
    (binding) =>
      binding.groupId === group.groupId || fold(binding.groupName) === fold(group.displayName),
  );
  if (!concerned) return;
  const { bindings, notes } = await readBindings(
    deps,
    tenantId,
    connection.compiled.groups,
    connection.bindings,
  );
  const own = notes.filter((note) => note.groupId === group.groupId);
  if (own.length > 0) {
    const { connectionId } = connection.version;
    await deps.store.raiseFindings(tenantId, {
      findings: own.map((note) => findingOf(connectionId, note)),
      now: deps.clock.now(),
    });
  }
  const before = new Map(connection.bindings.map((binding) => [bindingKey(binding), binding]));
  const changed = bindings.filter((binding) => {
    const old = before.get(bindingKey(binding));
    return old?.state !== binding.state || old.groupId !== binding.groupId;
  });
  if (changed.length > 0) await store(deps, tenantId, connection, changed, group);
}

function bindingKey(binding: GroupBinding): string {
  return `${fold(binding.groupName)}\n${binding.idpId ?? ""}`;
}

function findingOf(connectionId: ConnectionId, note: BindingNote): FindingDraft {
  return {
    key: `${note.kind}:${connectionId}:${note.groupName}:${note.groupId}`,
    kind: note.kind,
    severity:
      note.kind === "group_renamed" || note.kind === "privileged_binding" ? "info" : "warning",
    connectionId,
    text: noteText(note),
    facts: {
      group: note.groupName,
      groupId: note.groupId,
      calledNow: note.displayName,
      rules: note.ruleIds,
    },
  };
}

function noteText(note: BindingNote): string {
  switch (note.kind) {
    case "group_renamed":
      return `the group "${note.groupName}" is now called "${note.displayName}": its rules still follow it; change the name in the file when it suits you`;
    case "group_deleted":
      return `the group "${note.groupName}" was deleted at the identity provider: what its rules gave waits in a hold for your decision`;
    case "group_remade":
      return `a new group has the name "${note.groupName}" of a deleted one: no rule follows it; if it is meant, \`rolecall mapping rebind\``;
    case "group_ambiguous":
      return `two identity providers have a group "${note.groupName}": say \`idp:\` in the rule`;
    case "privileged_binding":
      return `the group "${note.groupName}" has arrived and a rule that gives a privileged role follows it from now on`;
  }
}

async function store(
  deps: SyncDeps,
  tenantId: TenantId,
  { version }: ConnectionWorld,
  bindings: readonly GroupBinding[],
  group: GroupName,
): Promise<void> {
  // Everybody is looked at again, not only members: for others the rule turns from unknown to false.
  const cause = `scim.group:${group.groupId}`;
  const fanout: FanoutRequest = {
    fanoutId: newId(deps.clock),
    scope: { kind: "tenant" },
    cause: { kind: "scim.group", key: cause },
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
          cause,
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
