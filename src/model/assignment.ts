import type { ObjectRef, Entitlement, Slot } from "./entitlement.ts";
import type { GroupId } from "./ids.ts";

/** Desired: this person should hold this role, because of these rules. */
export interface Assignment {
  readonly kind: string;
  readonly object: ObjectRef;
  readonly role: string;
  /** Rule ids, or `exception:<id>`; sorted, never empty. */
  readonly because: readonly string[];
  readonly privileged: boolean;
}

/** Two roles of equal rank in one slot: nobody may guess, the target parks. */
export interface AssignmentConflict {
  readonly kind: string;
  /** "any": several objects of a kind of which an account holds one. */
  readonly object: ObjectRef | { readonly by: "any" };
  readonly roles: readonly { readonly role: string; readonly because: readonly string[] }[];
}

/** Slots that must not lose anything now, because a fact that could justify them is missing, not false. */
export interface Uncertainty {
  /** "*" covers every kind. */
  readonly kind: string;
  /** "any" covers every object of the kind. */
  readonly object: ObjectRef | { readonly by: "any" };
  readonly ruleId: string;
  readonly why:
    "group_never_arrived" | "source_not_loaded" | "attribute_missing" | "group_ambiguous";
}

/** A rule that is false now only because its bound group was deleted: its losses are one cause and wait for a decision. */
export interface BrokenRule {
  readonly ruleId: string;
  readonly groupId: GroupId;
  readonly groupName: string;
}

/**
 * What one rule or exception says about one slot of one person. Names and ids of the same object only meet once names
 * are resolved, so the claims travel with the evaluation and the contest is held again between resolved slots.
 */
export interface Claim {
  readonly effect: "grant" | "deny";
  readonly kind: string;
  /** "any" in a deny: every object of the kind. */
  readonly object: ObjectRef | { readonly by: "any" };
  /** Kind and object as one string, names folded: equal keys are the same slot. */
  readonly key: string;
  /** null in a deny: every role. */
  readonly role: string | null;
  readonly rank: number;
  readonly privileged: boolean;
  /** A rule id, or `exception:<id>`. */
  readonly because: string;
  readonly exception: boolean;
  /** The rule is unknown for this person: a grant gives nothing, a deny applies, neither may cause a loss. */
  readonly unknown?: Uncertainty["why"];
}

/** What the rules and exceptions say about one identity at one connection, before names are resolved and the contest is held. */
export interface Weighed {
  /** `active`: mapped by rules · `departed`: a leaver, or not active: gets nothing, whoever gave it. */
  readonly lifecycle: "active" | "departed";
  /** Everything that is to be weighed, in no particular order. */
  readonly claims: readonly Claim[];
  readonly broken: readonly BrokenRule[];
}

/** The answer of mapping for one identity at one connection as far as the file can tell; pure data, names not yet resolved. */
export interface Evaluation extends Weighed {
  readonly assignments: readonly Assignment[];
  readonly conflicts: readonly AssignmentConflict[];
  readonly uncertain: readonly Uncertainty[];
}

/** Why each rule did or did not count, for `explain` and the console. */
export interface RuleTrace {
  readonly ruleId: string;
  readonly result: "true" | "false" | "unknown";
  readonly effect: "grant" | "deny";
  /** Conditions with their own results, in the words of the file. */
  readonly conditions: readonly {
    readonly text: string;
    readonly result: "true" | "false" | "unknown";
    readonly why?: string;
  }[];
  readonly outcome:
    "won" | "lost_to_higher_role" | "denied" | "overruled_by_exception" | "no_match" | "conflict";
  /** What beat it: rule ids or exceptions. */
  readonly beatenBy: readonly string[];
  readonly entitlements: readonly {
    readonly kind: string;
    readonly object: ObjectRef;
    readonly role: string;
  }[];
}

/** A resolved assignment: what a target stores and plan compares. */
export interface Desired extends Entitlement {
  readonly because: readonly string[];
  readonly privileged: boolean;
}

/** The whole wish for one target. Its canonical hash decides whether `generation` rises. */
export interface DesiredState {
  readonly lifecycle: "active" | "departed";
  readonly assignments: readonly Desired[];
  readonly conflicts: readonly {
    readonly slot: Slot | null;
    readonly text: string;
    readonly because: readonly string[];
  }[];
  /** Assignments whose object name is not known at the vendor: park with the valid names, remove nothing of that kind. */
  readonly unresolved: readonly {
    readonly kind: string;
    readonly name: string;
    readonly because: readonly string[];
    readonly why: "unknown" | "ambiguous" | "not_read_yet";
  }[];
  /** Slots (or whole kinds, objectId "*"; kind "*" is everything) that may not lose anything now, each with its reason. */
  readonly keep: readonly {
    readonly kind: string;
    readonly objectId: string;
    readonly why: string;
  }[];
  readonly mappingVersion: string;
  /** The account that is wanted: addresses best first (folded), names for the invitation. */
  readonly profile: AccountProfile;
}

/** Who the account is for. Personal: never logged, never in audit facts. */
export interface AccountProfile {
  /** Folded addresses of listed domains, primary first. */
  readonly emails: readonly string[];
  readonly displayName: string;
  readonly givenName?: string;
  readonly familyName?: string;
}
