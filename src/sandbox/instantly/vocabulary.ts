/** Roles of the OpenAPI document (2026-08-21). `owner` and `client` are read but not given by the API. */
export const memberRoles = ["owner", "admin", "editor", "view", "client"] as const;
export type MemberRole = (typeof memberRoles)[number];

/** Section restrictions of one member (same document). */
export const permissions = [
  "dashboard.view",
  "campaigns.view",
  "campaigns.create",
  "campaigns.edit",
  "campaigns.delete",
  "organization.manage",
  "organization.integrations",
  "organization.billing",
  "organization.users.manage",
  "leadFinder.view",
  "customLeadLabels.create",
  "customLeadLabels.edit",
  "customLeadLabels.delete",
  "unibox.all",
  "analytics.view",
  "websiteChat.view",
  "websiteChat.manage",
  "agency.manage",
  "accounts.view",
  "accounts.manage",
  "leadManagement.view",
  "leads.move",
  "crm.view",
  "websiteVisitors.view",
  "blocklist.manage",
  "preferences.manage",
  "inboxPlacement.view",
  "aiAgents.manage",
  "workspaceGroupMembers.invite",
  "workspaceGroupMembers.remove",
  "workspaceGroupMembers.leave",
] as const;

const actions = ["all", "create", "read", "update", "delete"] as const;

/** Resources of scopes; two of them have hyphens at the vendor too. */
const resources = [
  "all",
  "ai_agents",
  "api_keys",
  "audit_logs",
  "custom_prompt_templates",
  "account_campaign_mappings",
  "campaigns",
  "inbox_placement_tests",
  "inbox_placement_analytics",
  "inbox_placement_reports",
  "lead_lists",
  "leads",
  "background-jobs",
  "custom_tags",
  "custom_tag_mappings",
  "crm_actions",
  "accounts",
  "block_list_entries",
  "lead-labels",
  "emails",
  "email_templates",
  "workspaces",
  "workspace_billing",
  "workspace_group_members",
  "workspace_members",
  "subsequences",
  "ai_sdr",
  "ai_sdr_replies",
  "ai_inbox_manager_analytics",
  "sales_flows",
  "webhooks",
  "webhook_events",
  "security_tokens",
  "dfy_email_account_orders",
  "auth",
] as const;

/** Every scope that a key may have. */
export const scopes: readonly string[] = [
  ...resources.flatMap((resource) => actions.map((action) => `${resource}:${action}`)),
  // Verifications are neither changed nor deleted.
  "email_verifications:all",
  "email_verifications:create",
  "email_verifications:read",
];

/** Whether a key with these scopes may do `needed` (`<resource>:<action>`): by itself or through an `all`. */
export function allows(held: readonly string[], needed: string): boolean {
  const [resource = "", action = ""] = needed.split(":");
  return [needed, `${resource}:all`, `all:${action}`, "all:all"].some((scope) =>
    held.includes(scope),
  );
}

/** Activity types of the audit log that this simulator writes; the vendor has none for members. */
export const activity = { apiKeyCreated: 37, apiKeyDeleted: 38 } as const;
