import type { Instant } from "../model/clock.ts";
import type { Metrics } from "../model/log.ts";
import type { TenantId } from "../model/ids.ts";
import type { PulseSettings } from "../model/pulse-settings.ts";
import type { PulseRun, PulseStore } from "./pulse-store.ts";

/** Beyond the time of both ways: a process that was away, the case of the last leave. */
const slackMs = 3 * 3_600_000;

export interface PulseReport {
  /** Undefined: none is declared. */
  readonly settings: PulseSettings | undefined;
  /** ok: the last run that ended passed, and not too long ago · missed: it did not, or the one under way is late · overdue: none passed for too long · new: none has ended yet. */
  readonly verdict: "none" | "new" | "ok" | "missed" | "overdue";
  readonly lastPassedAt: Instant | undefined;
  /** From when on the next pass is overdue. */
  readonly overdueFrom: Instant | undefined;
  /** Newest first. */
  readonly runs: readonly PulseRun[];
}

/** What the pulse shows now. */
export async function pulseReport(
  store: Pick<PulseStore, "getPulse" | "listPulseRuns">,
  tenantId: TenantId,
  now: Instant,
  limit: number,
): Promise<PulseReport> {
  const [declared, runs, [passed]] = await Promise.all([
    store.getPulse(tenantId),
    store.listPulseRuns(tenantId, { limit }),
    store.listPulseRuns(tenantId, { state: "passed", limit: 1 }),
  ]);
  const lastPassedAt = passed?.endedAt;
  if (declared === undefined)
    return { settings: undefined, verdict: "none", lastPassedAt, overdueFrom: undefined, runs };
  const { settings, since } = declared;
  const base = Math.max(lastPassedAt ?? 0, since);
  const overdueFrom = base + settings.everyMs + 2 * settings.withinMs + slackMs;
  const judged = runs.find((run) => run.missed.length > 0 || run.state === "passed");
  const verdict =
    judged !== undefined && judged.missed.length > 0
      ? "missed"
      : now > overdueFrom
        ? "overdue"
        : judged === undefined
          ? "new"
          : "ok";
  return { settings, verdict, lastPassedAt, overdueFrom, runs };
}

/** Sets the gauges of each tenant's pulse; called before each scrape. */
export async function showPulse(deps: {
  readonly store: Pick<PulseStore, "getPulse" | "listPulseRuns"> & {
    listTenants(): Promise<readonly { readonly tenantId: TenantId }[]>;
  };
  readonly metrics: Metrics;
  readonly clock: { now(): Instant };
}): Promise<void> {
  const now = deps.clock.now();
  for (const { tenantId: tenant } of await deps.store.listTenants()) {
    const { verdict, lastPassedAt } = await pulseReport(deps.store, tenant, now, 10);
    const failed = verdict === "missed" || verdict === "overdue";
    deps.metrics.gauge("rolecall_pulse_failed", failed ? 1 : 0, { tenant });
    const age = verdict === "none" || lastPassedAt === undefined ? 0 : now - lastPassedAt;
    deps.metrics.gauge("rolecall_pulse_passed_seconds", age / 1_000, { tenant });
  }
}
