import { priorities } from "../accounts/target.ts";
import { compileMapping } from "../mapping/compile.ts";
import type { GroupBinding, MappingVersion } from "../mapping/version-store.ts";
import type { Lane } from "../accounts/lane.ts";
import { SyncError } from "../model/errors.ts";
import { newId, type ConnectionId, type MappingVersionId, type TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import { railAllowance, type ConnectionPolicy } from "../model/policy.ts";
import { newRecord, type Actor } from "../model/records.ts";
import type { NamedGroup } from "../mapping/bind.ts";
import { readBindings } from "./bind-groups.ts";
import { simulate, type Simulation } from "./simulate.ts";
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

export interface ProposalResult {
  readonly connectionId: ConnectionId;
  readonly versionId: MappingVersionId;
  /** unchanged: the active version says the same · activated · waits: a person decides. */
  readonly outcome: "unchanged" | "activated" | "waits";
  readonly why: string;
  readonly simulation: Simulation | undefined;
}

/**
 * Takes files as proposals: stores what is new, simulates it over everybody, and activates what stays inside all rails where
 * approvals are automatic. What does not waits as `proposed`, with a finding.
 */
export async function proposeMappings(
  deps: SyncDeps,
  tenantId: TenantId,
  proposals: readonly MappingProposal[],
  options: { readonly approvals: "auto" | "required"; readonly actor: Actor },
): Promise<readonly ProposalResult[]> {
  const active = new Map(
    (await deps.store.activeMappings(tenantId)).map((item) => [item.connectionId, item]),
  );
  const results: ProposalResult[] = [];
  for (const proposal of proposals) {
    results.push(
      await propose(deps, tenantId, proposal, active.get(proposal.connectionId), options),
    );
  }
  return results;
}

async function propose(
  deps: SyncDeps,
  tenantId: TenantId,
  proposal: MappingProposal,
  active: MappingVersion | undefined,
  options: { readonly approvals: "auto" | "required"; readonly actor: Actor },
): Promise<ProposalResult> {
  const { connectionId } = proposal;
  if (active?.hash === proposal.hash) {
    return {
      connectionId,
      versionId: active.versionId,
      outcome: "unchanged",
      why: "the file says what is active",
      simulation: undefined,
    };
  }
  const waiting = (await deps.store.listMappings(tenantId, connectionId)).find(
    (item) => item.state === "proposed" && item.hash === proposal.hash,
  );
  if (waiting !== undefined) {
    return {
      connectionId,
      versionId: waiting.versionId,
      outcome: "waits",
      why: "proposed before and not decided yet",
      simulation: undefined,
    };
  }
  const versionId = newId<MappingVersionId>(deps.clock);
  const bindings = await bindingsOf(deps, tenantId, proposal, active);
  const simulation = await simulateProposal(deps, tenantId, proposal, versionId, bindings, active);
  await deps.store.proposeMapping(
    tenantId,
    {
      connectionId,
      versionId,
      document: proposal.document,
      hash: proposal.hash,
      vendor: proposal.vendor,
      profile: proposal.profile,
      simulation: summary(simulation),
      now: deps.clock.now(),
    },
    {
      records: [
        mappingRecord(
          deps,
          options.actor,
          "mapping.proposed",
          connectionId,
          versionId,
          summary(simulation),
        ),
      ],
      recompute: [],
    },
  );
  const objection = await objectionTo(
    deps,
    tenantId,
    proposal,
    simulation,
    active,
    options.approvals,
  );
  if (objection !== undefined) {
    await deps.store.raiseFindings(tenantId, {
      findings: [
        {
          key: `mapping_waits:${connectionId}:${versionId}`,
          kind: "mapping_waits",
          severity: "warning",
          connectionId,
          text: `the changed mapping waits for \`rolecall mapping approve ${versionId}\`: ${objection}`,
          facts: summary(simulation),
        },
      ],
      now: deps.clock.now(),
    });
    return { connectionId, versionId, outcome: "waits", why: objection, simulation };
  }
  await activate(deps, tenantId, proposal, versionId, bindings, active, options.actor);
  return { connectionId, versionId, outcome: "activated", why: "inside all rails", simulation };
}

/** Activates a proposal that a person approved. @throws SyncError REPLAN codes when it is not proposed any more */
export async function approveMapping(
  deps: SyncDeps,
  tenantId: TenantId,
  proposal: MappingProposal,
  versionId: MappingVersionId,
  actor: Actor,
): Promise<void> {
  const versions = await deps.store.listMappings(tenantId, proposal.connectionId);
  const version = versions.find((item) => item.versionId === versionId);
  if (version?.state !== "proposed") {
    throw new SyncError(
      "GATE_REFUSED",
      `mapping version ${versionId} is not waiting for a decision`,
    );
  }
  const active = versions.find((item) => item.state === "active");
  const bindings = await bindingsOf(deps, tenantId, proposal, active);
  await activate(deps, tenantId, proposal, versionId, bindings, active, actor);
  await deps.store.resolveFindings(tenantId, {
    prefix: `mapping_waits:${proposal.connectionId}:`,
    now: deps.clock.now(),
  });
}

async function activate(
  deps: SyncDeps,
  tenantId: TenantId,
  proposal: MappingProposal,
  versionId: MappingVersionId,
  bindings: readonly GroupBinding[],
  active: MappingVersion | undefined,
  actor: Actor,
): Promise<void> {
  const now = deps.clock.now();
  const { connectionId } = proposal;
  await deps.store.upsertLane(
    tenantId,
    {
      connectionId,
      vendor: proposal.vendor,
      profile: proposal.profile,
      credential: proposal.credential,
      baseUrl: proposal.baseUrl,
      policy: proposal.policy,
      now,
    },
    { records: [], recompute: [] },
  );
  await deps.store.activateMapping(
    tenantId,
    { connectionId, versionId, expectActive: active?.versionId, bindings, now },
    {
      records: [
        mappingRecord(deps, actor, "mapping.activated", connectionId, versionId, {
          mode: proposal.policy.mode,
          bindings: bindings.map(({ groupName, state }) => ({ groupName, state })),
        }),
      ],
      recompute: [],
      fanouts: [
        {
          fanoutId: newId(deps.clock),
          scope: { kind: "tenant" },
          cause: { kind: "mapping", key: `mapping:${versionId}` },
          urgent: false,
        },
      ],
    },
  );
  // A changed mode or timing changes no wish, but what may be done about it: everybody is looked at again.
  await deps.store.wakeTargets(
    tenantId,
    { connectionId, identityIds: "all", priority: priorities.background, now },
    { records: [], recompute: [] },
  );
  deps.ringRelay();
  deps.ringWorkers(tenantId);
}

async function bindingsOf(
  deps: SyncDeps,
  tenantId: TenantId,
  proposal: MappingProposal,
  active: MappingVersion | undefined,
): Promise<readonly GroupBinding[]> {
  const former =
    active === undefined ? [] : await deps.store.listBindings(tenantId, active.versionId);
  return (await readBindings(deps, tenantId, proposal.groups, former)).bindings;
}

async function simulateProposal(
  deps: SyncDeps,
  tenantId: TenantId,
  proposal: MappingProposal,
  versionId: MappingVersionId,
  bindings: readonly GroupBinding[],
  active: MappingVersion | undefined,
): Promise<Simulation> {
  const facts = deps.vendorFacts(proposal.vendor, proposal.profile, proposal.policy.target);
  if (facts === undefined) {
    throw new SyncError(
      "INTERNAL",
      `this build has no connector for ${proposal.vendor}/${proposal.profile}`,
    );
  }
  const lane =
    (await deps.store.getLane(tenantId, proposal.connectionId)) ?? emptyLane(tenantId, proposal);
  const known = await deps.store.listObjects(tenantId, proposal.connectionId);
  const objects = known.readAt === undefined ? undefined : known.objects;
  const draft: MappingVersion = {
    tenantId,
    connectionId: proposal.connectionId,
    versionId,
    state: "proposed",
    document: proposal.document,
    hash: proposal.hash,
    vendor: proposal.vendor,
    profile: proposal.profile,
    proposedAt: deps.clock.now(),
    activatedAt: undefined,
    simulation: undefined,
  };
  const world = (
    version: MappingVersion,
    policy: ConnectionPolicy,
    bound: readonly GroupBinding[],
  ): ConnectionWorld => ({
    version,
    compiled: compileMapping(version.document, facts),
    bindings: bound,
    facts,
    lane: { ...lane, policy },
    objects,
  });
  const before =
    active === undefined
      ? undefined
      : world(active, lane.policy, await deps.store.listBindings(tenantId, active.versionId));
  return simulate(deps, tenantId, before, world(draft, proposal.policy, bindings));
}

/** Why a proposal needs a person; undefined: it does not. */
async function objectionTo(
  deps: SyncDeps,
  tenantId: TenantId,
  proposal: MappingProposal,
  simulation: Simulation,
  active: MappingVersion | undefined,
  approvals: "auto" | "required",
): Promise<string | undefined> {
  if (approvals === "required" && active !== undefined)
    return "approvals are required for every change";
  if (proposal.policy.mode === "report-only") return undefined;
  const lane = await deps.store.getLane(tenantId, proposal.connectionId);
  const managed = lane?.managedAccounts ?? 0;
  const { rails } = proposal.policy;
  const losses = railAllowance(rails.removals, managed);
  if (simulation.lose > losses) {
    return `${String(simulation.lose)} people would lose access; ${String(losses)} pass without a decision`;
  }
  if (simulation.privilegedGain > rails.privilegedGrants && active !== undefined) {
    return `${String(simulation.privilegedGain)} people would gain a privileged role`;
  }
  return undefined;
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
    managedAccounts: 0,
    openInvitations: 0,
  };
}

function summary(simulation: Simulation): JsonObject {
  const { people, gain, lose, privilegedGain, blocked, unchanged } = simulation;
  return { people, gain, lose, privilegedGain, blocked, unchanged };
}

function mappingRecord(
  deps: SyncDeps,
  actor: Actor,
  action: string,
  connectionId: ConnectionId,
  versionId: MappingVersionId,
  facts: JsonObject,
) {
  return newRecord(deps.clock, {
    actor,
    action,
    subject: { type: "mapping", id: versionId },
    connectionId,
    mappingVersion: versionId,
    facts,
  });
}
