import type { ObservedGrant, VendorAccount, VendorObject } from "../model/account.ts";
import type { DeclaredThing, ObservedThing, ThingKind } from "../model/declared.ts";
import type { Entitlement, Slot } from "../model/entitlement.ts";
import type { AccountId } from "../model/ids.ts";
import type { Roster } from "../model/roster.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import type { VendorHttp } from "../model/vendor-http.ts";

export type { ObservedGrant, VendorAccount, VendorObject } from "../model/account.ts";

/**
 * A connector translates between our nouns and one vendor's API. It holds no state, reads no environment, and never
 * retries, sleeps or logs: `apply/` does that once for all vendors.
 *
 * Every write except `createAccount` is safe to repeat: its goal already reached is `unchanged`, never an error.
 * Removing what is not there is `unchanged`. On any 400, 404 or 409 of a membership write the connector reads the
 * list and decides by state, never by message text.
 *
 * Presence of an optional ability is the capability.
 */
export interface Connector {
  readonly facts: VendorFacts;

  /** Proves that the credential works, says for whom, and changes nothing. */
  check(call: Call): Promise<CheckReport>;

  /**
   * Every account and open invitation that could be this person's: by `accountId` where one is linked, and by each
   * address. Addresses of the answer are compared by the caller; look-alikes may be among them. Complete or throws.
   */
  findAccounts(call: Call, who: Whom): Promise<readonly VendorAccount[]>;

  /**
   * What the account holds now in the given slots (the account kind's own slot is in `VendorAccount.role` and need not be
   * asked for). A slot that is not held is left out. Complete or throws.
   */
  readGrants(
    call: Call,
    account: VendorAccount,
    slots: readonly Slot[],
  ): Promise<readonly ObservedGrant[]>;

  /** Streams every account and open invitation; the last item is the end marker. No marker: an incomplete read. */
  listAccounts(call: Call): AsyncIterable<VendorAccount | EndOfList>;

  /** Streams every object of the kinds that have objects (workspaces, teams), archived ones too. */
  listObjects(call: Call): AsyncIterable<VendorObject | EndOfList>;

  /** Invites or creates. The only write that is not safe to repeat. */
  createAccount(
    call: Call,
    person: NewAccount,
  ): Promise<Applied & { readonly account?: VendorAccount }>;

  /** Sets the role of the account kind's slot in one call. An invitation whose role cannot be edited answers by re-creating it. */
  setAccountRole(call: Call, account: VendorAccount, role: string): Promise<Applied>;

  /** Ends an active account; for an open invitation, cancels it (an acceptance meanwhile is found by the read-back). */
  removeAccount(call: Call, account: VendorAccount): Promise<Applied>;

  /** Puts the role into a slot of another kind, whether or not another role is there. */
  grant(call: Call, account: VendorAccount, entitlement: Entitlement): Promise<Applied>;

  /** Empties a slot of another kind. */
  revoke(call: Call, account: VendorAccount, slot: Slot): Promise<Applied>;

  /** Whole-object writes (an Intercom team) name what must be leased across read, merge and write. */
  exclusiveKey?(slot: Slot): string | undefined;

  /** Keeps new work from reaching an account, where the account itself cannot go yet. Takes nothing away for good. */
  readonly containment?: {
    contain(call: Call, account: VendorAccount): Promise<Applied>;
  };

  /** Work that lies with an account and must go to somebody else before it does: the conversations of a help desk. */
  readonly work?: {
    /** One word for an item: `conversation`. */
    readonly kind: string;
    /** The kind of object that takes items over: `team`. */
    readonly toKind: string;
    /** Streams what is open; the last item is the end marker. May lag behind writes. */
    list(call: Call, account: VendorAccount): AsyncIterable<WorkItem | EndOfList>;
    /** Gives one item to an object, with a note for colleagues only. An item that is not with `from` any more is `unchanged`. */
    handOver(call: Call, wish: HandOver): Promise<Applied>;
  };

  /** A help desk that takes work by hand as tickets. */
  readonly tickets?: TicketAbility;

  /** Keys, tags and workspaces that a mapping declares. */
  readonly things?: ThingAbility;

  /** What the vendor's own log says. Hints about whom to look at and what to tell, never truth. */
  readonly activity?: {
    /** Streams entries since an instant; the last item is the end marker. */
    list(call: Call, since: number): AsyncIterable<ActivityHint | EndOfList>;
  };

  /** API keys that belong to, or were made by, an account. */
  readonly keys?: {
    list(call: Call, account?: VendorAccount): AsyncIterable<VendorKey | EndOfList>;
    deactivate(call: Call, keyId: string): Promise<Applied>;
  };
}

/** What a help desk lets us do about tickets. */
export interface TicketAbility {
  /** Streams tickets of a type that nobody has resolved or closed; the last item is the end marker. May lag behind writes. */
  listOpen(call: Call, type: string): AsyncIterable<DeskTicket | EndOfList>;
  /** Undefined: it is not there any more. */
  read(call: Call, ticketId: string): Promise<DeskTicket | undefined>;
  /** Not safe to repeat: whoever calls has looked for the title. */
  open(
    call: Call,
    wish: {
      readonly type: string;
      readonly contact: string;
      readonly team?: string;
      readonly title: string;
      readonly text: string;
    },
  ): Promise<Applied & { readonly ticket: DeskTicket }>;
  /** Safe to repeat. */
  close(call: Call, ticketId: string): Promise<Applied>;
}

