import type { VendorFacts } from "../../model/vendor-facts.ts";

/** Kind of the account slot, the only one. */
export const workspaceRoleKind = "workspace_role";

const members = "/api/v2/workspace-members";
const bucket = "requests";

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
    {
      operation: "workspace.read",
      method: "GET",
      path: "/api/v2/workspaces/current",
      access: "read",
      bucket,
    },
    { operation: "members.list", method: "GET", path: members, access: "read", bucket },
    {
      operation: "members.read",
      method: "GET",
      path: `${members}/{memberId}`,
      access: "read",
      bucket,
    },
    { operation: "members.create", method: "POST", path: members, access: "write", bucket },
    {
      operation: "members.update",
      method: "PATCH",
      path: `${members}/{memberId}`,
      access: "write",
      bucket,
    },
    {
      operation: "members.remove",
      method: "DELETE",
      path: `${members}/{memberId}`,
      access: "write",
      bucket,
    },
  ],
  // 100 a second and 6,000 a minute for the whole workspace: the first implies the second.
  buckets: [{ name: bucket, capacity: 100, perMs: 1_000 }],
  create: { unique: false, invitationMs: null },
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
      instead: "keys carry no maker: rotate shared keys by hand after a leaver with admin rights",
    },
    {
      what: "re-send an invitation",
      instead: "it never expires; remove and invite again by hand if the mail was lost",
    },
    { what: "suspend a member", instead: "members are removed; a return is a new invitation" },
  ],
};
