/**
 * An error of the worker is an instruction: what happens next, not only what happened.
 * retry: same target later, the vendor's time wins · replan: read again, plan again ·
 * pause: stop the lane until its credential or organisation is repaired · hold: a person decides on a batch ·
 * park: this target waits for a fact or a person, the rest go on.
 */
export type Disposition = "retry" | "replan" | "pause" | "hold" | "park";

/** Every code, its instruction and one line for the runbook. A code never changes its meaning. */
export const errorCodes = {
  VENDOR_RATE_LIMITED: ["retry", "the vendor asked us to slow down; its time is waited in full"],
  VENDOR_UNAVAILABLE: ["retry", "connection refused or reset, 5xx, or overloaded"],
  VENDOR_TIMEOUT: ["retry", "no answer in time"],
  VENDOR_BREAKER_OPEN: [
    "retry",
    "half of the last calls failed; the lane rests before one trial call",
  ],
  VENDOR_READ_INCOMPLETE: ["retry", "a list ended without its end marker or with a page missing"],
  WRITE_AMBIGUOUS: [
    "replan",
    "a write was sent and its answer was lost; the truth is read before anything is sent again",
  ],
  VENDOR_CONFLICT: [
    "replan",
    "the vendor saw another change in flight, or the state moved under the plan",
  ],
  GATE_REFUSED: [
    "replan",
    "the write was stopped before it was sent: lease, generation, switch or rail changed",
  ],
  INTENT_EXPIRED: ["replan", "the write waited too long after it was allowed and was not sent"],
  CREDENTIAL_REFUSED: ["pause", "the vendor does not accept the credential"],
  CREDENTIAL_SCOPE_MISSING: ["pause", "the credential lacks a scope that the call needs"],
  CREDENTIAL_MISSING: [
    "pause",
    "the mapping names a credential that is not stored or not readable",
  ],
  WRONG_ORGANIZATION: [
    "pause",
    "the credential answers for another organisation than the pinned one",
  ],
  VENDOR_PLAN_REQUIRED: ["pause", "the vendor's plan does not include this API"],
  VENDOR_OWNS_MEMBERSHIP: ["pause", "the vendor's own SCIM or JIT provisioning owns membership"],
  RAIL_TRIPPED: [
    "hold",
    "more people would lose or gain access than the rail lets pass without a decision",
  ],
  VENDOR_REJECTED: ["park", "the vendor refused this item for good"],
  VENDOR_WRITE_MISSING: [
    "park",
    "the vendor's API does not let this workspace or credential make this one write; a person makes the change",
  ],
  VENDOR_ANSWER_UNKNOWN: ["park", "the vendor answered in a shape that we do not know"],
  SEATS_EXHAUSTED: ["park", "no free seat or the member cap is reached; nothing is bought"],
  ACCOUNT_DISPUTED: ["park", "two people claim one account; it is frozen until a person decides"],
  ACCOUNT_AMBIGUOUS: ["park", "several accounts fit one person"],
  CREATE_AMBIGUOUS: ["park", "a create was lost twice; it is never sent a third time unseen"],
  DRIFT_FOUGHT: ["park", "what was repaired twice within a day was undone again at the vendor"],
  ROLE_CONFLICT: ["park", "rules give roles of equal rank that exclude each other"],
  ROSTER_MISSING: ["park", "nobody brought a roster of the workspace yet; import one"],
  OBJECT_UNKNOWN: ["park", "the mapping names a vendor object that a complete read does not show"],
  INVITE_LIMIT: ["park", "the invitation expired as often as the policy re-sends it"],
  ADMIN_FLOOR: ["park", "the step would leave fewer active admins than the floor"],
  PROTECTED: ["park", "the account is protected or is our own principal"],
  NO_ADDRESS: ["park", "the person has no e-mail address of a listed domain"],
  INTERNAL: ["park", "a fault of ours; the stack is in the log"],
} as const satisfies Record<string, readonly [Disposition, string]>;

export type ErrorCode = keyof typeof errorCodes;

/** What a call to a vendor or a plan ended in. `message` says what, for whom, and never holds a secret or a whole body. */
export class SyncError extends Error {
  override readonly name = "SyncError";
  readonly code: ErrorCode;
  /** For VENDOR_RATE_LIMITED: the vendor's own waiting time in milliseconds, never capped. */
  readonly retryAfterMs: number | undefined;
  /** Facts for logs and evidence: HTTP status, vendor code, vendor request id. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      cause?: unknown;
      retryAfterMs?: number;
      facts?: Record<string, string | number | boolean>;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.facts = options.facts ?? {};
  }

  get disposition(): Disposition {
    return errorCodes[this.code][0];
  }
}

/** What a store port may throw; every adapter throws the same for the same cause. */
export type StoreErrorCode =
  /** No such row in this tenant. */
  | "NOT_FOUND"
  /** `expect` did not match: read again and retry. */
  | "VERSION_CONFLICT"
  /** A unique value is taken; `field` says which. */
  | "ALREADY_EXISTS"
  /** The value cannot be stored; `field` says which. */
  | "INVALID"
  /** The store cannot be reached or written now; nothing was written, or it is unknown whether it was. */
  | "UNAVAILABLE";

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  readonly field: string | undefined;

  constructor(
    code: StoreErrorCode,
    message: string,
    options: { field?: string; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field;
  }
}

/** Configuration or a file that a person wrote is wrong; `problems` lists everything at once. */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly problems: readonly string[];

  constructor(summary: string, problems: readonly string[]) {
    super([summary, ...problems.map((problem) => `  ${problem}`)].join("\n"));
    this.problems = problems;
  }
}
