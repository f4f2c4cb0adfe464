import { EntraJob } from "./entra-job.ts";
import type { Pushed } from "./entra-job.ts";
import type { PatchForm } from "./entra-patch.ts";
import { emptyEntraState, objectIdOf, readEntraState } from "./entra-state.ts";
import type { EntraGroup, EntraState, EntraUser } from "./entra-state.ts";
import type { ExchangeLog } from "./exchange-log.ts";
import type { Person, PersonChanges, PersonKey } from "./person.ts";
import { personFields } from "./person.ts";
import { ScimRequestError } from "./scim-message.ts";
import { ScimSession } from "./scim-session.ts";
import type { ClientHabits, ScimSessionOptions } from "./scim-session.ts";

export interface EntraOptions extends Omit<ScimSessionOptions, "habits"> {
  readonly matching?: EntraState["matching"];
  readonly scope?: EntraState["scope"];
}

/** What one cycle did. Objects that failed are tried again by the next one. */
export interface CycleReport {
  /** User names and group names. */
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly deleted: readonly string[];
  readonly membersAdded: number;
  readonly membersRemoved: number;
  readonly failures: readonly CycleFailure[];
}

export interface CycleFailure {
  /** The user name or group name. */
  readonly object: string;
  /** The service's answer, as the provisioning log shows it. */
  readonly detail: string;
}

const FLAG = "aadOptscim062020";

/**
 * Entra's real User-Agent is not documented. A blank in a query is a plus there (seen in AzureAD/SCIMReferenceCode#63).
 * Retry-After pauses the job (Microsoft staff on learn.microsoft.com, question 2284725, 2025); a 429 without it is a
 * failure like any other.
 */
const habits: ClientHabits = {
  userAgent: "Rolecall-Sandbox-Entra/1.0",
  headers: { Accept: "application/scim+json" },
  blank: "+",
  rateLimited: { attemptsMax: 5, defaultWaitMs: undefined, doubles: false },
};

/**
 * A Microsoft Entra tenant with one provisioning job. Methods in an administrator's words change the tenant's own
 * directory only; `runCycle` pushes whatever differs from what was pushed before, and `provisionOnDemand` one person.
 * A base URL with the flag `?aadOptscim062020` switches the form of updates, in cycles only.
 */
export class EntraSimulator {
  readonly #state: EntraState;
  readonly #session: ScimSession;
  readonly #job: EntraJob;
  readonly #cycleForm: PatchForm;
  #busy = false;

  constructor(options: EntraOptions) {
    this.#session = new ScimSession({ ...options, habits });
    const { matching = "userName", scope = "all" } = options;
    this.#state = emptyEntraState({ matching, scope });
    this.#job = new EntraJob(this.#state, this.#session, options.clock);
    this.#cycleForm = new URL(options.baseUrl).searchParams.has(FLAG) ? FLAG : "default";
  }

