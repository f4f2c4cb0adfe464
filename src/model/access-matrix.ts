/** What one connection's file lets people do in applications: permissions by role, and how a role follows from what the mapping gives. */
export interface AccessMatrix {
  /** Every permission that may be asked for, as `area:action`. */
  readonly permissions: ReadonlySet<string>;
  /** As in the file, least first: of several roles that allow something the last one says the limits. */
  readonly roles: readonly AccessRole[];
  /** The kind whose slot is the account: while its gain is held, nobody has anything here. */
  readonly accountKind: string;
}

export interface AccessRole {
  readonly name: string;
  /** The person has the role when one of these is true. */
  readonly from: readonly RoleSource[];
  readonly allow: ReadonlySet<string>;
  readonly limits: AccessLimits;
}

/** All that is given must be true of one assignment. */
export interface RoleSource {
  readonly kind?: string | undefined;
  readonly role?: string | undefined;
  /** The vendor's id of the object. */
  readonly id?: string | undefined;
  /** A rule that gives the assignment. */
  readonly rule?: string | undefined;
}

/** What an application holds a person to. Absent: no limit of that sort. */
export interface AccessLimits {
  /** Ids of models, or classes: words between the hyphens of an id (`haiku`). */
  readonly models?: readonly string[];
  readonly maxTokens?: number;
  readonly requestsPerMinute?: number;
}
