import type { Call, Connector, VendorKey } from "../connectors/connector.ts";
import type { VendorAccount } from "../model/account.ts";
import { SyncError } from "../model/errors.ts";
import type { AccountId } from "../model/ids.ts";
import type { Link } from "../accounts/account-store.ts";

/** The API keys of a leaver, by what has to become of them. */
export interface LeaverKeys {
  /** They act for the person and nobody else: switched off at once. */
  readonly own: readonly VendorKey[];
  /** The person made them, and something else may run on them: rotated by people, never switched off unattended. */
  readonly made: readonly VendorKey[];
}

/** Active keys of the account that is, or was, linked. A vendor that tells keys by their maker tells them after the maker has gone, too. */
export async function keysOf(
  connector: Connector,
  call: Call,
  account: VendorAccount | undefined,
  link: Link | undefined,
): Promise<LeaverKeys | undefined> {
  const owner = account ?? formerAccount(link);
  if (connector.keys === undefined || owner === undefined) return undefined;
  if (owner.state === "invited" || owner.state === "expired") return undefined;
  const own: VendorKey[] = [];
  const made: VendorKey[] = [];
  let complete = false;
  for await (const item of connector.keys.list(call, owner)) {
    if ("complete" in item) complete = true;
    else if (item.status === "active") {
      if (item.principal === owner.accountId) own.push(item);
      else if (item.createdBy === owner.accountId) made.push(item);
    }
  }
  if (!complete)
    throw new SyncError("VENDOR_READ_INCOMPLETE", "the list of keys ended without its end marker");
  return { own, made };
}

function formerAccount(link: Link | undefined): VendorAccount | undefined {
  if (link === undefined) return undefined;
  return {
    accountId: link.accountId satisfies AccountId,
    email: link.email,
    otherEmails: [],
    state: "active",
    role: "",
    displayName: undefined,
    createdAt: undefined,
    expiresAt: undefined,
  };
}
