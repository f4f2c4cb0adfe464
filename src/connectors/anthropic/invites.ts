import type { VendorAccount } from "../../model/account.ts";
import { SyncError } from "../../model/errors.ts";
import type { Applied, Call } from "../connector.ts";
import { listUsers, moved, requestIds } from "./members.ts";
import { refusals, saysNotFound, saysState, saysTaken } from "./refusals.ts";
import {
  accountOfInvite,
  deletedWire,
  inviteWire,
  nextPage,
  pageLimit,
  pageWire,
  type InviteWire,
} from "./wire.ts";

const invitesPage = pageWire(inviteWire);

/** Open and expired invitations; with an address those that the vendor thinks fit it. */
export async function* listInvites(call: Call, email?: string): AsyncGenerator<VendorAccount> {
  const pages = call.http.pages(
    {
      operation: "invites.list",
      query: { limit: pageLimit, email, "statuses[]": ["pending", "expired"] },
      parse: (body) => invitesPage.parse(body),
      refusals,
    },
    nextPage,
  );
  for await (const page of pages) {
    for (const invite of page.value.data) {
      const account = accountOfInvite(invite, call.now());
      if (account !== undefined) yield account;
    }
  }
}

/** One invitation, or undefined where the vendor does not know it (any more). */
export async function readInvite(call: Call, inviteId: string): Promise<InviteWire | undefined> {
  try {
    const answer = await call.http.request({
      operation: "invites.read",
      path: { inviteId },
      parse: (body) => inviteWire.parse(body),
      refusals,
    });
    return answer.value.status === "deleted" ? undefined : answer.value;
  } catch (error) {
    if (saysNotFound(error)) return undefined;
    throw error;
  }
}

/**
 * Invites. Where the vendor says that the address is taken, the account or invitation of exactly this address is the answer;
 * a second invitation is never sent.
 */
export async function createInvite(
  call: Call,
  email: string,
  role: string,
): Promise<Applied & { readonly account: VendorAccount }> {
  try {
    const answer = await call.http.request({
      operation: "invites.create",
      body: { email, role },
      parse: (body) => inviteWire.parse(body),
      refusals,
    });
    const account = accountOfInvite(answer.value, call.now());
    if (account === undefined) throw moved("the new invitation is not open");
    return { outcome: "pending", requestIds: requestIds(answer), account };
  } catch (error) {
    if (!saysTaken(error)) throw error;
    return { outcome: "unchanged", requestIds: [], account: await holder(call, email, error) };
  }
}

async function holder(call: Call, email: string, cause: SyncError): Promise<VendorAccount> {
  let lookAlikes = 0;
  for (const list of [listUsers, listInvites]) {
    for await (const account of list(call, email)) {
      if (account.state === "expired") continue;
      if (account.email === email) return account;
      lookAlikes += 1;
    }
  }
  if (lookAlikes === 0)
    throw moved("the address is taken, and its account is not shown yet", cause);
  throw new SyncError(
    "VENDOR_REJECTED",
    "anthropic: the vendor takes this address for a variant of another member's (it ignores plus tags): give the person another address, or link that account",
    { cause, facts: { ...cause.facts } },
  );
}

/** Cancels an open invitation. One that was accepted meanwhile is an account now: look again. */
export async function cancelInvite(call: Call, account: VendorAccount): Promise<Applied> {
  try {
    const answer = await call.http.request({
      operation: "invites.remove",
      path: { inviteId: account.accountId },
      parse: (body) => deletedWire.parse(body),
      refusals,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (!saysState(error)) throw error;
    const invite = await readInvite(call, account.accountId);
    if (invite?.status === "accepted") throw moved("the invitation was accepted", error);
    // Expired ones cannot be deleted and bind nobody.
    if (invite === undefined || accountOfInvite(invite, call.now())?.state === "expired") {
      return { outcome: "unchanged", requestIds: [] };
    }
    throw error;
  }
}

/** An invitation cannot be edited: it is cancelled and sent anew with the other role. */
export async function replaceInvite(
  call: Call,
  account: VendorAccount,
  role: string,
): Promise<Applied> {
  const cancelled = await cancelInvite(call, account);
  const created = await createInvite(call, account.email, role);
  if (created.outcome === "unchanged" && created.account.role !== role) {
    throw moved("another invitation or account of this address appeared");
  }
  return {
    outcome: created.outcome,
    requestIds: [...cancelled.requestIds, ...created.requestIds],
  };
}
