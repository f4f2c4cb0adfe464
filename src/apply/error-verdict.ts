import type { Lane } from "../accounts/lane.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import { SyncError } from "../model/errors.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { pauseLane } from "./lane-check.ts";
import { retryVerdict } from "./retry.ts";
import type { Verdict } from "./verdict.ts";

/** How a lease ends that ended in an error: the error's own instruction. */
export async function errorVerdict(
  deps: ApplyDeps,
  lane: Lane,
  target: LeasedTarget,
  error: unknown,
): Promise<Verdict> {
  const log = deps.logger.child({
    tenantId: target.tenantId,
    connectionId: target.connectionId,
    identityId: target.identityId,
  });
  if (!(error instanceof SyncError)) {
    log.error({ err: error }, "target parked: a fault of ours");
    return parked(target, { code: "INTERNAL", text: "a fault of ours; see the log" });
  }
  const reason = { code: error.code, text: error.message };
  switch (error.disposition) {
    case "retry":
      log.warn({ code: error.code, ...error.facts }, "vendor call failed; tried again later");
      return retryVerdict(deps.clock, target, error);
    case "replan":
      log.warn(
        { code: error.code, ...error.facts },
        "write not certain; read back before the next",
      );
      return error.code === "WRITE_AMBIGUOUS"
        ? {
            ...waiting(
              target,
              "AMBIGUOUS",
              error.message,
              deps.clock.now() + deps.timing.intentWindowMs + deps.timing.intentGraceMs,
            ),
            attempts: target.attempts + 1,
          }
        : retryVerdict(deps.clock, target, error);
    case "pause":
      await pauseLane(deps, lane, error);
      return {
        state: "waiting",
        reason,
        dueAt: deps.clock.now(),
        attempts: target.attempts,
        reached: false,
        notes: target.notes,
      };
    case "hold":
      return {
        state: "held",
        reason,
        dueAt: null,
        attempts: target.attempts,
        reached: false,
        notes: target.notes,
      };
    case "park":
      log.error({ code: error.code, ...error.facts }, "target parked: it needs a fact or a person");
      return parked(target, reason);
  }
}

/** Until a fact or a person comes. */
export function parked(target: LeasedTarget, reason: NonNullable<Verdict["reason"]>): Verdict {
  return {
    state: "parked",
    reason,
    dueAt: null,
    attempts: target.attempts,
    reached: false,
    notes: target.notes,
  };
}

/** Until an instant. */
export function waiting(
  target: LeasedTarget,
  code: "AMBIGUOUS" | "SETTLING",
  text: string,
  dueAt: number,
): Verdict {
  return {
    state: "waiting",
    reason: { code, text },
    dueAt,
    attempts: target.attempts,
    reached: false,
    notes: target.notes,
  };
}
