import type { GateRefusal } from "../accounts/intent.ts";
import type { Lane } from "../accounts/lane.ts";
import type { LeasedTarget, TargetReason } from "../accounts/target.ts";
import { newId } from "../model/ids.ts";
import type { Rail } from "../model/rail.ts";
import type { Step } from "../plan/step.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import type { Verdict } from "./verdict.ts";

/** What a closed gate means for the target. "abandoned": somebody else has it now. */
export function refusalVerdict(
  deps: ApplyDeps,
  target: LeasedTarget,
  refusal: GateRefusal,
): Verdict | "abandoned" {
  const now = deps.clock.now();
  const wait = (
    code: TargetReason["code"],
    text: string,
    dueAt: number | null,
    state: Verdict["state"] = "waiting",
  ): Verdict => ({
    state,
    reason: { code, text },
    dueAt,
    attempts: target.attempts,
    reached: false,
    notes: target.notes,
  });
  switch (refusal.why) {
    case "lease_lost":
      return "abandoned";
    case "generation_moved":
      return wait("GATE_REFUSED", "the wish changed while it was carried out", now, "due");
    case "lane_paused":
      return wait("LANE_PAUSED", "the connection is paused", now);
    case "stopped":
      return wait("STOPPED", "a stop switch is on", now + 30_000);
    case "report_only":
      return wait("REPORT_ONLY", "this set is report-only", null, "idle");
    case "rail_held":
      return wait(
        "RAIL_TRIPPED",
        "part of a batch that waits for a decision: `rolecall holds list`",
        null,
        "held",
      );
    case "rail_rejected":
      return wait("RAIL_TRIPPED", "a person decided against this change", null, "held");
    case "rail_missing":
      return wait("RAIL_TRIPPED", "the change is not counted yet", now + 1_000);
    case "admin_floor":
      // Whoever goes first is seen as gone at the next look, and the plan then says what is missing.
      return wait("GATE_REFUSED", "another admin is leaving at this moment", now + 5_000, "due");
    case "rail_waiting":
      return wait(
        "DEBOUNCE",
        "a removal waits so that a wave of them is seen whole",
        refusal.until,
      );
  }
}

/** Counts a change that only the look could know, before it may pass the gate. */
export async function reserveStep(
  deps: ApplyDeps,
  lane: Lane,
  target: LeasedTarget,
  step: Step,
): Promise<void> {
  const now = deps.clock.now();
  const { debounceMs, graceMs } = lane.policy.timing;
  const rail = railOf(target, step);
  await deps.store.reserveRail(
    target.tenantId,
    {
      connectionId: target.connectionId,
      identityId: target.identityId,
      rail: {
        policy: lane.policy.rails,
        wishes: [
          {
            slot: step.slot,
            direction: step.direction,
            roleFrom: step.roleFrom,
            roleTo: step.roleTo,
            rail,
            causeKey: "",
            notBefore: rail === "removals" && !step.privileged ? now + debounceMs + graceMs : now,
          },
        ],
        entryIds: [newId(deps.clock)],
        holdIds: [newId(deps.clock)],
      },
      now,
    },
    { records: [], recompute: [] },
  );
}

function railOf(target: LeasedTarget, step: Step): Rail {
  if (step.direction === "gain") return "privileged";
  return target.desired.lifecycle === "departed" ? "leavers" : "removals";
}
