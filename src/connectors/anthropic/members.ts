import type { VendorAccount } from "../../model/account.ts";
import { SyncError } from "../../model/errors.ts";
import type { Applied, Call } from "../connector.ts";
import { consoleFacts, orgRoleKind } from "./facts.ts";
import { refusals, saysNotFound, saysState } from "./refusals.ts";
import {
  accountOfUser,
  deletedWire,
  nextPage,
  pageLimit,
  pageWire,
  userWire,
  type UserWire,
} from "./wire.ts";

const usersPage = pageWire(userWire);

/** Members of the organisation; with an address those that the vendor thinks fit it, look-alikes included. */
export async function* listUsers(call: Call, email?: string): AsyncGenerator<VendorAccount> {
  const pages = call.http.pages(
    {
      operation: "users.list",
      query: { limit: pageLimit, email },
      parse: (body) => usersPage.parse(body),
      refusals,
    },
    nextPage,
  );
  for await (const page of pages) for (const user of page.value.data) yield accountOfUser(user);
}

/** One member, or undefined. */
export async function readUser(call: Call, userId: string): Promise<UserWire | undefined> {
  try {
    const answer = await call.http.request({
      operation: "users.read",
      path: { userId },
      parse: (body) => userWire.parse(body),
      refusals,
    });
    return answer.value;
  } catch (error) {
    if (saysNotFound(error)) return undefined;
    throw error;
  }
}

/** Sets a member's organisation role. */
export async function setUserRole(
  call: Call,
  account: VendorAccount,
  role: string,
): Promise<Applied> {
  refuseFixedRole(account, "changed");
  try {
    const answer = await call.http.request({
      operation: "users.update",
      path: { userId: account.accountId },
      body: { role },
      parse: (body) => userWire.parse(body),
      refusals,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (!saysState(error)) throw error;
    const user = await readUser(call, account.accountId);
    if (user?.role === role) return { outcome: "unchanged", requestIds: [] };
    if (user === undefined) throw moved("the member is gone", error);
    throw error;
  }
}

/** Removes a member; their workspace memberships go with it. */
export async function removeUser(call: Call, account: VendorAccount): Promise<Applied> {
  refuseFixedRole(account, "removed");
  try {
    const answer = await call.http.request({
      operation: "users.remove",
      path: { userId: account.accountId },
      parse: (body) => deletedWire.parse(body),
      refusals,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (!saysState(error)) throw error;
    if (saysNotFound(error) || (await readUser(call, account.accountId)) === undefined) {
      return { outcome: "unchanged", requestIds: [] };
    }
    throw error;
  }
}

/**
 * Ends a member's sessions and the organisation's tokens everywhere, as far as the vendor offers it: refused for owners and managed members,
 * and where the beta is not open. Nothing waits for it: the removal that follows ends the membership itself.
 */
export async function signOut(call: Call, account: VendorAccount): Promise<readonly string[]> {
  try {
    const answer = await call.http.request({
      operation: "users.sign_out",
      path: { userId: account.accountId },
      parse: (body) => userWire.parse(body),
      refusals,
    });
    return requestIds(answer);
  } catch (error) {
    if (error instanceof SyncError && error.code !== "CREDENTIAL_REFUSED") return [];
    throw error;
  }
}

/** The state moved between the look and the write: look again. */
export function moved(what: string, cause?: unknown): SyncError {
  return new SyncError("VENDOR_CONFLICT", `anthropic: ${what}; it is looked at again`, {
    cause,
    facts: cause instanceof SyncError ? { ...cause.facts } : {},
  });
}

export function requestIds(answer: { readonly requestId: string | undefined }): readonly string[] {
  return answer.requestId === undefined ? [] : [answer.requestId];
}

function refuseFixedRole(account: VendorAccount, what: "changed" | "removed"): void {
  if (consoleFacts.kinds[orgRoleKind]?.roles[account.role]?.assignable !== false) return;
  throw new SyncError(
    "VENDOR_REJECTED",
    `anthropic: a member with the role ${account.role} cannot be ${what} through the API; an owner does it in the Console`,
    { facts: { role: account.role } },
  );
}
