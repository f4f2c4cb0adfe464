import type { EndpointFacts, KindFacts, VendorFacts } from "../../model/vendor-facts.ts";

/** Kind of the account slot. */
export const teammateKind = "teammate";
export const roleKind = "role";
export const seatKind = "seat";
export const teamKind = "team";
export const member = "member";

/** The service of the profile `scim` beside the REST API. */
export const scimService = "scim";

/** Labels of the vendor's Developer Hub (authentication scopes, 2026-08): what the app of the token has to have ticked. */
const scopes = {
  admins: "Read admins",
  oneAdmin: "Read one admin",
  away: "Update admins",
  log: "Read admin activity logs",
  conversations: "Read conversations",
  writeConversations: "Write conversations",
  tickets: "Read tickets",
  writeTickets: "Write tickets",
} as const;

const rest = (
  operation: string,
  method: EndpointFacts["method"],
  path: string,
  scope: string,
  access: EndpointFacts["access"] = "read",
): EndpointFacts => ({ operation, method, path, access, scope, bucket: "rest" });

/** The write of team members is only in the preview version of the API. */
const preview = { "intercom-version": "Preview" };

const restEndpoints: readonly EndpointFacts[] = [
  rest("me.read", "GET", "/me", scopes.admins),
  rest("admins.list", "GET", "/admins", scopes.admins),
  rest("admins.read", "GET", "/admins/{adminId}", scopes.oneAdmin),
  rest("admins.away", "PUT", "/admins/{adminId}/away", scopes.away, "write"),
  rest("activity_logs.list", "GET", "/admins/activity_logs", scopes.log),
  rest("teams.list", "GET", "/teams", scopes.admins),
  rest("teams.read", "GET", "/teams/{teamId}", scopes.admins),
  {
    ...rest("teams.update", "PUT", "/teams/{teamId}", scopes.away, "write"),
    headers: preview,
  },
  rest("conversations.search", "POST", "/conversations/search", scopes.conversations),
  rest("conversations.read", "GET", "/conversations/{conversationId}", scopes.conversations),
  rest(
    "conversations.note",
    "POST",
    "/conversations/{conversationId}/reply",
    scopes.writeConversations,
    "write",
  ),
  rest(
    "conversations.assign",
    "POST",
    "/conversations/{conversationId}/parts",
    scopes.writeConversations,
    "write",
  ),
  rest("tickets.search", "POST", "/tickets/search", scopes.tickets),
  rest("tickets.read", "GET", "/tickets/{ticketId}", scopes.tickets),
  rest("tickets.create", "POST", "/tickets", scopes.writeTickets, "write"),
  rest("tickets.update", "PUT", "/tickets/{ticketId}", scopes.writeTickets, "write"),
];

const scim = (
  operation: string,
  method: EndpointFacts["method"],
  path: string,
  access: EndpointFacts["access"] = "read",
): EndpointFacts => ({ operation, method, path, access, service: scimService, bucket: "scim" });

const scimEndpoints: readonly EndpointFacts[] = [
  scim("scim_users.list", "GET", "/Users"),
  scim("scim_users.create", "POST", "/Users", "write"),
  scim("scim_users.update", "PATCH", "/Users/{userId}", "write"),
];

const ordinary = { privileged: false, admin: false, assignable: true } as const;

const teammate: KindFacts = {
  title: "teammate",
  account: true,
  object: "none",
  fallbackRole: member,
  needsActiveAccount: false,
  roles: { [member]: { ...ordinary, rank: 10 } },
};

const kinds = {
  [roleKind]: {
    title: "permission role",
    account: false,
    object: { idPattern: "^[0-9]+$" },
    needsActiveAccount: true,
    exclusive: true,
    roles: { [member]: { ...ordinary, rank: 10 } },
    byHand: {
      always: true,
      give: ["in Intercom, Settings > Workspace > Teammates > Edit, give the teammate the role"],
      take: ["in Intercom, Settings > Workspace > Teammates > Edit, take the role away"],
    },
  },
  [seatKind]: {
    title: "seat",
    account: false,
    object: "none",
    needsActiveAccount: true,
    roles: { inbox: { ...ordinary, rank: 10 } },
    byHand: {
      always: true,
      give: [
        "in Intercom, Settings > Workspace > Teammates > Edit, give the teammate an Inbox seat; if none is free, free or buy one first: nothing is bought here",
      ],
      take: ["in Intercom, Settings > Workspace > Teammates > Edit, take the Inbox seat away"],
    },
  },
  [teamKind]: {
    title: "team membership",
    account: false,
    object: { idPattern: "^[0-9]+$" },
    needsActiveAccount: true,
    roles: {
      secondary: { ...ordinary, rank: 10 },
      [member]: { ...ordinary, rank: 20 },
    },
    byHand: {
      always: false,
      give: ["in Intercom, Settings > Helpdesk > Teams, add the teammate to the team"],
      take: ["in Intercom, Settings > Helpdesk > Teams, remove the teammate from the team"],
    },
  },
} as const satisfies Record<string, KindFacts>;

