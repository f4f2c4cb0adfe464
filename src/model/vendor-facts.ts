import type { ThingKind } from "./declared.ts";
import type { RosterFacts } from "./roster.ts";

/**
 * What a vendor is, as data: kinds, roles, ranks, endpoints, limits. Written in the connector, read by mapping
 * (validation, ranks), plan (order, floors), apply (buckets), http (allowed calls) and the capability table.
 */
export interface VendorFacts {
  readonly vendor: string;
  readonly profile: string;
  readonly kinds: Readonly<Record<string, KindFacts>>;
  /** Every call that the connector can make; http refuses any other. */
  readonly endpoints: readonly EndpointFacts[];
  readonly buckets: readonly BucketFacts[];
  readonly create: CreateFacts;
  /** How long the vendor's answers may lag behind its own writes, milliseconds. */
  readonly settleMs: number;
  /**
   * What is left of an account that was removed: nothing, or the account itself, switched off. With "suspended" an account in that
   * state counts as removed, and creating it again switches it on.
   */
  readonly removal?: "gone" | "suspended";
  /** false: every customer has another address, which the connection must name. */
  readonly ownAddress?: false;
  /** What bodies are called on the way out and back; absent: application/json. */
  readonly media?: { readonly send: string; readonly accept: string };
  /** Response header that names the organisation, where there is one: compared with the pin on every answer. */
  readonly organizationHeader?: string;
  /** Response header with the vendor's request id. */
  readonly requestIdHeader?: string;
  /** Interfaces beside the main one, with an address and a credential of their own; `endpoints` name them. */
  readonly services?: Readonly<Record<string, ServiceFacts>>;
  /** What ends with an account and no way brings back: said before somebody leaves. */
  readonly lostForGood?: readonly string[];
  /** The vendor shows its members to people only: accounts are read from rosters that they bring. */
  readonly roster?: RosterFacts;
  /** What a mapping may declare here beside what people get. */
  readonly things?: Readonly<Partial<Record<ThingKind, ThingFacts>>>;
  /** Work by hand can be opened as tickets of this vendor's help desk. */
  readonly tickets?: true;
  /** Header that names the workspace in which an agency's key acts (`connection: { acts_in: … }`). */
  readonly actsInHeader?: string;
  /** Things this vendor cannot do through its API, each with what to do instead. */
  readonly impossible: readonly { readonly what: string; readonly instead: string }[];
}

/** How one kind of declared things is looked after. */
export interface ThingFacts {
  /** One line for people: "API key". */
  readonly title: string;
  /** What the API does; what it does not is said to people with `byHand`. */
  readonly api: readonly ("list" | "create" | "adjust" | "end")[];
  /** Operations that read it, and that nothing else needs. */
  readonly reads?: readonly string[];
  /** What a declaration may ask beside name, owner, purpose: `scopes`, `limits`. */
  readonly wants: readonly string[];
  /** What a scope looks like, where `wants` has scopes. */
  readonly scopePattern?: string;
  /** Where a person makes, changes or ends one. */
  readonly byHand: string;
  /** What differs is a task, ended by the next look: for two people, as admin rights are. */
  readonly task?: "two people";
}

/** How accounts end at a vendor: by its own API, by SCIM, or by hand. Leaver times are told by it. */
export type Channel = "api" | "scim" | "manual";

export interface ServiceFacts {
  /** One line for people: where the vendor shows address and token. */
  readonly title: string;
  /** Behind the main address, where a mapping gives no other: `/scim/v2`. */
  readonly path: string;
  /** As `VendorFacts.media`, for this service. */
  readonly media?: { readonly send: string; readonly accept: string };
}

export interface KindFacts {
  /** One line for people: "organisation role". */
  readonly title: string;
  /** Holding this slot *is* having an account: creating it invites, emptying it removes the account. One kind per vendor. */
  readonly account: boolean;
  /** Whether the slot names an object (a workspace), and what its ids look like. */
  readonly object: "none" | ObjectFacts;
  readonly roles: Readonly<Record<string, RoleFacts>>;
  /** Account kinds: the role that a person gets who has other entitlements but no rule for this one. */
  readonly fallbackRole?: string;
  /** An account holds at most one object of this kind: of several wishes the highest rank wins. */
  readonly exclusive?: boolean;
  /** What a person does where no API writes this kind. */
  readonly byHand?: ByHandFacts;
  /** Can only be written once the account is accepted and active (Anthropic workspace members need a user id). */
  readonly needsActiveAccount: boolean;
}

export interface ObjectFacts {
  readonly idPattern: string;
  /** No read shows all of them (groups that nobody is in): an id that a mapping writes is taken as it stands. */
  readonly unlisted?: true;
}

export interface ByHandFacts {
  /** true: no API writes it at all. false: one does, where the workspace has it; where not, the write ends in VENDOR_WRITE_MISSING. */
  readonly always: boolean;
  /**
   * What to click so that the account holds it, holds another role of it (absent: as to give it), and so that it does not; a step a
   * line. `{account}` is the person's address, `{role}` the role, `{object}` the vendor's object by name.
   */
  readonly give: readonly string[];
  readonly change?: readonly string[];
  readonly take: readonly string[];
}

export interface RoleFacts {
  /** Higher wins. Equal ranks of different roles are incomparable: a conflict, parked. */
  readonly rank: number;
  /** Whether the API can give it; others (owner, admin) are read, reported and never written. */
  readonly assignable: boolean;
  /** Needs `why` and `owner` in a rule, counts in the privileged rail, is removed without debounce. */
  readonly privileged: boolean;
  /** Counts for the admin floor. */
  readonly admin: boolean;
  /** Kinds whose slots follow from this role and cannot be written while it is held. */
  readonly implies?: readonly string[];
}

export interface EndpointFacts {
  /** Logical operation, the key of buckets, metrics and fault schedules: `invites.create`. */
  readonly operation: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path template with `{placeholders}`: `/v1/organizations/invites/{inviteId}`. */
  readonly path: string;
  readonly access: "read" | "write";
  readonly bucket: string;
  /** Of `VendorFacts.services`; absent: the main interface. `path` is then behind the service's address. */
  readonly service?: string;
  /** What the credential must be allowed for this call, in the vendor's words: said beside a 403. */
  readonly scope?: string;
  /** Headers of this call, beside and above those of the credential. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface BucketFacts {
  readonly name: string;
  /** `capacity` tokens come back evenly over `perMs`. */
  readonly capacity: number;
  readonly perMs: number;
}

export interface CreateFacts {
  /** true: the vendor refuses a second invite; false: two negative reads at least 60 s apart, one re-send, then park. */
  readonly unique: boolean;
  /** Lifetime of an invitation; null: it never expires or there is none. */
  readonly invitationMs: number | null;
  /** Words of section permissions that the vendor takes at the invitation, and never after it. */
  readonly permissions?: readonly string[];
  /** Whether an invitation can carry the person's name for those who look at a list. */
  readonly nickname?: true;
}
