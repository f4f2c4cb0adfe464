import type { Applied, Call, Connector } from "../../../src/connectors/connector.ts";
import type { VendorAccount } from "../../../src/model/account.ts";
import { asId, type AccountId } from "../../../src/model/ids.ts";
import type { EndpointFacts, VendorFacts } from "../../../src/model/vendor-facts.ts";

/** More rungs than any measure climbs: each wave gives everybody the next one, so that nothing is ever taken away. */
const rungs = 60;
export const rungOf = (wave: number) => `rung-${String(wave)}`;

const endpoint = (
  operation: string,
  method: EndpointFacts["method"],
  access: EndpointFacts["access"],
): EndpointFacts => ({ operation, method, path: `/${operation}`, access, bucket: "requests" });

export function slowFacts(limit: {
  readonly capacity: number;
  readonly perMs: number;
}): VendorFacts {
  return {
    vendor: "slow",
    profile: "default",
    kinds: {
      seat: {
        title: "seat",
        account: true,
        object: "none",
        fallbackRole: rungOf(0),
        needsActiveAccount: false,
        roles: Object.fromEntries(
          Array.from({ length: rungs }, (_, rung) => [
            rungOf(rung),
            { rank: rung, assignable: true, privileged: false, admin: false },
          ]),
        ),
      },
    },
    endpoints: [
      endpoint("organization", "GET", "read"),
      endpoint("find", "GET", "read"),
      endpoint("set", "POST", "write"),
    ],
    buckets: [{ name: "requests", ...limit }],
    create: { unique: true, invitationMs: null },
    settleMs: 1_000,
    impossible: [],
  };
}

/** The connector of `slow-vendor.ts`: the least that one can be. */
export function slowConnector(facts: VendorFacts): Connector {
  const set = async (call: Call, email: string, role: string): Promise<Applied> => {
    const { value } = await call.http.request({
      operation: "set",
      body: { email, role },
      parse: (body) => body as { readonly changed: boolean },
    });
    return { outcome: value.changed ? "changed" : "unchanged", requestIds: [] };
  };
  return {
    facts,
    check: async (call) => {
      const { value } = await call.http.request({
        operation: "organization",
        parse: (body) => body as { readonly id: string; readonly name: string },
      });
      return {
        organization: value,
        ownAccountIds: [],
        credential: { kind: "key", owner: undefined },
        notes: [],
      };
    },
    findAccounts: async (call, who) => {
      const { value } = await call.http.request({
        operation: "find",
        query: { email: who.emails },
        parse: (body) => body as readonly { readonly email: string; readonly role: string }[],
      });
      return value.map(accountOf);
    },
    readGrants: () => Promise.resolve([]),
    async *listAccounts() {
      yield await Promise.resolve({ complete: true as const, count: 0 });
    },
    async *listObjects() {
      yield await Promise.resolve({ complete: true as const, count: 0 });
    },
    createAccount: async (call, { email, role }) => ({
      ...(await set(call, email, role)),
      account: accountOf({ email, role }),
    }),
    setAccountRole: (call, account, role) => set(call, account.email, role),
    removeAccount: () => Promise.reject(new Error("nobody leaves this bench")),
    grant: () => Promise.reject(new Error("there is nothing but the seat")),
    revoke: () => Promise.reject(new Error("there is nothing but the seat")),
  };
}

function accountOf({
  email,
  role,
}: {
  readonly email: string;
  readonly role: string;
}): VendorAccount {
  return {
    accountId: asId<AccountId>(email),
    email,
    otherEmails: [],
    state: "active",
    role,
    displayName: undefined,
    createdAt: 0,
    expiresAt: undefined,
  };
}
