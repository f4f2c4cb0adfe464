import type { Link } from "../accounts/account-store.ts";
import { isOver, type VendorAccount } from "../model/account.ts";
import type { DesiredState } from "../model/assignment.ts";
import { SyncError } from "../model/errors.ts";
import type { AccountId, IdentityId } from "../model/ids.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";

/** Which of the accounts that a look found is this person's. */
export interface Match {
  readonly account: VendorAccount | undefined;
  /** The link should be this: found by address, or an invitation that became an account. */
  readonly relink: { readonly account: VendorAccount; readonly origin: Link["origin"] } | undefined;
  /** Same person's address, but nothing that may be touched: said, never guessed. */
  readonly lookalikes: readonly VendorAccount[];
}

/**
 * Order of proof: the stored link; then, for somebody who is active, the exact address of a listed domain. A leaver gets no new
 * link. An account that belongs to another identity is never shared.
 * @throws SyncError ACCOUNT_DISPUTED, ACCOUNT_AMBIGUOUS
 */
export function matchAccount(input: {
  readonly facts: Pick<VendorFacts, "removal">;
  readonly identityId: IdentityId;
  readonly desired: DesiredState;
  readonly link: Link | undefined;
  readonly candidates: readonly VendorAccount[];
  /** Who the candidates are linked to, by account id. */
  readonly owners: ReadonlyMap<AccountId, IdentityId>;
}): Match {
  const { link, desired, facts } = input;
  const living = (accounts: readonly VendorAccount[]) =>
    accounts.filter((item) => !isOver(item, facts));
  const linked =
    link === undefined
      ? undefined
      : input.candidates.find((item) => item.accountId === link.accountId);
  const others = input.candidates.filter((item) => item !== linked);
  if (linked !== undefined && !isOver(linked, facts)) {
    return { account: linked, relink: undefined, lookalikes: [] };
  }
  if (link !== undefined) {
    // The linked invitation is gone or over: an account of the same address is what became of it.
    const successor = best(living(others).filter((item) => item.email === link.email));
    if (successor !== undefined) {
      refuseDispute(input, successor);
      return {
        account: successor,
        relink: { account: successor, origin: link.origin },
        lookalikes: [],
      };
    }
    if (desired.lifecycle === "departed")
      return { account: undefined, relink: undefined, lookalikes: living(others) };
  }
  if (desired.lifecycle === "departed") {
    return { account: undefined, relink: undefined, lookalikes: living(others) };
  }
  const exact = living(others).filter((item) => desired.profile.emails.includes(item.email));
  if (
    new Set(exact.filter((item) => item.state === "active").map((item) => item.accountId)).size > 1
  ) {
    throw new SyncError(
      "ACCOUNT_AMBIGUOUS",
      "several active accounts carry this person's addresses: link the right one",
    );
  }
  const found = best(exact);
  if (found === undefined) return { account: linked, relink: undefined, lookalikes: [] };
  refuseDispute(input, found);
  return { account: found, relink: { account: found, origin: "matched" }, lookalikes: [] };
}

function best(accounts: readonly VendorAccount[]): VendorAccount | undefined {
  const order = ["active", "suspended", "invited", "expired"];
  return [...accounts].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0];
}

function refuseDispute(
  input: { readonly identityId: IdentityId; readonly owners: ReadonlyMap<AccountId, IdentityId> },
  account: VendorAccount,
): void {
  const owner = input.owners.get(account.accountId);
  if (owner !== undefined && owner !== input.identityId) {
    throw new SyncError(
      "ACCOUNT_DISPUTED",
      "the account with this person's address is linked to another identity",
      {
        facts: { accountId: account.accountId, otherIdentity: owner },
      },
    );
  }
}
