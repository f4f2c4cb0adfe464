import type { Instant } from "../model/clock.ts";
import type { ConnectionId, GroupId, IdpId, MappingVersionId, TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { Also } from "../model/records.ts";

/** proposed: waits for activation · active: what every worker evaluates · superseded: was active once · refused: a person said no. */
export type MappingState = "proposed" | "active" | "superseded" | "refused";

/** One version of one connection's mapping: a row, so that two processes with different files never flap. */
export interface MappingVersion {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly versionId: MappingVersionId;
  readonly state: MappingState;
  /** The parsed file, placeholders and bundles expanded; validated again when it is compiled. */
  readonly document: JsonObject;
  /** SHA-256 of the canonical document: the same file proposes nothing new. */
  readonly hash: string;
  readonly vendor: string;
  readonly profile: string;
  readonly proposedAt: Instant;
  readonly activatedAt: Instant | undefined;
  /** What the simulation said when it was proposed: counts of gains and losses. */
  readonly simulation: JsonObject | undefined;
}

/** Where a group name of a version points to. A binding is by id from its first appearance on. */
export interface GroupBinding {
  /** As written in the file. */
  readonly groupName: string;
  /** The `idp:` of the file, where it says one. */
  readonly idpId: IdpId | undefined;
  /**
   * absent: no such group has ever arrived · bound: `groupId` is it, whatever it is called now ·
   * deleted: the bound group is a tombstone (a new group of that name does not re-bind by itself) ·
   * ambiguous: two IdP connections have one of that name and the file does not say `idp:`.
   */
  readonly state: "absent" | "bound" | "deleted" | "ambiguous";
  readonly groupId: GroupId | undefined;
}

export interface MappingVersionStore {
  /** Stores a proposal; an equal hash of the active version answers that version and writes nothing. */
  proposeMapping(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly versionId: MappingVersionId;
      readonly document: JsonObject;
      readonly hash: string;
      readonly vendor: string;
      readonly profile: string;
      readonly simulation: JsonObject | undefined;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<MappingVersion>;
  /**
   * One transaction: the proposal becomes active with its bindings, the former one superseded.
   * @throws StoreError VERSION_CONFLICT when `expectActive` is not the active version any more.
   */
  activateMapping(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly versionId: MappingVersionId;
      readonly expectActive: MappingVersionId | undefined;
      readonly bindings: readonly GroupBinding[];
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  refuseMapping(
    tenantId: TenantId,
    command: { readonly connectionId: ConnectionId; readonly versionId: MappingVersionId },
    also: Also,
  ): Promise<void>;
  /** Sets bindings of the active version (first appearance, deletion, a person's re-binding). */
  setBindings(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly versionId: MappingVersionId;
      readonly bindings: readonly GroupBinding[];
    },
    also: Also,
  ): Promise<void>;
  listBindings(tenantId: TenantId, versionId: MappingVersionId): Promise<readonly GroupBinding[]>;
  activeMappings(tenantId: TenantId): Promise<readonly MappingVersion[]>;
  /** Newest first. */
  listMappings(tenantId: TenantId, connectionId?: ConnectionId): Promise<readonly MappingVersion[]>;
  /**
   * A number that rises with every activation and binding change of the tenant: workers keep compiled
   * mappings in memory and compare this one value before each batch.
   */
  mappingEpoch(tenantId: TenantId): Promise<number>;
}
