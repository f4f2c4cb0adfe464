import { z } from "zod";
import type { ErrorCode } from "./errors.ts";

/**
 * How one SCIM 2.0 server is to be spoken to, as data: RFC 7643 and 7644 leave much open, and servers leave out more. A connection
 * names a shipped profile and says below `target:` where its server differs. Kept in the lane, read by the connector alone.
 */

const attribute = z
  .string()
  .regex(
    /^(?:urn:[A-Za-z0-9:._-]{1,200}:)?[A-Za-z$][A-Za-z0-9$_-]{0,99}$/,
    "write an attribute name, with the URN of its extension in front where it has one",
  );
const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^\P{Cc}*$/u);
const path = z.string().regex(/^(?:\/[A-Za-z0-9_.-]{1,64}){1,4}$/, "write a path such as /Users");
const criterion = z.enum(["externalId", "userName", "email"]);

const auth = z.strictObject({
  /** bearer: `Authorization: <prefix> <secret>` · basic: the secret is `user:password` · header: the secret alone in `header` ·
   * oauth2: the secret is `client-id:client-secret`, exchanged at `tokenUrl` for a bearer token (RFC 6749 §4.4). */
  scheme: z.enum(["bearer", "basic", "header", "oauth2"]),
  header: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/),
  prefix: z
    .string()
    .max(32)
    .regex(/^[A-Za-z0-9-]*$/),
  tokenUrl: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .nullable(),
  scope: z.string().max(500).nullable(),
});

const wire = z.strictObject({
  /** Media type of bodies on the way out, and what is accepted. */
  send: text(100),
  accept: text(200),
  users: path,
  groups: path,
});

const organization = z.strictObject({
  /** userName of an account that is always there, best our own: its id tells this server's tenant from any other, and pins the connection. */
  anchor: text(320).nullable(),
  /** userNames that Rolecall itself works with: never a target. */
  own: z.array(text(320)).max(100),
});

const find = z.strictObject({
  /** By what a person's user is looked for, in this order. */
  by: z.array(criterion).min(1).max(3),
  /** Which of these the server can filter by; the others cost a read of the whole list. */
  filters: z.array(criterion).max(3),
  /** What a filter answers that finds nobody: an empty list, or 404 as well. */
  noMatch: z.enum(["empty", "not_found"]),
  /** The server compares userName to the letter: an empty answer is believed only after a read of the whole list. */
  caseExact: z.boolean(),
  /** The server gives ids to somebody else after a deletion: a user found by id counts only with an address of the person. */
  idsReused: z.boolean(),
});

const page = z.strictObject({
  /** index: startIndex and count (RFC 7644 §3.4.2.4) · cursor: RFC 9865 · none: one answer holds everything. */
  style: z.enum(["index", "cursor", "none"]),
  sizeMax: z.int().min(1).max(10_000),
  /** unreliable: `totalResults` counts something else; a list then ends with its first empty page. */
  totals: z.enum(["exact", "unreliable"]),
});

const create = z.strictObject({
  /** The server refuses a second user of one userName. false: two negative reads before a lost create is sent again. */
  unique: z.boolean(),
  /** Attributes that the server does not take at all. */
  omit: z.array(attribute).max(50),
  /** Attributes that the server takes only once the user is there: set by a second write. */
  followUp: z.array(attribute).max(50),
});

const update = z.strictObject({
  /** put: read, merge, write the whole user. */
  mode: z.enum(["patch", "put"]),
  /** none: one operation without path, its value holds the attributes (dotted keys for parts). */
  paths: z.enum(["path", "none"]),
  opCase: z.enum(["lower", "capital"]),
  /** How booleans are written; any form is read. */
  booleans: z.enum(["json", "text"]),
  /** Operations in one PATCH; the rest follow in further requests. */
  operationsMax: z.int().min(1).max(1_000),
  /** if-match: writes carry the version that was read, and meet 412 when it is not the newest (RFC 7644 §3.14). */
  versions: z.enum(["none", "if-match"]),
});

const deactivate = z.strictObject({
  /** `active: false` by the update mode, or DELETE. */
  method: z.enum(["update", "delete"]),
  /** What becomes of the user: kept and switched off, or gone with what it owned. unknown counts as delete. */
  means: z.enum(["disable", "delete", "unknown"]),
  /** Somebody decided that losing what the user owned is right; without it a deletion is left to a person. */
  lossAccepted: z.boolean(),
});

const reactivate = z.strictObject({
  /** update: `active: true` on the same user · create: POST again · never: the server cannot. */
  how: z.enum(["update", "create", "never"]),
});

const groups = z.strictObject({
  /** none: the server has no groups, or they are not ours to fill. */
  source: z.enum(["resource", "none"]),
  /** Where a membership is read: `groups` of the user, the members of the group, or a filter over groups. */
  read: z.enum(["user", "group", "filter"]),
  /** patch: one member at a time · put: read, merge, write the whole group. */
  write: z.enum(["patch", "put"]),
  /** How a PATCH takes a member out: `members[value eq "…"]`, `members` with a value list, or the whole rest as replacement. */
  remove: z.enum(["filter", "value", "replace"]),
  /** Members that one request may carry: a larger group cannot be written whole. */
  membersMax: z.int().min(1).max(1_000_000),
  /** Lists of groups are asked for without their members. */
  listWithoutMembers: z.boolean(),
});

