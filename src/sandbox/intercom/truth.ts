import { z } from "zod";
import { foldEmail } from "../../model/fold.ts";
import type { Clock } from "../../model/clock.ts";
import { uuid } from "../simulated-id.ts";
import { regions, scopes, ticketCategories, type Region } from "./vocabulary.ts";

const instant = z.int();

export const settingsSchema = z.strictObject({
  /** The version of a request without the header: set at the app. */
  defaultVersion: z.string().regex(/^\d+\.\d+$|^[Pp]review$/),
  /** Whether the preview write of team members is on for this workspace. */
  teamWrite: z.boolean(),
  /** Whether the plan has SCIM and it is switched on. */
  scim: z.boolean(),
  /** Whether conversations may be written in this plan. */
  conversationWrite: z.boolean(),
  /** How long a changed conversation is searched as it was before, milliseconds. */
  searchLagMs: z.int().min(0),
  /** A team whose last member is removed goes with them (UI text of the vendor, 2026-08). */
  dropEmptyTeams: z.boolean(),
  /** Activity logs also hold a type that the vendor's documents lack. */
  undocumentedActivity: z.boolean(),
  /** How the activity log says that there is more: not at all, by an object, or by a whole URL (older versions). */
  activityPaging: z.enum(["none", "cursor", "url"]),
  /** Going away needs a reason. */
  awayReasonMandatory: z.boolean(),
  /** Inbox seats that are paid for. */
  seats: z.int().min(0),
});
export type Settings = z.infer<typeof settingsSchema>;

const workspaceSchema = z.object({
  idCode: z.string(),
  name: z.string(),
  region: z.enum(regions),
  createdAt: instant,
});

const adminSchema = z.object({
  /** Digits: an integer in some answers, a string in others. */
  id: z.string(),
  /** The SCIM interface has ids of its own. */
  scimId: z.string(),
  name: z.string(),
  email: z.string(),
  jobTitle: z.string().nullable(),
  away: z.boolean(),
  awayReassign: z.boolean(),
  awayReasonId: z.int().nullable(),
  inboxSeat: z.boolean(),
  roleId: z.string().nullable(),
  /** Settings > SCIM: cannot be deprovisioned. */
  excluded: z.boolean(),
  externalId: z.string().nullable(),
});
export type Admin = z.infer<typeof adminSchema>;

const teamSchema = z.object({
  id: z.string(),
  name: z.string(),
  method: z.enum(["manual", "round_robin", "load_balanced"]),
  assignmentLimit: z.int().nullable(),
  adminIds: z.array(z.string()),
  /** Of load-balanced teams: who is asked only when the primary ones are full. */
  secondaryIds: z.array(z.string()),
});
export type Team = z.infer<typeof teamSchema>;

const roleSchema = z.object({ id: z.string(), name: z.string() });
const inviteSchema = z.object({ email: z.string(), roleId: z.string().nullable() });

const tokenSchema = z.object({
  token: z.string(),
  /** The teammate whom the token acts for. */
  adminId: z.string(),
  scopes: z.array(z.enum(scopes)),
  revoked: z.boolean(),
});
export type Token = z.infer<typeof tokenSchema>;

const labelSchema = z.object({ id: z.string(), name: z.string() });
const searchedSchema = z.object({
  adminAssigneeId: z.string().nullable(),
  teamAssigneeId: z.string().nullable(),
  state: z.enum(["open", "closed", "snoozed"]),
});
const partSchema = z.object({
  id: z.string(),
  type: z.string(),
  body: z.string().nullable(),
  at: instant,
  authorId: z.string(),
  assignedTo: z.object({ type: z.enum(["admin", "team"]), id: z.string() }).nullable(),
});
const conversationSchema = searchedSchema.extend({
  id: z.string(),
  title: z.string().nullable(),
  tags: z.array(labelSchema),
  topics: z.array(labelSchema),
  parts: z.array(partSchema),
  snoozedUntil: instant.nullable(),
  createdAt: instant,
  updatedAt: instant,
  /** What the search still shows until its index has caught up; null: nothing. */
  before: searchedSchema.nullable(),
});
export type Conversation = z.infer<typeof conversationSchema>;
export type Searched = z.infer<typeof searchedSchema>;

const ticketSchema = z.object({
  id: z.string(),
  /** The number that people see. */
  number: z.int(),
  typeId: z.string(),
  contactIds: z.array(z.string()),
  attributes: z.record(z.string(), z.unknown()),
  teamId: z.string().nullable(),
  category: z.enum(ticketCategories),
  open: z.boolean(),
  createdAt: instant,
  updatedAt: instant,
});
export type Ticket = z.infer<typeof ticketSchema>;

const activitySchema = z.object({
  id: z.string(),
  at: instant,
  type: z.string(),
  description: z.string(),
  byId: z.string(),
  byEmail: z.string(),
  metadata: z.record(z.string(), z.unknown()),
});
export type Activity = z.infer<typeof activitySchema>;

const reasonSchema = z.object({
  id: z.int(),
  label: z.string(),
  deleted: z.boolean(),
  createdAt: instant,
});

const appSchema = z.object({
  clientId: z.string(),
  clientSecret: z.string(),
  redirectUris: z.array(z.string()),
  /** Codes that were given to a browser and not exchanged yet, with the teammate who said yes. */
  codes: z.record(z.string(), z.string()),
});

