import type { Clock } from "../../model/clock.ts";
import {
  addMembersPatch,
  groupBody,
  groupOperations,
  managerFilter,
  managerPatch,
  personDiffers,
  removeMembersPatch,
  userBody,
  userOperations,
} from "./entra-patch.ts";
import type { PatchForm } from "./entra-patch.ts";
import type { EntraGroup, EntraState, EntraUser } from "./entra-state.ts";
import type { Person } from "./person.ts";
import { equals, patchOp, ScimRequestError } from "./scim-message.ts";
import type { ScimResource } from "./scim-message.ts";
import type { Query, ScimSession } from "./scim-session.ts";

/** What one push did, for the report of a cycle. */
export type Pushed = "created" | "updated" | "deleted" | "unchanged";

/** Several members in one request are required of a service; how many Entra puts into one is not documented. */
const MEMBERS_PER_PATCH = 100;

const withoutMembers: Query = [["excludedAttributes", "members"]];

/** The provisioning job of one tenant: the requests for one object, and what they leave in the tenant's state. */
export class EntraJob {
  readonly #state: EntraState;
  readonly #session: ScimSession;
  readonly #clock: Clock;

  constructor(state: EntraState, session: ScimSession, clock: Clock) {
    this.#state = state;
    this.#session = session;
    this.#clock = clock;
  }

