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

/** Kind of a group's membership, in Enterprise organisations. */
export const groupKind = "group";
export const groupMember = "member";
const groupMembers = `${organizations}/rbac_groups/{groupId}/members`;

const scoped = (scope: string, facts: EndpointFacts): EndpointFacts => ({ ...facts, scope });

/** Calls that both types of organisation have. */
const memberEndpoints: readonly EndpointFacts[] = [
  scoped("read:members", read("organization.read", `${organizations}/me`)),
  scoped("read:members", read("users.list", `${organizations}/users`)),
  scoped("read:members", read("users.read", `${organizations}/users/{userId}`)),
  scoped("write:members", write("users.update", "POST", `${organizations}/users/{userId}`)),
  scoped("write:members", write("users.remove", "DELETE", `${organizations}/users/{userId}`)),
  scoped("read:members", read("invites.list", `${organizations}/invites`)),
  scoped("read:members", read("invites.read", `${organizations}/invites/{inviteId}`)),
  scoped("write:members", write("invites.create", "POST", `${organizations}/invites`, "invites")),
  scoped("write:members", write("invites.remove", "DELETE", `${organizations}/invites/{inviteId}`)),
];

/** The same without scopes: Console admin keys have none to select. */
const unscoped = memberEndpoints.map(({ scope: _scope, ...facts }): EndpointFacts => facts);

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
    ...unscoped,
    read("workspaces.list", `${organizations}/workspaces`),
    write("workspaces.create", "POST", `${organizations}/workspaces`),
    read("rate_limits.list", `${organizations}/workspaces/{workspaceId}/rate_limits`),
    write(
      "rate_limits.update",
      "POST",
      `${organizations}/workspaces/{workspaceId}/rate_limits/{rateLimitId}`,
    ),
    read("workspace_members.list", members),
    write("workspace_members.add", "POST", members),
    write("workspace_members.update", "POST", `${members}/{userId}`),
    write("workspace_members.remove", "DELETE", `${members}/{userId}`),
    {
      ...read("activities.list", "/v1/compliance/activities"),
      bucket: "compliance",
      scope: "read:compliance_activities",
    },
    read("api_keys.list", `${organizations}/api_keys`),
    read("api_keys.read", `${organizations}/api_keys/{keyId}`),
    write("api_keys.update", "POST", `${organizations}/api_keys/{keyId}`),
  ],
  things: {
    workspace: {
      title: "workspace",
      api: ["list", "create", "adjust"],
      wants: ["limits"],
      byHand: "an admin does it in the Console; archiving cannot be undone and is never done here",
    },
    api_key: {
      title: "API key",
      api: ["list", "end"],
      wants: [],
      byHand: "an admin makes it in the Console, which alone shows its secret",
    },
  },
  buckets: [
    { name: "admin", capacity: 100, perMs: 60_000 },
    { name: "invites", capacity: 1_200, perMs: 3_600_000 },
    // All keys of the parent organisation together.
    { name: "compliance", capacity: 600, perMs: 60_000 },
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
      what: "archive or delete a workspace",
      instead:
        "it cannot be undone and ends every key of the workspace: an admin does it in the Console",
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

/** Claude Enterprise organisations: members, two assignable roles, groups that carry custom roles. */
export const enterpriseFacts: VendorFacts = {
  vendor: "anthropic",
  profile: "enterprise",
  kinds: {
    [orgRoleKind]: {
      title: "organisation role",
      account: true,
      object: "none",
      fallbackRole: "user",
      needsActiveAccount: false,
      roles: {
        user: assignable(10),
        managed: assignable(20),
        membership_admin: { ...readOnly(90, true), implies: [] },
        owner: { ...readOnly(110, true), implies: [] },
        primary_owner: { ...readOnly(120, true), implies: [] },
      },
    },
    [groupKind]: {
      title: "group membership",
      account: false,
      object: { idPattern: "^rbac_group_[A-Za-z0-9]+$" },
      needsActiveAccount: true,
      roles: { [groupMember]: assignable(10) },
      byHand: {
        always: false,
        give: ["in Claude, Organization settings > Groups > {object}, add {account}"],
        take: ["in Claude, Organization settings > Groups > {object}, remove {account}"],
      },
    },
  },
  endpoints: [
    ...memberEndpoints,
    {
      ...scoped(
        "write:members",
        write("users.sign_out", "POST", `${organizations}/users/{userId}/sign_out`),
      ),
      headers: { "anthropic-beta": "admin-user-sign-out-2026-10-08" },
    },
    scoped("read:rbac_groups", read("rbac_groups.list", `${organizations}/rbac_groups`)),
    scoped("read:rbac_groups", read("rbac_group_members.list", groupMembers)),
    scoped("write:rbac_groups", write("rbac_group_members.add", "POST", groupMembers)),
    scoped(
      "write:rbac_groups",
      write("rbac_group_members.remove", "DELETE", `${groupMembers}/{userId}`),
    ),
    {
      ...read("activities.list", "/v1/compliance/activities"),
      bucket: "compliance",
      scope: "read:compliance_activities",
    },
  ],
  buckets: consoleFacts.buckets,
  create: consoleFacts.create,
  settleMs: consoleFacts.settleMs,
  organizationHeader: "anthropic-organization-id",
  requestIdHeader: "request-id",
  lostForGood: [
    "the membership and all group memberships: who comes back is invited anew",
    "the seat: it goes back to the pool, and may be taken when they return",
  ],
  impossible: [
    {
      what: "give, change or remove the roles owner, primary_owner and membership_admin",
      instead:
        "an owner does it in the organisation's settings; a leaver with one is a manual step",
    },
    {
      what: "change members of a group that grants owner access, or that the vendor's own SCIM fills",
      instead:
        "such a group is a manual step; a filled one follows the identity provider by itself",
    },
    {
      what: "attach roles to groups, or make custom roles",
      instead: "it is done in the organisation's settings; a mapping gives groups",
    },
    {
      what: "buy a seat",
      instead: "the invitation is refused and the person waits, with a finding, until one is free",
    },
    {
      what: "workspaces and API keys",
      instead: "Console organisations have them: profile console",
    },
    {
      what: "end sessions at once",
      instead:
        "a leaver is signed out everywhere before the removal, where the vendor offers it; a token may live up to an hour",
    },
    {
      what: "write members while the organisation's own SCIM or JIT provisioning is on",
      instead: "switch one of the two off, or keep the connection report-only",
    },
  ],
};
