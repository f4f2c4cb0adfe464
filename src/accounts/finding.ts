import type { Instant } from "../model/clock.ts";
import type { ConnectionId, IdentityId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";

/** Something that a person should know or decide; it stops nothing by itself. */
export interface FindingDraft {
  /** What makes it the same finding when it is seen again: `lookalike:<connection>:<account>`. */
  readonly key: string;
  readonly kind: FindingKind;
  /** urgent: a leaver may keep access · warning: somebody decides · info. */
  readonly severity: "urgent" | "warning" | "info";
  readonly connectionId?: ConnectionId;
  readonly identityId?: IdentityId;
  /** One sentence that says what to do; no personal values. */
  readonly text: string;
  readonly facts: JsonObject;
}

export interface Finding extends FindingDraft {
  readonly openedAt: Instant;
  readonly seenAt: Instant;
  readonly resolvedAt: Instant | undefined;
}

export type FindingKind =
  | "unlinked_lookalike"
  | "unmatched_account"
  | "disputed_account"
  | "unmanaged_admin"
  | "unmanaged_grant"
  | "protected_account"
  | "report_only_leaver"
  | "group_renamed"
  | "group_deleted"
  | "group_remade"
  | "group_ambiguous"
  | "privileged_binding"
  | "unknown_member"
  | "dropped_attribute"
  | "object_unknown"
  | "implausible_listing"
  | "drift"
  | "api_keys_remain"
  | "deadline_near"
  | "deadline_missed"
  | "leaver_returned"
  | "leave_not_clean"
  | "invitation_expired"
  | "change_blocked"
  | "task_overdue"
  | "usage"
  | "declared_thing"
  | "tickets"
  | "vendor_log"
  | "wrong_organization"
  | "lane_paused"
  | "mapping_waits"
  | "mapping_rollout_stopped"
  | "hr_disputed"
  | "hr_unmatched"
  | "hr_sources_disagree"
  | "hr_late_notice"
  | "hr_leave_withdrawn"
  | "hr_absence_guard"
  | "idp_quiet"
  | "token_expiring"
  | "pulse_missed";
