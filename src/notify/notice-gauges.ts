import type { TenantId } from "../model/ids.ts";
import type { Metrics } from "../model/log.ts";
import type { DeliveryStore } from "./delivery-store.ts";

/** Sets the gauges of the delivery log; called before each scrape. */
export async function showNotices(deps: {
  readonly store: Pick<DeliveryStore, "countDeliveries"> & {
    listTenants(): Promise<readonly { readonly tenantId: TenantId }[]>;
  };
  readonly channels: readonly string[];
  readonly metrics: Metrics;
}): Promise<void> {
  const [tenants, counts] = await Promise.all([
    deps.store.listTenants(),
    deps.store.countDeliveries(),
  ]);
  for (const { tenantId: tenant } of tenants) {
    for (const channel of deps.channels) {
      for (const state of ["due", "failed"] as const) {
        const row = counts.find(
          (item) => item.tenantId === tenant && item.channel === channel && item.state === state,
        );
        deps.metrics.gauge("rolecall_notices_waiting", row?.count ?? 0, { tenant, channel, state });
      }
    }
  }
}
