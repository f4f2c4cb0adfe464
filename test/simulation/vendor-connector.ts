import type {
  Applied,
  Call,
  CheckReport,
  Connector,
  EndOfList,
  NewAccount,
} from "../../src/connectors/connector.ts";
import type { ObservedGrant, VendorAccount, VendorObject } from "../../src/model/account.ts";
import { slotKey, type Entitlement, type Slot } from "../../src/model/entitlement.ts";
import type { AccountId } from "../../src/model/ids.ts";
import type { VendorFacts } from "../../src/model/vendor-facts.ts";
import type { VendorCall } from "./vendor-organization.ts";

interface Page<T> {
  readonly items: readonly T[];
  readonly next: number | null;
  readonly whole: boolean;
}

interface Written {
  readonly changed: boolean;
  readonly account?: VendorAccount;
}

/** A connector as the contract wants them: translation only, every call through the injected client. */
export function simulatedConnector(facts: VendorFacts): Connector {
  const send = async <T>(call: Call, body: VendorCall): Promise<T> => {
    const answer = await call.http.request({
      operation: body.operation,
      body,
      parse: (value) => value as T,
    });
    return answer.value;
  };
  const write = async (call: Call, body: VendorCall): Promise<Applied & Written> => {
    const { changed, account } = await send<Written>(call, body);
    return {
      changed,
      outcome: changed ? "changed" : "unchanged",
      requestIds: [],
      ...(account === undefined ? {} : { account }),
    };
  };
  async function* list<T>(call: Call, operation: string): AsyncGenerator<T | EndOfList> {
    let count = 0;
    for (let cursor: number | null = 0; cursor !== null;) {
      const page: Page<T> = await send(call, { operation, cursor });
      count += page.items.length;
      yield* page.items;
      if (page.next === null && !page.whole) return;
      cursor = page.next;
    }
    yield { complete: true, count };
  }
  return {
    facts,
    check: async (call) => ({
      ...(await send<Omit<CheckReport, "notes">>(call, { operation: "organization.read" })),
      notes: [],
    }),
    findAccounts: (call, who) => send(call, { operation: "accounts.find", ...who }),
    readGrants: async (call, account, slots: readonly Slot[]) => {
      const wanted = new Set(slots.map(slotKey));
      const held: readonly ObservedGrant[] = await send(call, {
        operation: "grants.read",
        accountId: account.accountId,
      });
      return held.filter((grant) => wanted.has(slotKey(grant)));
    },
    listAccounts: (call) => list<VendorAccount>(call, "accounts.list"),
    listObjects: (call) => list<VendorObject>(call, "objects.list"),
    createAccount: async (call, person: NewAccount) => {
      const made = await write(call, {
        operation: "accounts.create",
        email: person.email,
        role: person.role,
      });
      return { ...made, outcome: facts.create.invitationMs === null ? "changed" : "pending" };
    },
    setAccountRole: (call, account, role) =>
      write(call, { operation: "accounts.role", ...key(account), role }),
    removeAccount: (call, account) =>
      write(call, { operation: "accounts.remove", ...key(account) }),
    grant: (call, account, entitlement: Entitlement) =>
      write(call, { operation: "grants.set", ...key(account), entitlement }),
    revoke: (call, account, slot) =>
      write(call, {
        operation: "grants.remove",
        ...key(account),
        entitlement: { kind: slot.kind, objectId: slot.objectId, role: "" },
      }),
  };
}

function key(account: VendorAccount): { readonly accountId: AccountId } {
  return { accountId: account.accountId };
}
