import type { EmploymentFacts } from "../model/employment.ts";
import type { ConnectionId, IdentityId, TenantId } from "../model/ids.ts";

/** A role in a slot, and the rules that give it. */
export interface Holding {
  readonly kind: string;
  /** "" where the kind has no objects. */
  readonly objectId: string;
  readonly role: string;
  readonly because: readonly string[];
}

/** What one person should hold at one connection. */
export interface HeldAt {
  readonly lifecycle: "active" | "departed";
  /** As the mapping says. */
  readonly wished: readonly Holding[];
  /** Slots whose gain waits for a decision, or was refused. */
  readonly heldBack: readonly { readonly kind: string; readonly objectId: string }[];
  /** What we gave or took over before, in those slots; empty where nothing is held back. */
  readonly given: readonly Holding[];
}

/** A person as decisions see them: read anew for every question, never kept. */
export interface AccessSubject {
  readonly identityId: IdentityId;
  /** Whether an IdP says that they are active and nobody ordered their leave. */
  readonly active: boolean;
  readonly inactiveSince: number | undefined;
  readonly employment?: EmploymentFacts;
  readonly connections: ReadonlyMap<ConnectionId, HeldAt>;
}

/** Who is meant: a present address or userName, or the person's id here. */
export type SubjectKey = { readonly name: string } | { readonly identityId: IdentityId };

export interface AccessStore {
  /**
   * Everybody whom the key may mean, five at most. What was acknowledged to an identity provider before the call is in the answer: who
   * left with that 2xx is not active here.
   */
  readAccess(tenantId: TenantId, key: SubjectKey): Promise<readonly AccessSubject[]>;
}
