import type { Trust } from "../accounts/trust.ts";
import type { Instant } from "../model/clock.ts";
import type { Slot } from "../model/entitlement.ts";
import type { AccountId, ConnectionId, IdentityId, ReviewId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";

/** gathering: what is there is still being written down, nobody decides yet · open: people decide · closed: nothing changes any more. */
export type ReviewState = "gathering" | "open" | "closed";

/** access: who has what · clay-audit: the same of Clay, and the lines of its audit checklist. */
export const reviewTemplates = ["access", "clay-audit"] as const;
export type ReviewTemplate = (typeof reviewTemplates)[number];

/** Who is asked first: people by address, the manager of whom it is about, or whoever answers for the connection. */
export interface ReviewerRules {
  readonly people: readonly string[];
  readonly manager: boolean;
  readonly owner: boolean;
}

/** One connection as it was written down, and how whole that is. */
export interface ReviewScope {
  readonly connectionId: ConnectionId;
  readonly vendor: string;
  /** The complete list of accounts behind it; null: there never was one, and absence proves nothing. */
  readonly listedAt: Instant | null;
  readonly accounts: number;
  readonly items: number;
}

/** A campaign: people look at what was observed at the vendors, and say of each line whether it stays. */
export interface Review {
  readonly reviewId: ReviewId;
  readonly version: number;
  readonly state: ReviewState;
  readonly title: string;
  readonly template: ReviewTemplate;
  readonly connections: readonly ConnectionId[];
  /** Whether the tokens of our own operators and identity providers are among what is reviewed. */
  readonly tokens: boolean;
  readonly reviewers: ReviewerRules;
  readonly openedBy: string;
  readonly openedAt: Instant;
  readonly dueAt: Instant;
  readonly closedBy: string | null;
  readonly closedAt: Instant | null;
  readonly closedWhy: string | null;
  readonly scopes: readonly ReviewScope[];
  /** What this campaign cannot say, each a sentence. */
  readonly gaps: readonly string[];
  /** SHA-256 (hex) over all items as they were when it was closed. */
  readonly itemsHash: string | null;
}

export type ReviewSet = Partial<
  Pick<
    Review,
    "state" | "scopes" | "gaps" | "dueAt" | "closedBy" | "closedAt" | "closedWhy" | "itemsHash"
  >
>;

/** What nobody told us stays unknown: it is said, never guessed. */
export const notKnown = "not known to Rolecall";

/** By what somebody holds it. */
export interface Provenance {
  /** Rules and exceptions, as the ledger has them; empty: nothing of ours gave it. */
  readonly because: readonly string[];
  /** granted: by a plan of ours · adopted: found and taken over · foreign: given at the vendor · none: it is no entitlement. */
  readonly origin: "granted" | "adopted" | "foreign" | "none";
  readonly since: Instant | null;
  readonly owner: string | null;
  readonly why: string | null;
  /** Who wrote the rules. */
  readonly author: string;
  /** Who let the rules count. */
  readonly approver: string;
  /** Who let the person into the group. */
  readonly membershipApprover: string;
}

/** keep and revoke are said of access; confirm and gap of a line that a person answers for. */
export const verdicts = ["keep", "revoke", "confirm", "gap"] as const;
export type Verdict = (typeof verdicts)[number];

export interface ReviewDecision {
  readonly verdict: Verdict;
  readonly why: string;
  readonly by: string;
  readonly at: Instant;
  /** false: somebody else was asked first. */
  readonly asAsked: boolean;
}

/** What became of a revocation: pending until the vendor shows it gone. */
export interface ReviewEffect {
  readonly state: "pending" | "done";
  readonly text: string;
  readonly at: Instant | null;
  readonly exceptionId?: string;
  readonly taskKey?: string;
}

/** A line of a checklist that data answers; undefined status: only a person can. */
export interface LineAnswer {
  readonly status: "in order" | "look" | "attest";
  readonly text: string;
  readonly facts: JsonObject;
}

/** One thing that somebody has to look at. */
export interface ReviewItem {
  readonly reviewId: ReviewId;
  readonly itemId: string;
  readonly version: number;
  readonly kind: "account" | "grant" | "token" | "line";
  readonly connectionId: ConnectionId | null;
  /** null: an account that is linked with nobody. */
  readonly identityId: IdentityId | null;
  readonly accountId: AccountId | null;
  /** Folded address of the account, label of the token, or what the line asks. */
  readonly who: string;
  readonly slot: Slot | null;
  /** The object by name, where the vendor tells one. */
  readonly object: string | null;
  readonly role: string | null;
  readonly privileged: boolean;
  /** It follows from the role of the account, and goes with it. */
  readonly implicit: boolean;
  readonly provenance: Provenance;
  readonly lastUsedAt: Instant | null;
  /** When the vendor was asked. */
  readonly readAt: Instant | null;
  readonly trust: Trust;
  /** Folded address; null: nobody who may. */
  readonly reviewer: string | null;
  /** Who wrote or let in what gives it, folded: they do not decide about it. */
  readonly barred: readonly string[];
  readonly answer: LineAnswer | null;
  readonly decision: ReviewDecision | null;
  readonly effect: ReviewEffect | null;
}

export interface ReviewCounts {
  readonly items: number;
  readonly undecided: number;
  readonly kept: number;
  readonly revoked: number;
  /** Revoked, and the vendor still shows it. */
  readonly pending: number;
}

/** What a person wants of a review and cannot have, with the reason. */
export class ReviewRefusal extends Error {
  override readonly name = "ReviewRefusal";
}

/** The exception that a revocation is kept as. */
export const exceptionOf = (item: Pick<ReviewItem, "reviewId" | "itemId">): string =>
  `review-${item.reviewId}-${item.itemId}`;
