import type { ObservedGrant, VendorAccount, VendorObject } from "../../src/model/account.ts";
import { slotKey, type Entitlement } from "../../src/model/entitlement.ts";
import { SyncError } from "../../src/model/errors.ts";
import { asId, type AccountId, type TenantId } from "../../src/model/ids.ts";
import type { VendorFacts } from "../../src/model/vendor-facts.ts";

/** Who put it there: Rolecall, or somebody at the vendor. */
export type Hand = "ours" | "foreign";

export interface HeldGrant extends ObservedGrant {
  readonly by: Hand;
}

export interface HeldAccount {
  readonly account: VendorAccount;
  /** Who made the account, and who gave it its present role. */
  readonly by: Hand;
  readonly roleBy: Hand;
  readonly grants: ReadonlyMap<string, HeldGrant>;
}

/** The body of every call: plain values, as JSON would carry them. */
export interface VendorCall {
  readonly operation: string;
  readonly accountId?: AccountId;
  readonly emails?: readonly string[];
  readonly email?: string;
  readonly role?: string;
  readonly entitlement?: Entitlement;
  readonly cursor?: number;
}

/** What the vendor tells its watcher after a write that changed something, before its answer leaves. */
export interface Landed {
  readonly organization: VendorOrganization;
  readonly call: VendorCall;
  /** The account as it was before; for a create: as it is now. */
  readonly held: HeldAccount;
  readonly before: ReadonlyMap<AccountId, HeldAccount>;
}

type State = ReadonlyMap<AccountId, HeldAccount>;

/** Wall time for what the vendor tells, monotonic time for how old an answer is. */
export interface VendorClock {
  readonly now: number;
  readonly monotonic: number;
}

const pageSize = 4;

/** One organisation at one vendor: the truth, its recent past (for answers that lag), and what people do there by hand. */
export class VendorOrganization {
  readonly facts: VendorFacts;
  readonly #clock: VendorClock;
  readonly tenantId: TenantId;
  readonly id: string;
  readonly accountKind: string;
  readonly objects: readonly VendorObject[];
  readonly ownAccountIds: readonly AccountId[];
  /** Reads are at most this old. */
  lagMs = 0;
  /** The next lists end in the middle without saying so; the next ones are short and say that they are whole. */
  brokenLists = 0;
  shrunkenLists = 0;
  #past: { readonly at: number; readonly state: State }[] = [];
  #serial = 0;

  constructor(
    clock: VendorClock,
    facts: VendorFacts,
    tenantId: TenantId,
    id: string,
    seeds: readonly { readonly email: string; readonly role: string }[],
  ) {
    this.#clock = clock;
    this.facts = facts;
    this.tenantId = tenantId;
    this.id = id;
    this.accountKind = Object.entries(facts.kinds).find(([, kind]) => kind.account)?.[0] ?? "";
    this.objects = Object.entries(facts.kinds).flatMap(([kind, item]) =>
      item.object === "none"
        ? []
        : ["Development", "Production"].map((name) => ({
            kind,
            objectId: `ws_${name.slice(0, 4).toLowerCase()}`,
            name,
            archived: false,
            manageable: true,
          })),
    );
    this.#past = [{ at: -Infinity, state: new Map() }];
    for (const seed of seeds) this.put(seed.email, seed.role, "foreign");
    const own = this.of("rolecall@example.com");
    this.ownAccountIds = own === undefined ? [] : [own.account.accountId];
  }

  get state(): State {
    return this.#past.at(-1)?.state ?? new Map();
  }

  /** The live account or open invitation of an address. */
  of(email: string): HeldAccount | undefined {
    return [...this.state.values()].find(
      (held) => held.account.email === email && held.account.state !== "expired",
    );
  }

  admins(state: State = this.state): number {
    const roles = this.facts.kinds[this.accountKind]?.roles;
    return [...state.values()].filter(
      (held) => held.account.state === "active" && roles?.[held.account.role]?.admin === true,
    ).length;
  }