const lostForGood = [
  "the teammate with role, teams and seat: a restored one starts from nothing",
  "the hold on conversations and articles: the workspace's default owner has what nobody took over, closed ones too",
];

const impossible = [
  {
    what: "give, change or take a permission role, or list roles that nobody holds",
    instead:
      "a manual step that closes itself when the role shows at the teammate; a role that nobody holds yet is unknown until somebody does",
  },
  {
    what: "read or write single permissions; a teammate without a named role may have any of them",
    instead:
      "use named roles, and list the workspace's super admins below `protected: accounts`: the admin floor cannot count them",
  },
  { what: "give or take an Inbox seat", instead: "a manual step, verified by reading" },
  {
    what: "create, rename or delete a team, or remove its last member",
    instead: "it is done in the settings; a team that a mapping names and nobody made is a finding",
  },
  {
    what: "see, re-send or cancel an open invitation",
    instead: "Settings > Workspace > Teammates > Invited",
  },
  {
    what: "suspend a teammate",
    instead:
      "going away with reassignment keeps new conversations from them until they are removed",
  },
  {
    what: "record what teammates do as data events",
    instead: "events belong to contacts; the activity log is read instead",
  },
] as const;

/** The API lists no access tokens and no credentials of apps: what is declared is looked after by people. */
const things: NonNullable<VendorFacts["things"]> = {
  api_key: {
    title: "access token",
    api: [],
    wants: ["scopes"],
    byHand:
      "Intercom, Developer Hub > the app > Authentication: whoever owns the app regenerates it",
  },
};

const base = {
  vendor: "intercom",
  // Of 10,000 a minute for a private app; older workspaces have 1,000, and windows are ten seconds long.
  buckets: [{ name: "rest", capacity: 160, perMs: 10_000 }],
  settleMs: 10_000,
  tickets: true,
} as const;

/** A workspace with REST only: people come and go by hand, verified by reading. Sources are in README.md. */
export const restFacts: VendorFacts = {
  ...base,
  profile: "default",
  kinds: {
    [teammateKind]: {
      ...teammate,
      byHand: {
        always: true,
        give: [
          "in Intercom, Settings > Workspace > Teammates > Add new, invite exactly the person's address",
        ],
        take: [
          "in Intercom, Settings > Workspace > Teammates > Edit > Remove teammate; the conversations that were not handed over go to whom you choose there",
        ],
      },
    },
    ...kinds,
  },
  endpoints: restEndpoints,
  create: { unique: false, invitationMs: null },
  lostForGood,
  things,
  impossible: [
    {
      what: "invite or remove teammates in a plan without SCIM",
      instead: "manual steps that close themselves by reading; with SCIM use the profile scim",
    },
    ...impossible,
  ],
};

/** A workspace whose SCIM provisioning is ours to use: people come and go by API. */
export const scimFacts: VendorFacts = {
  ...base,
  profile: "scim",
  kinds: { [teammateKind]: teammate, ...kinds },
  services: {
    [scimService]: {
      title: "SCIM provisioning, as Settings > Security > SCIM shows it",
      path: "/scim/v2",
      media: { send: "application/scim+json", accept: "application/scim+json, application/json" },
    },
  },
  endpoints: [...restEndpoints, ...scimEndpoints],
  // The vendor tells no limit for SCIM.
  buckets: [...base.buckets, { name: "scim", capacity: 20, perMs: 10_000 }],
  create: { unique: false, invitationMs: null },
  lostForGood,
  things,
  impossible: [
    {
      what: "deactivate a teammate and keep the account",
      instead:
        "the vendor deletes whoever is deactivated; a return is a new account without the old role and teams",
    },
    {
      what: "provision groups, roles or seats by SCIM",
      instead: "teams by the preview write or by hand, roles and seats by hand",
    },
    ...impossible,
  ],
};
