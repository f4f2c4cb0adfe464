import type { Clock } from "../../model/clock.ts";
import type { JsonObject } from "../../model/json.ts";
import type { ExchangeLog } from "./exchange-log.ts";
import { createBody, groupBody, memberValues, replaceBody } from "./okta-body.ts";
import type { OktaMember } from "./okta-body.ts";
import { emptyOktaState, oktaGroupId, readOktaState } from "./okta-state.ts";
import type { OktaAction, OktaAssignment, OktaGroup, OktaState, OktaTask } from "./okta-state.ts";
import type { Person, PersonChanges, PersonField, PersonKey } from "./person.ts";
import { personFields } from "./person.ts";
import { equals, patchOp } from "./scim-message.ts";
import type { ScimResource } from "./scim-message.ts";
import { ScimSession } from "./scim-session.ts";
import type { ClientHabits, Query, ScimSessionOptions } from "./scim-session.ts";

export interface OktaOptions extends Omit<ScimSessionOptions, "habits" | "clock"> {
  readonly clock: Clock;
  /**
   * `catalogue`: an app of the integration network: PUT for profiles, PATCH for active and groups.
   * `wizard`: one made in the App Integration Wizard: PUT for everything, groups with their full member list.
   */
  readonly app?: OktaState["app"];
}

/** Okta, SCIM 2.0 concepts and FAQs (developer docs, 2026-08): whole seconds, else 5 minutes, doubled, ten attempts. */
const habits: ClientHabits = {
  userAgent: "Okta SCIM Client 1.0.0",
  headers: { Accept: "application/scim+json; charset=utf-8", "Accept-Charset": "utf-8" },
  blank: "%20",
  rateLimited: { attemptsMax: 10, defaultWaitMs: 300_000, doubles: true },
};

const PAGE_SIZE = 100;

/**
 * An Okta organisation with one SCIM application: its own people and groups, and the requests that Okta sends when an
 * administrator changes them. A method changes the directory first and then runs its task; when the service refuses,
 * the method rejects with a ScimRequestError and the task waits for `retry`, as under Dashboard > Tasks.
 */
export class OktaSimulator {
  readonly #state: OktaState;
  readonly #session: ScimSession;

  constructor(options: OktaOptions) {
    this.#session = new ScimSession({ ...options, habits });
    this.#state = emptyOktaState(options.app ?? "catalogue");
  }

