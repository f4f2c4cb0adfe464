import type { VendorAccount } from "../../model/account.ts";
import { SyncError } from "../../model/errors.ts";
import type { Call, CheckReport, Connector, EndOfList } from "../connector.ts";
import { ask, readWorkspace } from "./ask.ts";
import { instantlyFacts } from "./facts.ts";
import { createMember, findMembers, listMembers, removeMember, setMemberRole } from "./members.ts";
import { listAudit } from "./audit-log.ts";
import { instantlyThings } from "./things.ts";
import { membersPage } from "./wire.ts";

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
  createAccount: createMember,
  setAccountRole: setMemberRole,
  removeAccount: removeMember,
  grant: (_call, _account, entitlement) => Promise.reject(noSuchKind(entitlement.kind)),
  revoke: (_call, _account, slot) => Promise.reject(noSuchKind(slot.kind)),
  things: instantlyThings,
  activity: { list: listAudit },
};

function noSuchKind(kind: string): SyncError {
  return new SyncError("VENDOR_REJECTED", `instantly has nothing to give but the workspace role`, {
    facts: { kind },
  });
}

async function check(call: Call): Promise<CheckReport> {
  const workspace = await readWorkspace(call);
  await ask(call, {
    operation: "members.list",
    query: { limit: 1 },
    parse: (body) => membersPage.parse(body),
  });
  return {
    organization: { id: workspace.id, name: workspace.name },
    // Keys belong to the workspace and name no person.
    ownAccountIds: [],
    credential: { kind: "API key of one workspace", owner: undefined },
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
