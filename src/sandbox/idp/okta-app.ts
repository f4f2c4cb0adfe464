import type { JsonObject } from "../../model/json.ts";
import { createBody, groupBody, memberValues, replaceBody } from "./okta-body.ts";
import type { OktaMember } from "./okta-body.ts";
import type { OktaAction, OktaAssignment, OktaGroup, OktaState } from "./okta-state.ts";
import type { Person, PersonField } from "./person.ts";
import { personFields } from "./person.ts";
import { equals, patchOp } from "./scim-message.ts";
import type { ScimResource } from "./scim-message.ts";
import type { Query, ScimSession } from "./scim-session.ts";

const PAGE_SIZE = 100;

/**
 * The SCIM application of one Okta organisation: turns tasks into the requests that Okta sends, and keeps the ids that
 * the service answered in the organisation's state.
 */
export class OktaApp {
  readonly #state: OktaState;
  readonly #session: ScimSession;

  constructor(state: OktaState, session: ScimSession) {
    this.#state = state;
    this.#session = session;
  }

  /** "Test API Credentials". The request is not documented; a short list read is what services see. */
  async testConnection(): Promise<void> {
    await this.#session.list("/Users", page(1, 2));
  }

  /** Reads all of `/Users` or `/Groups`, 100 at a time, as a full import does. */
  async importAll(path: "/Users" | "/Groups"): Promise<readonly ScimResource[]> {
    const resources: ScimResource[] = [];
    for (let startIndex = 1; ; startIndex += PAGE_SIZE) {
      const answer = await this.#session.list(path, page(startIndex, PAGE_SIZE));
      resources.push(...answer.resources);
      if (startIndex + PAGE_SIZE > answer.totalResults) return resources;
    }
  }

