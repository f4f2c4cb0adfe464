import type { HrStore } from "../directory/hr-store.ts";
import type { Clock } from "../model/clock.ts";
import type { HrSourceId, TenantId } from "../model/ids.ts";
import type { Logger, Metrics } from "../model/log.ts";
import type { Actor } from "../model/records.ts";

/** A finding that HR facts give; whoever lists findings shows it. */
export interface HrFinding {
  readonly key: string;
  readonly kind:
    "hr_disputed" | "hr_unmatched" | "hr_late_notice" | "hr_leave_withdrawn" | "hr_absence_guard";
  readonly severity: "warning" | "info";
  readonly identityId?: string;
  readonly text: string;
  readonly facts: Readonly<Record<string, string | number>>;
}

/** What this room works with. */
export interface HrDeps {
  readonly store: HrStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly raiseFinding: (tenantId: TenantId, finding: HrFinding) => Promise<void>;
  /** Tells the relay of this process that marks were written. */
  readonly onCommit: () => void;
}

/** Who sent it, as an actor of audit records. */
export interface HrSender {
  readonly tenantId: TenantId;
  readonly sourceId: HrSourceId;
  readonly actor: Actor;
}

/** Somebody has left by the word of HR, and whose accounts that concerns nobody can say. */
export function unmatchedLeaver(sourceId: HrSourceId, personKey: string): HrFinding {
  return {
    key: `hr_unmatched:${sourceId}:${personKey}`,
    kind: "hr_unmatched",
    severity: "warning",
    text: "HR says that somebody has left whom no IdP has sent: if they hold accounts, say who they are with `rolecall hr join`",
    facts: { sourceId, personKey },
  };
}
