/** Who was in a workspace at one moment, as a person brought it: an observation, never an order. */
export interface Roster {
  readonly workspaceId: string;
  /** The moment that it shows. */
  readonly capturedAt: number;
  readonly members: readonly RosterMember[];
}

export interface RosterMember {
  /** Folded: the key. */
  readonly email: string;
  readonly name: string | undefined;
  /** The vendor's word through its alias table; a word that the table lacks stands as it is. */
  readonly role: string;
  readonly status: "active" | "invited";
  /** Names, sorted, each once. */
  readonly groups: readonly string[];
}

/** What a vendor without a list of members says about the ones that people bring. */
export interface RosterFacts {
  /** Words that mean a role, folded: `member` → `editor`. */
  readonly aliases: Readonly<Record<string, string>>;
  /** No workspace is without one of these: a roster without them is not whole. */
  readonly adminRoles: readonly string[];
  /** A roster older than this proves nothing when it is brought, milliseconds. */
  readonly ageMaxMs: number;
  /** Where people find it, said to them. */
  readonly where: string;
}
