import type { VendorAccount } from "../../model/account.ts";
import { SyncError } from "../../model/errors.ts";
import type { AccountId } from "../../model/ids.ts";
import type { Applied, Call, NewAccount, Whom } from "../connector.ts";
import { ask, askPages } from "./ask.ts";
import { instantlyFacts, workspaceRoleKind } from "./facts.ts";
import { saysNotFound, saysState } from "./refusals.ts";
import { accountOf, memberWire, membersPage, nextPage, pageLimit } from "./wire.ts";

/** Members and open invitations; `search` narrows by name or address, as the vendor understands it. */
export async function* listMembers(call: Call, search?: string): AsyncGenerator<VendorAccount> {
  const pages = askPages(
    call,
    {
      operation: "members.list",
      query: { limit: pageLimit, search },
      parse: (body) => membersPage.parse(body),
    },
    nextPage,
  );
  for await (const page of pages) for (const member of page.value.items) yield accountOf(member);
}

/** One member or invitation, or undefined. */
export async function readMember(call: Call, memberId: string): Promise<VendorAccount | undefined> {
  try {
    const answer = await ask(call, {
      operation: "members.read",
      path: { memberId },
      parse: (body) => memberWire.parse(body),
    });
    return accountOf(answer.value);
  } catch (error) {
    if (saysNotFound(error)) return undefined;
    throw error;
  }
}

/**
 * Everybody who could be this person. The search is the vendor's; an address that it does not find may still be another address of
 * a member, so only the whole list proves that somebody is not there; looks at many people share one read of it. A leaver's linked account is asked for by its id instead: the list
 * grows with the workspace, and their access must not end later for that. Listings of all accounts find what else is theirs.
 */
export async function findMembers(
  call: Call,
  who: Pick<Whom, "accountId" | "emails" | "leaving">,
): Promise<readonly VendorAccount[]> {
  const found = new Map<AccountId, VendorAccount>();
  let unseen = false;
  for (const email of who.emails) {
    let seen = false;
    for await (const account of listMembers(call, email)) {
      if (!carries(account, email)) continue;
      seen = true;
      found.set(account.accountId, account);
    }
    unseen ||= !seen;
  }
  if (unseen && !(who.leaving === true && who.accountId !== undefined)) {
    const everybody = await (call.share?.("members", () => byAddress(call)) ?? byAddress(call));
    for (const email of who.emails)
      for (const listed of everybody.get(email) ?? []) {
        // A shared list may be of before they were removed: it proves who is not there, and of who is only whom to ask for.
        const account =
          call.share === undefined ? listed : await readMember(call, listed.accountId);
        if (account !== undefined && carries(account, email)) found.set(account.accountId, account);
      }
  }
  if (who.accountId !== undefined && !found.has(who.accountId)) {
    const account = await readMember(call, who.accountId);
    if (account !== undefined) found.set(account.accountId, account);
  }
  return [...found.values()];
}

/** The whole list by each address of each member. */
async function byAddress(call: Call): Promise<ReadonlyMap<string, readonly VendorAccount[]>> {
  const accounts = new Map<string, VendorAccount[]>();
  for await (const account of listMembers(call)) {
    for (const email of [account.email, ...account.otherEmails]) {
      const sharing = accounts.get(email);
      if (sharing === undefined) accounts.set(email, [account]);
      else sharing.push(account);
    }
  }
  return accounts;
}

function carries(account: VendorAccount, email: string): boolean {
  return account.email === email || account.otherEmails.includes(email);
}

/** The longest nickname that the vendor takes (its OpenAPI document of 2026-08-21). */
const nicknameChars = 80;

/**
 * Invites. The vendor has no key against doubles and may not refuse one: whoever calls has read that nobody is there.
 * Where it does refuse, the member of exactly this address is the answer.
 */
export async function createMember(
  call: Call,
  { email, role, permissions, nickname }: NewAccount,
): Promise<Applied & { readonly account: VendorAccount }> {
  refuseUnassignable(role);
  try {
    const answer = await ask(call, {
      operation: "members.create",
      body: {
        email,
        role,
        ...(permissions === undefined ? {} : { permissions }),
        ...(nickname === undefined ? {} : { nickname: nickname.slice(0, nicknameChars) }),
      },
      parse: (body) => memberWire.parse(body),
    });
    const account = accountOf(answer.value);
    return {
      outcome: account.state === "active" ? "changed" : "pending",
      requestIds: requestIds(answer),
      account,
    };
  } catch (error) {
    if (!saysState(error)) throw error;
    const holder = (await findMembers(call, { emails: [email] }))[0];
    if (holder === undefined) throw error;
    return { outcome: "unchanged", requestIds: [], account: holder };
  }
}

/** Sets the role of a member or of an open invitation. */
export async function setMemberRole(
  call: Call,
  account: VendorAccount,
  role: string,
): Promise<Applied> {
  refuseUnassignable(role);
  refuseFixedRole(account, "changed");
  try {
    const answer = await ask(call, {
      operation: "members.update",
      path: { memberId: account.accountId },
      body: { role },
      parse: (body) => memberWire.parse(body),
    });
    return {
      outcome: answer.value.accepted ? "changed" : "pending",
      requestIds: requestIds(answer),
    };
  } catch (error) {
    if (!saysState(error)) throw error;
    const member = await readMember(call, account.accountId);
    if (member === undefined) {
      throw new SyncError("VENDOR_CONFLICT", "instantly: the member is gone; looked at again", {
        cause: error,
      });
    }
    if (member.role === role) return { outcome: "unchanged", requestIds: [] };
    throw error;
  }
}

/** Removes a member, or cancels an open invitation: the same call. */
export async function removeMember(call: Call, account: VendorAccount): Promise<Applied> {
  refuseFixedRole(account, "removed");
  try {
    const answer = await ask(call, {
      operation: "members.remove",
      path: { memberId: account.accountId },
      // The vendor echoes what it deleted; nothing of it is used.
      parse: () => undefined,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (!saysState(error)) throw error;
    if (saysNotFound(error) || (await readMember(call, account.accountId)) === undefined) {
      return { outcome: "unchanged", requestIds: [] };
    }
    throw error;
  }
}

export function requestIds(answer: { readonly requestId: string | undefined }): readonly string[] {
  return answer.requestId === undefined ? [] : [answer.requestId];
}

const roles = instantlyFacts.kinds[workspaceRoleKind]?.roles;

function refuseUnassignable(role: string): void {
  if (roles?.[role]?.assignable === true) return;
  throw new SyncError("VENDOR_REJECTED", `instantly: the API cannot give the role ${role}`, {
    facts: { role },
  });
}

function refuseFixedRole(account: VendorAccount, what: "changed" | "removed"): void {
  if (roles?.[account.role]?.assignable !== false) return;
  throw new SyncError(
    "VENDOR_REJECTED",
    `instantly: a member with the role ${account.role} cannot be ${what} through the API; it is done in the vendor's settings`,
    { facts: { role: account.role } },
  );
}
