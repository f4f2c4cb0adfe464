import { z } from "zod";
import { foldEmail } from "../../model/fold.ts";
import type { Clock } from "../../model/clock.ts";
import { uuid } from "../simulated-id.ts";
import { memberRoles } from "./vocabulary.ts";
import type { MemberRole } from "./vocabulary.ts";

const instant = z.int();
const seq = z.int();

export const settingsSchema = z.strictObject({
  /** The status of a missing scope: the vendor's own texts name both. */
  scopeRefusal: z.union([z.literal(401), z.literal(403)]),
  /** Whether a 429 says when to come back; the vendor documents no such header here. */
  retryAfter: z.boolean(),
});
export type Settings = z.infer<typeof settingsSchema>;

const workspaceSchema = z.object({
  id: z.string(),
  seq,
  name: z.string(),
  /** User id. */
  owner: z.string(),
  logoUrl: z.string().nullable(),
  paid: z.boolean(),
  createdAt: instant,
  updatedAt: instant,
  removalAt: instant.nullable(),
  /** What `change-owner` takes as `sec`; the API mints none. */
  securityToken: z.string(),
});
export type Workspace = z.infer<typeof workspaceSchema>;

const memberSchema = z.object({
  id: z.string(),
  seq,
  workspaceId: z.string(),
  userId: z.string(),
  email: z.string(),
  userEmail: z.string().nullable(),
  nickname: z.string().nullable(),
  name: z.object({ first: z.string(), last: z.string() }).nullable(),
  role: z.enum(memberRoles),
  permissions: z.array(z.string()).nullable(),
  accepted: z.boolean(),
  issuerId: z.string().nullable(),
  createdAt: instant,
});
export type Member = z.infer<typeof memberSchema>;

const keySchema = z.object({
  id: z.string(),
  seq,
  workspaceId: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  secret: z.string(),
  createdAt: instant,
  revokedAt: instant.nullable(),
});
export type Key = z.infer<typeof keySchema>;

const tagSchema = z.object({
  id: z.string(),
  seq,
  workspaceId: z.string(),
  label: z.string(),
  description: z.string().nullable(),
  createdAt: instant,
  updatedAt: instant,
});
export type Tag = z.infer<typeof tagSchema>;

/** 1 is an e-mail account (its id is its address), 2 a campaign. */
export const resourceTypeSchema = z.union([z.literal(1), z.literal(2)]);

const mappingSchema = z.object({
  id: z.string(),
  seq,
  workspaceId: z.string(),
  tagId: z.string(),
  resourceId: z.string(),
  resourceType: resourceTypeSchema,
  createdAt: instant,
});
export type TagMapping = z.infer<typeof mappingSchema>;

const groupMemberSchema = z.object({
  id: z.string(),
  seq,
  adminWorkspaceId: z.string(),
  subWorkspaceId: z.string(),
  status: z.enum(["pending", "accepted", "rejected"]),
  createdAt: instant,
  updatedAt: instant,
});
export type GroupMember = z.infer<typeof groupMemberSchema>;

const auditSchema = z.object({
  id: z.string(),
  seq,
  workspaceId: z.string(),
  at: instant,
  activityType: z.int(),
  userAgent: z.string().nullable(),
  apiKeyId: z.string(),
  affected: z.string(),
});
export type AuditEntry = z.infer<typeof auditSchema>;

export const truthSchema = z.object({
  nextSeq: z.int(),
  settings: settingsSchema,
  workspaces: z.array(workspaceSchema),
  members: z.array(memberSchema),
  keys: z.array(keySchema),
  tags: z.array(tagSchema),
  mappings: z.array(mappingSchema),
  groupMembers: z.array(groupMemberSchema),
  audit: z.array(auditSchema),
  /** Accounts (named by their address) and campaigns, each perhaps with the user id of its owner. */
  resources: z.array(
    z.object({
      workspaceId: z.string(),
      id: z.string(),
      seq: seq.default(0),
      type: resourceTypeSchema,
      name: z.string().default(""),
      ownedBy: z.string().nullable().default(null),
    }),
  ),
  /** Folded address → user id: a person is the same in every workspace. */
  people: z.record(z.string(), z.string()),
  /** Positions of rows that were deleted: a cursor that names one stays good. */
  departed: z.record(z.string(), seq),
});
export type Truth = z.infer<typeof truthSchema>;

