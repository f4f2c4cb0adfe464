import { InputError } from "../../model/errors.ts";
import { foldEmail } from "../../model/fold.ts";
import type { Clock, Instant } from "../../model/clock.ts";
import { prefixedId } from "../simulated-id.ts";
import type { SimulatedVendor } from "../simulated-vendor.ts";
import { keyClasses } from "./key-class.ts";
import type { KeyClass, Scope } from "./key-class.ts";
import {
  archiveWorkspace,
  dropUser,
  inviteStatus,
  nextSeq,
  putActivity,
  putInvite,
  putUser,
  putWorkspace,
} from "./truth.ts";
import type {
  ApiKey,
  Credential,
  Invite,
  OrgRole,
  Settings,
  Truth,
  User,
  Workspace,
  WorkspaceRole,
} from "./truth.ts";

/**
 * What the vendor's people and its users do outside the Admin API. Each change is saved before the method returns.
 * Every method throws InputError where what it names is not there.
 */
export class AnthropicControl {
  readonly #vendor: SimulatedVendor<Truth, Credential>;
  readonly #clock: Clock;

  constructor(vendor: SimulatedVendor<Truth, Credential>) {
    this.#vendor = vendor;
    this.#clock = vendor.clock;
  }

  /** A member who is simply there, whatever the API would say. */
  seedUser(person: { email: string; name?: string; role?: OrgRole }): User {
    return this.#change((truth) => {
      if (truth.users.some((user) => sameEmail(user, person.email))) {
        throw new InputError(`${person.email} is a member already`, []);
      }
      const { email, name = nameOf(email), role = "user" } = person;
      return putUser(truth, this.#clock, { email, name, role });
    });
  }

  /** A pending invitation, sent at `invitedAt` (default: now). */
  seedInvite(invite: { email: string; role?: OrgRole; invitedAt?: Instant }): Invite {
    return this.#change((truth) =>
      putInvite(truth, this.#clock, invite.email, invite.role ?? "user", invite.invitedAt),
    );
  }

  /** The person opens the mail: the invitation is accepted and they are a member with its role. */
  acceptInvite(email: string, name?: string): User {
    return this.#change((truth, now) => {
      const invite = pendingInvite(truth, email, now);
      invite.state = "accepted";
      invite.acceptedAt = now;
      return putUser(truth, this.#clock, {
        email: invite.email,
        name: name ?? nameOf(invite.email),
        role: invite.role,
      });
    });
  }

  /** Lets the 21 days of a pending invitation be over: it moves into the past as a whole. */
  expireInvite(email: string): Invite {
    return this.#change((truth, now) => {
      const invite = pendingInvite(truth, email, now);
      const byMs = invite.expiresAt - now;
      invite.invitedAt -= byMs;
      invite.expiresAt -= byMs;
      return invite;
    });
  }

  /** An admin removes somebody by hand, admins included. */
  removeUser(email: string): void {
    this.#change((truth) => {
      dropUser(truth, userOf(truth, email));
      putActivity(truth, this.#clock, "org_user_removed", adminOf(truth));
    });
  }

  /** An admin changes somebody by hand; every role goes. */
  setUserRole(email: string, role: OrgRole): User {
    return this.#change((truth) => {
      const user = userOf(truth, email);
      user.role = role;
      putActivity(truth, this.#clock, "org_user_role_updated", adminOf(truth));
      return user;
    });
  }

  addWorkspace(name: string): Workspace {
    return this.#change((truth) => putWorkspace(truth, this.#clock, name));
  }

  /** `workspace` is an id or a name. */
  archiveWorkspace(workspace: string): Workspace {
    return this.#change((truth, now) => {
      const found = workspaceOf(truth, workspace);
      archiveWorkspace(truth, found, now);
      return found;
    });
  }

  /** Puts somebody into a workspace by hand, or gives them another role there. `workspace` is an id or a name. */
  setMember(workspace: string, email: string, role: WorkspaceRole): void {
    this.#change((truth, now) => {
      const workspaceId = workspaceOf(truth, workspace).id;
      const userId = userOf(truth, email).id;
      const row = truth.members.find(
        (member) => member.workspaceId === workspaceId && member.userId === userId,
      );
      if (row === undefined) truth.members.push({ workspaceId, userId, role, addedAt: now });
      else row.role = role;
    });
  }

  /** An admin sets a workspace's limit by hand. `workspace` is an id or a name. */
  setRateLimit(workspace: string, group: string, limiter: string, value: number): void {
    this.#change((truth) => {
      const { id } = workspaceOf(truth, workspace);
      truth.rateLimits[`${id}/${group}/${limiter}`] = value;
    });
  }

  removeMember(workspace: string, email: string): void {
    this.#change((truth) => {
      const workspaceId = workspaceOf(truth, workspace).id;
      const userId = userOf(truth, email).id;
      truth.members = truth.members.filter(
        (member) => member.workspaceId !== workspaceId || member.userId !== userId,
      );
    });
  }

  /** A key that `createdBy` (an address) made: for a workspace, or `personal` and then dying with its maker. */
  seedApiKey(key: {
    name: string;
    createdBy?: string;
    workspace?: string;
    personal?: boolean;
    expiresAt?: Instant;
  }): ApiKey {
    return this.#change((truth, now) => {
      const creator = key.createdBy === undefined ? null : userOf(truth, key.createdBy).id;
      const made: ApiKey = {
        id: prefixedId(this.#clock, "apikey"),
        seq: nextSeq(truth),
        name: key.name,
        status: "active",
        createdAt: now,
        createdBy: creator,
        expiresAt: key.expiresAt ?? null,
        hint: `sk-ant-api03-...${prefixedId(this.#clock, "x").slice(-4)}`,
        workspaceId: key.workspace === undefined ? null : workspaceOf(truth, key.workspace).id,
        personOf: key.personal === true ? creator : null,
      };
      truth.apiKeys.push(made);
      putActivity(truth, this.#clock, "api_key_created", creator);
      return made;
    });
  }

  /** A group of an Enterprise organisation, made in its settings. */
  addGroup(group: {
    name: string;
    source?: "direct" | "scim";
    grantsOwner?: boolean;
  }): Truth["groups"][number] {
    return this.#change((truth, now) => {
      const { name, source = "direct", grantsOwner = false } = group;
      const made = {
        ...{ id: prefixedId(this.#clock, "rbac_group"), seq: nextSeq(truth) },
        ...{ name, source, grantsOwner, createdAt: now, members: [] },
      };
      truth.groups.push(made);
      return made;
    });
  }

  /** The keys now answer for another organisation. */
  setOrganization(id: string, name: string): void {
    this.#change((truth) => {
      truth.organization = { id, name };
    });
  }

  /** A further credential for the Admin API; answers its id and secret. `scopes` only where the class lets them be chosen. */
  addKey(key: { keyClass: KeyClass; scopes?: readonly Scope[]; secret?: string }): {
    id: string;
    secret: string;
  } {
    return this.#change((truth) => {
      const facts = keyClasses[key.keyClass];
      const credential: Credential = {
        id: prefixedId(this.#clock, "adminkey"),
        secret: key.secret ?? facts.prefix + prefixedId(this.#clock, "sandbox"),
        keyClass: key.keyClass,
        scopes: [...(facts.scopes ?? key.scopes ?? [])],
        revokedAt: null,
        expiresAt: null,
      };
      if (truth.credentials.some((each) => each.secret === credential.secret)) {
        throw new InputError("There is a key with this secret already", []);
      }
      truth.credentials.push(credential);
      return { id: credential.id, secret: credential.secret };
    });
  }

  /** Revokes one credential by id or secret, or all of them. */
  revokeKey(key?: string): void {
    this.#change((truth, now) => {
      const revoked = truth.credentials.filter(
        (each) => key === undefined || each.id === key || each.secret === key,
      );
      if (revoked.length === 0) throw new InputError("There is no such key to revoke", []);
      for (const credential of revoked) credential.revokedAt ??= now;
    });
  }

  /** While on, the organisation's own SCIM owns membership and the API refuses to write it. */
  setScimOn(on: boolean): void {
    this.changeSettings({ provisioning: on ? "scim" : "none" });
  }

  changeSettings(settings: Partial<Settings>): Settings {
    return this.#change((truth) => {
      truth.settings = { ...truth.settings, ...settings };
      return truth.settings;
    });
  }

  counts(): { users: number; pendingInvites: number; workspaces: number; members: number } {
    const { truth, clock } = this.#vendor;
    const now = clock.now();
    return {
      users: truth.users.length,
      pendingInvites: truth.invites.filter((invite) => inviteStatus(invite, now) === "pending")
        .length,
      workspaces: truth.workspaces.filter((each) => !each.isDefault && each.archivedAt === null)
        .length,
      members: truth.members.length,
    };
  }

  /** Answers a copy, so that nobody edits the truth from outside. */
  #change<T>(edit: (truth: Truth, now: Instant) => T): T {
    return structuredClone(this.#vendor.change(edit));
  }
}

/** Whoever does things by hand. */
function adminOf(truth: Truth): string | null {
  return truth.users.find((user) => user.role === "admin")?.id ?? null;
}

function sameEmail(row: { readonly email: string }, email: string): boolean {
  return foldEmail(row.email) === foldEmail(email);
}

function userOf(truth: Truth, email: string): User {
  const user = truth.users.find((each) => sameEmail(each, email));
  if (user === undefined) throw new InputError(`There is no member ${email}`, []);
  return user;
}

function pendingInvite(truth: Truth, email: string, now: Instant): Invite {
  const invite = truth.invites.findLast(
    (each) => sameEmail(each, email) && inviteStatus(each, now) === "pending",
  );
  if (invite === undefined) throw new InputError(`There is no pending invitation of ${email}`, []);
  return invite;
}

function workspaceOf(truth: Truth, workspace: string): Workspace {
  const found = truth.workspaces.find((each) => each.id === workspace || each.name === workspace);
  if (found === undefined) throw new InputError(`There is no workspace ${workspace}`, []);
  return found;
}

function nameOf(email: string): string {
  return email.split("@")[0] ?? email;
}
