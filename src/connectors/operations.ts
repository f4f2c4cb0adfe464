/** How a thing is done at a vendor. roster: read from a list of members that people bring · manual: a task for a person. */
export type Way = "API" | "SCIM" | "roster" | "manual" | "impossible";

/** What an admin does for people, roles and workspaces, in one order for all vendors. */
export const operationNames = [
  "say whose credential it is",
  "read members and their roles",
  "invite or create a member",
  "give another role",
  "make or unmake an admin",
  "remove a member",
  "put into a workspace, team or group, and take out",
  "make or delete a workspace, team or group",
  "set limits of a workspace",
  "group workspaces of an agency",
  "make API keys, and end them",
  "list API keys against their register",
  "mark work by team",
  "keep new work from a leaver",
  "hand over a leaver's open work",
  "hand over ownership",
  "switch off a leaver's API keys",
  "end sessions",
  "open tickets for work by hand",
  "read the vendor's log",
] as const;
export type OperationName = (typeof operationNames)[number];

export interface OperationWay {
  readonly way: Way;
  /** The page that says so, and when it was read. */
  readonly source: string;
}

type Ways = Readonly<Record<OperationName, OperationWay>>;
const by =
  (way: Way) =>
  (source: string): OperationWay => ({ way, source });
const api = by("API");
const scim = by("SCIM");
const roster = by("roster");
const manual = by("manual");
const impossible = by("impossible");

const noDesk = "the vendor has no help desk";
const adminApi = "Admin API reference, 2026-08";
const anthropicConsole: Ways = {
  "say whose credential it is": api(`${adminApi}: organizations/me`),
  "read members and their roles": api(`${adminApi}: users, invites`),
  "invite or create a member": api(`${adminApi}: invites; there is no POST /users`),
  "give another role": api(`${adminApi}: users, all roles but admin and owner classes`),
  "make or unmake an admin": manual(`${adminApi}: admin and owner classes are refused`),
  "remove a member": api(`${adminApi}: users, invites`),
  "put into a workspace, team or group, and take out": api(`${adminApi}: workspace members`),
  "make or delete a workspace, team or group": api(
    `${adminApi}: workspaces; made by declaration, never archived: that cannot be undone`,
  ),
  "set limits of a workspace": api(`${adminApi}: workspaces, rate_limits`),
  "group workspaces of an agency": impossible("no such thing: one organisation, many workspaces"),
  "make API keys, and end them": manual(`${adminApi}: keys are made in the Console`),
  "list API keys against their register": api(`${adminApi}: api_keys`),
  "mark work by team": impossible("no tags on anything but workspaces"),
  "keep new work from a leaver": impossible("nothing is routed to members"),
  "hand over a leaver's open work": impossible("nothing is routed to members"),
  "hand over ownership": manual("Console settings: the primary owner does it"),
  "switch off a leaver's API keys": api(`${adminApi}: api_keys, status`),
  "end sessions": impossible(`${adminApi}: no such call for Console organisations`),
  "open tickets for work by hand": impossible(noDesk),
  "read the vendor's log": api("compliance guide, 2026-08: activities, once switched on"),
};

const anthropicEnterprise: Ways = {
  ...anthropicConsole,
  "give another role": api(`${adminApi}: users, user and managed`),
  "put into a workspace, team or group, and take out": api(
    "SDK 1.12.0, 2026-11: rbac_groups members; those that grant owner access by hand",
  ),
  "make or delete a workspace, team or group": manual(
    "not done here: roles are attached to groups in the settings alone",
  ),
  "set limits of a workspace": impossible("Enterprise organisations have no workspaces"),
  "make API keys, and end them": manual("Organization settings: keys with scopes"),
  "list API keys against their register": manual(`${adminApi}: api_keys are of Console only`),
  "hand over ownership": manual("Organization settings: the primary owner does it"),
  "switch off a leaver's API keys": impossible("people have no keys here"),
  "end sessions": api("SDK 1.12.0 beta, 2026-11: users sign_out, where the organisation has it"),
};

