import type { TenantId } from "../model/ids.ts";
import { collectNotices, type CollectDeps } from "./collect.ts";
import { deliverNotices, type DeliverDeps } from "./deliver.ts";

/** One round: what is new is queued for every tenant, what is due is sent. Answers how much it did. */
export async function notifyRound(
  deps: CollectDeps &
    DeliverDeps & { readonly tenants: () => Promise<readonly { readonly tenantId: TenantId }[]> },
): Promise<number> {
  if (deps.channels.length === 0) return 0;
  let queued = 0;
  for (const { tenantId } of await deps.tenants()) queued += await collectNotices(deps, tenantId);
  return queued + (await deliverNotices(deps));
}
