import { describe, expect, test } from "vitest";
import { bindGroups, type DirectoryGroup } from "../../../src/mapping/bind.ts";
import type { GroupBinding } from "../../../src/mapping/version-store.ts";
import { asId, type GroupId, type IdpId } from "../../../src/model/ids.ts";
import { pulseIdp } from "../../../src/model/pulse-settings.ts";

function group(
  id: string,
  displayName: string,
  more: Partial<DirectoryGroup> = {},
): DirectoryGroup {
  return {
    groupId: asId<GroupId>(id),
    idpId: asId<IdpId>("okta"),
    displayName,
    deleted: false,
    ...more,
  };
}

const entra = { idpId: asId<IdpId>("entra") };
const eng = { groupName: "Engineering", idpId: undefined, privileged: false, ruleIds: ["r"] };

function bind(
  directory: readonly DirectoryGroup[],
  former: readonly GroupBinding[] = [],
  name: object = eng,
) {
  const { bindings, notes } = bindGroups([{ ...eng, ...name }], directory, former);
  return { binding: bindings[0], notes: notes.map(({ kind }) => kind) };
}

const absent: GroupBinding = {
  groupName: "Engineering",
  idpId: undefined,
  state: "absent",
  groupId: undefined,
};
const bound: GroupBinding = { ...absent, state: "bound", groupId: asId<GroupId>("g1") };
const deleted: GroupBinding = { ...bound, state: "deleted" };

describe("a group name", () => {
  test("binds to the one live group of that name, without regard to case", () => {
    expect(
      bind([group("g1", "ENGINEERING"), group("g0", "Engineering", { deleted: true })]),
    ).toEqual({
      binding: bound,
      notes: [],
    });
  });

  test("that nobody has is absent, and binds at its first appearance", () => {
    expect(bind([])).toEqual({ binding: absent, notes: [] });
    expect(bind([group("g1", "Engineering")], [absent])).toEqual({ binding: bound, notes: [] });
  });

  test("of a privileged rule raises a note at its first appearance", () => {
    const privileged = { privileged: true };
    expect(bind([group("g1", "Engineering")], [absent], privileged).notes).toEqual([
      "privileged_binding",
    ]);
    expect(bind([group("g1", "Engineering")], [bound], privileged).notes).toEqual([]);
  });

  test("follows a renamed group and says so", () => {
    const renamed = [group("g1", "Builders"), group("g2", "Engineering")];
    expect(bind(renamed, [bound])).toEqual({ binding: bound, notes: ["group_renamed"] });
  });

  test("of a deleted group stays broken when a new one takes the name", () => {
    const gone = group("g1", "Engineering", { deleted: true });
    expect(bind([gone], [bound])).toEqual({ binding: deleted, notes: ["group_deleted"] });
    const remade = [gone, group("g2", "Engineering")];
    expect(bind(remade, [deleted])).toEqual({ binding: deleted, notes: ["group_remade"] });
    expect(bind(remade, [bound]).notes).toEqual(["group_deleted", "group_remade"]);
  });

  test("of a deleted group stays broken when the group is not among those that were read", () => {
    expect(bind([], [deleted])).toEqual({ binding: deleted, notes: [] });
  });

  test("keeps what it meant when the directory was not asked for that id", () => {
    expect(bind([], [bound])).toEqual({ binding: bound, notes: [] });
  });

  test("that two identity providers have binds to neither, until the rule says which", () => {
    const both = [group("g1", "Engineering"), group("g2", "engineering", entra)];
    const ambiguous = { ...absent, state: "ambiguous" };
    expect(bind(both)).toEqual({ binding: ambiguous, notes: ["group_ambiguous"] });
    expect(bind(both, [ambiguous as GroupBinding]).notes).toEqual([]);
    expect(bind(both, [], entra).binding).toEqual({ ...bound, ...entra, groupId: "g2" });
    expect(bind(both, [bound]).binding).toEqual(bound);
  });

  test("means no group of the pulse, now or bound before, unless the rule says so", () => {
    const pulse = { idpId: pulseIdp };
    const synthetic = group("g1", "Engineering", pulse);
    expect(bind([synthetic])).toEqual({ binding: absent, notes: [] });
    expect(bind([synthetic], [bound])).toEqual({ binding: absent, notes: [] });
    const real = group("g2", "Engineering");
    expect(bind([synthetic, real]).binding).toEqual({ ...bound, groupId: "g2" });
    expect(bind([synthetic, real], [], pulse).binding).toEqual({ ...bound, ...pulse });
  });

  test("means another thing with another `idp:`", () => {
    expect(bind([group("g2", "Engineering", entra)], [bound], entra).binding?.groupId).toBe("g2");
  });
});