const instantlyApi = "API v2 OpenAPI document, 2026-08-21";
const instantly: Ways = {
  "say whose credential it is": api(`${instantlyApi}: workspaces/current`),
  "read members and their roles": api(`${instantlyApi}: workspace-members`),
  "invite or create a member": api(`${instantlyApi}: workspace-members`),
  "give another role": api(`${instantlyApi}: workspace-members, all but owner and client`),
  "make or unmake an admin": api(`${instantlyApi}: workspace-members, role admin`),
  "remove a member": api(`${instantlyApi}: workspace-members`),
  "put into a workspace, team or group, and take out": manual(
    "a workspace is a connection; an agency's sub-workspaces accept in their settings",
  ),
  "make or delete a workspace, team or group": manual("not ours: made at the vendor"),
  "set limits of a workspace": impossible(`${instantlyApi}: limits are the plan's`),
  "group workspaces of an agency": api(`${instantlyApi}: workspace-group-members`),
  "make API keys, and end them": api(`${instantlyApi}: api-keys`),
  "list API keys against their register": api(`${instantlyApi}: api-keys; no maker is told`),
  "mark work by team": api(`${instantlyApi}: custom-tags, toggle-resource`),
  "keep new work from a leaver": impossible("nothing is routed to members"),
  "hand over a leaver's open work": manual(`${instantlyApi}: owners of campaigns are read only`),
  "hand over ownership": manual(`${instantlyApi}: change-owner wants a token from the settings`),
  "switch off a leaver's API keys": manual("keys name no maker: a person says whose they are"),
  "end sessions": impossible(`${instantlyApi}: no such call`),
  "open tickets for work by hand": impossible(noDesk),
  "read the vendor's log": api(`${instantlyApi}: audit-logs; nothing about members`),
};

const intercomApi = "OpenAPI document 2.16, 2026-08";
const intercomHelp = "help centre, 2026-08";
const intercom: Ways = {
  "say whose credential it is": api(`${intercomApi}: me`),
  "read members and their roles": api(`${intercomApi}: admins, teams`),
  "invite or create a member": manual(`${intercomApi}: no such call`),
  "give another role": manual(`${intercomApi}: roles are read and written nowhere`),
  "make or unmake an admin": manual(`${intercomApi}: permissions are in no call`),
  "remove a member": manual(`${intercomApi}: no such call`),
  "put into a workspace, team or group, and take out": api(
    "Preview PUT /teams/{id}, 2026-08-20, where the workspace has it; else manual",
  ),
  "make or delete a workspace, team or group": manual(`${intercomApi}: members only are written`),
  "set limits of a workspace": impossible(`${intercomApi}: limits are the app's`),
  "group workspaces of an agency": impossible("no such thing"),
  "make API keys, and end them": manual("Developer Hub: an app has one token per installation"),
  "list API keys against their register": manual("Developer Hub"),
  "mark work by team": impossible("a conversation's team is its mark: routed, not labelled, here"),
  "keep new work from a leaver": api(`${intercomApi}: away mode with reassignment`),
  "hand over a leaver's open work": api(`${intercomApi}: conversations search, assign, note`),
  "hand over ownership": manual(`${intercomHelp}: workspace owner`),
  "switch off a leaver's API keys": manual("an app's token dies with the app, by its developer"),
  "end sessions": impossible(`${intercomApi}: no such call`),
  "open tickets for work by hand": api(`${intercomApi}: tickets`),
  "read the vendor's log": api(`${intercomApi}: admins/activity_logs`),
};
const intercomScim: Ways = {
  ...intercom,
  "invite or create a member": scim(`${intercomHelp}: SCIM provisioning`),
  "remove a member": scim(`${intercomHelp}: SCIM provisioning, deactivation deletes`),
};

