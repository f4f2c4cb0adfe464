import { DAY_MS } from "../../src/model/policy.ts";
import type { EndpointFacts, RoleFacts, VendorFacts } from "../../src/model/vendor-facts.ts";

const role = (rank: number, more: Partial<RoleFacts> = {}): RoleFacts => ({
  rank,
  assignable: true,
  privileged: false,
  admin: false,
  ...more,
});

const endpoint = (operation: string, access: EndpointFacts["access"]): EndpointFacts => ({
  operation,
  method: access === "read" ? "GET" : "POST",
  path: `/${operation}`,
  access,
  bucket: "requests",
});

const endpoints = [
  endpoint("organization.read", "read"),
  endpoint("accounts.find", "read"),
  endpoint("accounts.list", "read"),
  endpoint("grants.read", "read"),
  endpoint("objects.list", "read"),
  endpoint("accounts.create", "write"),
  endpoint("accounts.role", "write"),
  endpoint("accounts.remove", "write"),
  endpoint("grants.set", "write"),
  endpoint("grants.remove", "write"),
];

/** Invites by mail and refuses a second invitation; roles of an organisation, and of workspaces for who has accepted. */
export const desk: VendorFacts = {
  vendor: "desk",
  profile: "default",
  kinds: {
    org_role: {
      title: "organisation role",
      account: true,
      object: "none",
      fallbackRole: "user",
      needsActiveAccount: false,
      roles: {
        user: role(10),
        developer: role(30),
        lead: role(40, { privileged: true, admin: true }),
        owner: role(100, { assignable: false, admin: true, privileged: true }),
      },
    },
    workspace: {
      title: "workspace",
      account: false,
      object: { idPattern: "^ws_" },
      needsActiveAccount: true,
      roles: { reader: role(10), writer: role(20) },
    },
  },
  endpoints,
  // A token every 1.2 s: a few people at once fill it.
  buckets: [{ name: "requests", capacity: 50, perMs: 60_001 }],
  create: { unique: true, invitationMs: 2 * DAY_MS },
  settleMs: 2_000,
  impossible: [],
};

/** Adds members at once, twice if it is asked twice; one role each, and nothing else. */
export const seats: VendorFacts = {
  vendor: "seats",
  profile: "default",
  kinds: {
    seat: {
      title: "seat",
      account: true,
      object: "none",
      fallbackRole: "view",
      needsActiveAccount: false,
      roles: {
        view: role(10),
        editor: role(20),
        admin: role(30, { privileged: true, admin: true }),
        owner: role(100, { assignable: false, admin: true, privileged: true }),
      },
    },
  },
  endpoints,
  buckets: [{ name: "requests", capacity: 60, perMs: 60_001 }],
  create: { unique: false, invitationMs: null },
  settleMs: 5_000,
  impossible: [],
};

export const shapes: readonly VendorFacts[] = [desk, seats];
