import type { Instant } from "../model/clock.ts";
import type { AccountId, ConnectionId, TenantId } from "../model/ids.ts";
import type { ErrorCode } from "../model/errors.ts";
import type { ConnectionPolicy } from "../model/policy.ts";

/** Tenant × connection: the unit of rate, pause and budget. */
export interface Lane {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly vendor: string;
  readonly profile: string;
  /** Reference of the credential as the mapping names it: `sealed:NAME`, `env:NAME`, `file:PATH`. */
  readonly credential: string;
  readonly baseUrl: string | undefined;
  readonly policy: ConnectionPolicy;
  readonly state: "open" | "paused";
  /** Why it is paused: by a person (`OPERATOR`) or by an error that asks for repair. */
  readonly pause: {
    readonly code: ErrorCode | "OPERATOR";
    readonly text: string;
    readonly since: Instant;
  } | null;
  /** The organisation that the credential answered for first; another one pauses the lane. */
  readonly organization: { readonly id: string; readonly name: string } | null;
  /** Our own accounts at the vendor: never a target. */
  readonly ownAccountIds: readonly AccountId[];
  /** When, and with which credential fingerprint, the organisation was last compared. */
  readonly checkedAt: Instant | null;
  readonly checkedCredential: string | null;
  /** Last complete listing of accounts. */
  readonly listedAt: Instant | null;
  readonly nextListAt: Instant | null;
  /** The breaker rests the lane until then. */
  readonly breakerUntil: Instant | null;
  /** When a lane that paused itself tries its credential again. */
  readonly probeAt: Instant | null;
  /** Until when the vendor's own log was read; null: never, or it has none. */
  readonly logReadAt: Instant | null;
  /** Links of the connection: the base of fractions in rails. */
  readonly managedAccounts: number;
  /** Open invitations among observed accounts with a link. */
  readonly openInvitations: number;
}

/** Fields of a lane that can be changed; absent ones stay. */
export interface LaneChange {
  readonly state?: Lane["state"];
  readonly pause?: Lane["pause"];
  readonly organization?: Lane["organization"];
  readonly ownAccountIds?: readonly AccountId[];
  readonly checkedAt?: Instant | null;
  readonly checkedCredential?: string | null;
  readonly listedAt?: Instant | null;
  readonly nextListAt?: Instant | null;
  readonly breakerUntil?: Instant | null;
  readonly probeAt?: Instant | null;
  readonly logReadAt?: Instant | null;
}

/** The kill switch: no new vendor write within a second. Calls in flight finish and are recorded. */
export interface StopSwitch {
  /** Undefined: every connection of the tenant. */
  readonly connectionId: ConnectionId | undefined;
  /** all: nothing · grants / removals: that direction (leavers go on) · all-but-leavers: leavers go on. */
  readonly covers: "all" | "grants" | "removals" | "all-but-leavers";
  readonly by: string;
  readonly why: string;
  readonly since: Instant;
}

/** What somebody asks of a vendor's limit. */
export interface TokenDraw {
  readonly connectionId: ConnectionId;
  readonly bucket: string;
  readonly capacity: number;
  readonly perMs: number;
  /** As many at most. */
  readonly want: number;
  /** More while half of the bucket is left. */
  readonly ahead: number;
  /** A token is used within this time or thrown away: the bucket fills less by what refills meanwhile. */
  readonly keepMs: number;
  /** The fraction that this caller may not touch: 0.2 for ordinary work, 0 for leavers. */
  readonly reserve: number;
  readonly now: Instant;
}
