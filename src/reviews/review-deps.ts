import type { AccountStore } from "../accounts/account-store.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import type { CredentialStore } from "../credentials/credential-store.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import type { MappingVersionStore } from "../mapping/version-store.ts";
import type { Clock } from "../model/clock.ts";
import type { Actor } from "../model/records.ts";
import type { ScimTargetSettings } from "../model/scim-target.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import type { TaskStore } from "../tasks/task-store.ts";
import type { ReviewStore } from "./review-store.ts";

/** What the use cases of access reviews work with. */
export interface ReviewDeps {
  readonly store: ReviewStore &
    TaskStore &
    Pick<
      AccountStore,
      | "getLane"
      | "listLanes"
      | "listObserved"
      | "listObservedGrants"
      | "listObjects"
      | "listFindings"
      | "findLinks"
      | "readPeople"
      | "raiseFindings"
      | "resolveFindings"
      | "wakeTargets"
    > &
    Pick<AuditStore, "findRecords"> &
    Pick<DirectoryStore, "readIdentities" | "findIdentities" | "listExceptions"> &
    Pick<MappingVersionStore, "activeMappings"> &
    Pick<CredentialStore, "listTokens" | "revokeToken">;
  readonly clock: Clock;
  /** This process, where no person acts. */
  readonly actor: Actor;
  readonly vendorFacts: (
    vendor: string,
    profile: string,
    target?: ScimTargetSettings,
  ) => VendorFacts | undefined;
  /** Tells the relay of this process that marks were written. */
  readonly ringRelay: () => void;
  /** A token of this process's store was revoked. */
  readonly tokensChanged: () => void;
}

/** What looks at reviews and changes nothing. */
export interface ReviewReads {
  readonly store: Pick<ReviewStore, "getReview" | "listReviewItems">;
  readonly clock: Pick<Clock, "now">;
}