  /** One call as the vendor takes it. `landed` hears of every change that Rolecall made. @throws SyncError as `http` would */
  take(call: VendorCall, lagMs: number, landed: (what: Landed) => void): unknown {
    this.#expire();
    switch (call.operation) {
      case "organization.read":
        return { organization: { id: this.id, name: this.id }, ownAccountIds: this.ownAccountIds };
      case "accounts.find":
        return this.#find(call, this.#seen(lagMs));
      case "grants.read":
        return [...(this.#seen(lagMs).get(call.accountId ?? asId("")) ?? gone()).grants.values()];
      case "accounts.list":
        return this.#list(
          [...this.#seen(lagMs).values()].map((held) => held.account),
          call,
        );
      case "objects.list":
        return this.#list(this.objects, call);
      default:
        return this.#write(call, landed);
    }
  }

  #find(call: VendorCall, state: State): readonly VendorAccount[] {
    return [...state.values()]
      .map((held) => held.account)
      .filter(
        (account) =>
          account.accountId === call.accountId || call.emails?.includes(account.email) === true,
      );
  }

  #list<T>(
    all: readonly T[],
    call: VendorCall,
  ): { items: readonly T[]; next: number | null; whole: boolean } {
    const cursor = call.cursor ?? 0;
    if (this.brokenLists > 0) {
      this.brokenLists -= 1;
      return { items: all.slice(cursor, cursor + 1), next: null, whole: false };
    }
    if (this.shrunkenLists > 0 && cursor === 0 && call.operation === "accounts.list") {
      this.shrunkenLists -= 1;
      return { items: all.slice(0, 1), next: null, whole: true };
    }
    const items = all.slice(cursor, cursor + pageSize);
    const next = cursor + pageSize < all.length ? cursor + pageSize : null;
    return { items, next, whole: next === null };
  }

