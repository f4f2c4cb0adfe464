/** Activity types that this simulator writes, a few of the vendor's open list (OpenAPI 2.16, activity log event types). */
export const activityTypes = [
  "admin_away_mode_change",
  "admin_deletion",
  "admin_deprovisioned",
  "admin_invite_creation",
  "admin_invite_deletion",
  "admin_permission_change",
  "admin_provisioned",
  "app_admin_join",
  "app_package_installation",
  "app_package_token_regeneration",
  "app_package_uninstallation",
  "app_team_creation",
  "app_team_deletion",
  "app_team_membership_modification",
  "role_creation",
  "seat_change",
  "security_settings_change",
] as const;
export type ActivityType = (typeof activityTypes)[number];

/** In the vendor's payloads and not in its documents: readers have to take what they do not know. */
export const undocumentedActivity = "ai_inbox_translation_setting_change";

/**
 * What a token may be allowed. `read_admins`, `read_conversations`, `write_conversations` and `write_tickets` are the vendor's words; of the others
 * only the labels of its Developer Hub are known ("Read one admin", "Update admins", "Read admin activity logs").
 */
export const scopes = [
  "read_admins",
  "read_one_admin",
  "update_admins",
  "read_admin_activity_logs",
  "read_conversations",
  "write_conversations",
  "read_tickets",
  "write_tickets",
] as const;
export type Scope = (typeof scopes)[number];

/** Of a ticket's state (OpenAPI 2.16). */
export const ticketCategories = [
  "submitted",
  "in_progress",
  "waiting_on_customer",
  "resolved",
] as const;
export type TicketCategory = (typeof ticketCategories)[number];

export const regions = ["US", "EU", "AU"] as const;
export type Region = (typeof regions)[number];