export interface DeskTicket {
  /** What the API calls it. */
  readonly ticketId: string;
  /** What people see: `33`. */
  readonly shownId: string;
  readonly title: string;
  /** resolved: somebody says that it is done · closed: put away without a word. */
  readonly state: "open" | "resolved" | "closed";
}

/** What a vendor lets us do about things that a mapping declares. `facts.things` says which kinds, and which of these calls each has. */
export interface ThingAbility {
  /** Streams every thing of a kind, with what of it the declarations ask for; the last item is the end marker. */
  list(
    call: Call,
    kind: ThingKind,
    declared: readonly DeclaredThing[],
  ): AsyncIterable<ObservedThing | EndOfList>;
  /** Pure: how the thing is not as declared. Undefined: it is. */
  difference(
    declared: DeclaredThing,
    observed: ObservedThing,
    authoritative: boolean,
  ): ThingDifference | undefined;
  /** Pure: what speaks against a thing, declared or not: a key that may do everything. */
  objection?(observed: ObservedThing): string | undefined;
  /** Makes it. `secret` is shown this once. */
  create?(call: Call, declared: DeclaredThing): Promise<Applied & { readonly secret?: string }>;
  /** Makes it as declared; safe to repeat. */
  adjust?(
    call: Call,
    declared: DeclaredThing,
    observed: ObservedThing,
    authoritative: boolean,
  ): Promise<Applied>;
  /** Ends it, on a person's word; safe to repeat. */
  end?(call: Call, observed: ObservedThing): Promise<Applied>;
}

export interface ThingDifference {
  /** One sentence for people. */
  readonly text: string;
  /** Whether `adjust` ends it. */
  readonly adjustable: boolean;
}

/** Whose account is looked for. */
export interface Whom {
  readonly accountId?: AccountId;
  /** Folded. */
  readonly emails: readonly string[];
  /** Our own immutable id of the person, for vendors that keep such a mark beside the account. */
  readonly reference?: string;
  /**
   * They are gone, and what is asked is whether something of theirs still works, not whether an address is free. Where their account is
   * linked, its id and the vendor's search answer that: no whole list is read for it, however long the vendor's list is.
   */
  readonly leaving?: boolean;
}

/** What the engine hands to every call: the only way a connector touches the world. */
export interface Call {
  readonly http: VendorHttp;
  readonly signal: AbortSignal;
  /** Domain time, for "is this invitation expired". */
  readonly now: () => number;
  /**
   * A read of everybody that other looks of this lane may share, no older than half a minute. Absent where this look has to be of now:
   * after a write whose outcome nobody knows.
   */
  readonly share?: <T>(what: string, read: () => Promise<T>) => Promise<T>;
  /** The last roster that was believed, where the vendor's facts ask for rosters and one was brought. */
  readonly roster?: Roster;
}

export interface CheckReport {
  /** The organisation or workspace that the credential answers for: pinned at first contact. */
  readonly organization: { readonly id: string; readonly name: string };
  /** Our own account where the vendor tells: never a target. */
  readonly ownAccountIds: readonly AccountId[];
  /** What kind of credential it is, and whose: undefined where the vendor tells nobody. */
  readonly credential: { readonly kind: string; readonly owner: string | undefined };
  /** Lines for people: plan, region, what else the first calls showed. */
  readonly notes: readonly string[];
}

export interface NewAccount {
  /** Folded. */
  readonly email: string;
  readonly role: string;
  readonly displayName: string;
  readonly givenName?: string;
  readonly familyName?: string;
  /** As in `Whom`. */
  readonly reference?: string;
  /** Words of `facts.create.permissions`. */
  readonly permissions?: readonly string[];
  readonly nickname?: string;
}

/** `pending`: the vendor took the write and waits for a person, e.g. for the acceptance of an invitation. */
export interface Applied {
  readonly outcome: "changed" | "unchanged" | "pending";
  /** Vendor request ids of the calls that were made, in order. */
  readonly requestIds: readonly string[];
}

/** An open piece of work, with what a mapping may route it by. */
export interface WorkItem {
  readonly itemId: string;
  /** Labels as the vendor writes them: `{ kind: "tag", name: "billing" }`. */
  readonly labels: readonly { readonly kind: string; readonly name: string }[];
}

export interface HandOver {
  readonly itemId: string;
  readonly from: VendorAccount;
  readonly to: Slot;
  /** For colleagues only; names the case and no person. The same text is written once. */
  readonly note: string;
  /** Our own account, in whose name it is done. */
  readonly actorId: AccountId;
}

/** One entry of a vendor's log. */
export interface ActivityHint {
  readonly entryId: string;
  readonly at: number;
  /** The vendor's word; the list of words is open. */
  readonly type: string;
  /** Who may do what has changed: worth a listing. */
  readonly touchesAccess: boolean;
  /** A deletion, or a setting that guards the workspace: worth telling. */
  readonly alarming: boolean;
  readonly by: AccountId | undefined;
  /** The address that it came from, where told. */
  readonly byAddress: string | undefined;
}

export interface EndOfList {
  readonly complete: true;
  readonly count: number;
}

export interface VendorKey {
  readonly keyId: string;
  readonly name: string;
  readonly status: "active" | "inactive" | "archived" | "expired";
  readonly createdBy: AccountId | undefined;
  /** The account that the key acts for and dies with, where the vendor has such keys. */
  readonly principal: AccountId | undefined;
  readonly createdAt: number | undefined;
  readonly hint: string | undefined;
  /** Where the vendor tells. */
  readonly lastUsedAt?: number;
}
