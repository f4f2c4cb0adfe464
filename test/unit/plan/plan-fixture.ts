import type { ObservedGrant, VendorAccount } from "../../../src/model/account.ts";
import type { Desired, DesiredState } from "../../../src/model/assignment.ts";
import { asId } from "../../../src/model/ids.ts";
import { DAY_MS, type ConnectionPolicy } from "../../../src/model/policy.ts";
import type { RoleFacts, VendorFacts } from "../../../src/model/vendor-facts.ts";
import type { PlanInput } from "../../../src/plan/plan.ts";

const role = (rank: number, more: Partial<RoleFacts> = {}): RoleFacts => ({
  rank,
  assignable: true,
  privileged: false,
  admin: false,
  ...more,
});

/** A vendor with an account role and workspaces, small enough to read a plan by eye. */
export const facts: VendorFacts = {
  vendor: "acme",
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
        billing: role(30, { privileged: true, implies: ["workspace"] }),
        lead: role(40, { privileged: true, admin: true }),
        owner: role(100, { assignable: false, admin: true, privileged: true }),
      },
    },
    workspace: {
      title: "workspace",
      account: false,
      object: { idPattern: "^ws_" },
      needsActiveAccount: true,
      roles: { reader: role(10), writer: role(20), keeper: role(30, { privileged: true }) },
    },
  },
  endpoints: [],
  buckets: [],
  create: { unique: true, invitationMs: 21 * DAY_MS },
  settleMs: 0,
  impossible: [],
};

export const policy: ConnectionPolicy = {
  mode: "additive",
  sets: {},
  domains: ["example.com"],
  leaver: "remove",
  create: "invite",
  inviteResends: 2,
  timing: { debounceMs: 90_000, graceMs: 0, verifyMs: [0] },
  rails: {
    removals: { floor: 3, fraction: 0.1, windowMs: DAY_MS },
    oneCause: { floor: 50, fraction: 0.25, windowMs: DAY_MS },
    privilegedGrants: 1,
    leavers: { floor: 10, fraction: 0.01, windowMs: DAY_MS },
  },
  protectedAccounts: ["breakglass@example.com"],
  adminsMin: 2,
};

export function wish(kind: string, roleName: string, objectId = ""): Desired {
  return {
    kind,
    objectId,
    role: roleName,
    because: ["rule"],
    privileged: facts.kinds[kind]?.roles[roleName]?.privileged === true,
  };
}

export function desired(
  assignments: readonly Desired[],
  more: Partial<DesiredState> = {},
): DesiredState {
  return {
    lifecycle: "active",
    assignments,
    conflicts: [],
    unresolved: [],
    keep: [],
    mappingVersion: "v1",
    profile: { emails: ["ada@example.com"], displayName: "Ada" },
    ...more,
  };
}

export function account(more: Partial<VendorAccount> = {}): VendorAccount {
  return {
    accountId: asId("acc_1"),
    email: "ada@example.com",
    otherEmails: [],
    state: "active",
    role: "user",
    displayName: "Ada",
    createdAt: 0,
    expiresAt: undefined,
    ...more,
  };
}

export function held(objectId: string, roleName: string, implicit = false): ObservedGrant {
  return { kind: "workspace", objectId, role: roleName, implicit };
}

export function input(more: Partial<PlanInput>): PlanInput {
  return {
    facts,
    policy,
    desired: desired([]),
    account: undefined,
    grants: [],
    ledger: [],
    ownAccountIds: [],
    activeAdmins: 5,
    ...more,
  };
}
