import { describe, expect, it } from "vitest";
import type {
  GroupBinding,
  MappingDecision,
  MappingVersion,
  Rollout,
} from "../../src/mapping/version-store.ts";
import {
  asId,
  type ConnectionId,
  type GroupId,
  type IdentityId,
  type IdpId,
  type MappingVersionId,
} from "../../src/model/ids.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, refusal, tenantForEach } from "./directory-stage.ts";

const anthropic = asId<ConnectionId>("anthropic");
const instantly = asId<ConnectionId>("instantly");
const bound: GroupBinding = {
  groupName: "Engineering",
  idpId: undefined,
  state: "bound",
  groupId: asId<GroupId>("g1"),
};

/** Mapping versions as rows, and the bindings of the active one. */
export function mappingVersionSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  const propose = (hash: string, connectionId = anthropic, on = stage): Promise<MappingVersion> =>
    on.store.proposeMapping(
      on.tenantId,
      {
        connectionId,
        versionId: on.newId<MappingVersionId>(),
        document: { hash, rules: [{ id: "r1", because: null }] },
        hash,
        vendor: "acme-ai",
        profile: "console",
        simulation: { gains: 3 },
        now: on.now,
      },
      on.also("mapping.proposed"),
    );
  const activate = (
    version: MappingVersion,
    expectActive?: MappingVersion,
    bindings: readonly GroupBinding[] = [],
  ) =>
    stage.store.activateMapping(
      stage.tenantId,
      {
        connectionId: version.connectionId,
        versionId: version.versionId,
        expectActive: expectActive?.versionId,
        bindings,
        now: stage.now,
      },
      stage.also("mapping.activated"),
    );
  const states = async () =>
    (await stage.store.listMappings(stage.tenantId, anthropic)).map((one) => one.state);

  it("a proposal is kept as it was made, and is not active", async () => {
    const made = await propose("h1");
    expect(made).toEqual({
      tenantId: stage.tenantId,
      connectionId: anthropic,
      versionId: made.versionId,
      state: "proposed",
      document: { hash: "h1", rules: [{ id: "r1", because: null }] },
      hash: "h1",
      vendor: "acme-ai",
      profile: "console",
      proposedAt: stage.now,
      activatedAt: undefined,
      simulation: { gains: 3 },
    });
    expect(await stage.store.listMappings(stage.tenantId)).toEqual([made]);
    expect(await stage.store.activeMappings(stage.tenantId)).toEqual([]);
  });

  it("the same content as the active version proposes nothing", async () => {
    const first = await propose("h1");
    await activate(first);
    const again = await propose("h1");
    expect(again).toMatchObject({ versionId: first.versionId, state: "active" });
    expect(await stage.actions()).toEqual(["mapping.proposed", "mapping.activated"]);
    expect(await propose("h1", instantly)).toMatchObject({ state: "proposed" });
  });

  it("who wrote and brought a version is kept, and said once where nobody had said so", async () => {
    const made = await propose("h1");
    const { connectionId, versionId } = made;
    const vouch = (author: string | undefined, proposedBy: string | undefined) =>
      stage.store.vouchForMapping(
        stage.tenantId,
        { connectionId, versionId, author, proposedBy },
        stage.also("mapping.vouched"),
      );
    expect(await vouch(undefined, undefined)).toBe(false);
    expect(await vouch(undefined, "ida")).toBe(true);
    expect(await vouch(undefined, "ben")).toBe(false);
    expect(await vouch("ada", "ben")).toBe(true);
    expect(await stage.store.listMappings(stage.tenantId)).toMatchObject([
      { author: "ada", proposedBy: "ida" },
    ]);
    expect(await stage.actions()).toEqual([
      "mapping.proposed",
      "mapping.vouched",
      "mapping.vouched",
    ]);
  });

  it("a roll-out goes from stage to stage, keeps other versions out, and ends in the active state", async () => {
    const first = await propose("h1");
    await activate(first);
    const second = await propose("h2");
    const third = await propose("h3");
    const identityId = stage.newId<IdentityId>();
    const decision: MappingDecision = {
      outcome: "approved",
      by: "ida",
      at: stage.now,
      alone: false,
      why: null,
      simulation: "s1",
    };
    const roll = (version: MappingVersion, expect: Rollout["stage"] | undefined, next: Rollout) =>
      stage.store.setRollout(
        stage.tenantId,
        {
          ...{ connectionId: anthropic, versionId: version.versionId, expect, rollout: next },
          ...(expect === undefined ? { decision, bindings: [bound] } : {}),
          now: stage.now,
        },
        stage.also("mapping.rolled"),
      );
    const at = (name: Rollout["stage"]): Rollout => ({
      ...{ stage: name, identityId, since: stage.now, stopped: null },
    });
    const epoch = await stage.store.mappingEpoch(stage.tenantId);
    await roll(second, undefined, at("person"));
    expect(await stage.store.mappingEpoch(stage.tenantId)).toBe(epoch + 1);
    expect((await states()).toSorted()).toEqual(["active", "canary", "proposed"]);
    expect(await stage.store.rollingMappings(stage.tenantId)).toMatchObject([
      { versionId: second.versionId, state: "canary", decision, rollout: at("person") },
    ]);
    expect(await stage.store.listBindings(stage.tenantId, second.versionId)).toEqual([bound]);
    expect(await refusal(roll(third, undefined, at("person")))).toBe("VERSION_CONFLICT");
    expect(await refusal(activate(third, first))).toBe("VERSION_CONFLICT");
    expect(await refusal(roll(second, undefined, at("tenth")))).toBe("VERSION_CONFLICT");
    await roll(second, "person", at("tenth"));
    await activate(second, first);
    expect(await stage.store.rollingMappings(stage.tenantId)).toEqual([]);
    expect(await stage.store.activeMappings(stage.tenantId)).toMatchObject([
      { versionId: second.versionId, decision, rollout: undefined },
    ]);
    await roll(third, undefined, at("person"));
    const before = await stage.store.mappingEpoch(stage.tenantId);
    await stage.store.refuseMapping(
      stage.tenantId,
      { ...{ connectionId: anthropic, versionId: third.versionId }, decision },
      stage.also("mapping.refused"),
    );
    expect(await stage.store.mappingEpoch(stage.tenantId)).toBe(before + 1);
    expect(await stage.store.rollingMappings(stage.tenantId)).toEqual([]);
  });

  it("activating supersedes the version before, in one step that names it", async () => {
    const first = await propose("h1");
    await activate(first);
    await stage.clock.advance(1_000);
    const second = await propose("h2");
    const third = await propose("h3");
    expect(await refusal(activate(second))).toBe("VERSION_CONFLICT");
    expect(await refusal(activate(second, third))).toBe("VERSION_CONFLICT");
    await activate(second, first);
    expect(await states()).toEqual(["proposed", "active", "superseded"]);
    const active = await stage.store.activeMappings(stage.tenantId);
    expect(active).toEqual([{ ...second, state: "active", activatedAt: stage.now }]);
    expect(await refusal(activate(second, second))).toBe("VERSION_CONFLICT");
    expect(await refusal(activate(first, second))).toBe("VERSION_CONFLICT");
    expect(await refusal(activate(third, first))).toBe("VERSION_CONFLICT");
  });

  it("one of two that are activated at once wins", async () => {
    const first = await propose("h1");
    await activate(first);
    const rivals = [await propose("h2"), await propose("h3")];
    const tries = await Promise.allSettled(rivals.map((one) => activate(one, first)));
    expect(tries.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    expect((await states()).filter((state) => state === "active")).toHaveLength(1);
  });

  it("a proposal is refused once, and never becomes active then", async () => {
    const made = await propose("h1");
    const refuse = () =>
      stage.store.refuseMapping(
        stage.tenantId,
        { connectionId: anthropic, versionId: made.versionId },
        stage.also("mapping.refused"),
      );
    await refuse();
    expect(await states()).toEqual(["refused"]);
    expect(await refusal(refuse())).toBe("VERSION_CONFLICT");
    expect(await refusal(activate(made))).toBe("VERSION_CONFLICT");
    expect(await stage.actions()).toEqual(["mapping.proposed", "mapping.refused"]);
  });

  it("versions of another connection or tenant are not found", async () => {
    const made = await propose("h1");
    expect(await refusal(activate({ ...made, connectionId: instantly }))).toBe("NOT_FOUND");
    const neighbour = await stage.neighbour();
    const theirs = await propose("h1", anthropic, neighbour);
    expect(await refusal(activate(theirs))).toBe("NOT_FOUND");
    expect(await neighbour.store.listMappings(neighbour.tenantId)).toHaveLength(1);
  });

  it("versions are listed newest first, of one connection or of all", async () => {
    const first = await propose("h1");
    await stage.clock.advance(1);
    const other = await propose("h1", instantly);
    await stage.clock.advance(1);
    const second = await propose("h2");
    const listed = async (connectionId?: ConnectionId) =>
      (await stage.store.listMappings(stage.tenantId, connectionId)).map((one) => one.versionId);
    expect(await listed()).toEqual([second.versionId, other.versionId, first.versionId]);
    expect(await listed(anthropic)).toEqual([second.versionId, first.versionId]);
  });

  describe("bindings", () => {
    const absent: GroupBinding = {
      groupName: "Sales",
      idpId: asId<IdpId>("okta"),
      state: "absent",
      groupId: undefined,
    };
    const set = (version: MappingVersion, ...bindings: readonly GroupBinding[]) =>
      stage.store.setBindings(
        stage.tenantId,
        { connectionId: anthropic, versionId: version.versionId, bindings },
        stage.also("mapping.bound"),
      );
    const read = (version: MappingVersion) =>
      stage.store.listBindings(stage.tenantId, version.versionId);

    it("come with the activation, and change one by one", async () => {
      const version = await propose("h1");
      await activate(version, undefined, [bound, absent]);
      expect(await read(version)).toEqual([bound, absent]);
      const appeared: GroupBinding = { ...absent, state: "bound", groupId: asId<GroupId>("g2") };
      await set(version, appeared);
      expect(await read(version)).toEqual([bound, appeared]);
    });

    it("with and without an IdP connection are two, and each is one", async () => {
      const version = await propose("h1");
      const okta: GroupBinding = { ...bound, idpId: asId<IdpId>("okta") };
      await activate(version, undefined, [bound, okta]);
      await set(version, { ...bound, state: "deleted" });
      expect(await read(version)).toEqual([{ ...bound, state: "deleted" }, okta]);
    });

    it("belong to the active version alone", async () => {
      const version = await propose("h1");
      expect(await refusal(set(version, bound))).toBe("VERSION_CONFLICT");
    });

    it("that do not change write nothing", async () => {
      const version = await propose("h1");
      await activate(version, undefined, [bound]);
      const epoch = await stage.store.mappingEpoch(stage.tenantId);
      await set(version, bound);
      expect(await stage.store.mappingEpoch(stage.tenantId)).toBe(epoch);
      expect(await stage.actions()).toEqual(["mapping.proposed", "mapping.activated"]);
    });
  });

  it("the epoch of a tenant rises with every activation and binding, not with a proposal, and is its own", async () => {
    const neighbour = await stage.neighbour();
    const epoch = () => stage.store.mappingEpoch(stage.tenantId);
    const start = await epoch();
    const version = await propose("h1");
    expect(await epoch()).toBe(start);
    await activate(version, undefined, [bound]);
    const activated = await epoch();
    expect(activated).toBeGreaterThan(start);
    await stage.store.setBindings(
      stage.tenantId,
      {
        connectionId: anthropic,
        versionId: version.versionId,
        bindings: [{ ...bound, state: "deleted" }],
      },
      stage.also("mapping.bound"),
    );
    expect(await epoch()).toBeGreaterThan(activated);
    expect(await stage.store.mappingEpoch(neighbour.tenantId)).toBe(start);
  });
}
