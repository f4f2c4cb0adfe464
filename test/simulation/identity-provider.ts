import type { TenantId, IdpId } from "../../src/model/ids.ts";
import type { ScimAnswer } from "./node.ts";
import type { Random } from "./random.ts";
import type { Life, Scheduler } from "./scheduler.ts";

/** A person as the identity provider knows them; `id` is what SCIM answered. */
export interface IdpUser {
  readonly key: string;
  id: string | undefined;
  userName: string;
  active: boolean;
  deleted: boolean;
  userType: "Employee" | "Contractor";
  /** Monotonic: since when the service has known that the person left; undefined: it does not, or they did not. */
  leftAt: number | undefined;
  /** Wall time: when they leave, or left, by the word of HR that was heard last. */
  hrLeavesAt: number | undefined;
  /** HR has spoken of them: what it knows goes by their address, which stays then. */
  knownToHr: boolean;
}

/** Whether somebody works here, by both who may say that they do not. */
export function isHere(who: IdpUser, now: number): boolean {
  return who.active && !who.deleted && !(who.hrLeavesAt !== undefined && who.hrLeavesAt <= now);
}

export interface IdpGroup {
  readonly key: string;
  id: string | undefined;
  name: string;
  deleted: boolean;
  readonly members: Set<IdpUser>;
}

/** One request; undefined: nobody answered in time, and nobody knows whether it was done. */
export type Send = (
  method: string,
  path: string,
  body?: unknown,
) => Promise<ScimAnswer | undefined>;

interface Task {
  readonly text: string;
  /** Answers whether it is over; otherwise it is tried again, as identity providers do. */
  readonly attempt: () => Promise<boolean>;
}

const user = "urn:ietf:params:scim:schemas:core:2.0:User";
const group = "urn:ietf:params:scim:schemas:core:2.0:Group";
const patch = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/** The truth about one tenant's people and groups, and the queue in which it is pushed: in order, until each request is acknowledged. */
export class IdentityProvider {
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  readonly token: string;
  readonly users: IdpUser[] = [];
  readonly groups: IdpGroup[] = [];
  /** Whether everybody is said to have arrived: before that nobody's absence counts. */
  loaded = true;
  /** Monotonic: since when everything was acknowledged; undefined: something is not. */
  quietSince: number | undefined = 0;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #life: Life;
  readonly #send: Send;
  readonly #queue: Task[] = [];
  #working = false;
  #serial = 0;

  constructor(
    place: { readonly tenantId: TenantId; readonly idpId: IdpId; readonly token: string },
    scheduler: Scheduler,
    random: Random,
    life: Life,
    send: Send,
  ) {
    this.tenantId = place.tenantId;
    this.idpId = place.idpId;
    this.token = place.token;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#life = life;
    this.#send = send;
  }

  live(): readonly IdpUser[] {
    return this.users.filter((item) => !item.deleted);
  }

  /** The active person of an address, if there is one. */
  activeOf(email: string): IdpUser | undefined {
    return this.users.find((item) => item.userName === email && item.active && !item.deleted);
  }

  // — what happens there —

