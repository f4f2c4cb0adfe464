import type { Instant } from "../model/clock.ts";
import type { CaseId, ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { Channel } from "../model/vendor-facts.ts";
import type { AuditRecord } from "../model/records.ts";

/**
 * contain: nothing of theirs works any more · remove: the account is gone · transfer: what they held belongs to somebody else ·
 * rotate_key: a key that they made, or could read, is replaced · verify: absence was read again at the declared times ·
 * evidence: the pack is made.
 */
export type ObligationKind =
  "contain" | "remove" | "transfer" | "rotate_key" | "verify" | "evidence";

/** waived: a person said that it needs not be done, and why. */
export type ObligationState = "open" | "done" | "waived";

/** A duty with a deadline. It is open as long as the vendor does not show it done. */
export interface Obligation {
  readonly caseId: CaseId;
  readonly identityId: IdentityId;
  /** Undefined: of the whole case. */
  readonly connectionId: ConnectionId | undefined;
  readonly kind: ObligationKind;
  /** What of that kind: a key id, `conversation`; "" where there is one only. */
  readonly subject: string;
  readonly channel: Channel;
  readonly state: ObligationState;
  readonly openedAt: Instant;
  readonly deadline: Instant;
  readonly doneAt: Instant | undefined;
  /** When its deadline was missed; stays, whatever comes later. */
  readonly missedAt: Instant | undefined;
  /** Ids, counts, the names of keys; never a secret. */
  readonly facts: JsonObject;
}

/** open: something is owed · done: all of it is verified, late returns are watched for · cancelled: the person came back. */
export type CaseState = "open" | "done" | "cancelled";

/** Everything that one person's leaving asks for, at every vendor. */
export interface LeaverCase {
  readonly tenantId: TenantId;
  readonly caseId: CaseId;
  readonly identityId: IdentityId;
  readonly state: CaseState;
  /** Who told us first. */
  readonly source: "idp" | "hr" | "operator";
  /** When they left: the earliest instant of HR, the IdP and an operator. */
  readonly t0: Instant;
  /** The leave instant of HR, where HR told. */
  readonly hrAt: Instant | undefined;
  /** The accepted signal: when we could first act. Deadlines count from here. */
  readonly signalAt: Instant;
  readonly openedAt: Instant;
  readonly closedAt: Instant | undefined;
  readonly closedWhy: string | undefined;
  /** Late returns are looked for until then. */
  readonly watchUntil: Instant | undefined;
  /** The person was seen active again: the next leave is a new case. */
  readonly returnedAt: Instant | undefined;
  readonly reopenedAt: Instant | undefined;
}

/** An order to end somebody's access now, whatever IdP and HR say, until a person lifts it. */
export interface Departure {
  readonly identityId: IdentityId;
  readonly at: Instant;
  readonly by: string;
  readonly why: string;
  /** Named by a person: never held by the leaver rail. */
  readonly emergency: boolean;
  readonly liftedAt: Instant | undefined;
  readonly liftedBy: string | undefined;
}

export type ObligationDraft = Pick<
  Obligation,
  "connectionId" | "kind" | "subject" | "channel" | "deadline" | "facts"
>;

/** What a recompute that sees somebody gone asks for. */
export interface CaseDraft {
  readonly caseId: CaseId;
  readonly source: LeaverCase["source"];
  readonly t0: Instant;
  readonly hrAt: Instant | undefined;
  readonly signalAt: Instant;
  /** Empty: nothing of theirs is or was at a vendor, and no case opens. */
  readonly obligations: readonly ObligationDraft[];
  /** Written only where the case opens. */
  readonly record: AuditRecord;
}

/** What a recompute saw of a person: gone, or here while a case is theirs. Only one of both ever happens to a case. */
export type LeaverSight =
  | { readonly gone: true; readonly draft: CaseDraft }
  | { readonly gone: false; readonly record: AuditRecord };

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** From the accepted signal to the deadline. `verify` ends after the last of the declared reads, which count from the removal. */
export const deadlineMs: Readonly<Record<ObligationKind, number>> = {
  contain: 15 * minuteMs,
  remove: 60 * minuteMs,
  transfer: 24 * hourMs,
  rotate_key: 24 * hourMs,
  evidence: 24 * hourMs,
  verify: 26 * hourMs,
};

/** How soon after a leave the accounts of a connection are listed: who comes back is seen there. */
export const watchListMs = 15 * minuteMs;
/** Late returns are watched for longer than any invitation lives. */
export const watchMs = 30 * 24 * hourMs;

/** The key of the finding that says that a deadline comes near or was missed. */
export function deadlineFindingKey(
  item: Pick<Obligation, "caseId" | "connectionId" | "kind" | "subject">,
): string {
  return `deadline:${item.caseId}:${item.connectionId ?? ""}:${item.kind}:${item.subject}`;
}

/** When somebody is told that a deadline comes near: after two thirds of its time. */
export function warnAt(openedAt: Instant, deadline: Instant): Instant {
  return deadline - Math.floor((deadline - openedAt) / 3);
}
