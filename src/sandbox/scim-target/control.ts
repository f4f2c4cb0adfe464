import { z } from "zod";
import { InputError } from "../../model/errors.ts";
import { fold } from "../../model/fold.ts";
import { controlAction } from "../control-surface.ts";
import type { ControlAction } from "../control-surface.ts";
import { withoutUndefined } from "../simulated-api.ts";
import type { SimulatedVendor } from "../simulated-vendor.ts";
import type { Caller } from "./route.ts";
import { dropUser, putGroup, putUser, quirksSchema, visibleUsers } from "./truth.ts";
import type { Attributes, Group, Quirks, Truth, User } from "./truth.ts";

/** What the server's own people do. Each change is saved before the method returns; all throw InputError where what they name is not there. */
export class ScimTargetControl {
  readonly #vendor: SimulatedVendor<Truth, Caller>;

  constructor(vendor: SimulatedVendor<Truth, Caller>) {
    this.#vendor = vendor;
  }

  setQuirks(quirks: Partial<Quirks>): void {
    this.#change((truth) => {
      truth.quirks = { ...truth.quirks, ...quirks };
    });
  }

  seedUser(user: {
    readonly userName: string;
    readonly id?: string;
    readonly active?: boolean;
    /** Protected: nobody can switch it off. */
    readonly locked?: boolean;
    readonly attributes?: Attributes;
  }): User {
    return this.#change((truth) => {
      if (truth.users.some((each) => fold(each.userName) === fold(user.userName))) {
        throw new InputError(`${user.userName} is there already`, []);
      }
      return putUser(truth, this.#vendor.clock, user);
    });
  }

  /** Somebody changes a user by hand. */
  editUser(userName: string, change: Partial<Pick<User, "active" | "attributes">>): User {
    return this.#change((truth) => {
      const user = userOf(truth, userName);
      user.version += 1;
      return Object.assign(user, change);
    });
  }

  deleteUser(userName: string): void {
    this.#change((truth) => {
      dropUser(truth, userOf(truth, userName));
    });
  }

  addGroup(displayName: string, members: readonly string[] = []): Group {
    return this.#change((truth) => {
      const group = putGroup(truth, this.#vendor.clock, displayName);
      group.members = members.map((userName) => userOf(truth, userName).id);
      return group;
    });
  }

  /** Somebody changes a group by hand; members are userNames. */
  setMembers(displayName: string, members: readonly string[]): void {
    this.#change((truth) => {
      const group = groupOf(truth, displayName);
      group.members = members.map((userName) => userOf(truth, userName).id);
      group.version += 1;
    });
  }

  removeGroup(displayName: string): void {
    this.#change((truth) => {
      const group = groupOf(truth, displayName);
      truth.groups = truth.groups.filter((each) => each !== group);
    });
  }

  addKey(secret: string, scopes: readonly ("users" | "groups")[]): void {
    this.#change((truth) => {
      truth.keys.push({ secret, scopes: [...scopes], revoked: false });
    });
  }

  revokeKeys(): void {
    this.#change((truth) => {
      for (const key of truth.keys) key.revoked = true;
    });
  }

  setPaid(paid: boolean): void {
    this.#change((truth) => {
      truth.paid = paid;
    });
  }

  #change<T>(edit: (truth: Truth) => T): T {
    return structuredClone(this.#vendor.change(edit));
  }
}

function userOf(truth: Truth, userName: string): User {
  const user = visibleUsers(truth).find((each) => fold(each.userName) === fold(userName));
  if (user === undefined) throw new InputError(`There is no user ${userName}`, []);
  return user;
}

function groupOf(truth: Truth, displayName: string): Group {
  const group = truth.groups.find((each) => each.displayName === displayName);
  if (group === undefined) throw new InputError(`There is no group ${displayName}`, []);
  return group;
}

const userName = z.string().min(1);
const attributes = z.record(z.string(), z.unknown()).optional();
const members = z.array(userName);
const name = z.string().min(1);

/** The methods of `ScimTargetControl` as `POST /__control/<name>` with a JSON body. */
export function scimTargetActions(control: ScimTargetControl): Record<string, ControlAction> {
  return {
    "set-quirks": controlAction(quirksSchema.partial(), (input) => {
      control.setQuirks(withoutUndefined(input));
    }),
    "seed-user": controlAction(
      z.strictObject({
        userName,
        active: z.boolean().optional(),
        locked: z.boolean().optional(),
        attributes,
      }),
      (input) => control.seedUser(withoutUndefined(input)),
    ),
    "edit-user": controlAction(
      z.strictObject({ userName, active: z.boolean().optional(), attributes }),
      ({ userName: who, ...change }) => control.editUser(who, withoutUndefined(change)),
    ),
    "delete-user": controlAction(z.strictObject({ userName }), (input) => {
      control.deleteUser(input.userName);
    }),
    "add-group": controlAction(
      z.strictObject({ displayName: name, members: members.optional() }),
      (input) => control.addGroup(input.displayName, input.members ?? []),
    ),
    "set-members": controlAction(z.strictObject({ displayName: name, members }), (input) => {
      control.setMembers(input.displayName, input.members);
    }),
    "remove-group": controlAction(z.strictObject({ displayName: name }), (input) => {
      control.removeGroup(input.displayName);
    }),
    "revoke-keys": controlAction(z.strictObject({}), () => {
      control.revokeKeys();
    }),
    "set-paid": controlAction(z.strictObject({ paid: z.boolean() }), (input) => {
      control.setPaid(input.paid);
    }),
  };
}
