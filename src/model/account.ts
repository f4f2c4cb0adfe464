import type { Entitlement } from "./entitlement.ts";
import type { AccountId } from "./ids.ts";
import type { VendorFacts } from "./vendor-facts.ts";

/** An account or an open invitation as the vendor shows it. */
export interface VendorAccount {
  /** The vendor's immutable id: of the member, or of the invitation while `state` is `invited` or `expired`. */
  readonly accountId: AccountId;
  /** Folded. */
  readonly email: string;
  /** Further addresses of the same account, folded. */
  readonly otherEmails: readonly string[];
  /** `expired`: an invitation that nobody accepted in time; `suspended`: switched off and kept by the vendor. */
  readonly state: "active" | "invited" | "suspended" | "expired";
  /** Role in the account kind's slot. */
  readonly role: string;
  readonly displayName: string | undefined;
  /** When the account or invitation came to be, where told. */
  readonly createdAt: number | undefined;
  /** For invitations, where they end. */
  readonly expiresAt: number | undefined;
}

/** Whether the account gives nobody anything and may be created again: an invitation that ran out, or a removed account that the vendor keeps. */
export function isOver(
  account: Pick<VendorAccount, "state">,
  facts: Pick<VendorFacts, "removal">,
): boolean {
  return (
    account.state === "expired" || (account.state === "suspended" && facts.removal === "suspended")
  );
}

export interface ObservedGrant extends Entitlement {
  /** Follows from the account's role and cannot be written while that role is held. */
  readonly implicit: boolean;
}

export interface VendorObject {
  readonly kind: string;
  readonly objectId: string;
  readonly name: string;
  readonly archived: boolean;
  /** false: made and kept by the vendor itself; never touched. */
  readonly manageable: boolean;
}
