import type { Instant } from "../model/clock.ts";
import type {
  ConnectionId,
  GroupId,
  IdentityId,
  IdpId,
  MappingVersionId,
  TenantId,
} from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { Also } from "../model/records.ts";

/**
 * proposed: waits for activation · canary: approved, and decides about some people already · active: what every worker evaluates ·
 * superseded: was active once · refused: a person said no.
 */
export type MappingState = "proposed" | "canary" | "active" | "superseded" | "refused";

/** Who decided about a version, and on what grounds. */
export interface MappingDecision {
  readonly outcome: "approved" | "refused" | "inside-rails";
  /** The operator; of what nobody had to decide, who proposed it. */
  readonly by: string;
  readonly at: Instant;
  /** Only one person could decide when this one did: author and approver may be the same. */
  readonly alone: boolean;
  readonly why: string | null;
  /** `hash` of the simulation that was decided upon. */
  readonly simulation: string | null;
}

/** How far an approved version has got: one person, then a tenth of all, then it is activated. */
export interface Rollout {
  readonly stage: "person" | "tenth";
  /** Who is first. */
  readonly identityId: IdentityId;
  /** Of the present stage. */
  readonly since: Instant;
  /** Something failed or a rail tripped: it stays where it is until a person decides. */
  readonly stopped: { readonly at: Instant; readonly why: string } | null;
}

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
  /** What the last simulation said: counts of gains and losses, and the `hash` of who gains and loses what. */
  readonly simulation: JsonObject | undefined;
  /** Who wrote it, where that was said. */
  readonly author: string | undefined;
  /** The operator who brought it, or vouched for files that a process took at its start. */
  readonly proposedBy: string | undefined;
  /** Against the version that was active when it was proposed, as `MappingChanges`. */
  readonly changes: JsonObject | undefined;
  readonly decision: MappingDecision | undefined;
  /** Set while the state is `canary`. */
  readonly rollout: Rollout | undefined;
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
      readonly author?: string | undefined;
      readonly proposedBy?: string | undefined;
      readonly changes?: JsonObject | undefined;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<MappingVersion>;
  /** Says who wrote or brought a proposal, where nobody had said so. Answers whether that was news. @throws StoreError NOT_FOUND */
  vouchForMapping(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly versionId: MappingVersionId;
      readonly author: string | undefined;
      readonly proposedBy: string | undefined;
    },
    also: Also,
  ): Promise<boolean>;
  /** A newer simulation of a proposal takes the place of the older one. */
  noteSimulation(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly versionId: MappingVersionId;
      readonly simulation: JsonObject;
    },
  ): Promise<void>;
  /**
   * Begins, moves on, stops or resumes the roll-out of a proposal; with its bindings and the decision where it begins.
   * @throws StoreError VERSION_CONFLICT when the stage is not `expect` any more, or another version of the connection is rolled out
   */
  setRollout(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly versionId: MappingVersionId;
      readonly expect: Rollout["stage"] | undefined;
      readonly rollout: Rollout;
      readonly decision?: MappingDecision;
      readonly bindings?: readonly GroupBinding[];
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  /**
   * One transaction: the proposal becomes active with its bindings, the former one superseded.
   * @throws StoreError VERSION_CONFLICT when `expectActive` is not the active version any more, or another one is being rolled out.
   */
  activateMapping(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly versionId: MappingVersionId;
      readonly expectActive: MappingVersionId | undefined;
      readonly bindings: readonly GroupBinding[];
      /** Absent: the one that is there stays. */
      readonly decision?: MappingDecision;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  /** Ends a proposal, and its roll-out with it. */
  refuseMapping(
    tenantId: TenantId,
    command: {
      readonly connectionId: ConnectionId;
      readonly versionId: MappingVersionId;
      readonly decision?: MappingDecision;
    },
    also: Also,
  ): Promise<void>;
  /** Sets bindings of the active version, or of one that is being rolled out (first appearance, deletion, a person's re-binding). */
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
  /** Versions in the state `canary`. */
  rollingMappings(tenantId: TenantId): Promise<readonly MappingVersion[]>;
  /** Newest first. */
  listMappings(tenantId: TenantId, connectionId?: ConnectionId): Promise<readonly MappingVersion[]>;
  /**
   * A number that rises with every activation, roll-out and binding change of the tenant: workers keep compiled
   * mappings in memory and compare this one value before each batch.
   */
  mappingEpoch(tenantId: TenantId): Promise<number>;
}
