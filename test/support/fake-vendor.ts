import type {
  Applied,
  Call,
  Connector,
  EndOfList,
  NewAccount,
} from "../../src/connectors/connector.ts";
import type { ObservedGrant, VendorAccount, VendorObject } from "../../src/model/account.ts";
import { slotKey, type Entitlement, type Slot } from "../../src/model/entitlement.ts";
import { SyncError } from "../../src/model/errors.ts";
import { asId, type AccountId } from "../../src/model/ids.ts";
import { DAY_MS } from "../../src/model/policy.ts";
import type { VendorFacts } from "../../src/model/vendor-facts.ts";
import { facts as planFacts } from "../unit/plan/plan-fixture.ts";

type Operation =
  | "check"
  | "find"
  | "read"
  | "list"
  | "objects"
  | "create"
  | "setRole"
  | "remove"
  | "grant"
  | "revoke";

interface Held {
  account: VendorAccount;
  grants: Map<string, ObservedGrant>;
}

/**
 * A vendor inside the process, with invitations, workspaces and faults by operation: for stories about the engine, where the
 * vendor's HTTP would only add noise. Its facts are those of the planner's tests.
 */
export class FakeVendor implements Connector {
  readonly facts: VendorFacts;
  organization = { id: "org_1", name: "Acme" };
  readonly accounts = new Map<AccountId, Held>();
  readonly objects: VendorObject[] = [
    {
      kind: "workspace",
      objectId: "ws_prod",
      name: "Production",
      archived: false,
      manageable: true,
    },
    {
      kind: "workspace",
      objectId: "ws_dev",
      name: "Development",
      archived: false,
      manageable: true,
    },
  ];
  /** Every write that reached the vendor, in order. */
  readonly writes: string[] = [];
  /** Reads that were answered. */
  reads = 0;
  readonly #faults = new Map<Operation, (() => "before" | "lost" | Error)[]>();
  #serial = 0;

  constructor(facts: Partial<VendorFacts> = {}) {
    this.facts = { ...planFacts, ...facts };
  }

  /** The next call of this operation fails before anything happens, or happens and loses its answer, or throws this. */
  fail(operation: Operation, how: "before" | "lost" | Error, times = 1): void {
    const queue = this.#faults.get(operation) ?? [];
    for (let i = 0; i < times; i++) queue.push(() => how);
    this.#faults.set(operation, queue);
  }

  /** Faults that wait for this operation are forgotten. */
  heal(operation: Operation): void {
    this.#faults.delete(operation);
  }

  seed(email: string, role = "user", more: Partial<VendorAccount> = {}): AccountId {
    this.#serial += 1;
    const accountId = asId<AccountId>(`acc_${String(this.#serial)}`);
    this.accounts.set(accountId, {
      account: {
        accountId,
        email,
        otherEmails: [],
        state: "active",
        role,
        displayName: undefined,
        createdAt: 0,
        expiresAt: undefined,
        ...more,
      },
      grants: new Map(),
    });
    return accountId;
  }

  /** The invited person accepts: the invitation becomes an account with an id of its own. */
  accept(email: string): void {
    const held = this.of(email);
    if (held?.account.state !== "invited") throw new Error(`${email} has no open invitation`);
    this.accounts.delete(held.account.accountId);
    this.seed(email, held.account.role);
  }

  of(email: string): Held | undefined {
    return [...this.accounts.values()].find((held) => held.account.email === email);
  }

  /** `role ws_prod:writer …` or undefined: what one address holds. */
  holding(email: string): string | undefined {
    const held = this.of(email);
    if (held === undefined) return undefined;
    const grants = [...held.grants.values()]
      .map((grant) => `${grant.objectId}:${grant.role}`)
      .sort();
    return [
      held.account.state === "active"
        ? held.account.role
        : `${held.account.state} ${held.account.role}`,
      ...grants,
    ].join(" ");
  }