const clayHelp = "help centre, 2026-08";
const clayNone = "Public API v0, 2026-08: 13 calls, none about members; no SCIM on any plan";
const clay: Ways = {
  "say whose credential it is": api("Public API v0, 2026-08: me"),
  "read members and their roles": roster(clayNone),
  "invite or create a member": manual(`${clayHelp}: Settings > Team`),
  "give another role": manual(`${clayHelp}: Settings > Team`),
  "make or unmake an admin": manual(`${clayHelp}: Settings > Team`),
  "remove a member": manual(`${clayHelp}: Settings > Team`),
  "put into a workspace, team or group, and take out": impossible(
    `${clayHelp}: groups are of the plan Enterprise`,
  ),
  "make or delete a workspace, team or group": impossible(`${clayHelp}: plan Enterprise`),
  "set limits of a workspace": manual(`${clayHelp}: Settings > Credit usage, budgets`),
  "group workspaces of an agency": impossible("no such thing"),
  "make API keys, and end them": manual(`${clayHelp}: Settings > Account > API keys`),
  "list API keys against their register": manual("keys are personal: only the register tells"),
  "mark work by team": impossible("tables and folders have no tags"),
  "keep new work from a leaver": impossible("nothing is routed to members"),
  "hand over a leaver's open work": impossible("nothing is routed to members"),
  "hand over ownership": manual("who inherits workbooks is not documented: noted before removal"),
  "switch off a leaver's API keys": manual("keys are personal and end with the membership"),
  "end sessions": impossible(clayNone),
  "open tickets for work by hand": impossible(noDesk),
  "read the vendor's log": impossible("no log of members, exports or logins"),
};
const clayEnterprise: Ways = {
  ...clay,
  "put into a workspace, team or group, and take out": manual(`${clayHelp}: Teams > Groups`),
  "make or delete a workspace, team or group": manual(`${clayHelp}: Teams > Groups`),
};

const scimStandard: Ways = {
  "say whose credential it is": scim(
    "RFC 7644 §3.4: an account that is always there stands for it",
  ),
  "read members and their roles": scim("RFC 7644 §3.4.2"),
  "invite or create a member": scim("RFC 7644 §3.3"),
  "give another role": scim("RFC 7643 §4.1.2, where the target has roles"),
  "make or unmake an admin": scim("RFC 7643 §4.1.2, where the target has roles"),
  "remove a member": scim("RFC 7644 §3.5.2 and §3.6, as the target says"),
  "put into a workspace, team or group, and take out": scim("RFC 7644 §3.5"),
  "make or delete a workspace, team or group": manual("not ours: made at the vendor"),
  "set limits of a workspace": impossible("RFC 7643: no limits"),
  "group workspaces of an agency": impossible("RFC 7643: no such thing"),
  "make API keys, and end them": impossible("RFC 7643: no keys"),
  "list API keys against their register": impossible("RFC 7643: no keys"),
  "mark work by team": impossible("RFC 7643: no such thing"),
  "keep new work from a leaver": impossible("RFC 7643: no such thing"),
  "hand over a leaver's open work": impossible("RFC 7643: no ownership"),
  "hand over ownership": manual("RFC 7643: no ownership"),
  "switch off a leaver's API keys": impossible("RFC 7643: no keys"),
  "end sessions": impossible("RFC 7643: no sessions"),
  "open tickets for work by hand": impossible(noDesk),
  "read the vendor's log": impossible("RFC 7644: no log"),
};
const scimDeletes: Ways = {
  ...scimStandard,
  "give another role": impossible("this profile has people only"),
  "make or unmake an admin": impossible("this profile has people only"),
  "remove a member": scim("RFC 7644 §3.5.2: off means deleted, once somebody accepts the loss"),
  "put into a workspace, team or group, and take out": impossible("this profile has people only"),
};

/** Vendor and profile → how each operation is done. A test holds it to the connectors. */
export const operationWays: Readonly<Record<string, Ways>> = {
  "anthropic/console": anthropicConsole,
  "anthropic/enterprise": anthropicEnterprise,
  "clay/default": clay,
  "clay/enterprise": clayEnterprise,
  "instantly/default": instantly,
  "intercom/default": intercom,
  "intercom/scim": intercomScim,
  "scim/deletes": scimDeletes,
  "scim/replace": scimStandard,
  "scim/standard": scimStandard,
};

/** The table of `README.md`: a row an operation, a column a profile. */
export function operationTable(): string {
  const profiles = Object.keys(operationWays);
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    row(["operation", ...profiles]),
    row(["operation", ...profiles].map(() => "---")).replaceAll(" ", ""),
    ...operationNames.map((name) =>
      row([name, ...profiles.map((profile) => operationWays[profile]?.[name].way ?? "")]),
    ),
  ].join("\n");
}
