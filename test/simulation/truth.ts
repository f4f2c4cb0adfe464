import type { Store } from "../../src/adapters/store.ts";
import type { ConnectionId, IdentityId, TenantId } from "../../src/model/ids.ts";
import { dueOf, noDue, rankOf, rulesOf, type Due, type Rules } from "./entitlement-model.ts";
import { isHere, type IdentityProvider, type IdpUser } from "./identity-provider.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Hand, HeldAccount, VendorOrganization } from "./vendor-organization.ts";

/** A slot that an account holds or lost, in the words of the model. */
export interface LostSlot {
  /** The account kind, or `kind object`. */
  readonly name: string;
  readonly kind: string;
  readonly role: string;
  /** What is held there afterwards. */
  readonly left: string | undefined;
  readonly by: Hand;
}

interface Owed {
  readonly what: string;
  readonly since: number;
}

/** What is so outside the service: people and groups at the identity providers, organisations at the vendors, and who is owed what since when. */
export class Truth {
  readonly #scheduler: Scheduler;
  readonly #store: Store;
  readonly idps = new Map<TenantId, IdentityProvider>();
  readonly #organizations = new Map<string, VendorOrganization>();
  readonly #owed = new Map<string, Map<string, Owed>>();
  readonly #rules = new Map<string, Rules | undefined>();
  readonly #addresses = new Map<IdpUser, Set<string>>();
  readonly #dropped = new Map<string, number>();

  constructor(scheduler: Scheduler, store: Store) {
    this.#scheduler = scheduler;
    this.#store = store;
  }

  add(connectionId: ConnectionId, organization: VendorOrganization): void {
    this.#organizations.set(`${organization.tenantId} ${connectionId}`, organization);
  }

  /** The organisation that a connection is meant for. */
  organization(tenantId: TenantId, connectionId: ConnectionId): VendorOrganization | undefined {
    return this.#organizations.get(`${tenantId} ${connectionId}`);
  }

  /** Every connection with its organisation. */
  *places(): Generator<{
    tenantId: TenantId;
    connectionId: ConnectionId;
    organization: VendorOrganization;
    idp: IdentityProvider;
  }> {
    for (const [key, organization] of this.#organizations) {
      const idp = this.idps.get(organization.tenantId);
      if (idp === undefined) continue;
      const connectionId = key.slice(organization.tenantId.length + 1) as ConnectionId;
      yield { tenantId: organization.tenantId, connectionId, organization, idp };
    }
  }

  userById(tenantId: TenantId, id: string): IdpUser | undefined {
    return this.idps.get(tenantId)?.users.find((item) => item.id === id);
  }

