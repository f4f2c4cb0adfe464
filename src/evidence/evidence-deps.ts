import type { AccountStore } from "../accounts/account-store.ts";
import type { CaseStore } from "../accounts/case-store.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import type { CheckpointNote } from "../audit/checkpoint.ts";
import type { CredentialStore } from "../credentials/credential-store.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import type { HrStore } from "../directory/hr-store.ts";
import type { Clock } from "../model/clock.ts";
import type { Logger } from "../model/log.ts";
import type { TenantId } from "../model/ids.ts";
import type { Actor } from "../model/records.ts";
import type { ReviewStore } from "../reviews/review-store.ts";

/** What reports for auditors are made from: reads alone. */
export interface EvidenceDeps {
  readonly store: CaseStore &
    AccountStore &
    AuditStore &
    HrStore &
    DirectoryStore &
    Pick<CredentialStore, "listTokens"> &
    Pick<ReviewStore, "listReviews" | "getReview" | "listReviewItems">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly actor: Actor;
  /** The newest signed checkpoint of a tenant's record, where this process can read one. */
  readonly lastCheckpoint: (tenantId: TenantId) => Promise<CheckpointNote | undefined>;
}
