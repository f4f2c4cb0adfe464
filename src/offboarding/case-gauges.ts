import type { CaseStore } from "../accounts/case-store.ts";
import type { Clock } from "../model/clock.ts";
import type { TenantId } from "../model/ids.ts";
import type { Metrics } from "../model/log.ts";

const channels = ["api", "scim", "manual"] as const;
const kinds = ["contain", "remove", "transfer", "rotate_key", "verify", "evidence"] as const;

/** Sets the gauges of leaver cases from what the store says now; called before each scrape. */
export async function showCases(deps: {
  readonly store: Pick<CaseStore, "caseCounts" | "countCases"> & {
    listTenants(): Promise<readonly { readonly tenantId: TenantId }[]>;
  };
  readonly metrics: Metrics;
  readonly clock: Pick<Clock, "now">;
}): Promise<void> {
  const { store, metrics } = deps;
  const [tenants, duties, cases] = await Promise.all([
    store.listTenants(),
    store.caseCounts(),
    store.countCases(),
  ]);
  const now = deps.clock.now();
  for (const { tenantId: tenant } of tenants) {
    for (const state of ["open", "watched"] as const) {
      const row = cases.find((item) => item.tenantId === tenant && item.state === state);
      metrics.gauge("rolecall_leaver_cases", row?.count ?? 0, { tenant, state });
    }
    const own = duties.filter((item) => item.tenantId === tenant);
    // What nobody owes any more must fall to zero, not keep its last number.
    for (const channel of channels) {
      for (const kind of kinds) {
        const here = own.filter((item) => item.channel === channel && item.kind === kind);
        const sum = (of: (item: (typeof here)[number]) => number) =>
          here.reduce((total, item) => total + of(item), 0);
        const labels = { tenant, channel, kind };
        metrics.gauge(
          "rolecall_leaver_duties_open",
          sum((item) => item.open),
          labels,
        );
        metrics.gauge(
          "rolecall_leaver_duties_overdue",
          sum((item) => item.overdue),
          labels,
        );
      }
    }
    const earliest = Math.min(...own.map((item) => item.earliestDeadline));
    const seconds = own.length === 0 ? 0 : (earliest - now) / 1_000;
    metrics.gauge("rolecall_leaver_duty_due_seconds", seconds, { tenant });
  }
}