export function emptyTruth(settings: Partial<Settings>): Truth {
  return {
    nextSeq: 1,
    settings: { scopeRefusal: 403, retryAfter: false, ...settings },
    workspaces: [],
    members: [],
    keys: [],
    tags: [],
    mappings: [],
    groupMembers: [],
    audit: [],
    resources: [],
    people: {},
    departed: {},
  };
}

export function nextSeq(truth: Truth): number {
  const value = truth.nextSeq;
  truth.nextSeq += 1;
  return value;
}

/** A workspace and its owner, who is there from the start. */
export function putWorkspace(
  truth: Truth,
  clock: Clock,
  workspace: { readonly id?: string; readonly name: string; readonly ownerEmail: string },
): Workspace {
  const now = clock.now();
  const made: Workspace = {
    id: workspace.id ?? uuid(clock),
    seq: nextSeq(truth),
    name: workspace.name,
    owner: personId(truth, clock, workspace.ownerEmail),
    logoUrl: null,
    paid: true,
    createdAt: now,
    updatedAt: now,
    removalAt: null,
    securityToken: uuid(clock),
  };
  truth.workspaces.push(made);
  putMember(truth, clock, {
    workspaceId: made.id,
    email: workspace.ownerEmail,
    role: "owner",
    accepted: true,
  });
  return made;
}

export interface NewMember {
  readonly workspaceId: string;
  readonly email: string;
  readonly role: MemberRole;
  readonly accepted: boolean;
  readonly userEmail?: string | null | undefined;
  readonly nickname?: string | null | undefined;
  readonly name?: { readonly first: string; readonly last: string } | undefined;
  readonly permissions?: readonly string[] | null | undefined;
}

export function putMember(truth: Truth, clock: Clock, member: NewMember): Member {
  const made: Member = {
    id: uuid(clock),
    seq: nextSeq(truth),
    workspaceId: member.workspaceId,
    userId: personId(truth, clock, member.userEmail ?? member.email),
    email: member.email,
    userEmail: member.userEmail ?? null,
    nickname: member.nickname ?? null,
    name: member.name ?? null,
    role: member.role,
    permissions: member.permissions ? [...member.permissions] : null,
    accepted: member.accepted,
    // Keys belong to the workspace and name no person.
    issuerId: null,
    createdAt: clock.now(),
  };
  truth.members.push(made);
  return made;
}

export function putKey(
  truth: Truth,
  clock: Clock,
  key: {
    readonly workspaceId: string;
    readonly name: string;
    readonly scopes: readonly string[];
    readonly secret?: string | undefined;
  },
): Key {
  const made: Key = {
    id: uuid(clock),
    seq: nextSeq(truth),
    workspaceId: key.workspaceId,
    name: key.name,
    scopes: [...key.scopes],
    secret: key.secret ?? Buffer.from(clock.bytes(48)).toString("base64"),
    createdAt: clock.now(),
    revokedAt: null,
  };
  truth.keys.push(made);
  return made;
}

/** Whether the row stands for this address, invited or real. */
export function isOf(member: Member, email: string): boolean {
  const key = foldEmail(email);
  return foldEmail(member.email) === key || foldEmail(member.userEmail ?? "") === key;
}

/** Remembers where a row was that goes. */
export function depart(truth: Truth, row: { readonly id: string; readonly seq: number }): void {
  truth.departed[row.id] = row.seq;
}

function personId(truth: Truth, clock: Clock, email: string): string {
  const key = foldEmail(email);
  return (truth.people[key] ??= uuid(clock));
}
