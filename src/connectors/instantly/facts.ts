import type { EndpointFacts, VendorFacts } from "../../model/vendor-facts.ts";

/** Kind of the account slot, the only one. */
export const workspaceRoleKind = "workspace_role";

const members = "/api/v2/workspace-members";
const keys = "/api/v2/api-keys";
const tags = "/api/v2/custom-tags";
const groupMembers = "/api/v2/workspace-group-members";
const bucket = "requests";

const read = (operation: string, path: string, scope: string): EndpointFacts => ({
  ...{ operation, method: "GET", path, access: "read", scope, bucket },
});
const write = (
  operation: string,
  method: EndpointFacts["method"],
  path: string,
  scope: string,
): EndpointFacts => ({ ...{ operation, method, path, access: "write", scope, bucket } });

/** `permissions` of a membership (the vendor's OpenAPI document of 2026-08-21). */
const sections = [
  ...["dashboard.view", "analytics.view", "crm.view", "leadFinder.view", "inboxPlacement.view"],
  ...["campaigns.view", "campaigns.create", "campaigns.edit", "campaigns.delete"],
  ...["organization.manage", "organization.integrations", "organization.billing"],
  ...["organization.users.manage", "agency.manage", "preferences.manage", "blocklist.manage"],
  ...["customLeadLabels.create", "customLeadLabels.edit", "customLeadLabels.delete"],
  ...["accounts.view", "accounts.manage", "leadManagement.view", "leads.move", "unibox.all"],
  ...["websiteChat.view", "websiteChat.manage", "websiteVisitors.view", "aiAgents.manage"],
  ...["workspaceGroupMembers.invite", "workspaceGroupMembers.remove"],
  "workspaceGroupMembers.leave",
];

/** Instantly workspaces (API v2). Ranks are ours; the rest with its sources is in README.md. */
export const instantlyFacts: VendorFacts = {
  vendor: "instantly",
  profile: "default",
  kinds: {
    [workspaceRoleKind]: {
      title: "workspace role",
      account: true,
      object: "none",
      fallbackRole: "view",
      needsActiveAccount: false,
      roles: {
        client: { rank: 5, assignable: false, privileged: false, admin: false },
        view: { rank: 10, assignable: true, privileged: false, admin: false },
        editor: { rank: 20, assignable: true, privileged: false, admin: false },
        admin: { rank: 30, assignable: true, privileged: true, admin: true },
        owner: { rank: 100, assignable: false, privileged: true, admin: true },
      },
    },
  },
  endpoints: [
    read("workspace.read", "/api/v2/workspaces/current", "workspaces:read"),
    read("members.list", members, "workspace_members:read"),
    read("members.read", `${members}/{memberId}`, "workspace_members:read"),
    write("members.create", "POST", members, "workspace_members:create"),
    write("members.update", "PATCH", `${members}/{memberId}`, "workspace_members:update"),
    write("members.remove", "DELETE", `${members}/{memberId}`, "workspace_members:delete"),
    read("api_keys.list", keys, "api_keys:read"),
    write("api_keys.create", "POST", keys, "api_keys:create"),
    write("api_keys.remove", "DELETE", `${keys}/{keyId}`, "api_keys:delete"),
    read("tags.list", tags, "custom_tags:read"),
    write("tags.create", "POST", tags, "custom_tags:create"),
    write("tags.remove", "DELETE", `${tags}/{tagId}`, "custom_tags:delete"),
    write("tags.toggle", "POST", `${tags}/toggle-resource`, "custom_tag_mappings:update"),
    read("tag_mappings.list", "/api/v2/custom-tag-mappings", "custom_tag_mappings:read"),
    read("campaigns.list", "/api/v2/campaigns", "campaigns:read"),
    read("accounts.list", "/api/v2/accounts", "accounts:read"),
    read("sub_workspaces.list", groupMembers, "workspace_group_members:read"),
    write("sub_workspaces.create", "POST", groupMembers, "workspace_group_members:create"),
    write(
      "sub_workspaces.remove",
      "DELETE",
      `${groupMembers}/{groupMemberId}`,
      "workspace_group_members:delete",
    ),
    read("audit_logs.list", "/api/v2/audit-logs", "audit_logs:read"),
  ],
  things: {
    api_key: {
      title: "API key",
      api: ["list", "create", "end"],
      reads: ["api_keys.list"],
      wants: ["scopes"],
      scopePattern: "^[a-z][a-z_-]*:(all|create|read|update|delete)$",
      byHand:
        "a key cannot be changed: end it with `rolecall things end`, and it is made anew as declared",
    },
    tag: {
      title: "tag",
      api: ["list", "create", "adjust", "end"],
      reads: ["tags.list", "tag_mappings.list", "campaigns.list", "accounts.list"],
      wants: ["team", "campaigns", "accounts"],
      byHand: "Instantly, tags of the campaign or account",
    },
    ownership: {
      title: "ownership of the",
      api: ["list"],
      wants: ["holder"],
      byHand:
        "the owner opens Instantly, Settings > Workspace & members > Change owner, and confirms with their own token; a second person confirms the task",
      task: "two people",
    },
    sub_workspace: {
      title: "sub-workspace",
      reads: ["sub_workspaces.list"],
      api: ["list", "create", "end"],
      wants: ["id"],
      byHand: "Instantly, Settings > Workspace group",
    },
  },
  actsInHeader: "x-as-workspace",
  // 100 a second and 6,000 a minute for the whole workspace: the first implies the second.
  buckets: [{ name: bucket, capacity: 100, perMs: 1_000 }],
  create: { unique: false, invitationMs: null, permissions: sections, nickname: true },
  settleMs: 5_000,
  lostForGood: ["the membership, with role and permissions: who comes back is invited anew"],
  impossible: [
    {
      what: "give, change or remove the owner",
      instead: "the owner hands the workspace over in the vendor's settings first",
    },
    {
      what: "give or change the role client",
      instead: "an agency does it in the vendor's settings; such members are reported only",
    },
    {
      what: "change the section permissions of a member",
      instead: "the vendor takes them at the invitation only; manage roles",
    },
    {
      what: "find the API keys that a leaver made",
      instead:
        "keys carry no maker: declare each with owner and purpose, and rotate shared ones after a leaver with admin rights",
    },
    {
      what: "change the scopes of a key",
      instead: "a key is ended and made anew",
    },
    {
      what: "restrict anybody by tags",
      instead: "tags label campaigns and accounts; whoever sees one sees all of them",
    },
    {
      what: "see in the log who was invited, changed or removed",
      instead: "the log has no such entries; what changed is found by comparing lists",
    },
    {
      what: "hand the workspace to another owner",
      instead:
        "the call wants a token that only the owner sees: a task for two people, closed by reading the owner",
    },
    {
      what: "re-send an invitation",
      instead: "it never expires; remove and invite again by hand if the mail was lost",
    },
    { what: "suspend a member", instead: "members are removed; a return is a new invitation" },
  ],
};