export const truthSchema = z.object({
  nextId: z.int(),
  settings: settingsSchema,
  workspace: workspaceSchema,
  admins: z.array(adminSchema),
  teams: z.array(teamSchema),
  roles: z.array(roleSchema),
  invites: z.array(inviteSchema),
  tokens: z.array(tokenSchema),
  scimToken: z.string(),
  conversations: z.array(conversationSchema),
  ticketTypes: z.array(labelSchema),
  contacts: z.array(z.object({ id: z.string(), externalId: z.string() })),
  tickets: z.array(ticketSchema),
  activity: z.array(activitySchema),
  awayReasons: z.array(reasonSchema),
  /** Who gets what a removed teammate had; null: the first teammate of the workspace. */
  inheritorId: z.string().nullable(),
  app: appSchema,
  /** The next write of team members is applied in part, then refused: others keep changing the team. */
  partlyApply: z.boolean(),
});
export type Truth = z.infer<typeof truthSchema>;

export const defaultSettings: Settings = {
  defaultVersion: "2.14",
  teamWrite: true,
  scim: true,
  conversationWrite: true,
  searchLagMs: 0,
  dropEmptyTeams: true,
  undocumentedActivity: false,
  activityPaging: "none",
  awayReasonMandatory: false,
  seats: 100,
};

export interface FirstTruth {
  readonly workspace: { readonly idCode: string; readonly name: string; readonly region: Region };
  readonly admin: { readonly email: string; readonly name: string };
  readonly token?: string | undefined;
  readonly scimToken?: string | undefined;
  readonly settings?: Partial<Settings> | undefined;
}

/** A workspace with one teammate, whose token has every scope. */
export function firstTruth(clock: Clock, input: FirstTruth): Truth {
  const truth: Truth = {
    nextId: 991_267_400,
    settings: { ...defaultSettings, ...input.settings },
    workspace: { ...input.workspace, createdAt: clock.now() },
    admins: [],
    teams: [],
    roles: [],
    invites: [],
    tokens: [],
    scimToken: input.scimToken ?? secretOf(clock),
    conversations: [],
    ticketTypes: [],
    contacts: [],
    tickets: [],
    activity: [],
    awayReasons: [],
    inheritorId: null,
    app: {
      clientId: uuid(clock),
      clientSecret: uuid(clock),
      redirectUris: [],
      codes: {},
    },
    partlyApply: false,
  };
  const first = putAdmin(truth, clock, input.admin);
  truth.tokens.push({
    token: input.token ?? secretOf(clock),
    adminId: first.id,
    scopes: [...scopes],
    revoked: false,
  });
  return truth;
}

/** A token as the Developer Hub shows it: a prefix and a long random text. */
export function secretOf(clock: Clock): string {
  return `dG9r${Buffer.from(clock.bytes(36)).toString("base64url")}`;
}

export function nextId(truth: Truth): string {
  truth.nextId += 1;
  return String(truth.nextId);
}

/** A teammate who is in; a free seat is taken. */
export function putAdmin(
  truth: Truth,
  clock: Clock,
  admin: {
    readonly email: string;
    readonly name: string;
    readonly roleId?: string | null;
    readonly externalId?: string | null;
  },
): Admin {
  const seats = truth.admins.filter((each) => each.inboxSeat).length;
  const made: Admin = {
    id: nextId(truth),
    scimId: uuid(clock),
    name: admin.name,
    email: admin.email,
    jobTitle: null,
    away: false,
    awayReassign: false,
    awayReasonId: null,
    inboxSeat: seats < truth.settings.seats,
    roleId: admin.roleId ?? null,
    excluded: false,
    externalId: admin.externalId ?? null,
  };
  truth.admins.push(made);
  return made;
}

export function adminByEmail(truth: Truth, email: string): Admin | undefined {
  const wanted = foldEmail(email);
  return truth.admins.find((each) => foldEmail(each.email) === wanted);
}

export function teamsOf(truth: Truth, adminId: string): readonly Team[] {
  return truth.teams.filter((team) => team.adminIds.includes(adminId));
}

export function putActivity(
  truth: Truth,
  clock: Clock,
  entry: {
    readonly type: string;
    readonly description: string;
    readonly byId: string;
    readonly metadata?: Record<string, unknown>;
  },
): Activity {
  const by = truth.admins.find((each) => each.id === entry.byId);
  const made: Activity = {
    id: uuid(clock),
    at: clock.now(),
    type: entry.type,
    description: entry.description,
    byId: entry.byId,
    byEmail: by?.email ?? "",
    metadata: entry.metadata ?? {},
  };
  truth.activity.push(made);
  return made;
}

/**
 * A teammate goes for good: out of the teams, which may go too, and what they had goes to the inheritor.
 * The caller writes the activity.
 */
export function removeAdmin(truth: Truth, admin: Admin, now: number): void {
  truth.admins = truth.admins.filter((each) => each !== admin);
  for (const team of truth.teams) {
    team.adminIds = team.adminIds.filter((id) => id !== admin.id);
    team.secondaryIds = team.secondaryIds.filter((id) => id !== admin.id);
  }
  if (truth.settings.dropEmptyTeams) {
    truth.teams = truth.teams.filter((team) => team.adminIds.length > 0);
  }
  for (const token of truth.tokens) if (token.adminId === admin.id) token.revoked = true;
  const heir = truth.admins.find((each) => each.id === truth.inheritorId) ?? truth.admins[0];
  for (const conversation of truth.conversations) {
    if (conversation.adminAssigneeId === admin.id) {
      changeConversation(conversation, now, { adminAssigneeId: heir?.id ?? null });
    }
  }
}

/** Changes what the search can find, and keeps what it shows until its index has caught up. */
export function changeConversation(
  conversation: Conversation,
  now: number,
  change: Partial<Searched>,
): void {
  conversation.before = {
    adminAssigneeId: conversation.adminAssigneeId,
    teamAssigneeId: conversation.teamAssigneeId,
    state: conversation.state,
  };
  Object.assign(conversation, change);
  conversation.updatedAt = now;
}
