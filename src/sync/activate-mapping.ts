import { priorities } from "../accounts/target.ts";
import type { GroupBinding, MappingDecision, MappingVersion } from "../mapping/version-store.ts";
import { newId, type ConnectionId, type MappingVersionId, type TenantId } from "../model/ids.ts";
import { canonicalJson } from "../mapping/canonical.ts";
import type { JsonObject } from "../model/json.ts";
import { newRecord, type Actor, type FanoutRequest } from "../model/records.ts";
import type { MappingResult } from "./mapping-result.ts";
import type { MappingProposal } from "./proposal.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** Makes a proposal the version that counts, and has everybody looked at again. @throws StoreError VERSION_CONFLICT */
export async function activate(
  deps: SyncDeps,
  tenantId: TenantId,
  of: {
    readonly proposal: MappingProposal;
    readonly versionId: MappingVersionId;
    readonly bindings: readonly GroupBinding[];
    readonly active: MappingVersion | undefined;
    readonly actor: Actor;
    /** Absent: it was decided before. */
    readonly decision?: MappingDecision;
    /** Of a roll-out: what became of those who had the version first. */
    readonly result?: MappingResult;
  },
): Promise<void> {
  const now = deps.clock.now();
  const { proposal, versionId, bindings, active, actor, decision, result } = of;
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
  if (proposal.policy.declares !== undefined) {
    // What is declared is looked after with the lane: now, not at its next listing.
    await deps.store.updateLane(
      tenantId,
      { connectionId, set: { nextListAt: null }, now },
      { records: [], recompute: [] },
    );
  }
  await deps.store.activateMapping(
    tenantId,
    {
      ...{ connectionId, versionId, expectActive: active?.versionId, bindings, now },
      ...(decision === undefined ? {} : { decision }),
    },
    {
      records: [
        mappingRecord(deps, actor, "mapping.activated", connectionId, versionId, {
          mode: proposal.policy.mode,
          bindings: bindings.map(({ groupName, state }) => ({ groupName, state })),
          ...(decision === undefined ? {} : { decision: { ...decision } }),
          ...(result === undefined ? {} : { result }),
        }),
        ...guardRecords(deps, of),
      ],
      recompute: [],
      fanouts: [everybody(deps, versionId)],
    },
  );
  // A changed mode or timing changes no wish, but what may be done about it: everybody is looked at again.
  await deps.store.wakeTargets(
    tenantId,
    { connectionId, identityIds: "all", priority: priorities.background, now },
    { records: [], recompute: [] },
  );
  await deps.store.resolveFindings(tenantId, { prefix: `mapping_waits:${connectionId}:`, now });
  deps.ringRelay();
  deps.ringWorkers(tenantId);
}

/** Everybody is evaluated again because of a version; its key is what the rail for one cause counts by. */
export function everybody(deps: SyncDeps, versionId: MappingVersionId): FanoutRequest {
  return {
    fanoutId: newId(deps.clock),
    scope: { kind: "tenant" },
    cause: { kind: "mapping", key: `mapping:${versionId}` },
    urgent: false,
  };
}

export function mappingRecord(
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

/** What keeps a mapping from doing too much is told apart where a version changes it. */
function guardRecords(
  deps: SyncDeps,
  of: Pick<Parameters<typeof activate>[2], "proposal" | "versionId" | "active" | "actor">,
) {
  const { proposal, versionId, active, actor } = of;
  if (active === undefined) return [];
  return (["protected", "rails"] as const).flatMap((guard) => {
    const before = canonicalJson(active.document[guard] ?? null);
    if (before === canonicalJson(proposal.document[guard] ?? null)) return [];
    const facts = { was: active.versionId };
    return [
      mappingRecord(deps, actor, `${guard}.changed`, proposal.connectionId, versionId, facts),
    ];
  });
}
