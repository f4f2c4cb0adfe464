import type { AccessStore } from "../access/access-store.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { AdoptionStore } from "../accounts/adoption-store.ts";
import type { CaseStore } from "../accounts/case-store.ts";
import type { ThingStore } from "../accounts/thing-store.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import type { CredentialStore } from "../credentials/credential-store.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import type { HrStore } from "../directory/hr-store.ts";
import type { TrafficStore } from "../directory/traffic-store.ts";
import type { DeadLetterStore } from "../events/dead-letter-store.ts";
import type { RecomputeStore } from "../events/recompute-store.ts";
import type { MappingVersionStore } from "../mapping/version-store.ts";
import type { DeliveryStore } from "../notify/delivery-store.ts";
import type { BrakeStore } from "../recovery/brake-store.ts";
import type { ReviewStore } from "../reviews/review-store.ts";
import type { PulseStore } from "../pulse/pulse-store.ts";
import type { RosterStore } from "../tasks/roster-store.ts";
import type { TaskStore } from "../tasks/task-store.ts";

/** Every port that a database adapter implements, over one database. */
export interface Store
  extends
    DirectoryStore,
    HrStore,
    TrafficStore,
    RecomputeStore,
    DeadLetterStore,
    MappingVersionStore,
    AccountStore,
    AccessStore,
    AdoptionStore,
    CaseStore,
    DeliveryStore,
    AuditStore,
    CredentialStore,
    BrakeStore,
    ReviewStore,
    PulseStore,
    RosterStore,
    TaskStore,
    ThingStore {
  /** What the database was made for; a store is never opened for the other one. */
  readonly stamp: StoreStamp;
  /** Resolves when the database answers a read and, for writers, a write. @throws StoreError UNAVAILABLE */
  ping(): Promise<void>;
  /** How its connections are used; undefined: it has none that could be lacking. */
  connections(): StoreConnections | undefined;
  /** Lets running commands finish, then closes; closing again does nothing. Later commands are refused with UNAVAILABLE. */
  close(): Promise<void>;
}

export interface StoreConnections {
  readonly busy: number;
  readonly idle: number;
  /** Commands and queries that wait for one. */
  readonly waiting: number;
}

export interface StoreStamp {
  readonly world: "live" | "sandbox" | "test";
  /** Made when the database was made; a copy has the same. */
  readonly instanceId: string;
  readonly createdAt: number;
  /** Where the store belongs, as the process that opened it first named it; a copy has the same. */
  readonly home: string | undefined;
}
