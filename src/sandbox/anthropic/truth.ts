import { z } from "zod";
import type { Clock, Instant } from "../../model/clock.ts";
import { prefixedId, uuid } from "../simulated-id.ts";
import { keyClassSchema } from "./key-class.ts";

/** Organisation roles (Admin API reference and SDK 1.12.0, November 2026). */
export const orgRoles = [
  "user",
  "claude_code_user",
  "developer",
  "billing",
  "managed",
  "membership_admin",
  "admin",
  "owner",
  "primary_owner",
] as const;
export type OrgRole = (typeof orgRoles)[number];

/** What the API lets a Console organisation give. */
export const consoleRoles = ["user", "developer", "billing", "claude_code_user"] as const;

/** What it lets an Enterprise organisation give. */
export const enterpriseRoles = ["user", "managed"] as const;

/** Members with these can be neither changed nor removed through the API. */
export const adminRoles: readonly OrgRole[] = [
  "admin",
  "owner",
  "primary_owner",
  "membership_admin",
];

export const workspaceRoles = [
  "workspace_user",
  "workspace_restricted_developer",
  "workspace_developer",
  "workspace_admin",
  "workspace_billing",
] as const;
export type WorkspaceRole = (typeof workspaceRoles)[number];

/** An invitation lives 21 days; the vendor lets nobody change that (user management guide, 2026-08). */
export const INVITE_LIFE_MS = 21 * 86_400_000;

const instant = z.int();
/** Position in the order in which things came to be; ids carry no order. */
const seq = z.int();

/** Behaviour that the vendor's people switch, and what its documents leave open. */
export const settingsSchema = z.strictObject({
  /** With `jit` invitations are refused, with `scim` every membership write. */
  provisioning: z.enum(["none", "jit", "scim"]),
  /** Whether admins and billing members stand in workspace member lists with their implicit role. */
  listImplicitMembers: z.boolean(),
  /** How long the GET of one workspace member keeps answering what was before a write (seen live: tens of seconds). */
  staleMemberReadMs: z.int().min(0),
  /** How long update and remove of a workspace member answer "not in the workspace" after an add. */
  memberSettleMs: z.int().min(0),
  /** Members and pending invitations together; null: no cap. */
  memberLimit: z.int().min(1).nullable(),
  /** Seats of a seat-pool plan, taken by members and pending invitations; null: another plan. */
  seats: z.int().min(0).nullable(),
  /** Domains that may be invited; null: all. */
  allowedDomains: z.array(z.string()).nullable(),
  workspaceLimit: z.int().min(1),
  workspaceMemberLimit: z.int().min(1).nullable(),
  /** A Claude Enterprise organisation: groups, and no workspaces and keys. */
  enterprise: z.boolean().optional(),
  /** Whether the sign-out beta is open to the organisation. */
  signOut: z.boolean().optional(),
  /** Whether the compliance feed was switched on before the key was made. */
  compliance: z.boolean().optional(),
  /** Active API keys of the organisation; null: no cap. */
  apiKeyLimit: z.int().min(1).nullable(),
});
export type Settings = z.infer<typeof settingsSchema>;

const userSchema = z.object({
  id: z.string(),
  seq,
  email: z.string(),
  name: z.string(),
  role: z.enum(orgRoles),
  addedAt: instant,
});
export type User = z.infer<typeof userSchema>;

const inviteSchema = z.object({
  id: z.string(),
  seq,
  email: z.string(),
  role: z.enum(orgRoles),
  /** `expired` follows from the clock and is not stored. */
  state: z.enum(["pending", "accepted", "deleted"]),
  invitedAt: instant,
  expiresAt: instant,
  acceptedAt: instant.nullable(),
});
export type Invite = z.infer<typeof inviteSchema>;

const workspaceSchema = z.object({
  id: z.string(),
  seq,
  name: z.string(),
  isDefault: z.boolean(),
  createdAt: instant,
  archivedAt: instant.nullable(),
  displayColor: z.string(),
  compartmentId: z.string(),
  tags: z.record(z.string(), z.string()),
});
export type Workspace = z.infer<typeof workspaceSchema>;

/** A row that somebody assigned; implicit roles of admins and billing members are not stored. */
const memberSchema = z.object({
  workspaceId: z.string(),
  userId: z.string(),
  role: z.enum(workspaceRoles),
  addedAt: instant,
});
export type Member = z.infer<typeof memberSchema>;

const apiKeySchema = z.object({
  id: z.string(),
  seq,
  name: z.string(),
  status: z.enum(["active", "inactive", "archived"]),
  createdAt: instant,
  createdBy: z.string().nullable(),
  expiresAt: instant.nullable(),
  hint: z.string(),
  /** Null: a key of the organisation or of a person, not of one workspace. */
  workspaceId: z.string().nullable(),
  /** The member that the key acts for and dies with. */
  personOf: z.string().nullable(),
});
export type ApiKey = z.infer<typeof apiKeySchema>;

/** A key for the Admin API itself. */
const credentialSchema = z.object({
  id: z.string(),
  secret: z.string(),
  keyClass: keyClassSchema,
  scopes: z.array(z.string()),
  revokedAt: instant.nullable(),
  expiresAt: instant.nullable(),
});
export type Credential = z.infer<typeof credentialSchema>;

