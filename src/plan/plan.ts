import { isOver, type ObservedGrant, type VendorAccount } from "../model/account.ts";
import type { Desired, DesiredState } from "../model/assignment.ts";
import { slotKey, type Entitlement, type Slot } from "../model/entitlement.ts";
import { modeOf, withoutIgnored, type ConnectionPolicy } from "../model/policy.ts";
import type { KindFacts, RoleFacts, VendorFacts } from "../model/vendor-facts.ts";
import { byHandOf, manual, manualStep } from "./by-hand.ts";
import { heeded } from "./heeded.ts";
import { orderSteps } from "./order.ts";
import type { Blocked, Observation, Plan, Step } from "./step.ts";

/** Everything that a plan depends on. The same input always gives the same plan; nothing is read while planning. */
export interface PlanInput {
  readonly facts: VendorFacts;
  readonly policy: ConnectionPolicy;
  readonly desired: DesiredState;
  /** The person's account or invitation, found and linked; undefined: none exists. */
  readonly account: VendorAccount | undefined;
  /** What the account holds in the slots that were read. */
  readonly grants: readonly ObservedGrant[];
  /** What we gave or took over. */
  readonly ledger: readonly Entitlement[];
  readonly ownAccountIds: readonly string[];
  /** Active accounts with an admin role at the vendor, this one included. */
  readonly activeAdmins: number;
  /** Kinds whose write the vendor refuses to this workspace: a person makes those changes. */
  readonly byHandKinds?: readonly string[];
}

/**
 * Plans one target. Rules of the house, each with its reason in DECISIONS.md:
 * a mover loses only what the ledger or an authoritative set covers; a leaver's linked account goes whoever made it;
 * what we may not write (admins, implied roles) is said, not tried; gains come before losses.
 */
export function planTarget(input: PlanInput): Plan {
  const grants = withoutIgnored(input.policy, input.grants);
  const draft = new Draft({ ...heeded(input), grants });
  if (draft.untouchable()) return draft.plan();
  if (input.desired.lifecycle === "departed") draft.leave();
  else draft.converge();
  return draft.plan();
}

/** Slots that a look must read so that the plan is complete: wished, given, or held at the last look. */
export function slotsToRead(input: {
  readonly desired: DesiredState;
  readonly ledger: readonly Entitlement[];
  readonly lastSeen: readonly Slot[];
  readonly facts: VendorFacts;
}): readonly Slot[] {
  const slots = new Map<string, Slot>();
  for (const slot of [...input.desired.assignments, ...input.ledger, ...input.lastSeen]) {
    if (input.facts.kinds[slot.kind]?.account !== false) continue;
    slots.set(slotKey(slot), { kind: slot.kind, objectId: slot.objectId });
  }
  return [...slots.values()];
}

/** The kind whose slot is the account itself. */
export function accountKindOf(facts: VendorFacts): {
  readonly name: string;
  readonly kind: KindFacts;
} {
  for (const [name, kind] of Object.entries(facts.kinds)) if (kind.account) return { name, kind };
  throw new Error(`${facts.vendor}/${facts.profile} declares no account kind`);
}

/** up: more rights · down: fewer, or others of the same rank. An unknown role counts as rank 0. */
export function compareRoles(
  kind: KindFacts | undefined,
  from: string,
  to: string,
): "same" | "up" | "down" {
  if (from === to) return "same";
  return (kind?.roles[to]?.rank ?? 0) > (kind?.roles[from]?.rank ?? 0) ? "up" : "down";
}

/** Whether a slot may not lose anything now. */
export function isKept(desired: DesiredState, slot: Slot): boolean {
  return desired.keep.some(
    (keep) =>
      (keep.kind === "*" || keep.kind === slot.kind) &&
      (keep.objectId === "*" || keep.objectId === slot.objectId),
  );
}

class Draft {
  readonly #input: PlanInput;
  readonly #accountKind: string;
  readonly #ledger: Map<string, Entitlement>;
  readonly #steps: Step[] = [];
  readonly #blocked: Blocked[] = [];
  readonly #observations: Observation[] = [];
  readonly #afterAcceptance: Entitlement[] = [];
  readonly #adopt: Entitlement[] = [];
  readonly #forget: Slot[] = [];
  #accountEnds = false;
  constructor(input: PlanInput) {
    this.#input = input;
    this.#accountKind = accountKindOf(input.facts).name;
    this.#ledger = new Map(input.ledger.map((entry) => [slotKey(entry), entry]));
  }

