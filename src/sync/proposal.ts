import type { Lane } from "../accounts/lane.ts";
import { compileMapping } from "../mapping/compile.ts";
import { connectionPolicy } from "../mapping/connection-policy.ts";
import type { NamedGroup } from "../mapping/bind.ts";
import { mappingFile } from "../mapping/schema.ts";
import type { GroupBinding, MappingVersion } from "../mapping/version-store.ts";
import { SyncError } from "../model/errors.ts";
import type { ConnectionId, TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { ConnectionPolicy } from "../model/policy.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { readBindings } from "./bind-groups.ts";
import { simulate, type PersonChange, type Simulation } from "./simulate.ts";
import type { SyncDeps } from "./sync-deps.ts";
import type { ConnectionWorld } from "./world.ts";

/** One connection's file as it was read: a proposal until it is activated. */
export interface MappingProposal {
  readonly connectionId: ConnectionId;
  readonly vendor: string;
  readonly profile: string;
  readonly document: JsonObject;
  readonly hash: string;
  readonly credential: string;
  readonly baseUrl: string | undefined;
  readonly policy: ConnectionPolicy;
  readonly groups: readonly NamedGroup[];
}

/** A stored version as the proposal that it was: the document says everything. */
export function proposalOf(
  deps: SyncDeps,
  version: Pick<MappingVersion, "connectionId" | "vendor" | "profile" | "document" | "hash">,
): MappingProposal {
  const file = mappingFile.parse(version.document);
  const policy = connectionPolicy(file);
  const facts = factsOf(deps, { ...version, policy });
  return {
    connectionId: version.connectionId,
    vendor: version.vendor,
    profile: version.profile,
    document: version.document,
    hash: version.hash,
    credential: file.connection.credential,
    baseUrl: file.connection.url,
    policy,
    groups: compileMapping(version.document, facts).groups,
  };
}

/** Where the proposal's group names point to; a name that the active version uses keeps what it means there. */
export async function bindingsOf(
  deps: SyncDeps,
  tenantId: TenantId,
  proposal: Pick<MappingProposal, "groups">,
  active: MappingVersion | undefined,
): Promise<readonly GroupBinding[]> {
  const former =
    active === undefined ? [] : await deps.store.listBindings(tenantId, active.versionId);
  return (await readBindings(deps, tenantId, proposal.groups, former)).bindings;
}

/** What the proposal would do to everybody in place of the active version. */
export async function simulateProposal(
  deps: SyncDeps,
  tenantId: TenantId,
  proposal: MappingProposal,
  bindings: readonly GroupBinding[],
  active: MappingVersion | undefined,
  tell?: (change: PersonChange) => void,
): Promise<Simulation> {
  const after = { proposal, bindings };
  if (active === undefined) return simulateBetween(deps, tenantId, undefined, after, tell);
  const bound = await deps.store.listBindings(tenantId, active.versionId);
  const before = { proposal: proposalOf(deps, active), bindings: bound };
  return simulateBetween(deps, tenantId, before, after, tell);
}

/** A mapping with its group names bound. */
export interface BoundProposal {
  readonly proposal: MappingProposal;
  readonly bindings: readonly GroupBinding[];
}

/** What one mapping in place of another would do to everybody; undefined: none was there. */
export async function simulateBetween(
  deps: SyncDeps,
  tenantId: TenantId,
  before: BoundProposal | undefined,
  after: BoundProposal,
  tell?: (change: PersonChange) => void,
): Promise<Simulation> {
  const { connectionId } = after.proposal;
  const lane =
    (await deps.store.getLane(tenantId, connectionId)) ?? emptyLane(tenantId, after.proposal);
  const known = await deps.store.listObjects(tenantId, connectionId);
  const objects = known.readAt === undefined ? undefined : known.objects;
  const world = ({ proposal, bindings }: BoundProposal): ConnectionWorld => {
    const { policy, document } = proposal;
    const facts = factsOf(deps, proposal);
    const version = draftOf(deps, tenantId, proposal);
    const compiled = compileMapping(document, facts);
    return { version, compiled, bindings, facts, lane: { ...lane, policy }, objects };
  };
  return simulate(
    deps,
    tenantId,
    before === undefined ? undefined : world(before),
    world(after),
    tell,
  );
}

/** As it is stored with a version: counts and the hash, nobody's id. */
export function summary(simulation: Simulation): JsonObject {
  const { people, gain, lose, privilegedGain, blocked, unchanged, hash } = simulation;
  return { people, gain, lose, privilegedGain, blocked, unchanged, hash };
}

function factsOf(
  deps: SyncDeps,
  of: Pick<MappingProposal, "vendor" | "profile" | "policy">,
): VendorFacts {
  const facts = deps.vendorFacts(of.vendor, of.profile, of.policy.target);
  if (facts !== undefined) return facts;
  throw new SyncError("INTERNAL", `this build has no connector for ${of.vendor}/${of.profile}`);
}

function draftOf(deps: SyncDeps, tenantId: TenantId, proposal: MappingProposal): MappingVersion {
  const { connectionId, document, hash, vendor, profile } = proposal;
  return {
    ...{ tenantId, connectionId, document, hash, vendor, profile },
    // Nothing is stored under it: a simulation writes no wish.
    versionId: "draft" as MappingVersion["versionId"],
    state: "proposed",
    proposedAt: deps.clock.now(),
    activatedAt: undefined,
    simulation: undefined,
    author: undefined,
    proposedBy: undefined,
    changes: undefined,
    decision: undefined,
    rollout: undefined,
  };
}

function emptyLane(tenantId: TenantId, proposal: MappingProposal): Lane {
  return {
    tenantId,
    connectionId: proposal.connectionId,
    vendor: proposal.vendor,
    profile: proposal.profile,
    credential: proposal.credential,
    baseUrl: proposal.baseUrl,
    policy: proposal.policy,
    state: "open",
    pause: null,
    organization: null,
    ownAccountIds: [],
    checkedAt: null,
    checkedCredential: null,
    listedAt: null,
    nextListAt: null,
    breakerUntil: null,
    probeAt: null,
    logReadAt: null,
    managedAccounts: 0,
    openInvitations: 0,
  };
}
