import type { AccountStore } from "../accounts/account-store.ts";
import type { AdoptionStore } from "../accounts/adoption-store.ts";
import type { CaseStore } from "../accounts/case-store.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import type { HrStore } from "../directory/hr-store.ts";
import type { RecomputeStore } from "../events/recompute-store.ts";
import type { MappingVersionStore } from "../mapping/version-store.ts";
import type { Clock } from "../model/clock.ts";
import type { TenantId } from "../model/ids.ts";
import type { Logger, Metrics } from "../model/log.ts";
import type { Actor } from "../model/records.ts";
import type { ScimTargetSettings } from "../model/scim-target.ts";
import type { Tracer } from "../model/trace.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";

/** What the use cases of this room work with; the composition root makes it once. */
export interface SyncDeps {
  readonly store: DirectoryStore &
    HrStore &
    RecomputeStore &
    MappingVersionStore &
    AccountStore &
    AdoptionStore &
    CaseStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer;
  /** Facts of a vendor profile; undefined: this build has no such connector. */
  readonly vendorFacts: (
    vendor: string,
    profile: string,
    target?: ScimTargetSettings,
  ) => VendorFacts | undefined;
  /** This process, as an actor of audit records. */
  readonly actor: Actor;
  /** Tells the workers of this process that targets are due. */
  readonly ringWorkers: (tenantId: TenantId) => void;
  /** Tells the relay of this process that marks or fan-outs were written. */
  readonly ringRelay: () => void;
}