  /** Goes on from what `toJSON` gave; the kind of app is part of it. */
  static fromJSON(json: unknown, options: Omit<OktaOptions, "app">): OktaSimulator {
    const state = readOktaState(json);
    const simulator = new OktaSimulator({ ...options, app: state.app });
    Object.assign(simulator.#state, state);
    return simulator;
  }

  toJSON(): OktaState {
    return structuredClone(this.#state);
  }

  get log(): ExchangeLog {
    return this.#session.log;
  }

  /** Everyone that the application was ever assigned to, with what Okta knows of them. */
  people(): readonly Readonly<OktaAssignment>[] {
    return structuredClone(this.#state.people);
  }

  groups(): readonly Readonly<OktaGroup>[] {
    return structuredClone(this.#state.groups);
  }

  /** Tasks that failed and wait for an administrator, oldest first. */
  failedTasks(): readonly Readonly<OktaTask>[] {
    return structuredClone(this.#state.tasks.filter((task) => task.failure !== undefined));
  }

  /** "Test API Credentials". The request is not documented; a short list read is what services see. */
  async testConnection(): Promise<void> {
    await this.#session.list("/Users", page(1, 2));
  }

  /** Assigns the application: looked up by userName, then created, or linked and updated. */
  async assign(person: Person): Promise<void> {
    const known = this.#state.people.find((one) => one.person.id === person.id);
    if (known === undefined) this.#state.people.push({ person: { ...person }, assigned: true });
    else known.assigned = true;
    await this.#start({ kind: "assign", personId: person.id });
  }

  /** Edits the profile; nothing is sent for someone to whom the application is not assigned. */
  async updateProfile(key: PersonKey, changes: PersonChanges): Promise<void> {
    const entry = this.#entry(key.id);
    const fields = personFields.filter(
      (field) => changes[field] !== undefined && changes[field] !== entry.person[field],
    );
    for (const field of fields) entry.person[field] = changes[field] ?? "";
    if (fields.length > 0 && entry.assigned) {
      await this.#start({ kind: "update", personId: key.id, fields });
    }
  }

  /** Takes the assignment away, or deactivates the person in Okta: both send active false and never a DELETE. */
  async unassign(key: PersonKey): Promise<void> {
    this.#entry(key.id).assigned = false;
    await this.#start({ kind: "unassign", personId: key.id });
  }

  /** Makes the group and pushes it. Members who are not provisioned are left out, as Okta does. */
  async pushGroup(name: string, members: readonly PersonKey[]): Promise<void> {
    if (this.#state.groups.some((group) => group.name === name)) {
      throw new Error(`Okta already has a group "${name}"; use pushNow`);
    }
    const id = oktaGroupId(this.#nextSerial());
    this.#state.groups.push({ id, name, members: members.map((member) => member.id) });
    await this.#start({ kind: "push-group", groupId: id });
  }

  async addToGroup(name: string, ...members: readonly PersonKey[]): Promise<void> {
    const group = this.#group(name);
    const add = members.map(({ id }) => id).filter((id) => !group.members.includes(id));
    if (add.length === 0) return;
    group.members.push(...add);
    await this.#start({ kind: "change-members", groupId: group.id, add, remove: [] });
  }

  async removeFromGroup(name: string, ...members: readonly PersonKey[]): Promise<void> {
    const group = this.#group(name);
    const remove = members.map(({ id }) => id).filter((id) => group.members.includes(id));
    if (remove.length === 0) return;
    group.members = group.members.filter((id) => !remove.includes(id));
    await this.#start({ kind: "change-members", groupId: group.id, add: [], remove });
  }

  async renameGroup(from: string, to: string): Promise<void> {
    const group = this.#group(from);
    if (this.#state.groups.some((other) => other.name === to && other !== group)) {
      throw new Error(`Okta already has a group "${to}"`);
    }
    group.name = to;
    await this.#start({ kind: "rename-group", groupId: group.id });
  }

  /** "Push Now": the whole member list again. */
  async pushNow(name: string): Promise<void> {
    await this.#start({ kind: "push-now", groupId: this.#group(name).id });
  }

  /** Deletes the group in Okta. `inTarget` false unlinks it only, and then nothing is sent. */
  async deleteGroup(name: string, { inTarget = true }: { inTarget?: boolean } = {}): Promise<void> {
    const group = this.#group(name);
    this.#state.groups.splice(this.#state.groups.indexOf(group), 1);
    if (inTarget && group.scimId !== undefined) {
      await this.#start({ kind: "delete-group", name, scimId: group.scimId });
    }
  }

  /** Reads every user of the service, 100 at a time, as a full import does. */
  importUsers(): Promise<readonly ScimResource[]> {
    return this.#import("/Users");
  }

  importGroups(): Promise<readonly ScimResource[]> {
    return this.#import("/Groups");
  }

  /** "Retry" on one failed task; what it pushes are the directory's values of now. */
  async retry(taskId: number): Promise<void> {
    const task = this.#state.tasks.find(({ id }) => id === taskId);
    if (task?.failure === undefined) throw new Error(`No failed task ${String(taskId)}`);
    await this.#run(task);
  }

  /** Retries what has failed up to now, oldest first, and stops at the first that fails again. */
  async retryAll(): Promise<void> {
    for (const task of this.failedTasks()) await this.retry(task.id);
  }

  async #start(action: OktaAction): Promise<void> {
    const task: OktaTask = { id: this.#nextSerial(), action };
    this.#state.tasks.push(task);
    await this.#run(task);
  }

  async #run(task: OktaTask): Promise<void> {
    delete task.failure;
    try {
      await this.#perform(task.action);
    } catch (error) {
      task.failure = error instanceof Error ? error.message : String(error);
      throw error;
    }
    this.#state.tasks.splice(this.#state.tasks.indexOf(task), 1);
  }

  async #perform(action: OktaAction): Promise<void> {
    switch (action.kind) {
      case "assign":
        return this.#provision(this.#entry(action.personId));
      case "update":
        return this.#pushProfile(this.#entry(action.personId), action.fields);
      case "unassign":
        return this.#deactivate(this.#entry(action.personId));
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
        .flatMap((id) => this.#entry(id).scimId ?? []);
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

  async #import(path: string): Promise<readonly ScimResource[]> {
    const resources: ScimResource[] = [];
    for (let startIndex = 1; ; startIndex += PAGE_SIZE) {
      const answer = await this.#session.list(path, page(startIndex, PAGE_SIZE));
      resources.push(...answer.resources);
      if (startIndex + PAGE_SIZE > answer.totalResults) return resources;
    }
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

  #entry(id: string): OktaAssignment {
    const entry = this.#state.people.find(({ person }) => person.id === id);
    if (entry === undefined) throw new Error(`Okta has no person ${id}; assign them first`);
    return entry;
  }

  #group(name: string): OktaGroup {
    const group = this.#state.groups.find((one) => one.name === name);
    if (group === undefined) throw new Error(`Okta has no group "${name}"; push it first`);
    return group;
  }

  #nextSerial(): number {
    this.#state.serial += 1;
    return this.#state.serial;
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
