import type { EndpointFacts, RoleFacts, VendorFacts } from "../../model/vendor-facts.ts";

const DAY_MS = 86_400_000;

/** Kind of the account slot, and of a workspace's membership. */
export const orgRoleKind = "org_role";
export const workspaceKind = "workspace";

const assignable = (rank: number): RoleFacts => ({
  rank,
  assignable: true,
  privileged: false,
  admin: false,
});
/** Read and reported; the API can neither give, change nor remove it. */
const readOnly = (rank: number, admin: boolean): RoleFacts => ({
  rank,
  assignable: false,
  privileged: true,
  admin,
  ...(admin ? { implies: [workspaceKind] } : {}),
});

const organizations = "/v1/organizations";
const members = `${organizations}/workspaces/{workspaceId}/members`;

const read = (operation: string, path: string): EndpointFacts => ({
  operation,
  method: "GET",
  path,
  access: "read",
  bucket: "admin",
});
/** Create and update are POST at this vendor. */
const write = (
  operation: string,
  method: "POST" | "DELETE",
  path: string,
  bucket = "admin",
): EndpointFacts => ({ operation, method, path, access: "write", bucket });

/** Claude Console organisations (Admin API). Ranks are ours; the rest with its sources is in README.md. */
export const consoleFacts: VendorFacts = {
  vendor: "anthropic",
  profile: "console",
  kinds: {
    [orgRoleKind]: {
      title: "organisation role",
      account: true,
      object: "none",
      fallbackRole: "user",
      needsActiveAccount: false,
      roles: {
        user: assignable(10),
        claude_code_user: assignable(20),
        developer: assignable(30),
        billing: {
          rank: 30,
          assignable: true,
          privileged: true,
          admin: false,
          implies: [workspaceKind],
        },
        managed: readOnly(15, false),
        membership_admin: readOnly(90, true),
        admin: readOnly(100, true),
        owner: readOnly(110, true),
        primary_owner: readOnly(120, true),
      },
    },
    [workspaceKind]: {
      title: "workspace membership",
      account: false,
      object: { idPattern: "^wrkspc_[A-Za-z0-9]+$" },
      needsActiveAccount: true,
      roles: {
        workspace_billing: { rank: 5, assignable: false, privileged: false, admin: false },
        workspace_user: assignable(10),
        workspace_restricted_developer: assignable(20),
        workspace_developer: assignable(30),
        workspace_admin: { rank: 40, assignable: true, privileged: true, admin: false },
      },
    },
  },
  endpoints: [
    read("organization.read", `${organizations}/me`),
    read("users.list", `${organizations}/users`),
    read("users.read", `${organizations}/users/{userId}`),
    write("users.update", "POST", `${organizations}/users/{userId}`),
    write("users.remove", "DELETE", `${organizations}/users/{userId}`),
    read("invites.list", `${organizations}/invites`),
    read("invites.read", `${organizations}/invites/{inviteId}`),
    write("invites.create", "POST", `${organizations}/invites`, "invites"),
    write("invites.remove", "DELETE", `${organizations}/invites/{inviteId}`),
    read("workspaces.list", `${organizations}/workspaces`),
    read("workspace_members.list", members),
    write("workspace_members.add", "POST", members),
    write("workspace_members.update", "POST", `${members}/{userId}`),
    write("workspace_members.remove", "DELETE", `${members}/{userId}`),
    read("api_keys.list", `${organizations}/api_keys`),
    read("api_keys.read", `${organizations}/api_keys/{keyId}`),
    write("api_keys.update", "POST", `${organizations}/api_keys/{keyId}`),
  ],
  buckets: [
    { name: "admin", capacity: 100, perMs: 60_000 },
    { name: "invites", capacity: 1_200, perMs: 3_600_000 },
  ],
  create: { unique: true, invitationMs: 21 * DAY_MS },
  settleMs: 30_000,
  organizationHeader: "anthropic-organization-id",
  requestIdHeader: "request-id",
  lostForGood: [
    "the membership and all workspace memberships: who comes back is invited anew",
    "personal API keys: they end with the account",
  ],
  impossible: [
    {
      what: "give, change or remove the roles admin, owner, primary_owner and membership_admin",
      instead: "an owner does it in the Console; a leaver with such a role becomes a manual step",
    },
    {
      what: "edit or re-send an invitation",
      instead: "it is deleted and created anew, with a new mail to the person",
    },
    {
      what: "put somebody into a workspace before the invitation is accepted",
      instead: "workspace roles wait for the acceptance and follow at once",
    },
    {
      what: "manage members of the Default workspace, or of the one named Claude Code",
      instead: "the first follows the organisation role, the second fills itself",
    },
    {
      what: "create an API key or read its secret",
      instead: "keys are made in the Console; keys that a leaver made are named in a finding",
    },
    {
      what: "suspend an account",
      instead: "accounts are removed; a return is a new invitation",
    },
    {
      what: "write members while the organisation's own SCIM or JIT provisioning is on",
      instead: "switch one of the two off, or keep the connection report-only",
    },
  ],
};
