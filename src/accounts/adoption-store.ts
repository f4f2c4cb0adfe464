import type { Instant } from "../model/clock.ts";
import type { AccountId, ConnectionId, TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { Also } from "../model/records.ts";

/** An account that is nobody's and stays, because somebody answers for it. */
export interface AcceptedAccount {
  readonly connectionId: ConnectionId;
  readonly accountId: AccountId;
  /** Folded address of who answers for it. */
  readonly owner: string;
  readonly reason: string;
  /** From then on it is a finding again; null: withdrawn by a person only. */
  readonly until: Instant | null;
  readonly by: string;
  readonly at: Instant;
}

/** What was there at first contact, and who said that it is understood. */
export interface SignOff {
  readonly connectionId: ConnectionId;
  readonly by: string;
  readonly at: Instant;
  readonly why: string;
  /** Counts of the baseline. */
  readonly baseline: JsonObject;
  /** SHA-256 of the whole baseline as it was shown. */
  readonly hash: string;
}

/** Decisions about what was at a vendor before us, or came there beside us. */
export interface AdoptionStore {
  /** Takes the place of an earlier decision about the account. */
  acceptAccount(tenantId: TenantId, accepted: AcceptedAccount, also: Also): Promise<void>;
  /** Answers whether there was one; writes nothing otherwise. */
  withdrawAcceptance(
    tenantId: TenantId,
    command: { readonly connectionId: ConnectionId; readonly accountId: AccountId },
    also: Also,
  ): Promise<boolean>;
  /** By account; those that ran out too. */
  listAccepted(tenantId: TenantId, connectionId: ConnectionId): Promise<readonly AcceptedAccount[]>;
  /** The last one of a connection counts. */
  signOff(tenantId: TenantId, signed: SignOff, also: Also): Promise<void>;
  getSignOff(tenantId: TenantId, connectionId: ConnectionId): Promise<SignOff | undefined>;
}

/** Whether somebody answers for the account now. */
export function isAcceptedAt(accepted: AcceptedAccount | undefined, now: Instant): boolean {
  return accepted !== undefined && (accepted.until === null || accepted.until > now);
}