  plan(): Plan {
    return {
      steps: orderSteps(this.#steps, this.#accountKind),
      blocked: this.#blocked,
      observations: this.#observations,
      afterAcceptance: this.#afterAcceptance,
      adopt: this.#adopt,
      forget: this.#forget,
    };
  }

  /** Break-glass accounts and our own principal: shown, never touched, whatever the wish. */
  untouchable(): boolean {
    const { account, policy, desired, ownAccountIds } = this.#input;
    const emails =
      account === undefined ? desired.profile.emails : [account.email, ...account.otherEmails];
    const own = account !== undefined && ownAccountIds.includes(account.accountId);
    if (!own && !emails.some((email) => policy.protectedAccounts.includes(email))) return false;
    const text = own
      ? "this is the account that Rolecall itself works with; it is never changed"
      : "the account is on the protected list; it is shown and never changed";
    this.#observations.push({ kind: "protected_account", text, slot: null, facts: {} });
    if (desired.lifecycle === "departed" && account !== undefined) {
      this.#blocked.push({
        code: "PROTECTED",
        text: `a leaver's account cannot be removed: ${text}`,
        slot: null,
      });
    }
    return true;
  }

  leave(): void {
    const { account, facts, policy } = this.#input;
    if (account === undefined || isOver(account, facts)) {
      for (const entry of this.#ledger.values()) this.#forget.push(slotOf(entry));
      return;
    }
    if (policy.leaver === "keep") {
      this.#act(this.#step("remove_account", this.#accountSlot(), account.role, null, "loss", []), [
        "end the account {account} at the vendor: the mapping says `leaver: keep`",
      ]);
      return;
    }
    this.#removeAccount(account);
  }

  converge(): void {
    const { account, desired, facts } = this.#input;
    for (const conflict of desired.conflicts) {
      this.#blocked.push({ code: "ROLE_CONFLICT", text: conflict.text, slot: conflict.slot });
    }
    for (const item of desired.unresolved) this.#reportUnresolved(item);
    const wished = new Map(desired.assignments.map((item) => [slotKey(item), item]));
    const wishedAccount = wished.get(this.#accountKind);
    if (account === undefined || isOver(account, facts)) {
      if (wishedAccount !== undefined) this.#create(wishedAccount, desired);
      else this.#forgetUnheld(wished, []);
      return;
    }
    if (wishedAccount === undefined) this.#withdrawAccount(account);
    else this.#convergeAccountRole(account, wishedAccount);
    if (this.#accountEnds) return;
    const role = wishedAccount?.role ?? account.role;
    this.#convergeSlots(account, role, wished);
  }

  #reportUnresolved(item: DesiredState["unresolved"][number]): void {
    if (item.why === "not_read_yet") return;
    const what = item.why === "unknown" ? "is not there" : "is there more than once";
    this.#blocked.push({
      code: "OBJECT_UNKNOWN",
      text: `${item.kind} "${item.name}" ${what} (rules ${item.because.join(", ")})`,
      slot: null,
    });
  }

  #create(wished: Desired, desired: DesiredState): void {
    const { policy } = this.#input;
    if (policy.create === "never") {
      this.#act(this.#step("create_account", wished, null, wished.role, "gain", wished.because), [
        "invite {account} as {role} at the vendor: the mapping says `create: never`",
      ]);
      return;
    }
    if (desired.profile.emails.length === 0) {
      this.#blocked.push({
        code: "NO_ADDRESS",
        text: "no e-mail address of a domain that the mapping lists",
        slot: null,
      });
      return;
    }
    this.#act(this.#step("create_account", wished, null, wished.role, "gain", wished.because));
    this.#waitForAcceptance(desired);
  }

  #waitForAcceptance(desired: DesiredState): void {
    for (const item of desired.assignments) {
      if (this.#kind(item)?.needsActiveAccount === true)
        this.#afterAcceptance.push(entitlementOf(item));
    }
  }

  #withdrawAccount(account: VendorAccount): void {
    const slot = this.#accountSlot();
    if (isKept(this.#input.desired, slot)) return;
    if (this.#owns(slot, account.role)) this.#removeAccount(account);
    else {
      this.#observe(
        "unmanaged_grant",
        slot,
        "the account exists at the vendor, no rule gives it, and Rolecall did not make it",
        account.role,
      );
    }
  }

  #removeAccount(account: VendorAccount): void {
    const slot = this.#accountSlot();
    const facts = this.#roleFacts(slot, account.role);
    if (account.state === "expired") return;
    if (account.state === "invited") {
      this.#act(this.#step("cancel_invitation", slot, account.role, null, "loss", []));
      return;
    }
    if (facts?.assignable === false) {
      this.#act(this.#step("remove_account", slot, account.role, null, "loss", []), [
        "lower or remove {account} in the vendor's console: its API cannot touch the role {role}",
      ]);
      return;
    }
    if (this.#breaksFloor(account.role, null)) return;
    this.#act(this.#step("remove_account", slot, account.role, null, "loss", []));
  }

  #convergeAccountRole(account: VendorAccount, wished: Desired): void {
    const slot = this.#accountSlot();
    const change = compareRoles(this.#kind(slot), account.role, wished.role);
    if (change === "same") {
      this.#adoptWished(wished);
      return;
    }
    if (this.#roleFacts(slot, account.role)?.assignable === false) {
      this.#observe(
        "unmanaged_admin",
        slot,
        `the account has the role ${account.role}, which the API cannot change; the mapping says ${wished.role}`,
        account.role,
      );
      return;
    }
    if (change === "up") {
      this.#act(
        this.#step("set_account_role", slot, account.role, wished.role, "gain", wished.because),
      );
      return;
    }
    if (!this.#mayLower(slot, account.role)) return;
    if (this.#breaksFloor(account.role, wished.role)) return;
    this.#act(
      this.#step("set_account_role", slot, account.role, wished.role, "loss", wished.because),
    );
  }

  #convergeSlots(
    account: VendorAccount,
    accountRole: string,
    wished: ReadonlyMap<string, Desired>,
  ): void {
    const held = this.#input.grants.filter((grant) => grant.kind !== this.#accountKind);
    const heldBySlot = new Map(held.map((grant) => [slotKey(grant), grant]));
    const implied = this.#roleFacts(this.#accountSlot(), accountRole)?.implies ?? [];
    for (const item of wished.values()) {
      if (item.kind === this.#accountKind || implied.includes(item.kind)) continue;
      if (account.state !== "active" && this.#kind(item)?.needsActiveAccount === true) {
        this.#afterAcceptance.push(entitlementOf(item));
        continue;
      }
      this.#convergeSlot(item, heldBySlot.get(slotKey(item)));
    }
    for (const grant of held) {
      if (grant.implicit || wished.has(slotKey(grant)) || implied.includes(grant.kind)) continue;
      this.#withdraw(grant);
    }
    this.#forgetUnheld(wished, held);
  }

  #convergeSlot(wished: Desired, held: ObservedGrant | undefined): void {
    if (held === undefined) {
      this.#act(this.#step("grant", wished, null, wished.role, "gain", wished.because));
      return;
    }
    if (held.implicit) return;
    const change = compareRoles(this.#kind(wished), held.role, wished.role);
    if (change === "same") this.#adoptWished(wished);
    else if (change === "up") {
      this.#act(this.#step("grant", wished, held.role, wished.role, "gain", wished.because));
    } else if (this.#mayLower(wished, held.role)) {
      this.#act(this.#step("grant", wished, held.role, wished.role, "loss", wished.because));
    }
  }

  #withdraw(grant: ObservedGrant): void {
    if (isKept(this.#input.desired, grant) || this.#isReplaced(grant)) return;
    if (this.#roleFacts(grant, grant.role)?.assignable === false) return;
    if (this.#owns(grant, grant.role)) {
      this.#act(this.#step("revoke", grant, grant.role, null, "loss", []));
    } else {
      this.#observe(
        "unmanaged_grant",
        grant,
        "held at the vendor, no rule gives it, and Rolecall did not give it",
        grant.role,
      );
    }
  }

  #forgetUnheld(wished: ReadonlyMap<string, Desired>, held: readonly Slot[]): void {
    const heldKeys = new Set(held.map(slotKey));
    const { account, facts } = this.#input;
    if (account !== undefined && !isOver(account, facts)) heldKeys.add(this.#accountKind);
    for (const [key, entry] of this.#ledger) {
      if (!wished.has(key) && !heldKeys.has(key)) this.#forget.push(slotOf(entry));
    }
  }

  /** Additive sets take back their own gift, and only while it still is what they gave. */
  #mayLower(slot: Slot, heldRole: string): boolean {
    if (isKept(this.#input.desired, slot)) return false;
    if (this.#owns(slot, heldRole)) return true;
    this.#observe(
      "drift",
      slot,
      `held with the higher role ${heldRole}, which Rolecall did not give`,
      heldRole,
    );
    return false;
  }

  #owns(slot: Slot, heldRole: string): boolean {
    if (modeOf(this.#input.policy, slot.kind) === "authoritative") return true;
    const entry = this.#ledger.get(slotKey(slot));
    if (entry === undefined) return false;
    return compareRoles(this.#kind(slot), entry.role, heldRole) !== "up";
  }

  /** An authoritative set takes over what is as wished; what people made on our word is ours as well. */
  #adoptWished(wished: Desired): void {
    const { facts, policy, byHandKinds } = this.#input;
    const byHand = byHandOf(facts, wished.kind, byHandKinds);
    if (byHand === undefined && modeOf(policy, wished.kind) !== "authoritative") return;
    if (this.#ledger.get(slotKey(wished))?.role === wished.role) return;
    this.#adopt.push(entitlementOf(wished));
  }

  #breaksFloor(roleFrom: string, roleTo: string | null): boolean {
    const { policy, activeAdmins } = this.#input;
    const slot = this.#accountSlot();
    if (this.#roleFacts(slot, roleFrom)?.admin !== true) return false;
    if (roleTo !== null && this.#roleFacts(slot, roleTo)?.admin === true) return false;
    if (activeAdmins - 1 >= policy.adminsMin) return false;
    this.#blocked.push({
      code: "ADMIN_FLOOR",
      text: `this would leave ${String(Math.max(0, activeAdmins - 1))} active admins; the mapping wants at least ${String(policy.adminsMin)}`,
      slot,
    });
    return true;
  }

  #observe(kind: Observation["kind"], slot: Slot, text: string, role: string): void {
    this.#observations.push({ kind, slot: slotOf(slot), text, facts: { role } });
  }

  /** A step, or one for a person: where no API takes it, or where `steps` say what to do instead of asking the API. */
  #act(step: Step, steps?: readonly string[]): void {
    const ends = step.action === "remove_account" || step.action === "cancel_invitation";
    if (ends && steps === undefined) this.#accountEnds = true;
    const { facts, byHandKinds } = this.#input;
    const byHand = byHandOf(facts, step.slot.kind, byHandKinds);
    if (byHand !== undefined) this.#blocked.push(manualStep(facts, byHand, step));
    else if (steps !== undefined) this.#blocked.push(manual(facts, step, steps));
    else this.#steps.push(step);
  }

  /** Another object of the kind is wished: giving it takes the place of this one. */
  #isReplaced(grant: Slot): boolean {
    if (this.#kind(grant)?.exclusive !== true) return false;
    return this.#input.desired.assignments.some((item) => item.kind === grant.kind);
  }

  #step(
    action: Step["action"],
    slot: Slot,
    roleFrom: string | null,
    roleTo: string | null,
    direction: Step["direction"],
    because: readonly string[],
  ): Step {
    const role = direction === "gain" ? roleTo : roleFrom;
    const privileged = role !== null && this.#roleFacts(slot, role)?.privileged === true;
    return { action, slot: slotOf(slot), roleFrom, roleTo, direction, privileged, because };
  }

  #accountSlot(): Slot {
    return { kind: this.#accountKind, objectId: "" };
  }

  #kind(slot: Slot): KindFacts | undefined {
    return this.#input.facts.kinds[slot.kind];
  }

  #roleFacts(slot: Slot, role: string): RoleFacts | undefined {
    return this.#kind(slot)?.roles[role];
  }
}

function slotOf(slot: Slot): Slot {
  return { kind: slot.kind, objectId: slot.objectId };
}

function entitlementOf(item: Entitlement): Entitlement {
  return { kind: item.kind, objectId: item.objectId, role: item.role };
}
