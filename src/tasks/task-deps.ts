import type { AccountStore } from "../accounts/account-store.ts";
import type { CredentialStore } from "../credentials/credential-store.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import type { Clock } from "../model/clock.ts";
import type { Actor } from "../model/records.ts";
import type { TaskStore } from "./task-store.ts";

/** What the use cases of work by hand work with. */
export interface TaskDeps {
  readonly store: TaskStore &
    Pick<AccountStore, "raiseFindings" | "resolveFindings" | "wakeTargets"> &
    Pick<DirectoryStore, "findIdentities" | "readIdentities"> &
    Pick<CredentialStore, "listTokens">;
  readonly clock: Clock;
  /** Who acts where no person does. */
  readonly actor: Actor;
}
