import type { MappingDecision, MappingVersion, Rollout } from "../mapping/version-store.ts";
import { StoreError } from "../model/errors.ts";
import type { IdentityId, MappingVersionId, TenantId } from "../model/ids.ts";
import type { Actor } from "../model/records.ts";
import { activate, everybody, mappingRecord } from "./activate-mapping.ts";
import {
  bindingsOf,
  proposalOf,
  simulateProposal,
  summary,
  type MappingProposal,
} from "./proposal.ts";
import { vouch } from "./roll-out.ts";
import type { PersonChange, Simulation } from "./simulate.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** What somebody wants of a mapping version and may not have, with the reason. */
export class MappingRefusal extends Error {
  override readonly name = "MappingRefusal";
  /** forbidden: not by this person · stale: not on these grounds. */
  readonly why: "forbidden" | "stale";

  constructor(why: MappingRefusal["why"], message: string) {
    super(message);
    this.why = why;
  }
}

export interface MappingApproval {
  readonly versionId: MappingVersionId;
  readonly actor: Actor;
  /** Real vendors: a connection begins to write only after its baseline was signed for. */
  readonly live?: boolean;
  /** Who can decide at all, by name. */
  readonly operators: readonly string[];
  readonly why: string | null;
  /** `hash` of the simulation that the approver saw; absent: the one that is stored. */
  readonly simulation?: string | undefined;
  /** Who is first, or `any`: whoever is changed first. Absent: everybody at once. */
  readonly canary?: IdentityId | "any" | undefined;
}

export interface MappingAnswer {
  readonly state: MappingVersion["state"];
  /** What happens next, in a sentence. */
  readonly text: string;
}

/** A proposal as it would act now. @throws StoreError NOT_FOUND */
export async function simulateVersion(
  deps: SyncDeps,
  tenantId: TenantId,
  versionId: MappingVersionId,
  tell?: (change: PersonChange) => void,
): Promise<{ readonly version: MappingVersion; readonly simulation: Simulation | undefined }> {
  const { version, active } = await theVersion(deps, tenantId, versionId);
  if (version.state !== "proposed") return { version, simulation: undefined };
  const proposal = proposalOf(deps, version);
  const bindings = await bindingsOf(deps, tenantId, proposal, active);
  const simulation = await simulateProposal(deps, tenantId, proposal, bindings, active, tell);
  await deps.store.noteSimulation(tenantId, {
    connectionId: version.connectionId,
    versionId,
    simulation: summary(simulation),
  });
  return { version, simulation };
}

/**
 * Lets a proposal count, for everybody or for one person first. Where two people can decide, who approves is neither who wrote nor who
 * brought it; of a proposal that nobody stands behind the first approval is a word for it, and a second person's lets it count.
 * @throws StoreError NOT_FOUND, VERSION_CONFLICT; MappingRefusal
 */
export async function approveMapping(
  deps: SyncDeps,
  tenantId: TenantId,
  approval: MappingApproval,
): Promise<MappingAnswer> {
  const { versionId, actor, operators } = approval;
  const { version, active } = await theVersion(deps, tenantId, versionId);
  mustWait(version);
  if (operators.length >= 2) {
    const origin = { author: undefined, proposedBy: actor.id };
    if (version.author === undefined && version.proposedBy === undefined) {
      await vouch(deps, tenantId, version, origin, actor);
      return {
        state: "proposed",
        text: "nobody had said who brought this version: you vouch for it now, and a second person approves it",
      };
    }
    if (version.author === actor.id || version.proposedBy === actor.id) {
      throw new MappingRefusal(
        "forbidden",
        "who wrote or brought a version does not approve it: another person does",
      );
    }
  }
  const proposal = proposalOf(deps, version);
  if (approval.live === true) await mustBeSignedOff(deps, tenantId, proposal);
  const bindings = await bindingsOf(deps, tenantId, proposal, active);
  const simulation = await simulateProposal(deps, tenantId, proposal, bindings, active);
  const seen = approval.simulation ?? version.simulation?.["hash"];
  if (typeof seen === "string" && seen !== simulation.hash) {
    const { connectionId } = version;
    const noted = { connectionId, versionId, simulation: summary(simulation) };
    await deps.store.noteSimulation(tenantId, noted);
    throw new MappingRefusal(
      "stale",
      `what this version would do has changed since it was looked at: \`rolecall mapping show ${versionId}\`, then approve again`,
    );
  }
  const decision: MappingDecision = {
    outcome: "approved",
    by: actor.id,
    at: deps.clock.now(),
    alone: operators.length < 2,
    why: approval.why,
    simulation: simulation.hash,
  };
  if (approval.canary === undefined) {
    await activate(deps, tenantId, { proposal, versionId, bindings, active, actor, decision });
    return { state: "active", text: "active" };
  }
  const first = approval.canary === "any" ? simulation.examples[0]?.identityId : approval.canary;
  if (first === undefined || active === undefined) {
    const why =
      active === undefined
        ? "no version is active yet: there is nothing that the others would stay with"
        : "nobody is changed by it: approve it for everybody";
    throw new MappingRefusal("stale", why);
  }
  await begin(deps, tenantId, { version, first, decision, bindings, actor });
  return {
    state: "canary",
    text: "it decides about one person now, then about a tenth, then about all",
  };
}

