import type { TenantId } from "../model/ids.ts";
import { exportReview } from "../reviews/export-review.ts";
import { joinerPopulation, moverPopulation, operatorPopulation } from "./changes.ts";
import { leaverDossier } from "./dossier.ts";
import type { EvidenceDeps } from "./evidence-deps.ts";
import { leaverPopulation } from "./leavers.ts";
import { isWithin, recordsOf, type Period } from "./period.ts";
import { syntheticAmong } from "./synthetic.ts";

/** A report of the pack, as text. */
export interface PackFile {
  readonly path: string;
  readonly text: string;
}

const mappingActions = [
  ...["mapping.proposed", "mapping.vouched", "mapping.activated", "mapping.refused"],
  ...["mapping.rollout_begun", "mapping.rollout_widened", "mapping.rollout_stopped"],
  ...["mapping.rollout_resumed", "mapping.rebound", "exceptions.replaced", "exception.added"],
];
const watchActions = [
  ...["hold.opened", "hold.approved", "hold.rejected", "switch.stopped", "switch.released"],
  ...["connection.paused", "connection.resumed", "key.revoked", "store.braked", "store.released"],
];

/** Reports of a period, each under the control of SOC 2 (TSC 2017, revised 2022) that it answers. */
export async function controlPack(
  deps: EvidenceDeps,
  tenantId: TenantId,
  period: Period,
): Promise<readonly PackFile[]> {
  const files: PackFile[] = [];
  const put = (path: string, value: unknown) =>
    files.push({ path, text: `${JSON.stringify(value, null, 2)}\n` });
  put("CC6.1/operators.json", await operatorPopulation(deps, tenantId, period));
  put("CC6.1/connections.json", await connections(deps, tenantId));
  put("CC6.2/joiners.json", await joinerPopulation(deps, tenantId, period));
  const leavers = await leaverPopulation(deps, tenantId, period);
  put("CC6.2/leavers.json", leavers);
  const cases = (await deps.store.listCases(tenantId, { limit: 100_000 })).filter((item) =>
    isWithin(period, item.t0),
  );
  const synthetic = await syntheticAmong(
    deps,
    tenantId,
    cases.map((item) => item.identityId),
  );
  for (const item of cases) {
    if (synthetic.has(item.identityId)) continue;
    put(`CC6.2/leavers/${item.caseId}.json`, await leaverDossier(deps, tenantId, item));
  }
  put("CC6.3/movers.json", await moverPopulation(deps, tenantId, period));
  for (const review of await deps.store.listReviews(tenantId, { limit: 200 })) {
    if (review.openedAt >= period.to || (review.closedAt ?? Infinity) < period.from) continue;
    const text = await exportReview(deps, tenantId, review.reviewId, "ndjson");
    files.push({ path: `CC6.3/reviews/${review.reviewId}.ndjson`, text });
  }
  put("CC7.2/findings.json", {
    askedAt: deps.clock.now(),
    findings: await deps.store.listFindings(tenantId, { limit: 10_000 }),
  });
  put("CC7.2/decisions.json", await records(deps, tenantId, watchActions, period));
  put("CC8.1/mapping-changes.json", await records(deps, tenantId, mappingActions, period));
  return files;
}

async function connections(deps: EvidenceDeps, tenantId: TenantId) {
  const lanes = await deps.store.listLanes(tenantId);
  return {
    askedAt: deps.clock.now(),
    connections: lanes.map(({ connectionId, vendor, profile, policy, organization, listedAt }) => ({
      ...{ connectionId, vendor, profile, mode: policy.mode, sets: policy.sets, listedAt },
      ...{ organization, adminsMin: policy.adminsMin, rails: policy.rails },
      protectedAccounts: policy.protectedAccounts.length,
    })),
  };
}

async function records(
  deps: EvidenceDeps,
  tenantId: TenantId,
  actions: readonly string[],
  period: Period,
) {
  const found = [];
  for (const action of actions) {
    for (const { record } of await recordsOf(deps.store, tenantId, action, period)) {
      const { personal: _personal, ...rest } = record;
      found.push(rest);
    }
  }
  const query = `every record of ${actions.join(", ")} in the period`;
  return { query, period, askedAt: deps.clock.now(), count: found.length, found };
}
