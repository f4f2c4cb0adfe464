import { z } from "zod";
import type { Clock } from "../../model/clock.ts";
import { uuid } from "../simulated-id.ts";

/**
 * What SCIM servers do that the RFCs do not say, or forbid. The first truth of a simulator is a server without any of it; each switch
 * makes it one of those that are out there.
 */
export const quirksSchema = z.strictObject({
  /** How `op` must be spelled; anything else is 400. */
  opCase: z.enum(["any", "lower", "capital"]),
  /** PATCH operations without a path, and with one. */
  pathlessPatch: z.enum(["accept", "refuse"]),
  pathPatch: z.enum(["accept", "refuse"]),
  /** `members[value eq "x"]`: understood · 400 · answered 200 without effect. */
  filterPaths: z.enum(["accept", "refuse", "ignore"]),
  /** What a `remove` of `members` with a value list takes: those · everybody, by the letter of the RFC · 400. */
  valueRemove: z.enum(["those", "all", "refuse"]),
  /** Booleans in answers. */
  booleans: z.enum(["json", "text"]),
  /** Booleans in requests that count; the other form is 400. */
  acceptsBooleans: z.enum(["both", "json", "text"]),
  /** Attributes that filters may name. */
  filters: z.array(z.string()),
  /** What another filter comes to: 400 · everybody, as if there were none. */
  unknownFilter: z.enum(["refuse", "ignore"]),
  noMatch: z.enum(["empty", "not_found"]),
  caseExact: z.boolean(),
  paging: z.enum(["index", "cursor", "none"]),
  pageMax: z.int().min(1),
  /** `itemsPerPage` says what was asked for, whatever was given. */
  itemsPerPageEcho: z.boolean(),
  /** `totalResults` counts everybody · the page. */
  totals: z.enum(["all", "page"]),
  order: z.enum(["stable", "unstable"]),
  /** Answers to writes: the resource · 204 · 2xx without body, a create with Location. */
  writeAnswers: z.enum(["body", "no_content", "empty"]),
  duplicate: z.enum(["409", "400_uniqueness", "200_existing"]),
  /** A deactivation switches off · deletes · is answered and not done · is answered as done and not done. */
  deactivation: z.enum(["disable", "delete", "ignore", "pretend"]),
  /** A deleted user is not shown any more and keeps the name. */
  softDelete: z.boolean(),
  errorBodies: z.enum(["scim", "html", "plain", "none"]),
  operationsMax: z.int().min(1),
  membersMax: z.int().min(1),
  /** Attributes that a create ignores; a later write sets them. */
  notAtCreate: z.array(z.string()),
  /** A PUT without `active` switches the user on. */
  putSwitchesOn: z.boolean(),
  /** A remove of `roles` by a filter path takes them all. */
  roleFilterTakesAll: z.boolean(),
  discovery: z.enum(["right", "wrong", "absent"]),
  versions: z.enum(["none", "optional", "required"]),
  /** Attribute names in answers. */
  names: z.enum(["rfc", "capital"]),
  /** Ids of new users are those of deleted ones again. */
  reusesIds: z.boolean(),
  /** Users show the groups that hold them. */
  showsGroupsOnUsers: z.boolean(),
});
export type Quirks = z.infer<typeof quirksSchema>;

export const noQuirks: Quirks = {
  opCase: "any",
  pathlessPatch: "accept",
  pathPatch: "accept",
  filterPaths: "accept",
  valueRemove: "those",
  booleans: "json",
  acceptsBooleans: "both",
  filters: ["userName", "externalId", "emails.value", "displayName", "members.value", "id"],
  unknownFilter: "refuse",
  noMatch: "empty",
  caseExact: false,
  paging: "index",
  pageMax: 100,
  itemsPerPageEcho: false,
  totals: "all",
  order: "stable",
  writeAnswers: "body",
  duplicate: "409",
  deactivation: "disable",
  softDelete: false,
  errorBodies: "scim",
  operationsMax: 1_000,
  membersMax: 100_000,
  notAtCreate: [],
  putSwitchesOn: false,
  roleFilterTakesAll: false,
  discovery: "right",
  versions: "optional",
  names: "rfc",
  reusesIds: false,
  showsGroupsOnUsers: true,
};

const attributesSchema = z.record(z.string(), z.unknown());
export type Attributes = z.infer<typeof attributesSchema>;

const userSchema = z.object({
  id: z.string(),
  seq: z.int(),
  userName: z.string(),
  active: z.boolean(),
  /** Deleted and kept out of sight. */
  hidden: z.boolean(),
  /** Cannot be switched off. */
  locked: z.boolean(),
  version: z.int(),
  createdAt: z.int(),
  /** Everything else, as it was sent. */
  attributes: attributesSchema,
});
export type User = z.infer<typeof userSchema>;

const groupSchema = z.object({
  id: z.string(),
  seq: z.int(),
  displayName: z.string(),
  version: z.int(),
  createdAt: z.int(),
  members: z.array(z.string()),
});
export type Group = z.infer<typeof groupSchema>;

const keySchema = z.object({
  secret: z.string(),
  scopes: z.array(z.enum(["users", "groups"])),
  revoked: z.boolean(),
});

export const truthSchema = z.object({
  nextSeq: z.int(),
  quirks: quirksSchema,
  paid: z.boolean(),
  users: z.array(userSchema),
  groups: z.array(groupSchema),
  keys: z.array(keySchema),
  /** Ids of deleted users, to be given again. */
  freeIds: z.array(z.string()),
});
export type Truth = z.infer<typeof truthSchema>;

export function emptyTruth(quirks: Partial<Quirks>): Truth {
  return {
    nextSeq: 1,
    quirks: { ...noQuirks, ...quirks },
    paid: true,
    users: [],
    groups: [],
    keys: [],
    freeIds: [],
  };
}

export function putUser(
  truth: Truth,
  clock: Clock,
  made: {
    readonly id?: string | undefined;
    readonly userName: string;
    readonly active?: boolean;
    readonly locked?: boolean;
    readonly attributes?: Attributes;
  },
): User {
  const reused = truth.quirks.reusesIds ? truth.freeIds.shift() : undefined;
  const user: User = {
    id: made.id ?? reused ?? uuid(clock),
    seq: truth.nextSeq++,
    userName: made.userName,
    active: made.active ?? true,
    hidden: false,
    locked: made.locked ?? false,
    version: 1,
    createdAt: clock.now(),
    attributes: made.attributes ?? {},
  };
  truth.users.push(user);
  return user;
}

export function putGroup(truth: Truth, clock: Clock, displayName: string): Group {
  const group: Group = {
    id: uuid(clock),
    seq: truth.nextSeq++,
    displayName,
    version: 1,
    createdAt: clock.now(),
    members: [],
  };
  truth.groups.push(group);
  return group;
}

/** The user is gone, with every membership; a server that deletes softly keeps it out of sight. */
export function dropUser(truth: Truth, user: User): void {
  for (const group of truth.groups) {
    if (!group.members.includes(user.id)) continue;
    group.members = group.members.filter((id) => id !== user.id);
    group.version += 1;
  }
  if (truth.quirks.softDelete) {
    user.hidden = true;
    user.active = false;
    return;
  }
  truth.users = truth.users.filter((each) => each !== user);
  truth.freeIds.push(user.id);
}

export function visibleUsers(truth: Truth): readonly User[] {
  return truth.users.filter((user) => !user.hidden);
}
