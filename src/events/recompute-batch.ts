import { StoreError } from "../model/errors.ts";
import type { IdentityId, TenantId } from "../model/ids.ts";
import type { Logger, Metrics } from "../model/log.ts";
import type { TraceParent } from "../model/trace.ts";

/** Where hints were traced, by person: what a recompute belongs to. Without one it belongs to the reasons of its mark. */
export type HintedTraces = ReadonlyMap<IdentityId, TraceParent>;

/** Brings the wishes of these people up to date; safe to call twice, late and in any order. */
export type RecomputePeople = (
  tenantId: TenantId,
  identityIds: readonly IdentityId[],
  hinted?: HintedTraces,
) => Promise<void>;

/**
 * Recomputes people of one tenant and answers those that failed; never rejects. Where the batch fails, each person is tried alone,
 * so that one whose data breaks us keeps nobody else waiting. Their marks stay owed.
 */
export async function recomputeBatch(
  deps: {
    readonly recompute: RecomputePeople;
    readonly logger: Logger;
    readonly metrics: Metrics;
  },
  tenantId: TenantId,
  identityIds: readonly IdentityId[],
  hinted?: HintedTraces,
): Promise<readonly IdentityId[]> {
  try {
    await deps.recompute(tenantId, identityIds, hinted);
    return [];
  } catch (error) {
    // Without the store everybody fails alike: one line instead of hundreds, and no load on what is down.
    const all = error instanceof StoreError && error.code === "UNAVAILABLE";
    if (!all && identityIds.length > 1) {
      const failed: IdentityId[] = [];
      for (const identityId of identityIds) {
        failed.push(...(await recomputeBatch(deps, tenantId, [identityId], hinted)));
      }
      return failed;
    }
    deps.metrics.count("rolecall_recompute_failed_total", {}, identityIds.length);
    const [identityId] = identityIds;
    deps.logger.error(
      { err: error, tenantId, identityId, people: identityIds.length },
      "recompute failed; the sweep tries it again",
    );
    return identityIds;
  }
}