const role = z.strictObject({
  rank: z.int().min(0).max(1_000),
  assignable: z.boolean().default(true),
  privileged: z.boolean().default(false),
  admin: z.boolean().default(false),
});

const roles = z.strictObject({
  /** objects: `[{ value }]` · strings: `["…"]` · single: `"…"` */
  style: z.enum(["none", "objects", "strings", "single"]),
  attribute,
  /** account: one role of the catalogue at a time, the account's own slot · each: every role is a slot of its own. */
  as: z.enum(["account", "each"]),
  /** Every role that may be given: what nobody holds yet cannot be observed. */
  catalogue: z.record(text(100), role),
  /** The role of an account that no rule names one for. */
  fallback: z.string().max(100),
  /** How a PATCH takes a role out: by a value filter, or by the whole rest as replacement. */
  remove: z.enum(["filter", "replace"]),
});

const externalId = z.strictObject({
  /** Our id of the person is written there at creation. */
  write: z.boolean(),
  /** A user that carries somebody else's mark: `refuse` takes another system to be its master, `adopt` takes it over. */
  foreign: z.enum(["refuse", "adopt"]),
});

/** What a status or `scimType` of this server means, where it is not what it says. */
const meaning = z.strictObject({
  status: z.int().min(400).max(599),
  scimType: z.string().max(100).optional(),
  code: z.enum([
    "VENDOR_REJECTED",
    "VENDOR_CONFLICT",
    "VENDOR_UNAVAILABLE",
    "VENDOR_PLAN_REQUIRED",
    "VENDOR_OWNS_MEMBERSHIP",
    "SEATS_EXHAUSTED",
    "CREDENTIAL_SCOPE_MISSING",
  ] satisfies ErrorCode[]),
});

const rate = z.strictObject({
  requests: z.int().min(1).max(100_000),
  perMs: z.int().min(1).max(86_400_000),
});

export const scimTargetSchema = z.strictObject({
  auth,
  wire,
  organization,
  find,
  page,
  create,
  update,
  deactivate,
  reactivate,
  groups,
  roles,
  externalId,
  errors: z.array(meaning).max(50),
  rate,
  /** How long reads may lag behind writes. */
  settleMs: z.int().min(0).max(3_600_000),
});
export type ScimTarget = z.output<typeof scimTargetSchema>;

/** What a mapping file says below `target:`: only where the server differs from the profile that it names. */
export const scimTargetSettings = z.strictObject({
  auth: auth.partial().optional(),
  wire: wire.partial().optional(),
  organization: organization.partial().optional(),
  find: find.partial().optional(),
  page: page.partial().optional(),
  create: create.partial().optional(),
  update: update.partial().optional(),
  deactivate: deactivate.partial().optional(),
  reactivate: reactivate.partial().optional(),
  groups: groups.partial().optional(),
  roles: roles.partial().optional(),
  externalId: externalId.partial().optional(),
  errors: z.array(meaning).max(50).optional(),
  rate: rate.partial().optional(),
  settleMs: z.int().min(0).max(3_600_000).optional(),
});
export type ScimTargetSettings = z.input<typeof scimTargetSettings>;

/** The differences that a stored document of a mapping version holds, if it is of a SCIM connection. */
export function targetSettingsOf(document: {
  readonly target?: unknown;
}): ScimTargetSettings | undefined {
  return scimTargetSettings.optional().parse(document.target);
}

/** The profile with the differences put over it, section by section; lists and catalogues are replaced whole. */
export function completeTarget(base: ScimTarget, settings: ScimTargetSettings): ScimTarget {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(settings) as readonly (readonly [string, unknown])[]) {
    if (value === undefined) continue;
    const before = merged[name];
    merged[name] = isSection(before) && isSection(value) ? { ...before, ...value } : value;
  }
  return scimTargetSchema.parse(merged);
}

function isSection(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export interface TargetProblem {
  readonly path: readonly string[];
  /** What to write instead. */
  readonly message: string;
}

/** What contradicts itself in a target. */
export function targetProblems(target: ScimTarget): readonly TargetProblem[] {
  const problems: TargetProblem[] = [];
  const say = (section: string, field: string, message: string) =>
    problems.push({ path: [section, field], message });
  const { auth: access, deactivate: leaving, groups: teams, roles: given } = target;
  if (access.scheme === "oauth2" && access.tokenUrl === null) {
    say("auth", "tokenUrl", "the oauth2 scheme needs the address that gives tokens");
  }
  if (given.style !== "none" && Object.keys(given.catalogue).length === 0) {
    say("roles", "catalogue", "list every role that may be given, each with a rank");
  } else if (given.style !== "none" && given.as === "account") {
    const fallback = Object.hasOwn(given.catalogue, given.fallback)
      ? given.catalogue[given.fallback]
      : undefined;
    if (fallback?.assignable !== true || fallback.privileged) {
      say(
        "roles",
        "fallback",
        "name a role of the catalogue that is assignable and not privileged",
      );
    }
  }
  if (given.style === "single" && given.as === "each") {
    say("roles", "as", "an attribute with one value holds one role: write account");
  }
  if (leaving.method === "delete" && leaving.means === "disable") {
    say("deactivate", "means", "DELETE keeps nothing: write delete");
  }
  if (teams.write === "put" && teams.remove !== "replace") {
    say("groups", "remove", "whole-group writes replace: write replace");
  }
  return problems;
}