  /** Goes on from what `toJSON` gave; matching and scope are part of it. */
  static fromJSON(
    json: unknown,
    options: Omit<EntraOptions, "matching" | "scope">,
  ): EntraSimulator {
    const simulator = new EntraSimulator(options);
    Object.assign(simulator.#state, readEntraState(json));
    return simulator;
  }

  toJSON(): EntraState {
    return structuredClone(this.#state);
  }

  get log(): ExchangeLog {
    return this.#session.log;
  }

  users(): readonly Readonly<EntraUser>[] {
    return structuredClone(this.#state.users);
  }

  groups(): readonly Readonly<EntraGroup>[] {
    return structuredClone(this.#state.groups);
  }

  addUser(person: Person): void {
    if (this.#state.users.some((user) => user.person.id === person.id)) {
      throw new Error(`Entra already has the user ${person.userName}`);
    }
    this.#state.users.push({ person: { ...person }, accountEnabled: true, deleted: "no" });
  }

  editUser(key: PersonKey, changes: PersonChanges): void {
    const { person } = this.#user(key);
    for (const field of personFields) person[field] = changes[field] ?? person[field];
  }

  /** Blocks the sign-in. */
  disable(key: PersonKey): void {
    this.#user(key).accountEnabled = false;
  }

  enable(key: PersonKey): void {
    this.#user(key).accountEnabled = true;
  }

  /** Puts the user into the bin, where it stays restorable for 30 days. */
  softDelete(key: PersonKey): void {
    this.#user(key).deleted = "soft";
  }

  /** Takes the user out of the bin; group memberships are not sent again. */
  restore(key: PersonKey): void {
    const user = this.#user(key);
    if (user.deleted !== "soft") throw new Error(`${user.person.userName} is not in the bin`);
    user.deleted = "no";
  }

  /** Empties the bin of this user, as an administrator does or the 30 days do. */
  hardDelete(key: PersonKey): void {
    this.#user(key).deleted = "hard";
  }

  createGroup(name: string, members: readonly PersonKey[]): void {
    this.#refuseName(name);
    this.#state.serial += 1;
    this.#state.groups.push({
      id: objectIdOf(`group ${String(this.#state.serial)}`),
      name,
      members: members.map((member) => this.#user(member).person.id),
      pushedMembers: [],
    });
  }

  addToGroup(name: string, ...members: readonly PersonKey[]): void {
    const group = this.#group(name);
    const ids = members.map((member) => this.#user(member).person.id);
    group.members = [...new Set([...group.members, ...ids])];
  }

  removeFromGroup(name: string, ...members: readonly PersonKey[]): void {
    const group = this.#group(name);
    group.members = group.members.filter((id) => !members.some((member) => member.id === id));
  }

  renameGroup(from: string, to: string): void {
    const group = this.#group(from);
    if (from !== to) this.#refuseName(to);
    group.name = to;
  }

  deleteGroup(name: string): void {
    const { scimId } = this.#group(name);
    this.#state.groups = this.#state.groups.filter((group) => group.name !== name);
    if (scimId !== undefined) this.#state.deletedGroups.push({ name, scimId });
  }

  /** "Test Connection": filters for a random GUID must answer 200 with nothing found. */
  async testConnection(): Promise<void> {
    await this.#job.testConnection();
  }

  /**
   * One incremental cycle (the first is the initial one): users, their managers, groups, members. An object that fails
   * does not stop the rest.
   * @throws ScimRequestError when the connection test fails; the job is then in quarantine and nothing was pushed.
   */
  async runCycle(): Promise<CycleReport> {
    return this.#exclusively(async (report) => {
      await this.#job.testConnection();
      const form = this.#cycleForm;
      for (const gone of [...this.#state.deletedGroups]) {
        await report.push(gone.name, async () => {
          await this.#job.deleteGroup(gone);
          return "deleted";
        });
      }
      const users = [...this.#state.users];
      for (const user of users) {
        await report.push(user.person.userName, () => this.#job.pushUser(user, form));
      }
      for (const user of users) {
        await report.push(user.person.userName, () => this.#job.pushManager(user, form));
      }
      const groups = [...this.#state.groups];
      for (const group of groups) {
        await report.push(group.name, () => this.#job.pushGroup(group, form));
      }
      for (const group of groups) {
        await report.push(group.name, async () => {
          report.countMembers(await this.#job.pushMembers(group, form));
          return "unchanged";
        });
      }
    });
  }

  /** "Provision on demand": one person at once, always in the default form, whatever the URL's flag says. */
  async provisionOnDemand(key: PersonKey): Promise<CycleReport> {
    return this.#exclusively(async (report) => {
      const user = this.#user(key);
      await this.#job.testConnection();
      await report.push(user.person.userName, () => this.#job.pushUser(user, "default"));
      await report.push(user.person.userName, () => this.#job.pushManager(user, "default"));
    });
  }

  async #exclusively(run: (report: CycleNotes) => Promise<void>): Promise<CycleReport> {
    if (this.#busy) throw new Error("A cycle of this tenant is under way; wait for its end");
    this.#busy = true;
    try {
      const notes = new CycleNotes(() => this.#session.stopped);
      await run(notes);
      return notes.report();
    } finally {
      this.#busy = false;
    }
  }

  #refuseName(name: string): void {
    if (this.#state.groups.some((group) => group.name === name)) {
      throw new Error(`Entra already has a group "${name}"`);
    }
  }

  #user(key: PersonKey): EntraUser {
    const user = this.#state.users.find(({ person }) => person.id === key.id);
    if (user === undefined) throw new Error(`Entra has no user ${key.id}; add them first`);
    return user;
  }

  #group(name: string): EntraGroup {
    const group = this.#state.groups.find((one) => one.name === name);
    if (group === undefined) throw new Error(`Entra has no group "${name}"; create it first`);
    return group;
  }
}

/** Gathers a cycle's report while it runs. */
class CycleNotes {
  readonly #stopped: () => boolean;
  readonly #names = {
    created: new Set<string>(),
    updated: new Set<string>(),
    deleted: new Set<string>(),
  };
  readonly #failures: CycleFailure[] = [];
  #added = 0;
  #removed = 0;

  constructor(stopped: () => boolean) {
    this.#stopped = stopped;
  }

  async push(object: string, push: () => Promise<Pushed>): Promise<void> {
    try {
      const pushed = await push();
      if (pushed !== "unchanged") this.#names[pushed].add(object);
    } catch (error) {
      if (!(error instanceof ScimRequestError) || this.#stopped()) throw error;
      this.#failures.push({ object, detail: error.message });
    }
  }

  countMembers(counts: { readonly added: number; readonly removed: number }): void {
    this.#added += counts.added;
    this.#removed += counts.removed;
  }

  report(): CycleReport {
    return {
      created: [...this.#names.created],
      updated: [...this.#names.updated],
      deleted: [...this.#names.deleted],
      membersAdded: this.#added,
      membersRemoved: this.#removed,
      failures: this.#failures,
    };
  }
}