  /** @throws ScimRequestError when the service refuses or does not answer. */
  async perform(action: OktaAction): Promise<void> {
    switch (action.kind) {
      case "assign":
        return this.#provision(this.#person(action.personId));
      case "update":
        return this.#pushProfile(this.#person(action.personId), action.fields);
      case "unassign":
        return this.#deactivate(this.#person(action.personId));
      case "push-group":
        return this.#linkGroup(action.groupId);
      case "change-members":
        return this.#changeMembers(action.groupId, action.add, action.remove);
      case "rename-group":
        return this.#withGroup(action.groupId, async (group, path) => {
          if (this.#wizard) await this.#putGroup(group, path);
          else await this.#patchName(group, path);
        });
      case "push-now":
        return this.#withGroup(action.groupId, async (group, path) => {
          // Not documented, inferred: Okta sees here that somebody deleted the group at the service.
          await this.#session.get(path);
          if (this.#wizard) return this.#putGroup(group, path);
          await this.#patchName(group, path);
          const value = memberValues(this.#linked(group.members));
          await this.#session.patch(path, patchOp([{ op: "replace", path: "members", value }]));
        });
      case "delete-group":
        return this.#session.delete(`/Groups/${encodeURIComponent(action.scimId)}`);
    }
  }

  async #provision(entry: OktaAssignment): Promise<void> {
    const { person } = entry;
    const lookup = page(1, PAGE_SIZE, equals("userName", person.userName));
    const body = createBody(person, this.#managerOf(person));
    const { resource, matched } = await this.#session.matchOrCreate("/Users", lookup, body);
    entry.scimId = resource.id;
    if (!matched) return;
    if (!this.#wizard && resource.active !== true) await this.#patchActive(resource.id, true);
    await this.#pushProfile(entry, personFields);
  }

  async #pushProfile(entry: OktaAssignment, fields: readonly PersonField[]): Promise<void> {
    if (entry.scimId === undefined) return;
    const path = userPath(entry.scimId);
    const fetched = await this.#session.get(path);
    const body = replaceBody(fetched, entry.person, fields, this.#managerOf(entry.person));
    await this.#session.put(path, this.#wizard ? { ...body, active: entry.assigned } : body);
  }

  async #deactivate(entry: OktaAssignment): Promise<void> {
    if (entry.scimId === undefined || entry.assigned) return;
    if (!this.#wizard) return this.#patchActive(entry.scimId, false);
    const path = userPath(entry.scimId);
    await this.#session.put(path, { ...(await this.#session.get(path)), active: false });
  }

  async #patchActive(scimId: string, active: boolean): Promise<void> {
    await this.#session.patch(userPath(scimId), patchOp([{ op: "replace", value: { active } }]));
  }

  async #linkGroup(groupId: string): Promise<void> {
    const group = this.#state.groups.find(({ id }) => id === groupId);
    if (group === undefined) return;
    const members = this.#linked(group.members);
    const { resource, matched } = await this.#session.matchOrCreate(
      "/Groups",
      page(1, PAGE_SIZE, equals("displayName", group.name)),
      groupBody(group.name, this.#wizard ? members : []),
    );
    group.scimId = resource.id;
    const path = groupPath(resource.id);
    if (this.#wizard) {
      if (matched) await this.#putGroup(group, path);
    } else if (members.length > 0) {
      // Members that a relinked group already had are kept: an add, not a replace.
      await this.#session.patch(path, patchOp([addOp(members)]));
    }
  }

  async #changeMembers(
    groupId: string,
    add: readonly string[],
    remove: readonly string[],
  ): Promise<void> {
    await this.#withGroup(groupId, async (group, path) => {
      if (this.#wizard) return this.#putGroup(group, path);
      // A task that waited for its retry must not undo what was changed meanwhile.
      const added = this.#linked(add.filter((id) => group.members.includes(id)));
      const removed = remove
        .filter((id) => !group.members.includes(id))
        .flatMap((id) => this.#state.people.find(({ person }) => person.id === id)?.scimId ?? []);
      await this.#patchName(group, path);
      const operations = [
        ...removed.map((id) => ({ op: "remove", path: `members[${equals("value", id)}]` })),
        ...(added.length > 0 ? [addOp(added)] : []),
      ];
      if (operations.length > 0) await this.#session.patch(path, patchOp(operations));
    });
  }

  /** The name, with the id inside the value; Okta sends it again with every change of members. */
  async #patchName(group: OktaGroup, path: string): Promise<void> {
    const value = { id: group.scimId, displayName: group.name };
    await this.#session.patch(path, patchOp([{ op: "replace", value }]));
  }

  async #putGroup(group: OktaGroup, path: string): Promise<void> {
    await this.#session.put(path, groupBody(group.name, this.#linked(group.members), group.scimId));
  }

  /** Runs `fn` on a group that is pushed; one that is not, or that was deleted meanwhile, has nothing to send. */
  async #withGroup(
    groupId: string,
    fn: (group: OktaGroup, path: string) => Promise<void>,
  ): Promise<void> {
    const group = this.#state.groups.find(({ id }) => id === groupId);
    if (group?.scimId !== undefined) await fn(group, groupPath(group.scimId));
  }

  #linked(ids: readonly string[]): readonly OktaMember[] {
    return ids.flatMap((id) => {
      const entry = this.#state.people.find(({ person }) => person.id === id);
      if (entry?.scimId === undefined || !entry.assigned) return [];
      return [{ scimId: entry.scimId, userName: entry.person.userName }];
    });
  }

  #managerOf(person: Person): Person | undefined {
    return this.#state.people.find((one) => one.person.id === person.managerId)?.person;
  }

  #person(id: string): OktaAssignment {
    const entry = this.#state.people.find(({ person }) => person.id === id);
    if (entry === undefined) throw new Error(`The task names a person that Okta lacks: ${id}`);
    return entry;
  }

  get #wizard(): boolean {
    return this.#state.app === "wizard";
  }
}

function addOp(members: readonly OktaMember[]): JsonObject {
  return { op: "add", path: "members", value: memberValues(members) };
}

function page(startIndex: number, count: number, filter?: string): Query {
  return [
    ...(filter === undefined ? [] : [["filter", filter] as const]),
    ["startIndex", String(startIndex)],
    ["count", String(count)],
  ];
}

function userPath(scimId: string): string {
  return `/Users/${encodeURIComponent(scimId)}`;
}

function groupPath(scimId: string): string {
  return `/Groups/${encodeURIComponent(scimId)}`;
}