export const truthSchema = z.object({
  nextSeq: z.int(),
  organization: z.object({ id: z.string(), name: z.string() }),
  settings: settingsSchema,
  credentials: z.array(credentialSchema),
  users: z.array(userSchema),
  invites: z.array(inviteSchema),
  workspaces: z.array(workspaceSchema),
  members: z.array(memberSchema),
  apiKeys: z.array(apiKeySchema),
  /** Groups of an Enterprise organisation, oldest first; names are not unique. */
  groups: z
    .array(
      z.object({
        id: z.string(),
        seq,
        name: z.string(),
        source: z.enum(["direct", "scim"]),
        /** It carries a role that makes its members owners: nobody changes it by API. */
        grantsOwner: z.boolean(),
        createdAt: instant,
        members: z.array(z.object({ userId: z.string(), at: instant })),
      }),
    )
    .default([]),
  /** How often each member was signed out everywhere. */
  signOuts: z.record(z.string(), z.int()).default({}),
  /** What workspaces were set to, by `workspace/group/limiter`. */
  rateLimits: z.record(z.string(), z.int()).default({}),
  /** What the compliance feed says, oldest first. */
  activities: z
    .array(
      z.object({
        id: z.string(),
        seq,
        at: instant,
        type: z.string(),
        userId: z.string().nullable(),
      }),
    )
    .default([]),
  /** Positions of members that were removed: a cursor that names one stays good. */
  departed: z.record(z.string(), seq),
  /** What the cache of the single member GET still says, by `workspace/user`; null: no such member. */
  cachedMembers: z.record(
    z.string(),
    z.object({ role: z.enum(workspaceRoles).nullable(), until: instant }),
  ),
});
export type Truth = z.infer<typeof truthSchema>;

export const defaultSettings: Settings = {
  provisioning: "none",
  listImplicitMembers: true,
  staleMemberReadMs: 0,
  memberSettleMs: 0,
  memberLimit: null,
  seats: null,
  allowedDomains: null,
  // Non-archived workspaces per organisation (workspaces guide, 2026-08).
  workspaceLimit: 100,
  workspaceMemberLimit: null,
  apiKeyLimit: null,
};

/** An organisation with nothing in it but its Default Workspace. */
export function emptyTruth(
  clock: Clock,
  organization: { readonly id: string; readonly name: string },
  settings: Partial<Settings>,
): Truth {
  const truth: Truth = {
    nextSeq: 1,
    organization: { ...organization },
    settings: { ...defaultSettings, ...settings },
    credentials: [],
    users: [],
    invites: [],
    workspaces: [],
    members: [],
    apiKeys: [],
    groups: [],
    signOuts: {},
    rateLimits: {},
    activities: [],
    departed: {},
    cachedMembers: {},
  };
  putWorkspace(truth, clock, "Default", { isDefault: true });
  return truth;
}

export function nextSeq(truth: Truth): number {
  const value = truth.nextSeq;
  truth.nextSeq += 1;
  return value;
}

export function putUser(
  truth: Truth,
  clock: Clock,
  person: { readonly email: string; readonly name: string; readonly role: OrgRole },
): User {
  const user: User = {
    id: prefixedId(clock, "user"),
    seq: nextSeq(truth),
    email: person.email,
    name: person.name,
    role: person.role,
    addedAt: clock.now(),
  };
  truth.users.push(user);
  return user;
}

export function putInvite(
  truth: Truth,
  clock: Clock,
  email: string,
  role: OrgRole,
  invitedAt: Instant = clock.now(),
): Invite {
  const invite: Invite = {
    id: prefixedId(clock, "invite"),
    seq: nextSeq(truth),
    email,
    role,
    state: "pending",
    invitedAt,
    expiresAt: invitedAt + INVITE_LIFE_MS,
    acceptedAt: null,
  };
  truth.invites.push(invite);
  return invite;
}

export function putWorkspace(
  truth: Truth,
  clock: Clock,
  name: string,
  more: { isDefault?: boolean; displayColor?: string; tags?: Record<string, string> } = {},
): Workspace {
  const workspace: Workspace = {
    id: prefixedId(clock, "wrkspc"),
    seq: nextSeq(truth),
    name,
    isDefault: more.isDefault ?? false,
    createdAt: clock.now(),
    archivedAt: null,
    displayColor: more.displayColor ?? "#6C5BB9",
    compartmentId: uuid(clock),
    tags: { ...more.tags },
  };
  truth.workspaces.push(workspace);
  return workspace;
}

export function inviteStatus(
  invite: Invite,
  now: Instant,
): "pending" | "accepted" | "expired" | "deleted" {
  return invite.state === "pending" && now >= invite.expiresAt ? "expired" : invite.state;
}

export function putActivity(
  truth: Truth,
  clock: Clock,
  type: string,
  userId: string | null = null,
): void {
  const id = prefixedId(clock, "activity");
  truth.activities.push({ id, seq: nextSeq(truth), at: clock.now(), type, userId });
}

/** Takes a member out of the organisation and of every workspace; keys that act for the person die. */
export function dropUser(truth: Truth, user: User): void {
  truth.users = truth.users.filter((each) => each !== user);
  truth.members = truth.members.filter((member) => member.userId !== user.id);
  for (const group of truth.groups)
    group.members = group.members.filter((member) => member.userId !== user.id);
  truth.departed[user.id] = user.seq;
  for (const key of truth.apiKeys) if (key.personOf === user.id) key.status = "archived";
}

/** Irreversible; the workspace's keys stop working. */
export function archiveWorkspace(truth: Truth, workspace: Workspace, now: Instant): void {
  workspace.archivedAt ??= now;
  for (const key of truth.apiKeys) {
    if (key.workspaceId === workspace.id && key.status === "active") key.status = "inactive";
  }
}
