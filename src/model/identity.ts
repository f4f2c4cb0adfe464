import type { EmploymentFacts } from "./employment.ts";
import type { GroupId, IdentityId, IdpId, SourceUserId, TenantId } from "./ids.ts";

/** What mapping may ask about one person: the truth of every linked source, merged. */
export interface IdentityFacts {
  readonly tenantId: TenantId;
  readonly identityId: IdentityId;
  /** Whether an IdP says that the person is active. Whether they are here is `presenceAt`, since when they are gone `departureOf`. */
  readonly active: boolean;
  /** When the last IdP stopped calling the person active (domain instant): the accepted signal of a leaver without HR. */
  readonly inactiveSince: number | undefined;
  /** What HR says; absent: no HR record is joined with the person. */
  readonly employment?: EmploymentFacts;
  /** When an operator ordered that they leave; absent: nobody did. */
  readonly departedAt?: number;
  /** SCIM userName as sent. */
  readonly userName: string;
  readonly displayName: string;
  readonly givenName: string | undefined;
  readonly familyName: string | undefined;
  /** Folded addresses, primary first, without doubles. */
  readonly emails: readonly string[];
  /** Addresses that were this person's before: candidates for matching, never proof. Folded. */
  readonly formerEmails: readonly string[];
  /**
   * Attributes that conditions may read, by canonical SCIM name, extension attributes by their last part too:
   * `userType`, `title`, `department`, `employeeNumber`, `costCenter`, …; what HR says as `hr.<name>`; absent when the source sent none.
   */
  readonly attributes: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** Live groups that hold the person, directly or through nested groups. */
  readonly groups: ReadonlySet<GroupId>;
  readonly sources: readonly SourceFacts[];
  /**
   * IdP connections of the tenant that are not marked loaded, those without a source of this person too: the person may
   * still arrive there. Absent: none beyond what `sources` says.
   */
  readonly arriving?: readonly IdpId[];
  /** Rises with every change of the person, their sources or memberships; for logs, not for locks. */
  readonly version: number;
}

export interface SourceFacts {
  readonly idpId: IdpId;
  readonly sourceUserId: SourceUserId;
  readonly externalId: string | undefined;
  readonly active: boolean;
  readonly deleted: boolean;
  /** Whether this IdP connection was marked loaded: before that, absence proves nothing. */
  readonly loaded: boolean;
}

/** Person, entitlement, grant or deny, until, why, by whom: the strongest input to mapping. */
export interface AccessException {
  readonly exceptionId: string;
  /** Folded e-mail address or userName of the person, or their identity id: that one stays whatever they are called. */
  readonly person: string;
  readonly connectionId: string;
  readonly effect: "grant" | "deny";
  readonly kind: string;
  /** Name or id of the object as written; null where the kind has none, or for every object of a deny. */
  readonly object: { readonly by: "id" | "name"; readonly value: string } | null;
  /** null in a deny: every role. */
  readonly role: string | null;
  /** Last instant at which it counts; null: until withdrawn. */
  readonly until: number | null;
  readonly why: string;
  readonly by: string;
  /** `file` rows are replaced when the file changes; `decision` rows are written by approvals and reviews. */
  readonly source: "file" | "decision";
}
