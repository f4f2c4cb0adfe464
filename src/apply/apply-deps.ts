import type { AccountStore } from "../accounts/account-store.ts";
import type { CaseStore } from "../accounts/case-store.ts";
import type { Lane } from "../accounts/lane.ts";
import type { ThingStore } from "../accounts/thing-store.ts";
import type { Connector } from "../connectors/connector.ts";
import type { Clock } from "../model/clock.ts";
import type { AccountId, ConnectionId, TenantId } from "../model/ids.ts";
import type { Logger, Metrics } from "../model/log.ts";
import type { ManualTask, ManualWork, ThingTask } from "../model/manual-work.ts";
import type { Actor } from "../model/records.ts";
import type { Roster } from "../model/roster.ts";
import type { ScimTargetSettings } from "../model/scim-target.ts";
import type { Tracer } from "../model/trace.ts";
import type { CallGovernor, VendorHttp } from "../model/vendor-http.ts";
import type { SharedReads } from "./shared-reads.ts";
import type { TokenPurses } from "./token-purse.ts";

/** What the worker works with; the composition root makes it once per process. */
export interface ApplyDeps {
  readonly store: AccountStore & CaseStore & ThingStore;
  /** Leased rows: who holds one is alone with what it names. */
  readonly leases: LeaseRows;
  /** What this process has drawn from the vendors' limits. */
  readonly tokens: TokenPurses;
  readonly reads: SharedReads;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer;
  readonly actor: Actor;
  /** Unique per process life: the owner of leases. */
  readonly owner: string;
  readonly timing: ApplyTiming;
  readonly connectorOf: ConnectorOf;
  /** Opens the credential and gives a client that holds it. @throws SyncError CREDENTIAL_MISSING */
  readonly openHttp: (lane: Lane, options: HttpOptions) => Promise<OpenedHttp>;
  /** What sync makes of a finished listing. */
  readonly afterListing: (
    tenantId: TenantId,
    connectionId: ConnectionId,
    changed: readonly AccountId[],
  ) => Promise<void>;
  /** The last roster that was believed; undefined: nobody brought one. */
  readonly rosterOf: (
    tenantId: TenantId,
    connectionId: ConnectionId,
  ) => Promise<Roster | undefined>;
  /** What a look leaves to people: kept as a task until a look shows that it is done, or nobody wants it any more. */
  readonly manualWork: (work: ManualWork) => Promise<ManualTask | undefined>;
  /** The same for what belongs to no person. */
  readonly thingTask: (work: ThingTask) => Promise<void>;
  /** Seals a secret that a vendor shows once. */
  readonly keepSecret: (tenantId: TenantId, name: string, secret: string) => Promise<void>;
  /** Whether the directory knows somebody of this folded address, and nobody of it is there any more. */
  readonly hasLeft: (tenantId: TenantId, address: string) => Promise<boolean>;
  /** The vendor's objects changed: names may resolve now. */
  readonly afterObjects: (tenantId: TenantId, connectionId: ConnectionId) => Promise<void>;
}

export interface LeaseRows {
  /** true: this owner has it until `now + leaseMs`. */
  leaseSchedule(command: {
    readonly tenantId: TenantId;
    readonly job: string;
    readonly owner: string;
    readonly now: number;
    readonly leaseMs: number;
  }): Promise<boolean>;
  finishSchedule(command: {
    readonly tenantId: TenantId;
    readonly job: string;
    readonly owner: string;
    readonly nextAt: number;
  }): Promise<void>;
}

/** The connector of a lane; undefined: this build has none. */
export type ConnectorOf = (
  vendor: string,
  profile: string,
  target?: ScimTargetSettings,
) => Connector | undefined;

export interface HttpOptions {
  readonly governor: CallGovernor;
  /** The very last thing before the bytes of a write leave; throws when they may not. */
  readonly beforeWrite: () => void;
  readonly signal: AbortSignal;
}

export interface OpenedHttp {
  readonly http: VendorHttp;
  /** Of the credential that is inside: a new one is checked before it is believed. */
  readonly credentialFingerprint: string;
  /** Whether a vendor's hint of a key (its first or last characters) is that of the one inside. Absent: it cannot be told. */
  readonly isOwnKey?: (hint: string) => boolean;
}

/** All in milliseconds of domain time. */
export interface ApplyTiming {
  readonly leaseMs: number;
  /** How long after the gate a write may still leave the process. */
  readonly intentWindowMs: number;
  /** How long beyond that a new owner waits before it reads an interrupted write back. */
  readonly intentGraceMs: number;
  /** A listing of a connection with open invitations, and of a quiet one. */
  readonly listBusyMs: number;
  readonly listQuietMs: number;
  /** The longest pause between listings while late returns of leavers are watched for. */
  readonly listWatchMs: number;
  /** How long an organisation check with one credential is believed. */
  readonly checkMs: number;
}

export const defaultTiming: ApplyTiming = {
  leaseMs: 60_000,
  intentWindowMs: 30_000,
  intentGraceMs: 5_000,
  listBusyMs: 5 * 60_000,
  listQuietMs: 24 * 3_600_000,
  listWatchMs: 15 * 60_000,
  checkMs: 15 * 60_000,
};
