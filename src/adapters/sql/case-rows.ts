import type { LeaverCase, Obligation } from "../../accounts/leaver-case.ts";
import type { Instant } from "../../model/clock.ts";
import {
  asId,
  type CaseId,
  type ConnectionId,
  type IdentityId,
  type TenantId,
} from "../../model/ids.ts";
import { parsed } from "./account-args.ts";

export const caseColumns =
  "tenant_id, case_id, identity_id, state, source, t0, hr_at, signal_at, opened_at, closed_at, closed_why, watch_until, returned_at, reopened_at";

export interface CaseRow {
  readonly tenant_id: string;
  readonly case_id: string;
  readonly identity_id: string;
  readonly state: LeaverCase["state"];
  readonly source: LeaverCase["source"];
  readonly t0: Instant;
  readonly hr_at: Instant | null;
  readonly signal_at: Instant;
  readonly opened_at: Instant;
  readonly closed_at: Instant | null;
  readonly closed_why: string | null;
  readonly watch_until: Instant | null;
  readonly returned_at: Instant | null;
  readonly reopened_at: Instant | null;
}

export function toCase(row: CaseRow): LeaverCase {
  return {
    tenantId: asId<TenantId>(row.tenant_id),
    caseId: asId<CaseId>(row.case_id),
    identityId: asId<IdentityId>(row.identity_id),
    state: row.state,
    source: row.source,
    t0: row.t0,
    hrAt: row.hr_at ?? undefined,
    signalAt: row.signal_at,
    openedAt: row.opened_at,
    closedAt: row.closed_at ?? undefined,
    closedWhy: row.closed_why ?? undefined,
    watchUntil: row.watch_until ?? undefined,
    returnedAt: row.returned_at ?? undefined,
    reopenedAt: row.reopened_at ?? undefined,
  };
}

/** Something changed that the keeper of cases has to see: due now, whatever was planned. Takes `now`, then what the condition asks. */
export const caseIsDue =
  "UPDATE leaver_cases SET wake = wake + 1, due_at = ? WHERE tenant_id = ? AND";

export const obligationColumns =
  "tenant_id, case_id, connection_id, kind, subject, identity_id, channel, state, opened_at, deadline, done_at, missed_at, facts";

export interface ObligationRow {
  readonly tenant_id: string;
  readonly case_id: string;
  readonly connection_id: string;
  readonly kind: Obligation["kind"];
  readonly subject: string;
  readonly identity_id: string;
  readonly channel: Obligation["channel"];
  readonly state: Obligation["state"];
  readonly opened_at: Instant;
  readonly deadline: Instant;
  readonly done_at: Instant | null;
  readonly missed_at: Instant | null;
  readonly facts: string;
}

export function toObligation(row: ObligationRow): Obligation {
  return {
    caseId: asId<CaseId>(row.case_id),
    identityId: asId<IdentityId>(row.identity_id),
    connectionId: row.connection_id === "" ? undefined : asId<ConnectionId>(row.connection_id),
    kind: row.kind,
    subject: row.subject,
    channel: row.channel,
    state: row.state,
    openedAt: row.opened_at,
    deadline: row.deadline,
    doneAt: row.done_at ?? undefined,
    missedAt: row.missed_at ?? undefined,
    facts: parsed(row.facts),
  };
}
