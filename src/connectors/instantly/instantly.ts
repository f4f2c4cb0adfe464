import type { VendorAccount } from "../../model/account.ts";
import { SyncError } from "../../model/errors.ts";
import type { Call, CheckReport, Connector, EndOfList } from "../connector.ts";
import { instantlyFacts } from "./facts.ts";
import { createMember, findMembers, listMembers, removeMember, setMemberRole } from "./members.ts";
import { refusals } from "./refusals.ts";
import { membersPage, workspaceWire } from "./wire.ts";

export const instantlyBaseUrl = "https://api.instantly.ai";

/** Headers of every call: a key is bound to one workspace. */
export function instantlyHeaders(secret: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${secret}` };
}

/** One Instantly workspace: its members and invitations, each with one role. */
export const instantly: Connector = {
  facts: instantlyFacts,
  check,
  findAccounts: findMembers,
  // The account's own slot is the only one.
  readGrants: () => Promise.resolve([]),
  listAccounts,
  async *listObjects() {
    await Promise.resolve();
    yield { complete: true, count: 0 };
  },
  createAccount: (call, person) => createMember(call, person.email, person.role),
  setAccountRole: setMemberRole,
  removeAccount: removeMember,
  grant: (_call, _account, entitlement) => Promise.reject(noSuchKind(entitlement.kind)),
  revoke: (_call, _account, slot) => Promise.reject(noSuchKind(slot.kind)),
};

function noSuchKind(kind: string): SyncError {
  return new SyncError("VENDOR_REJECTED", `instantly has nothing to give but the workspace role`, {
    facts: { kind },
  });
}

async function check(call: Call): Promise<CheckReport> {
  const answer = await call.http.request({
    operation: "workspace.read",
    parse: (body) => workspaceWire.parse(body),
    refusals,
  });
  await call.http.request({
    operation: "members.list",
    query: { limit: 1 },
    parse: (body) => membersPage.parse(body),
    refusals,
  });
  return {
    organization: { id: answer.value.id, name: answer.value.name },
    // Keys belong to the workspace and name no person.
    ownAccountIds: [],
    notes: ["the workspace and its members are readable"],
  };
}

async function* listAccounts(call: Call): AsyncGenerator<VendorAccount | EndOfList> {
  let count = 0;
  for await (const account of listMembers(call)) {
    count += 1;
    yield account;
  }
  yield { complete: true, count };
}
