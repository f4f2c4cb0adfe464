import { priorities, type Priority, type Target } from "../accounts/target.ts";
import type { ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import { DAY_MS } from "../model/policy.ts";
import type { SyncDeps } from "./sync-deps.ts";

const minuteMs = 60_000;
const pageSize = 500;

/** How old the last look at somebody may be: leavers of thirty days, people who changed within the day, everybody else. */
const ages = {
  leaver: { withinMs: 30 * DAY_MS, ageMs: 15 * minuteMs },
  changed: { withinMs: DAY_MS, ageMs: 60 * minuteMs },
  all: { ageMs: DAY_MS },
} as const;

/**
 * Wakes everybody at whom the last look is too old, so that what changed at a vendor without us is seen: drift, a leaver who came back. A
 * look costs reads, so it waits behind everything else; a leaver's does not. Answers how many were woken.
 */
export async function lookAgain(deps: SyncDeps, tenantId: TenantId): Promise<number> {
  let woken = 0;
  for (const lane of await deps.store.listLanes(tenantId)) {
    if (lane.state !== "open") continue;
    let after: string | undefined;
    for (;;) {
      const page = await deps.store.listTargets(tenantId, {
        ...{ connectionId: lane.connectionId, states: ["idle"], limit: pageSize },
        ...(after === undefined ? {} : { after }),
      });
      const old = page.filter((target) => isTooOld(target, deps.clock.now()));
      const leavers = old.filter((target) => target.desired.lifecycle === "departed");
      const others = old.filter((target) => target.desired.lifecycle !== "departed");
      woken += await wake(deps, tenantId, lane.connectionId, leavers, priorities.leaver);
      woken += await wake(deps, tenantId, lane.connectionId, others, priorities.background);
      if (page.length < pageSize) break;
      after = page.at(-1)?.identityId;
    }
  }
  if (woken > 0) deps.ringWorkers(tenantId);
  return woken;
}

function isTooOld(target: Target, now: number): boolean {
  // What is due by itself is looked at then.
  if (target.dueAt !== null && target.dueAt <= now + ages.leaver.ageMs) return false;
  const { lookedAt } = target.notes;
  const seen = typeof lookedAt === "number" ? lookedAt : (target.verifiedAt ?? target.wishedAt);
  const age = now - seen;
  const since = now - target.wishedAt;
  if (age >= ages.all.ageMs) return true;
  if (target.desired.lifecycle === "departed")
    return since <= ages.leaver.withinMs && age >= ages.leaver.ageMs;
  return since <= ages.changed.withinMs && age >= ages.changed.ageMs;
}

async function wake(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
  targets: readonly Target[],
  priority: Priority,
): Promise<number> {
  if (targets.length === 0) return 0;
  const identityIds: readonly IdentityId[] = targets.map((target) => target.identityId);
  return deps.store.wakeTargets(
    tenantId,
    { connectionId, identityIds, priority, now: deps.clock.now() },
    { records: [], recompute: [] },
  );
}
