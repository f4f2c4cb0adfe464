import type { RosterFacts } from "../../model/roster.ts";
import type { KindFacts, RoleFacts, VendorFacts } from "../../model/vendor-facts.ts";

const DAY_MS = 86_400_000;

export const roleKind = "workspace_role";
export const groupKind = "group";
export const member = "member";

const role = (rank: number, more: Partial<RoleFacts> = {}): RoleFacts => ({
  rank,
  assignable: true,
  privileged: false,
  admin: false,
  ...more,
});

/** Names that the product, its older pages and exports give to the roles (clay.com help, 2026-08). */
const roster: RosterFacts = {
  aliases: {
    admin: "admin",
    owner: "admin",
    editor: "editor",
    member: "editor",
    user: "editor",
    viewer: "viewer",
    "sales rep": "sales_rep",
    sales_rep: "sales_rep",
  },
  adminRoles: ["admin"],
  ageMaxMs: 14 * DAY_MS,
  where: "Settings > Team (older: Settings > Members), with each person's groups",
};

const team = "in Clay, Settings > Team (in some workspaces: Settings > Members)";

/** The plan Enterprise has viewers and groups; elsewhere nobody can be asked to give them. */
function roles(enterprise: boolean): KindFacts["roles"] {
  return {
    viewer: role(10, { assignable: enterprise }),
    // Reaches Clay through an AI tool only; which plans have it is not documented.
    sales_rep: role(5, { assignable: false }),
    editor: role(20),
    admin: role(100, { privileged: true, admin: true }),
  };
}

const accounts = (enterprise: boolean): KindFacts => ({
  title: "workspace role",
  account: true,
  object: "none",
  fallbackRole: "editor",
  needsActiveAccount: false,
  roles: roles(enterprise),
  byHand: {
    always: true,
    give: [team, "+ Invite, e-mail {account}, role {role}, Send invite"],
    change: [team, "choose {role} in the dropdown beside {account}; it counts at once"],
    take: [
      team,
      "note whose workbooks and connected accounts {account} owns, and hand them over",
      "click the trash icon beside {account} and confirm; every member sees every table until then",
    ],
  },
});

const groups: KindFacts = {
  title: "user group",
  account: false,
  // A group has no id that people see: its name, at most 50 characters, is unique in the workspace.
  object: { idPattern: "^.{1,50}$", unlisted: true },
  needsActiveAccount: true,
  roles: { [member]: role(10) },
  byHand: {
    always: true,
    give: ["in Clay, Settings > Teams > Groups > {object}", "search {account} and add"],
    take: [
      "in Clay, Settings > Teams > Groups > {object}",
      "click the remove icon beside {account}",
    ],
  },
};

function facts(profile: "default" | "enterprise"): VendorFacts {
  const enterprise = profile === "enterprise";
  return {
    vendor: "clay",
    profile,
    kinds: {
      [roleKind]: accounts(enterprise),
      ...(enterprise ? { [groupKind]: groups } : {}),
    },
    endpoints: [
      {
        operation: "me.read",
        method: "GET",
        path: "/public/v0/me",
        access: "read",
        bucket: "public",
      },
    ],
    buckets: [{ name: "public", capacity: 10, perMs: 1_000 }],
    create: { unique: true, invitationMs: null },
    // Changes count at once; people write the moment of a capture down in minutes.
    settleMs: 60_000,
    roster,
    things: {
      api_key: {
        title: "API key",
        api: [],
        wants: [],
        byHand: "its maker does it in Clay, Settings > Account > API keys; keys are personal",
      },
    },
    impossible: [
      {
        what: "list, invite, change or remove members by API",
        instead: "tasks with the exact clicks, proven by a roster: `rolecall roster import`",
      },
      {
        what: "provision by SCIM, or read a log of members, exports or logins",
        instead: "the vendor has none; rosters show who is in",
      },
      {
        what: "see a group that nobody is in",
        instead: "name groups by `id:`, which is their name",
      },
      {
        what: "keep a member from seeing a table",
        instead: "every member sees every table: removing the member is the only way",
      },
      ...(enterprise
        ? []
        : [{ what: "viewers and groups", instead: "plan Enterprise only: profile enterprise" }]),
    ],
  };
}

export const clayFacts = facts("default");
export const clayEnterpriseFacts = facts("enterprise");
