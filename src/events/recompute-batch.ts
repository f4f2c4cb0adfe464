import { StoreError } from "../model/errors.ts";
import type { IdentityId, TenantId } from "../model/ids.ts";
import type { Logger, Metrics } from "../model/log.ts";

/** Brings the wishes of these people up to date; safe to call twice, late and in any order. */
export type RecomputePeople = (
  tenantId: TenantId,
  identityIds: readonly IdentityId[],
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
): Promise<readonly IdentityId[]> {
  try {
    await deps.recompute(tenantId, identityIds);
    return [];
  } catch (error) {
    // Without the store everybody fails alike: one line instead of hundreds, and no load on what is down.
    const all = error instanceof StoreError && error.code === "UNAVAILABLE";
    if (!all && identityIds.length > 1) {
      const failed: IdentityId[] = [];
      for (const identityId of identityIds) {
        failed.push(...(await recomputeBatch(deps, tenantId, [identityId])));
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