  /** Whose address it is or was: who is there before who left, the newest first. */
  userByAddress(tenantId: TenantId, email: string): IdpUser | undefined {
    const all = (this.idps.get(tenantId)?.users ?? []).filter((user) =>
      this.addressesOf(user).has(email),
    );
    return all.findLast((user) => isHere(user, this.#scheduler.now)) ?? all.at(-1);
  }

  addressesOf(user: IdpUser): Set<string> {
    const known = this.#addresses.get(user) ?? new Set<string>();
    this.#addresses.set(user, known.add(user.userName));
    return known;
  }

  /** Reads mappings, bindings and exceptions again, then looks who is owed what. */
  async readRules(): Promise<void> {
    for (const { tenantId, connectionId } of this.places()) {
      const rules = await rulesOf(this.#store, tenantId, connectionId);
      this.#rules.set(`${tenantId} ${connectionId}`, rules);
    }
    this.refresh();
  }

  rules(tenantId: TenantId, connectionId: ConnectionId): Rules | undefined {
    return this.#rules.get(`${tenantId} ${connectionId}`);
  }

  /** Looks who is owed what now; called whenever people or groups changed. */
  refresh(): void {
    for (const { tenantId, connectionId, organization, idp } of this.places()) {
      const rules = this.rules(tenantId, connectionId);
      for (const user of idp.users) {
        this.addressesOf(user);
        const due: Due =
          rules === undefined || !isHere(user, this.#scheduler.now)
            ? noDue
            : dueOf(rules, idp, user, organization, this.#scheduler.now);
        this.#note(`${tenantId} ${connectionId} ${user.key}`, due);
      }
    }
  }

  #note(place: string, due: Due): void {
    const owed = this.#owed.get(place) ?? new Map<string, Owed>();
    this.#owed.set(place, owed);
    for (const name of new Set([...due.roles.keys(), ...due.unsure, ...owed.keys()])) {
      const what = due.roles.get(name) ?? (due.unsure.has(name) ? "?" : "");
      if (owed.get(name)?.what !== what) owed.set(name, { what, since: this.#scheduler.monotonic });
    }
  }

  /** Monotonic: since when, undisturbed, the person has been owed more than what is left; undefined: they are not. */
  owedSince(
    tenantId: TenantId,
    connectionId: ConnectionId,
    user: IdpUser,
    slot: LostSlot,
  ): number | undefined {
    const owed = this.#owed.get(`${tenantId} ${connectionId} ${user.key}`)?.get(slot.name);
    const quiet = this.idps.get(tenantId)?.quietSince;
    const facts = this.organization(tenantId, connectionId)?.facts;
    if (owed === undefined || owed.what === "" || quiet === undefined || facts === undefined)
      return undefined;
    const wanted = owed.what === "?" ? slot.role : owed.what;
    const enough =
      slot.left !== undefined &&
      rankOf(facts, slot.name, slot.left) >= rankOf(facts, slot.name, wanted);
    return enough ? undefined : Math.max(owed.since, quiet);
  }

  /** Whether one of these rules reads a group that was deleted at the identity provider. */
  lostItsGroup(
    tenantId: TenantId,
    connectionId: ConnectionId,
    because: readonly string[],
  ): boolean {
    const rules = this.rules(tenantId, connectionId);
    const idp = this.idps.get(tenantId);
    return because.some((id) => {
      const name = rules?.rules.find((rule) => rule.id === id)?.when.group;
      const bound = name === undefined ? undefined : rules?.bound.get(name);
      const group = idp?.groups.find((item) => item.id === bound);
      return (
        group?.deleted === true &&
        idp?.quietSince !== undefined &&
        rules?.deleted.has(name ?? "") === true
      );
    });
  }

  /** What an account lost by one write. */
  lostSlots(
    organization: VendorOrganization,
    before: HeldAccount,
    after: HeldAccount | undefined,
  ): readonly LostSlot[] {
    const { facts, accountKind } = organization;
    const lost: LostSlot[] = [];
    const note = (
      kind: string,
      object: string,
      role: string,
      left: string | undefined,
      by: Hand,
    ) => {
      const name = object === "" ? kind : `${kind} ${object}`;
      if (left !== undefined && rankOf(facts, name, left) >= rankOf(facts, name, role)) return;
      lost.push({ name, kind, role, left, by });
    };
    note(accountKind, "", before.account.role, after?.account.role, before.roleBy);
    for (const [key, grant] of before.grants) {
      if (grant.implicit) continue;
      note(grant.kind, grant.objectId, grant.role, after?.grants.get(key)?.role, grant.by);
    }
    return lost;
  }

  /** Notes which slots the committed wish of a target has, so that the debounce can be counted from outside. */
  wished(
    tenantId: TenantId,
    connectionId: ConnectionId,
    identityId: IdentityId,
    had: ReadonlyMap<string, string>,
    has: ReadonlyMap<string, string>,
  ): void {
    const place = `${tenantId} ${connectionId} ${identityId}`;
    for (const [slot, role] of had) {
      if (has.get(slot) !== role)
        this.#dropped.set(`${place} ${slot} ${has.get(slot) ?? ""}`, this.#scheduler.now);
    }
  }

  /** Wall time at which a slot was last wished away (or down to this role). */
  droppedAt(
    tenantId: TenantId,
    connectionId: ConnectionId,
    identityId: IdentityId,
    slot: string,
    roleTo: string | null,
  ): number | undefined {
    return this.#dropped.get(`${tenantId} ${connectionId} ${identityId} ${slot} ${roleTo ?? ""}`);
  }
}
