import type { Instant } from "../model/clock.ts";
import type { ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import type { PulseSettings } from "../model/pulse-settings.ts";
import type { Also } from "../model/records.ts";

/**
 * joining: told to be there, not seen everywhere yet · leaving: told to be gone · passed: both in time · missed: one was not ·
 * withdrawn: the pulse was taken out of the files meanwhile.
 */
export type PulseState = "joining" | "leaving" | "passed" | "missed" | "withdrawn";

/** One join and leave of the synthetic person. */
export interface PulseRun {
  /** UUIDv7. */
  readonly runId: string;
  readonly state: PulseState;
  /** Undefined: the directory has not heard of them yet. */
  readonly identityId: IdentityId | undefined;
  /** When the person was told to be there. */
  readonly startedAt: Instant;
  /** When every vendor showed them. */
  readonly arrivedAt: Instant | undefined;
  /** When the person was told to be gone. */
  readonly leftAt: Instant | undefined;
  /** When every vendor showed them gone. */
  readonly goneAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  /** Where they arrived. */
  readonly connections: readonly ConnectionId[];
  /** What was not in time, and why; no personal value. */
  readonly missed: readonly { readonly way: "join" | "leave"; readonly why: string }[];
}

/** How long what became of the runs is kept. */
export const pulseKeptMs = 400 * 86_400_000;

/** The pulse of each tenant: what is declared, the run that is under way, and what became of the others. */
export interface PulseStore {
  /** Undefined: there is none any more. */
  setPulse(
    tenantId: TenantId,
    command: { readonly settings: PulseSettings | undefined; readonly now: Instant },
    also: Also,
  ): Promise<void>;
  getPulse(
    tenantId: TenantId,
  ): Promise<{ readonly settings: PulseSettings; readonly since: Instant } | undefined>;
  /** Begins a run, and forgets those older than `pulseKeptMs`. Answers false, and writes nothing, where one is under way. */
  openPulseRun(tenantId: TenantId, run: PulseRun, also: Also): Promise<boolean>;
  /** Takes the place of the run as it was in state `from`. Answers false, and writes nothing, where it is in another one. */
  movePulseRun(
    tenantId: TenantId,
    command: { readonly run: PulseRun; readonly from: PulseState; readonly now: Instant },
    also: Also,
  ): Promise<boolean>;
  /** Newest first. */
  listPulseRuns(
    tenantId: TenantId,
    filter: { readonly state?: PulseState; readonly limit: number },
  ): Promise<readonly PulseRun[]>;
}

export function isUnderWay(run: PulseRun): boolean {
  return run.state === "joining" || run.state === "leaving";
}