  check() {
    return this.#answer("check", () => ({
      organization: this.organization,
      ownAccountIds: [] as AccountId[],
      credential: { kind: "key", owner: undefined },
      notes: [],
    }));
  }

  findAccounts(
    _call: Call,
    who: { readonly accountId?: AccountId; readonly emails: readonly string[] },
  ) {
    return this.#answer("find", () => {
      const asked = new Set(who.emails.map(mailbox));
      return [...this.accounts.values()]
        .map((held) => held.account)
        .filter(
          (account) => account.accountId === who.accountId || asked.has(mailbox(account.email)),
        );
    });
  }

  readGrants(_call: Call, account: VendorAccount, slots: readonly Slot[]) {
    return this.#answer("read", () => {
      const grants = this.accounts.get(account.accountId)?.grants;
      return slots.flatMap((slot) => grants?.get(slotKey(slot)) ?? []);
    });
  }

  async *listAccounts(): AsyncGenerator<VendorAccount | EndOfList> {
    const accounts = await this.#answer("list", () =>
      [...this.accounts.values()].map((held) => held.account),
    );
    yield* accounts;
    yield { complete: true, count: accounts.length };
  }

  async *listObjects(): AsyncGenerator<VendorObject | EndOfList> {
    yield* await this.#answer("objects", () => this.objects);
    yield { complete: true, count: this.objects.length };
  }

  createAccount(call: Call, person: NewAccount) {
    return this.#write("create", `invite ${person.email} ${person.role}`, () => {
      if (this.facts.create.unique && this.of(person.email) !== undefined) {
        throw new Error(`a second invitation for ${person.email}`);
      }
      const accountId = this.seed(person.email, person.role, {
        state: "invited",
        createdAt: call.now(),
        expiresAt: call.now() + 21 * DAY_MS,
      });
      const account = this.accounts.get(accountId)?.account;
      return {
        outcome: "pending" as const,
        requestIds: [],
        ...(account === undefined ? {} : { account }),
      };
    });
  }

  setAccountRole(_call: Call, account: VendorAccount, role: string) {
    return this.#write("setRole", `role ${account.email} ${role}`, () => {
      const held = this.accounts.get(account.accountId);
      if (held !== undefined) held.account = { ...held.account, role };
      return changed;
    });
  }

  removeAccount(_call: Call, account: VendorAccount) {
    return this.#write("remove", `remove ${account.email}`, () =>
      this.accounts.delete(account.accountId) ? changed : unchanged,
    );
  }

  grant(_call: Call, account: VendorAccount, entitlement: Entitlement) {
    return this.#write(
      "grant",
      `grant ${account.email} ${entitlement.objectId}:${entitlement.role}`,
      () => {
        this.accounts
          .get(account.accountId)
          ?.grants.set(slotKey(entitlement), { ...entitlement, implicit: false });
        return changed;
      },
    );
  }

  revoke(_call: Call, account: VendorAccount, slot: Slot) {
    return this.#write("revoke", `revoke ${account.email} ${slot.objectId}`, () =>
      this.accounts.get(account.accountId)?.grants.delete(slotKey(slot)) === true
        ? changed
        : unchanged,
    );
  }

  #answer<T>(operation: Operation, run: () => T): Promise<T> {
    const fault = this.#faults.get(operation)?.shift()?.();
    if (fault instanceof Error) return Promise.reject(fault);
    if (fault !== undefined)
      return Promise.reject(new SyncError("VENDOR_UNAVAILABLE", "the vendor is down"));
    this.reads += 1;
    return Promise.resolve(run());
  }

  #write<T extends Applied>(operation: Operation, text: string, run: () => T): Promise<T> {
    const fault = this.#faults.get(operation)?.shift()?.();
    if (fault instanceof Error) return Promise.reject(fault);
    if (fault === "before") return Promise.reject(new SyncError("WRITE_AMBIGUOUS", "no answer"));
    this.writes.push(text);
    const answer = run();
    return fault === "lost"
      ? Promise.reject(new SyncError("WRITE_AMBIGUOUS", "the answer was lost"))
      : Promise.resolve(answer);
  }
}

const changed: Applied = { outcome: "changed", requestIds: ["req_1"] };
const unchanged: Applied = { outcome: "unchanged", requestIds: ["req_1"] };

/** The vendor's search forgives plus-tags, as a real one does. */
function mailbox(email: string): string {
  const plus = email.indexOf("+");
  return plus < 0 ? email : email.slice(0, plus) + email.slice(email.indexOf("@"));
}
