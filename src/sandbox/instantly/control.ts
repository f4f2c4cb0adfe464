import { InputError } from "../../model/errors.ts";
import { foldEmail } from "../../model/fold.ts";
import type { Clock, Instant } from "../../model/clock.ts";
import type { SimulatedVendor } from "../simulated-vendor.ts";
import type { Caller } from "./route.ts";
import { depart, isOf, nextSeq, putKey, putMember, putWorkspace } from "./truth.ts";
import type { GroupMember, Key, Member, Settings, Truth, Workspace } from "./truth.ts";
import type { MemberRole } from "./vocabulary.ts";

/** Where `workspaceId` is left out, the first workspace is meant. */
interface InWorkspace {
  readonly workspaceId?: string;
}

/**
 * What the vendor's people and its users do outside the API. Each change is saved before the method returns.
 * Every method throws InputError where what it names is not there.
 */
export class InstantlyControl {
  readonly #vendor: SimulatedVendor<Truth, Caller>;
  readonly #clock: Clock;

  constructor(vendor: SimulatedVendor<Truth, Caller>) {
    this.#vendor = vendor;
    this.#clock = vendor.clock;
  }

  /** A member, or with `accepted: false` an open invitation, who is simply there. */
  seedMember(
    member: InWorkspace & {
      readonly email: string;
      readonly role?: MemberRole;
      readonly accepted?: boolean;
      readonly userEmail?: string;
      readonly name?: { readonly first: string; readonly last: string };
    },
  ): Member {
    return this.#change((truth) => {
      const workspaceId = workspaceOf(truth, member.workspaceId).id;
      const taken = truth.members.some(
        (each) => each.workspaceId === workspaceId && isOf(each, member.email),
      );
      if (taken) throw new InputError(`${member.email} is a member already`, []);
      const { email, role = "view", accepted = true, userEmail, name } = member;
      const made = { workspaceId, email, role, accepted, userEmail, name };
      return putMember(truth, this.#clock, made);
    });
  }

  /** The person follows the mail; `userEmail` is the address of their account where it is another. */
  acceptInvite(
    invite: InWorkspace & {
      readonly email: string;
      readonly name?: { readonly first: string; readonly last: string };
      readonly userEmail?: string;
    },
  ): Member {
    return this.#change((truth) => {
      const member = memberOf(truth, invite.workspaceId, invite.email);
      if (member.accepted) {
        throw new InputError(`${invite.email} has accepted already`, []);
      }
      member.accepted = true;
      member.name = invite.name === undefined ? nameOf(member.email) : { ...invite.name };
      if (invite.userEmail !== undefined) member.userEmail = invite.userEmail;
      return member;
    });
  }

  /** Somebody is removed by hand; the owner too. */
  removeMember(member: InWorkspace & { readonly email: string }): void {
    this.#change((truth) => {
      const found = memberOf(truth, member.workspaceId, member.email);
      truth.members = truth.members.filter((each) => each !== found);
      depart(truth, found);
    });
  }

  /** Somebody's role is changed by hand, to any but owner. */
  setRole(member: InWorkspace & { readonly email: string; readonly role: MemberRole }): Member {
    return this.#change((truth) => {
      const found = memberOf(truth, member.workspaceId, member.email);
      if (found.role === "owner" || member.role === "owner") {
        throw new InputError("A workspace has one owner: use change-owner with its token", []);
      }
      found.role = member.role;
      return found;
    });
  }

  addWorkspace(workspace: { readonly name: string; readonly ownerEmail: string }): Workspace {
    return this.#change((truth) => putWorkspace(truth, this.#clock, workspace));
  }

  /** The workspace gets another id and name, as if the key belonged to another one all along. */
  setOrganization(id: string, name: string): void {
    this.#change((truth) => {
      const workspace = workspaceOf(truth, undefined);
      const old = workspace.id;
      workspace.id = id;
      workspace.name = name;
      const owned = [truth.members, truth.keys, truth.tags, truth.mappings, truth.audit];
      for (const row of [...owned.flat(), ...truth.resources]) {
        if (row.workspaceId === old) row.workspaceId = id;
      }
      for (const row of truth.groupMembers) {
        if (row.adminWorkspaceId === old) row.adminWorkspaceId = id;
        if (row.subWorkspaceId === old) row.subWorkspaceId = id;
      }
    });
  }

  addKey(
    key: InWorkspace & {
      readonly name: string;
      readonly scopes: readonly string[];
      readonly secret?: string;
    },
  ): Key {
    return this.#change((truth) => {
      if (key.secret !== undefined && truth.keys.some((each) => each.secret === key.secret)) {
        throw new InputError("There is a key with this secret already", []);
      }
      const workspaceId = workspaceOf(truth, key.workspaceId).id;
      return putKey(truth, this.#clock, { ...key, workspaceId });
    });
  }

  /** Revokes one key by id or secret, or all of them. */
  revokeKey(key?: string): void {
    this.#change((truth, now) => {
      const revoked = truth.keys.filter(
        (each) => key === undefined || each.id === key || each.secret === key,
      );
      if (revoked.length === 0) throw new InputError("There is no such key to revoke", []);
      for (const each of revoked) each.revokedAt ??= now;
    });
  }

  /** While false, every call answers 402. */
  setPaid(paid: boolean, workspaceId?: string): void {
    this.#change((truth) => {
      workspaceOf(truth, workspaceId).paid = paid;
    });
  }

  /** The sub-workspace's owner answers an agency's invitation. */
  answerGroupInvite(id: string, answer: "accepted" | "rejected"): GroupMember {
    return this.#change((truth, now) => {
      const row = truth.groupMembers.find((each) => each.id === id);
      if (row?.status !== "pending") {
        throw new InputError(`There is no pending workspace invitation ${id}`, []);
      }
      row.status = answer;
      row.updatedAt = now;
      return row;
    });
  }

  /** An account (type 1, its address) or a campaign (type 2) that `selected_all` reaches. */
  seedResource(
    resource: InWorkspace & {
      readonly id: string;
      readonly type: 1 | 2;
      readonly name?: string;
      /** Address of a member. */
      readonly owner?: string;
    },
  ): void {
    this.#change((truth) => {
      const { id, type, name = id, owner } = resource;
      const workspaceId = workspaceOf(truth, resource.workspaceId).id;
      const ownedBy = owner === undefined ? null : memberOf(truth, workspaceId, owner).userId;
      truth.resources.push({ workspaceId, id, seq: nextSeq(truth), type, name, ownedBy });
    });
  }

  /** What change-owner takes as `sec`: the owner reads it in the app. */
  securityToken(workspaceId?: string): string {
    return workspaceOf(this.#vendor.truth, workspaceId).securityToken;
  }

  changeSettings(settings: Partial<Settings>): Settings {
    return this.#change((truth) => {
      truth.settings = { ...truth.settings, ...settings };
      return truth.settings;
    });
  }

  counts(): { members: number; pendingInvites: number; workspaces: number } {
    const { members, workspaces } = this.#vendor.truth;
    return {
      members: members.filter((member) => member.accepted).length,
      pendingInvites: members.filter((member) => !member.accepted).length,
      workspaces: workspaces.length,
    };
  }

  /** Answers a copy, so that nobody edits the truth from outside. */
  #change<T>(edit: (truth: Truth, now: Instant) => T): T {
    return structuredClone(this.#vendor.change(edit));
  }
}

function workspaceOf(truth: Truth, id: string | undefined): Workspace {
  const found =
    id === undefined ? truth.workspaces[0] : truth.workspaces.find((each) => each.id === id);
  if (found === undefined) throw new InputError(`There is no workspace ${id ?? ""}`, []);
  return found;
}

function memberOf(truth: Truth, workspaceId: string | undefined, email: string): Member {
  const id = workspaceOf(truth, workspaceId).id;
  const found = truth.members.find((each) => each.workspaceId === id && isOf(each, email));
  if (found === undefined) {
    throw new InputError(`There is no member or invitation of ${foldEmail(email)}`, []);
  }
  return found;
}

function nameOf(email: string): { first: string; last: string } {
  const [first = "", last = ""] = (email.split("@")[0] ?? "").split(".");
  return { first, last };
}
