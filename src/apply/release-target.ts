import type { Lane } from "../accounts/lane.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { reachedRecords } from "./outcome-record.ts";
import type { UnsavedLook } from "./unsaved-look.ts";
import type { Verdict } from "./verdict.ts";

/** Ends a lease as its verdict says, with the look that came to it. */
export async function releaseTarget(
  deps: ApplyDeps,
  lane: Lane,
  target: LeasedTarget,
  verdict: Verdict,
  unsaved: UnsavedLook,
): Promise<void> {
  const now = deps.clock.now();
  await deps.store.releaseTarget(
    target.tenantId,
    {
      connectionId: target.connectionId,
      identityId: target.identityId,
      fence: target.fence,
      wake: target.wake,
      state: verdict.state,
      reason: verdict.reason,
      dueAt: verdict.dueAt,
      attempts: verdict.attempts,
      notes: verdict.notes,
      ...unsaved.part,
      now,
      ...(verdict.reached ? { applied: { generation: target.generation, at: now } } : {}),
    },
    { records: reachedRecords(deps, lane, target, verdict), recompute: [] },
  );
}
