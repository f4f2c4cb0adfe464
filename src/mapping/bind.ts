import { fold } from "../model/fold.ts";
import type { GroupId, IdpId } from "../model/ids.ts";
import { pulseIdp } from "../model/pulse-settings.ts";
import type { CompiledGroup } from "./compile.ts";
import type { GroupBinding } from "./version-store.ts";

/** A group of the directory, live or deleted. */
export interface DirectoryGroup {
  readonly groupId: GroupId;
  readonly idpId: IdpId;
  readonly displayName: string;
  readonly deleted: boolean;
}

/** A group name as a mapping uses it. */
export type NamedGroup = Pick<CompiledGroup, "groupName" | "idpId"> &
  Partial<Pick<CompiledGroup, "privileged" | "ruleIds">>;

/** Something about a group that a person should see. */
export interface BindingNote {
  readonly kind:
    "group_renamed" | "group_deleted" | "group_remade" | "group_ambiguous" | "privileged_binding";
  readonly groupName: string;
  readonly groupId: GroupId;
  /** What the group is called now. */
  readonly displayName: string;
  readonly ruleIds: readonly string[];
}

export interface Bound {
  readonly bindings: readonly GroupBinding[];
  readonly notes: readonly BindingNote[];
}

/**
 * Where each name of a mapping points to, given the directory's groups of these names and of the ids bound so far.
 * A binding is by id from its first appearance on: a rename keeps it, a deletion breaks it, a new group of the old name
 * does not take its place; only a name that never arrived binds by itself. Two IdP connections with one name bind nothing.
 * A group of the pulse is meant only where the rule says so: the synthetic person gets what nobody else would.
 * @param former bindings of the version before, or of this version so far: a name that is used on keeps what it meant
 */
export function bindGroups(
  named: readonly NamedGroup[],
  directory: readonly DirectoryGroup[],
  former: readonly GroupBinding[],
): Bound {
  const byId = new Map(directory.map((group) => [group.groupId, group]));
  const byName = Map.groupBy(directory, (group) => fold(group.displayName));
  const before = new Map(former.map((item) => [bindingKey(item), item]));
  const notes: BindingNote[] = [];
  const bindings = named.map((name): GroupBinding => {
    const { groupName, idpId } = name;
    const live = (byName.get(fold(groupName)) ?? []).filter(
      (group) => !group.deleted && isAt(group, idpId),
    );
    const note = (kind: BindingNote["kind"], group: DirectoryGroup) => {
      const { groupId, displayName } = group;
      notes.push({ kind, groupName, groupId, displayName, ruleIds: name.ruleIds ?? [] });
    };
    const known = before.get(bindingKey(name));
    const boundTo = known?.groupId;
    const own = boundTo === undefined ? undefined : byId.get(boundTo);
    const groupId = own === undefined || isAt(own, idpId) ? boundTo : undefined;
    if (groupId !== undefined && (known?.state === "bound" || known?.state === "deleted")) {
      return follow(name, groupId, known.state, byId.get(groupId), live, note);
    }
    const [first] = live;
    if (first === undefined) return { groupName, idpId, state: "absent", groupId: undefined };
    if (live.length > 1) {
      if (known?.state !== "ambiguous") note("group_ambiguous", first);
      return { groupName, idpId, state: "ambiguous", groupId: undefined };
    }
    if (known !== undefined && name.privileged === true) note("privileged_binding", first);
    return { groupName, idpId, state: "bound", groupId: first.groupId };
  });
  return { bindings, notes };
}

/** Whether a name that says this IdP connection, or none, may mean the group. */
export function isAt(group: { readonly idpId: string }, idpId: IdpId | undefined): boolean {
  return idpId === undefined ? group.idpId !== pulseIdp : group.idpId === idpId;
}

function follow(
  { groupName, idpId }: NamedGroup,
  groupId: GroupId,
  state: "bound" | "deleted",
  group: DirectoryGroup | undefined,
  namesakes: readonly DirectoryGroup[],
  note: (kind: BindingNote["kind"], group: DirectoryGroup) => void,
): GroupBinding {
  if (state === "bound" && group?.deleted === true) note("group_deleted", group);
  if (group !== undefined && !group.deleted && fold(group.displayName) !== fold(groupName)) {
    note("group_renamed", group);
  }
  const gone = state === "deleted" || group?.deleted === true;
  if (gone)
    for (const other of namesakes) if (other.groupId !== groupId) note("group_remade", other);
  return { groupName, idpId, state: gone ? "deleted" : "bound", groupId };
}

function bindingKey(item: Pick<GroupBinding, "groupName" | "idpId">): string {
  return JSON.stringify([fold(item.groupName), item.idpId ?? null]);
}
