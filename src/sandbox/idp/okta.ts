import type { ExchangeLog } from "./exchange-log.ts";
import { OktaApp } from "./okta-app.ts";
import { emptyOktaState, oktaGroupId, readOktaState } from "./okta-state.ts";
import type { OktaAction, OktaAssignment, OktaGroup, OktaState, OktaTask } from "./okta-state.ts";
import type { Person, PersonChanges, PersonKey } from "./person.ts";
import { personFields } from "./person.ts";
import type { ScimResource } from "./scim-message.ts";
import { ScimSession } from "./scim-session.ts";
import type { ClientHabits, ScimSessionOptions } from "./scim-session.ts";

export interface OktaOptions extends Omit<ScimSessionOptions, "habits"> {
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

/**
 * An Okta organisation with one SCIM application: its own people and groups, and the requests that Okta sends when an
 * administrator changes them. A method changes the directory first and then runs its task; when the service refuses,
 * the method rejects with a ScimRequestError and the task waits for `retry`, as under Dashboard > Tasks.
 */
export class OktaSimulator {
  readonly #state: OktaState;
  readonly #session: ScimSession;
  readonly #app: OktaApp;

  constructor(options: OktaOptions) {
    this.#session = new ScimSession({ ...options, habits });
    this.#state = emptyOktaState(options.app ?? "catalogue");
    this.#app = new OktaApp(this.#state, this.#session);
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

  /** "Test API Credentials" of the application. */
  async testConnection(): Promise<void> {
    await this.#app.testConnection();
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
    return this.#app.importAll("/Users");
  }

  importGroups(): Promise<readonly ScimResource[]> {
    return this.#app.importAll("/Groups");
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
      await this.#app.perform(task.action);
    } catch (error) {
      task.failure = error instanceof Error ? error.message : String(error);
      throw error;
    }
    this.#state.tasks.splice(this.#state.tasks.indexOf(task), 1);
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
}
