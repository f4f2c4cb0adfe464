import { changesBetween } from "../mapping/changes.ts";
import type { MappingVersion } from "../mapping/version-store.ts";
import { newId, type ConnectionId, type MappingVersionId, type TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import { railAllowance } from "../model/policy.ts";
import type { Actor } from "../model/records.ts";
import { activate, mappingRecord } from "./activate-mapping.ts";
import { bindingsOf, simulateProposal, summary, type MappingProposal } from "./proposal.ts";
import type { Simulation } from "./simulate.ts";
import type { SyncDeps } from "./sync-deps.ts";

export interface ProposalResult {
  readonly connectionId: ConnectionId;
  readonly versionId: MappingVersionId;
  /** unchanged: the active version says the same · activated · waits: a person decides. */
  readonly outcome: "unchanged" | "activated" | "waits";
  readonly why: string;
  readonly simulation: Simulation | undefined;
}

export interface ProposalOptions {
  /** Of `tenant.yaml`: whether a person decides about every change. */
  readonly approvals: "auto" | "required";
  /** Real vendors: what a connection that writes does is changed by two people, whatever `approvals` says. */
  readonly live: boolean;
  readonly actor: Actor;
  /** Who wrote the files, where the caller says so. */
  readonly author?: string | undefined;
}

/**
 * Takes files as proposals: stores what is new with its difference and a simulation over everybody, and activates what stays inside
 * all rails where nobody has to approve it. What does not waits as `proposed`, with a finding.
 */
export async function proposeMappings(
  deps: SyncDeps,
  tenantId: TenantId,
  proposals: readonly MappingProposal[],
  options: ProposalOptions,
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
  options: ProposalOptions,
): Promise<ProposalResult> {
  const { connectionId } = proposal;
  if (active?.hash === proposal.hash) {
    const why = "the file says what is active";
    const { versionId } = active;
    return { connectionId, versionId, outcome: "unchanged", why, simulation: undefined };
  }
  const waiting = (await deps.store.listMappings(tenantId, connectionId)).find(
    (item) => (item.state === "proposed" || item.state === "canary") && item.hash === proposal.hash,
  );
  if (waiting !== undefined) {
    await vouch(deps, tenantId, waiting, originOf(options), options.actor);
    const why =
      waiting.state === "canary" ? "it is being rolled out" : "proposed before and not decided yet";
    const { versionId } = waiting;
    return { connectionId, versionId, outcome: "waits", why, simulation: undefined };
  }
  const versionId = newId<MappingVersionId>(deps.clock);
  const bindings = await bindingsOf(deps, tenantId, proposal, active);
  const simulation = await simulateProposal(deps, tenantId, proposal, bindings, active);
  await store(deps, tenantId, { proposal, versionId, active, simulation, options });
  const objection = await objectionTo(deps, tenantId, proposal, simulation, active, options);
  if (objection !== undefined) {
    await raiseWaits(deps, tenantId, connectionId, versionId, objection, simulation);
    return { connectionId, versionId, outcome: "waits", why: objection, simulation };
  }
  const decision = {
    outcome: "inside-rails",
    by: options.actor.id,
    at: deps.clock.now(),
    alone: false,
    why: null,
    simulation: simulation.hash,
  } as const;
  const { actor } = options;
  await activate(deps, tenantId, { proposal, versionId, bindings, active, actor, decision });
  return { connectionId, versionId, outcome: "activated", why: "inside all rails", simulation };
}

/** Who wrote a proposal and who brought it; files that a process took by itself are nobody's yet. */
function originOf(options: ProposalOptions) {
  const proposedBy = options.actor.kind === "operator" ? options.actor.id : undefined;
  return { author: options.author ?? proposedBy, proposedBy };
}

/** Notes who stands behind a proposal of which nobody had said so. */
export async function vouch(
  deps: SyncDeps,
  tenantId: TenantId,
  version: MappingVersion,
  origin: { readonly author: string | undefined; readonly proposedBy: string | undefined },
  actor: Actor,
): Promise<boolean> {
  const { connectionId, versionId } = version;
  if (origin.author === undefined && origin.proposedBy === undefined) return false;
  return deps.store.vouchForMapping(
    tenantId,
    { connectionId, versionId, ...origin },
    {
      records: [
        mappingRecord(deps, actor, "mapping.vouched", connectionId, versionId, {
          author: origin.author ?? null,
          proposedBy: origin.proposedBy ?? null,
        }),
      ],
      recompute: [],
    },
  );
}

async function store(
  deps: SyncDeps,
  tenantId: TenantId,
  made: {
    readonly proposal: MappingProposal;
    readonly versionId: MappingVersionId;
    readonly active: MappingVersion | undefined;
    readonly simulation: Simulation;
    readonly options: ProposalOptions;
  },
): Promise<void> {
  const { proposal, versionId, active, simulation, options } = made;
  const { connectionId, document, hash, vendor, profile } = proposal;
  const origin = originOf(options);
  const changes = changesBetween(active?.document, document);
  await deps.store.proposeMapping(
    tenantId,
    {
      ...{ connectionId, versionId, document, hash, vendor, profile, ...origin },
      changes: changes as unknown as JsonObject,
      simulation: summary(simulation),
      now: deps.clock.now(),
    },
    {
      records: [
        mappingRecord(deps, options.actor, "mapping.proposed", connectionId, versionId, {
          ...summary(simulation),
          document: hash,
          author: origin.author ?? null,
          head: changes.head.map((item) => item.path),
          rules: changes.rules.map(({ id, change }) => ({ id, change })),
        }),
      ],
      recompute: [],
    },
  );
}

async function raiseWaits(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
  versionId: MappingVersionId,
  objection: string,
  simulation: Simulation,
): Promise<void> {
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
}

/** Why a proposal needs a person; undefined: it does not. */
async function objectionTo(
  deps: SyncDeps,
  tenantId: TenantId,
  proposal: MappingProposal,
  simulation: Simulation,
  active: MappingVersion | undefined,
  { approvals, live }: ProposalOptions,
): Promise<string | undefined> {
  if (approvals === "required" && active !== undefined)
    return "approvals are required for every change";
  const lane = await deps.store.getLane(tenantId, proposal.connectionId);
  const wrote = active !== undefined && (lane?.policy.mode ?? "report-only") !== "report-only";
  const writes = proposal.policy.mode !== "report-only";
  if (live && (wrote || writes))
    return "a connection that writes at a real vendor is changed by two people";
  if (!writes) return undefined;
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