  /**
   * Looks for a user and a group that cannot exist.
   * @throws ScimRequestError when the service finds one, refuses or does not answer: the job is quarantined.
   */
  async testConnection(): Promise<void> {
    const nobody = randomGuid(this.#clock);
    const users = await this.#session.list("/Users", [["filter", this.#matching(nobody)]]);
    const groups = await this.#session.list("/Groups", [
      ...withoutMembers,
      ["filter", equals("displayName", nobody)],
    ]);
    if (users.totalResults + groups.totalResults > 0) {
      throw new ScimRequestError(
        200,
        `The service found ${nobody}, which nobody has: filters are ignored`,
      );
    }
  }

  /** Whether the service should have the user as active. */
  isActive(user: EntraUser): boolean {
    const inScope =
      this.#state.scope === "all" ||
      this.#state.groups.some((group) => group.members.includes(user.person.id));
    return user.accountEnabled && user.deleted === "no" && inScope;
  }

  /** Matches and creates, updates, disables or deletes one user; the manager is another pass. */
  async pushUser(user: EntraUser, form: PatchForm): Promise<Pushed> {
    if (user.deleted === "hard") return this.#deleteUser(user);
    const person = { ...user.person };
    const active = this.isActive(user);
    if (user.scimId === undefined)
      return active ? this.#matchUser(user, person, form) : "unchanged";
    const { pushed } = user;
    if (pushed !== undefined && pushed.active === active && !personDiffers(person, pushed.person)) {
      return "unchanged";
    }
    const current = await this.#find(userPath(user.scimId));
    if (current === undefined) {
      // Somebody deleted the user at the service: match again, as for a new one.
      forgetUser(user);
      return active ? this.#matchUser(user, person, form) : "unchanged";
    }
    return this.#updateUser(user, person, active, current, form);
  }

  /** The second pass: both people exist by then. */
  async pushManager(user: EntraUser, form: PatchForm): Promise<Pushed> {
    const { scimId, pushed } = user;
    if (scimId === undefined || pushed?.active !== true) return "unchanged";
    const managerId = user.person.managerId;
    const manager = this.#state.users.find((one) => one.person.id === managerId)?.scimId;
    if (manager === pushed.managerScimId) return "unchanged";
    if (manager === undefined) {
      // A manager who is not provisioned yet is no order to take the old one away.
      if (managerId !== "") return "unchanged";
      await this.#session.patch(userPath(scimId), managerPatch(undefined, true, form));
      delete pushed.managerScimId;
      return "updated";
    }
    const held = await this.#session.list("/Users", [
      ["filter", managerFilter(scimId, manager)],
      ["attributes", "id"],
    ]);
    if (held.totalResults === 0) {
      const hadManager = pushed.managerScimId !== undefined;
      await this.#session.patch(userPath(scimId), managerPatch(manager, hadManager, form));
    }
    pushed.managerScimId = manager;
    return held.totalResults === 0 ? "updated" : "unchanged";
  }

  /** Creates a group without members, or renames it. */
  async pushGroup(group: EntraGroup, form: PatchForm): Promise<Pushed> {
    const name = group.name;
    if (group.scimId !== undefined) {
      if (group.pushedName === name) return "unchanged";
      const current = await this.#find(groupPath(group.scimId), withoutMembers);
      if (current !== undefined) return this.#updateGroup(group, name, current, form);
    }
    delete group.scimId;
    group.pushedMembers = [];
    const { resource, matched } = await this.#session.matchOrCreate(
      "/Groups",
      [...withoutMembers, ["filter", equals("displayName", name)]],
      groupBody(group.id, name),
    );
    group.scimId = resource.id;
    if (matched) return this.#updateGroup(group, name, resource, form);
    group.pushedName = name;
    return "created";
  }

  /** Sends what differs from the members that were pushed. Disabled and binned people stay members. */
  async pushMembers(
    group: EntraGroup,
    form: PatchForm,
  ): Promise<{ readonly added: number; readonly removed: number }> {
    if (group.scimId === undefined) return { added: 0, removed: 0 };
    const path = groupPath(group.scimId);
    const add = this.#linked(group.members.filter((id) => !group.pushedMembers.includes(id)));
    const remove = this.#linked(group.pushedMembers.filter((id) => !group.members.includes(id)));
    try {
      for (const some of chunks(add)) {
        await this.#session.patch(path, addMembersPatch(scimIds(some), form));
        group.pushedMembers.push(...some.map(({ id }) => id));
      }
      for (const some of chunks(remove)) {
        await this.#session.patch(path, removeMembersPatch(scimIds(some), form));
        group.pushedMembers = group.pushedMembers.filter(
          (id) => !some.some((one) => one.id === id),
        );
      }
    } catch (error) {
      // The group is gone at the service: its next push looks for it by id first, then matches again.
      if (error instanceof ScimRequestError && error.status === 404) delete group.pushedName;
      throw error;
    }
    return { added: add.length, removed: remove.length };
  }

  async deleteGroup(group: { readonly name: string; readonly scimId: string }): Promise<void> {
    await this.#session.delete(groupPath(group.scimId));
    const gone = this.#state.deletedGroups;
    this.#state.deletedGroups = gone.filter(({ scimId }) => scimId !== group.scimId);
  }

  async #matchUser(user: EntraUser, person: Person, form: PatchForm): Promise<Pushed> {
    const lookup: Query = [["filter", this.#matching(this.#matchingValue(person))]];
    const { resource, matched } = await this.#session.matchOrCreate(
      "/Users",
      lookup,
      userBody(person),
    );
    user.scimId = resource.id;
    if (matched) return this.#updateUser(user, person, true, resource, form);
    user.pushed = { person, active: true };
    return "created";
  }

  async #updateUser(
    user: EntraUser,
    person: Person,
    active: boolean,
    current: ScimResource,
    form: PatchForm,
  ): Promise<Pushed> {
    const operations = userOperations(person, active, current, form);
    if (operations.length > 0) await this.#session.patch(userPath(current.id), patchOp(operations));
    user.pushed = { ...user.pushed, person, active };
    return operations.length > 0 ? "updated" : "unchanged";
  }

  async #deleteUser(user: EntraUser): Promise<Pushed> {
    const { scimId, person } = user;
    if (scimId !== undefined) await this.#session.delete(userPath(scimId));
    this.#state.users = this.#state.users.filter((one) => one !== user);
    for (const group of this.#state.groups) {
      group.members = group.members.filter((id) => id !== person.id);
      group.pushedMembers = group.pushedMembers.filter((id) => id !== person.id);
    }
    return scimId === undefined ? "unchanged" : "deleted";
  }

  async #updateGroup(
    group: EntraGroup,
    name: string,
    current: ScimResource,
    form: PatchForm,
  ): Promise<Pushed> {
    const operations = groupOperations(group.id, name, current, form);
    if (operations.length > 0)
      await this.#session.patch(groupPath(current.id), patchOp(operations));
    group.pushedName = name;
    return operations.length > 0 ? "updated" : "unchanged";
  }

  async #find(path: string, query: Query = []): Promise<ScimResource | undefined> {
    try {
      return await this.#session.get(path, query);
    } catch (error) {
      if (error instanceof ScimRequestError && error.status === 404) return undefined;
      throw error;
    }
  }

  #matching(value: string): string {
    const { matching } = this.#state;
    return equals(matching === "emails" ? 'emails[type eq "work"].value' : matching, value);
  }

  #matchingValue(person: Person): string {
    switch (this.#state.matching) {
      case "userName":
        return person.userName;
      case "externalId":
        return person.id;
      case "emails":
        return person.email;
    }
  }

  #linked(ids: readonly string[]): readonly Linked[] {
    return ids.flatMap((id) => {
      const scimId = this.#state.users.find(({ person }) => person.id === id)?.scimId;
      return scimId === undefined ? [] : [{ id, scimId }];
    });
  }
}

interface Linked {
  readonly id: string;
  readonly scimId: string;
}

function forgetUser(user: EntraUser): void {
  delete user.scimId;
  delete user.pushed;
}

function chunks(all: readonly Linked[]): readonly (readonly Linked[])[] {
  const count = Math.ceil(all.length / MEMBERS_PER_PATCH);
  return Array.from({ length: count }, (_, index) =>
    all.slice(index * MEMBERS_PER_PATCH, (index + 1) * MEMBERS_PER_PATCH),
  );
}

function scimIds(linked: readonly Linked[]): readonly string[] {
  return linked.map(({ scimId }) => scimId);
}

function userPath(scimId: string): string {
  return `/Users/${encodeURIComponent(scimId)}`;
}

function groupPath(scimId: string): string {
  return `/Groups/${encodeURIComponent(scimId)}`;
}

function randomGuid(clock: Clock): string {
  const hex = Buffer.from(clock.bytes(16)).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
