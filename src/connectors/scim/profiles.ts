import type { ScimTarget } from "../../model/scim-target.ts";

/** A server that keeps to RFC 7643 and 7644, asked for no more than it must be able to do. */
const standard: ScimTarget = {
  auth: {
    scheme: "bearer",
    header: "authorization",
    prefix: "Bearer",
    tokenUrl: null,
    scope: null,
  },
  wire: {
    send: "application/scim+json",
    accept: "application/scim+json, application/json;q=0.9",
    users: "/Users",
    groups: "/Groups",
  },
  organization: { anchor: null, own: [] },
  find: {
    by: ["externalId", "userName", "email"],
    filters: ["externalId", "userName"],
    noMatch: "empty",
    caseExact: false,
    idsReused: false,
  },
  page: { style: "index", sizeMax: 100, totals: "exact" },
  create: { unique: true, omit: [], followUp: [] },
  update: {
    mode: "patch",
    paths: "path",
    opCase: "lower",
    booleans: "json",
    operationsMax: 100,
    versions: "none",
  },
  deactivate: { method: "update", means: "disable", lossAccepted: false },
  reactivate: { how: "update" },
  groups: {
    source: "resource",
    read: "group",
    write: "patch",
    remove: "filter",
    membersMax: 100_000,
    listWithoutMembers: true,
  },
  roles: {
    style: "none",
    attribute: "roles",
    as: "account",
    catalogue: {},
    fallback: "",
    remove: "filter",
  },
  externalId: { write: true, foreign: "refuse" },
  errors: [],
  rate: { requests: 25, perMs: 1_000 },
  settleMs: 2_000,
};

/** A server without PATCH: users and groups are read, merged and written whole. */
const replace: ScimTarget = {
  ...standard,
  update: { ...standard.update, mode: "put" },
  groups: { ...standard.groups, write: "put", remove: "replace" },
};

/**
 * A server of people only, without roles, that deletes whom it deactivates; everything else is taken carefully. Intercom's SCIM is
 * such a server (help centre, 2026-08), but has a connector of its own, which reads back through its REST interface.
 */
const deletes: ScimTarget = {
  ...standard,
  find: { ...standard.find, by: ["userName"], filters: ["userName"], noMatch: "not_found" },
  deactivate: { method: "update", means: "delete", lossAccepted: false },
  reactivate: { how: "create" },
  groups: { ...standard.groups, source: "none" },
  externalId: { write: false, foreign: "adopt" },
  settleMs: 30_000,
};

/** Profiles of this build, by the name that a mapping file gives. */
export const scimProfiles = { standard, replace, deletes } as const satisfies Readonly<
  Record<string, ScimTarget>
>;
