import type { ScimTarget } from "../../model/scim-target.ts";
import type { EndpointFacts, KindFacts, RoleFacts, VendorFacts } from "../../model/vendor-facts.ts";

export const accountKind = "account";
export const groupKind = "group";
export const roleKind = "role";
/** The one role of kinds without roles of their own. */
export const member = "member";
/** The role of accounts at a server without roles. */
export const user = "user";

const bucket = "requests";
const anyId = "^\\P{Cc}{1,200}$";
const plain: RoleFacts = { rank: 10, assignable: true, privileged: false, admin: false };

/** What one server is, to mapping, plan, apply and http. */
export function scimFacts(target: ScimTarget, profile: string): VendorFacts {
  return {
    vendor: "scim",
    profile,
    kinds: kindsOf(target),
    endpoints: endpointsOf(target),
    buckets: [{ name: bucket, capacity: target.rate.requests, perMs: target.rate.perMs }],
    create: { unique: target.create.unique, invitationMs: null },
    settleMs: target.settleMs,
    removal: target.deactivate.means === "disable" ? "suspended" : "gone",
    media: { send: target.wire.send, accept: target.wire.accept },
    ownAddress: false,
    impossible: impossibleFor(target),
  };
}

function kindsOf(target: ScimTarget): Readonly<Record<string, KindFacts>> {
  const { roles, groups } = target;
  const inAccount = roles.style !== "none" && roles.as === "account";
  const base = { object: "none", needsActiveAccount: false } as const;
  return {
    [accountKind]: {
      ...base,
      title: "account",
      account: true,
      roles: inAccount ? roles.catalogue : { [user]: plain },
      fallbackRole: inAccount ? roles.fallback : user,
    },
    ...(groups.source === "none"
      ? {}
      : {
          [groupKind]: {
            title: "group membership",
            account: false,
            object: { idPattern: anyId },
            roles: { [member]: plain },
            needsActiveAccount: true,
          },
        }),
    ...(roles.style !== "none" && roles.as === "each"
      ? {
          [roleKind]: {
            title: "role",
            account: false,
            object: { idPattern: anyId },
            roles: { [member]: plain },
            needsActiveAccount: true,
          },
        }
      : {}),
  };
}

/** Only what this server's profile ever needs: nothing else may leave the process. */
function endpointsOf(target: ScimTarget): readonly EndpointFacts[] {
  const { users, groups } = target.wire;
  const read = (operation: string, path: string): EndpointFacts => ({
    operation,
    method: "GET",
    path,
    access: "read",
    bucket,
  });
  const write = (
    operation: string,
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
  ): EndpointFacts => ({ operation, method, path, access: "write", bucket });
  const byPatch = target.update.mode === "patch";
  return [
    read("config.read", "/ServiceProviderConfig"),
    read("types.list", "/ResourceTypes"),
    read("schemas.list", "/Schemas"),
    read("users.list", users),
    read("users.read", `${users}/{userId}`),
    write("users.create", "POST", users),
    byPatch
      ? write("users.patch", "PATCH", `${users}/{userId}`)
      : write("users.replace", "PUT", `${users}/{userId}`),
    ...(target.deactivate.method === "delete"
      ? [write("users.delete", "DELETE", `${users}/{userId}`)]
      : []),
    ...(target.groups.source === "none"
      ? []
      : [
          read("groups.list", groups),
          read("groups.read", `${groups}/{groupId}`),
          target.groups.write === "patch"
            ? write("groups.patch", "PATCH", `${groups}/{groupId}`)
            : write("groups.replace", "PUT", `${groups}/{groupId}`),
        ]),
  ];
}

function impossibleFor(target: ScimTarget): VendorFacts["impossible"] {
  return [
    {
      what: "find out what an inactive account still owns",
      instead: "SCIM knows no ownership: hand things over in the vendor's own settings first",
    },
    {
      what: "sign somebody out at once",
      instead:
        "SCIM has no sessions: end them at the identity provider or in the vendor's settings",
    },
    {
      what: "create or delete groups",
      instead: "make the group at the vendor; its members are managed here",
    },
    ...(target.groups.source === "none"
      ? [
          {
            what: "give membership of groups",
            instead: "a person does it in the vendor's settings",
          },
        ]
      : []),
    ...(target.roles.style === "none"
      ? [{ what: "give roles", instead: "use groups, or the vendor's settings" }]
      : []),
    ...(target.deactivate.means === "disable" || target.deactivate.lossAccepted
      ? []
      : [
          {
            what: "remove an account unasked",
            instead:
              "this server deletes what the account owned: hand it over, then set deactivate.lossAccepted, or remove by hand",
          },
        ]),
  ];
}