  hire(userName: string, userType: IdpUser["userType"] = "Employee"): IdpUser {
    this.#serial += 1;
    const made: IdpUser = {
      key: `u${String(this.#serial)}`,
      id: undefined,
      userName,
      active: true,
      deleted: false,
      userType,
      leftAt: undefined,
      hrLeavesAt: undefined,
      knownToHr: false,
    };
    this.users.push(made);
    this.push(`POST user ${userName}`, () => this.#create(made));
    return made;
  }

  setActive(who: IdpUser, active: boolean): void {
    who.active = active;
    if (active) who.leftAt = undefined;
    const byPatch = this.#random.chance(0.5);
    this.push(`${active ? "activate" : "deactivate"} ${who.userName}`, async () => {
      const over = byPatch
        ? await this.#patch(`/Users/${who.id ?? ""}`, [{ op: "replace", value: { active } }])
        : await this.#put(who);
      if (over && !active && !who.active) who.leftAt ??= this.#scheduler.monotonic;
      return over;
    });
  }

  update(who: IdpUser, change: Partial<Pick<IdpUser, "userName" | "userType">>): void {
    Object.assign(who, change);
    this.push(`PUT ${who.userName}`, () => this.#put(who));
  }

  deleteUser(who: IdpUser): void {
    who.deleted = true;
    for (const item of this.groups) item.members.delete(who);
    this.push(`DELETE user ${who.userName}`, async () => {
      const over = done(await this.#send("DELETE", `/Users/${who.id ?? ""}`), 404);
      if (over) who.leftAt ??= this.#scheduler.monotonic;
      return over;
    });
  }

  createGroup(name: string, members: readonly IdpUser[]): IdpGroup {
    this.#serial += 1;
    const made: IdpGroup = {
      key: `g${String(this.#serial)}`,
      id: undefined,
      name,
      deleted: false,
      members: new Set(members),
    };
    this.groups.push(made);
    this.push(`POST group ${name}`, async () => {
      const answer = await this.#send("POST", "/Groups", {
        schemas: [group],
        displayName: name,
        members: this.#refs([...members]),
      });
      if (answer?.status === 409) return this.#adopt(made, "/Groups", `displayName eq "${name}"`);
      if (answer?.status !== 201) return false;
      made.id = String(answer.body["id"]);
      return true;
    });
    return made;
  }

  changeMembers(where: IdpGroup, op: "add" | "remove", who: readonly IdpUser[]): void {
    for (const one of who) {
      if (op === "add") where.members.add(one);
      else where.members.delete(one);
    }
    this.push(`${op} ${String(who.length)} in ${where.name}`, () =>
      this.#patch(`/Groups/${where.id ?? ""}`, [{ op, path: "members", value: this.#refs(who) }]),
    );
  }

  /** A PUT with what it should hold now: shrinks it, where people are left out. */
  replaceMembers(where: IdpGroup, who: readonly IdpUser[]): void {
    where.members.clear();
    for (const one of who) where.members.add(one);
    this.push(`PUT ${where.name} with ${String(who.length)}`, async () =>
      done(
        await this.#send("PUT", `/Groups/${where.id ?? ""}`, {
          schemas: [group],
          displayName: where.name,
          members: this.#refs(who),
        }),
        404,
      ),
    );
  }

  renameGroup(where: IdpGroup, name: string): void {
    where.name = name;
    this.push(`rename a group to ${name}`, () =>
      this.#patch(`/Groups/${where.id ?? ""}`, [
        { op: "replace", path: "displayName", value: name },
      ]),
    );
  }

  deleteGroup(where: IdpGroup): void {
    where.deleted = true;
    this.push(`DELETE group ${where.name}`, async () =>
      done(await this.#send("DELETE", `/Groups/${where.id ?? ""}`), 404),
    );
  }

  // — pushing —

  get waiting(): number {
    return this.#queue.length;
  }

  /** Waits for its turn behind all that was said before; tried until it is over. */
  push(text: string, attempt: () => Promise<boolean>): void {
    this.#queue.push({ text, attempt });
    this.quietSince = undefined;
    if (!this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let task = this.#queue[0]; task !== undefined; task = this.#queue[0]) {
      this.#scheduler.tell(this.idpId, () => `sends ${task.text}`);
      if (await task.attempt()) this.#queue.shift();
      else await this.#scheduler.sleep(this.#life, this.#random.between(2_000, 20_000));
    }
    this.#working = false;
    this.quietSince = this.#scheduler.monotonic;
  }

  async #create(who: IdpUser): Promise<boolean> {
    const answer = await this.#send("POST", "/Users", this.#body(who));
    if (answer?.status === 409) {
      const found = await this.#adopt(who, "/Users", `userName eq "${who.userName}"`);
      return found && this.#put(who);
    }
    if (answer?.status !== 201) return false;
    who.id = String(answer.body["id"]);
    return true;
  }

  async #adopt(what: { id: string | undefined }, path: string, filter: string): Promise<boolean> {
    const answer = await this.#send("GET", `${path}?filter=${encodeURIComponent(filter)}`);
    const found = answer?.body["Resources"] as readonly { readonly id: string }[] | undefined;
    if (found?.[0] === undefined) return false;
    what.id = found[0].id;
    return true;
  }

  async #put(who: IdpUser): Promise<boolean> {
    return done(await this.#send("PUT", `/Users/${who.id ?? ""}`, this.#body(who)), 404);
  }

  async #patch(path: string, operations: readonly object[]): Promise<boolean> {
    return done(await this.#send("PATCH", path, { schemas: [patch], Operations: operations }), 404);
  }

  #body(who: IdpUser): object {
    return {
      schemas: [user],
      userName: who.userName,
      displayName: who.userName,
      active: who.active,
      userType: who.userType,
      emails: [{ value: who.userName, type: "work", primary: true }],
    };
  }

  #refs(who: readonly IdpUser[]): readonly { readonly value: string }[] {
    return who.flatMap((one) => (one.id === undefined ? [] : [{ value: one.id }]));
  }
}

function done(answer: ScimAnswer | undefined, ...also: readonly number[]): boolean {
  if (answer === undefined) return false;
  return (answer.status >= 200 && answer.status < 300) || also.includes(answer.status);
}