  #write(
    call: VendorCall,
    landed: (what: Landed) => void,
  ): { changed: boolean; account?: VendorAccount } {
    if (call.operation === "accounts.create") return this.#create(call, landed);
    const held = this.state.get(call.accountId ?? asId(""));
    if (held === undefined) return { changed: false };
    const before = this.state;
    const next = this.#changed(call, held);
    if (next === "same") return { changed: false };
    const state = new Map(before);
    if (next === undefined) state.delete(held.account.accountId);
    else state.set(held.account.accountId, next);
    this.#keep(state);
    landed({ organization: this, call, held, before });
    return { changed: true };
  }

  #changed(call: VendorCall, held: HeldAccount): HeldAccount | "same" | undefined {
    const roles = this.facts.kinds[this.accountKind]?.roles;
    const fixed = roles?.[held.account.role]?.assignable === false;
    switch (call.operation) {
      case "accounts.role": {
        if (fixed) throw new SyncError("VENDOR_REJECTED", "the owner is changed by hand only");
        if (held.account.role === call.role) return "same";
        return { ...held, account: { ...held.account, role: call.role ?? "" }, roleBy: "ours" };
      }
      case "accounts.remove":
        if (fixed) throw new SyncError("VENDOR_REJECTED", "the owner is removed by hand only");
        return undefined;
      case "grants.set": {
        const given = call.entitlement;
        if (given === undefined || held.account.state !== "active")
          throw new SyncError("VENDOR_REJECTED", "only members can be given that");
        if (held.grants.get(slotKey(given))?.role === given.role) return "same";
        return withGrant(held, { ...given, implicit: false, by: "ours" });
      }
      case "grants.remove": {
        const slot = call.entitlement;
        if (slot === undefined || !held.grants.has(slotKey(slot))) return "same";
        const grants = new Map(held.grants);
        grants.delete(slotKey(slot));
        return { ...held, grants };
      }
      default:
        throw new SyncError("INTERNAL", `the vendor has no ${call.operation}`);
    }
  }

  #create(
    call: VendorCall,
    landed: (what: Landed) => void,
  ): { changed: boolean; account?: VendorAccount } {
    const email = call.email ?? "";
    if (this.facts.create.unique && this.of(email) !== undefined)
      throw new SyncError("VENDOR_CONFLICT", "there is an invitation or a member already");
    const before = this.state;
    const { invitationMs } = this.facts.create;
    const accountId = this.put(email, call.role ?? "", "ours", invitationMs);
    const held = this.state.get(accountId);
    if (held === undefined) throw new Error("the account that was just made is not there");
    landed({ organization: this, call, held, before });
    return { changed: true, account: held.account };
  }

  // — what people do there —

  put(email: string, role: string, by: Hand, invitationMs: number | null = null): AccountId {
    this.#serial += 1;
    const invited = invitationMs !== null;
    const accountId = asId<AccountId>(`${invited ? "inv" : "acc"}_${String(this.#serial)}`);
    const account: VendorAccount = {
      accountId,
      email,
      otherEmails: [],
      state: invited ? "invited" : "active",
      role,
      displayName: undefined,
      createdAt: this.#clock.now,
      expiresAt: invited ? this.#clock.now + invitationMs : undefined,
    };
    this.#keep(new Map(this.state).set(accountId, { account, by, roleBy: by, grants: new Map() }));
    return accountId;
  }

  /** The invited person accepts: the invitation becomes an account with an id of its own. */
  accept(email: string): boolean {
    const held = this.of(email);
    if (held?.account.state !== "invited") return false;
    const state = new Map(this.state);
    state.delete(held.account.accountId);
    this.#serial += 1;
    const accountId = asId<AccountId>(`acc_${String(this.#serial)}`);
    const account: VendorAccount = {
      ...held.account,
      accountId,
      state: "active",
      expiresAt: undefined,
    };
    state.set(accountId, { ...held, account });
    this.#keep(state);
    return true;
  }

  /** Somebody at the vendor changes an account by hand: another role, a grant, none, or the account's end. */
  meddle(
    email: string,
    what: { role?: string; grant?: Entitlement; revoke?: Entitlement; remove?: true },
  ): boolean {
    const held = this.of(email);
    if (held?.account.state !== "active") return false;
    const state = new Map(this.state);
    if (what.remove === true) state.delete(held.account.accountId);
    else if (what.role !== undefined && what.role !== held.account.role)
      state.set(held.account.accountId, {
        ...held,
        account: { ...held.account, role: what.role },
        roleBy: "foreign",
      });
    else if (
      what.grant !== undefined &&
      held.grants.get(slotKey(what.grant))?.role !== what.grant.role
    )
      state.set(
        held.account.accountId,
        withGrant(held, { ...what.grant, implicit: false, by: "foreign" }),
      );
    else if (what.revoke !== undefined) {
      const grants = new Map(held.grants);
      grants.delete(slotKey(what.revoke));
      state.set(held.account.accountId, { ...held, grants });
    } else return false;
    this.#keep(state);
    return true;
  }

  #expire(): void {
    const over = [...this.state.values()].filter(
      ({ account }) =>
        account.state === "invited" && (account.expiresAt ?? Infinity) <= this.#clock.now,
    );
    if (over.length === 0) return;
    const state = new Map(this.state);
    for (const held of over)
      state.set(held.account.accountId, {
        ...held,
        account: { ...held.account, state: "expired" },
      });
    this.#keep(state);
  }

  /** The state that a read with this lag shows: never older than what the vendor admits to. */
  #seen(lagMs: number): State {
    const horizon = this.#clock.monotonic - lagMs;
    let seen = this.#past[0];
    for (const item of this.#past) if (item.at <= horizon) seen = item;
    return seen?.state ?? this.state;
  }

  #keep(state: State): void {
    const horizon = this.#clock.monotonic - this.facts.settleMs - 60_000;
    const keepFrom = this.#past.findLastIndex((item) => item.at <= horizon);
    this.#past = [...this.#past.slice(Math.max(0, keepFrom)), { at: this.#clock.monotonic, state }];
  }
}

function withGrant(held: HeldAccount, grant: HeldGrant): HeldAccount {
  return { ...held, grants: new Map(held.grants).set(slotKey(grant), grant) };
}

function gone(): never {
  throw new SyncError("VENDOR_CONFLICT", "the account went away while it was read");
}
