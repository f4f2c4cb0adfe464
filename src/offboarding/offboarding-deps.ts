import type { AccountStore } from "../accounts/account-store.ts";
import type { CaseStore } from "../accounts/case-store.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import type { Clock } from "../model/clock.ts";
import type { Logger } from "../model/log.ts";
import type { Actor } from "../model/records.ts";

/** What the use cases of leaving work with. */
export interface OffboardingDeps {
  readonly store: CaseStore &
    Pick<
      AccountStore,
      | "raiseFindings"
      | "resolveFindings"
      | "listIntents"
      | "listLanes"
      | "listFindings"
      | "readPeople"
      | "listObjects"
      | "countObserved"
    > &
    Pick<AuditStore, "findRecords"> &
    Pick<DirectoryStore, "readIdentities" | "findIdentities" | "listIdentities">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly actor: Actor;
}