/** Says no, or takes a roll-out back: its people are evaluated by the active version again. @throws as approveMapping */
export async function refuseMapping(
  deps: SyncDeps,
  tenantId: TenantId,
  refusal: { readonly versionId: MappingVersionId; readonly actor: Actor; readonly why: string },
): Promise<MappingAnswer> {
  const { versionId, actor, why } = refusal;
  const { version } = await theVersion(deps, tenantId, versionId);
  const { connectionId } = version;
  const now = deps.clock.now();
  const simulated = version.simulation?.["hash"];
  const decision: MappingDecision = {
    outcome: "refused",
    by: actor.id,
    at: now,
    alone: false,
    why,
    simulation: typeof simulated === "string" ? simulated : null,
  };
  const was = version.rollout?.stage ?? null;
  await deps.store.refuseMapping(
    tenantId,
    { connectionId, versionId, decision },
    {
      records: [
        mappingRecord(deps, actor, "mapping.refused", connectionId, versionId, { why, was }),
      ],
      recompute: [],
      ...(was === null ? {} : { fanouts: [everybody(deps, versionId)] }),
    },
  );
  const keys = [`mapping_waits:${connectionId}:${versionId}`, rolloutFinding(version)];
  await deps.store.resolveFindings(tenantId, { keys, now });
  deps.ringRelay();
  return { state: "refused", text: was === null ? "refused" : "taken back" };
}

/** Lets a roll-out that stopped go on from where it is. @throws StoreError NOT_FOUND, VERSION_CONFLICT */
export async function resumeRollout(
  deps: SyncDeps,
  tenantId: TenantId,
  wish: { readonly versionId: MappingVersionId; readonly actor: Actor; readonly why: string },
): Promise<MappingAnswer> {
  const { version } = await theVersion(deps, tenantId, wish.versionId);
  const { rollout, connectionId, versionId } = version;
  if (rollout === undefined || rollout.stopped === null)
    throw new StoreError("VERSION_CONFLICT", `no stopped roll-out of ${versionId}`);
  const now = deps.clock.now();
  await deps.store.setRollout(
    tenantId,
    {
      ...{ connectionId, versionId, expect: rollout.stage, now },
      rollout: { ...rollout, since: now, stopped: null },
    },
    {
      records: [
        mappingRecord(deps, wish.actor, "mapping.rollout_resumed", connectionId, versionId, {
          why: wish.why,
          stage: rollout.stage,
          stopped: rollout.stopped.why,
        }),
      ],
      recompute: [],
    },
  );
  await deps.store.resolveFindings(tenantId, { keys: [rolloutFinding(version)], now });
  return { state: "canary", text: "the roll-out goes on" };
}

export function rolloutFinding(version: MappingVersion): string {
  return `mapping_rollout:${version.connectionId}:${version.versionId}`;
}

async function begin(
  deps: SyncDeps,
  tenantId: TenantId,
  of: {
    readonly version: MappingVersion;
    readonly first: IdentityId;
    readonly decision: MappingDecision;
    readonly bindings: Parameters<typeof activate>[2]["bindings"];
    readonly actor: Actor;
  },
): Promise<void> {
  const { version, first, decision, bindings, actor } = of;
  const { connectionId, versionId } = version;
  const now = deps.clock.now();
  const rollout: Rollout = { stage: "person", identityId: first, since: now, stopped: null };
  await deps.store.setRollout(
    tenantId,
    { connectionId, versionId, expect: undefined, rollout, decision, bindings, now },
    {
      records: [
        mappingRecord(deps, actor, "mapping.rollout_begun", connectionId, versionId, {
          decision: { ...decision },
          first,
        }),
      ],
      recompute: [
        {
          identityId: first,
          cause: { kind: "mapping", key: `mapping:${versionId}` },
          urgent: false,
        },
      ],
    },
  );
  await deps.store.resolveFindings(tenantId, {
    keys: [`mapping_waits:${connectionId}:${versionId}`],
    now,
  });
  deps.ringRelay();
}

/** First contact with a vendor only reads, until somebody has seen what is there. */
async function mustBeSignedOff(
  deps: SyncDeps,
  tenantId: TenantId,
  { connectionId, policy }: MappingProposal,
): Promise<void> {
  const lane = await deps.store.getLane(tenantId, connectionId);
  const wrote = lane !== undefined && lane.policy.mode !== "report-only";
  if (wrote || policy.mode === "report-only") return;
  if ((await deps.store.getSignOff(tenantId, connectionId)) !== undefined) return;
  throw new MappingRefusal(
    "stale",
    `nobody has signed for what is at this vendor: let the connection be report-only, then \`rolecall adopt ${connectionId}\``,
  );
}

function mustWait(version: MappingVersion): void {
  if (version.state === "proposed") return;
  throw new StoreError(
    "VERSION_CONFLICT",
    `mapping version ${version.versionId} is ${version.state} and waits for no decision`,
  );
}

async function theVersion(deps: SyncDeps, tenantId: TenantId, versionId: MappingVersionId) {
  const versions = await deps.store.listMappings(tenantId);
  const version = versions.find((item) => item.versionId === versionId);
  if (version === undefined)
    throw new StoreError("NOT_FOUND", `there is no mapping version ${versionId}`);
  const active = versions.find(
    (item) => item.state === "active" && item.connectionId === version.connectionId,
  );
  return { version, active };
}
