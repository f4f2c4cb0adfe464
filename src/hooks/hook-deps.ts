import type { AccountStore } from "../accounts/account-store.ts";
import type { Lane } from "../accounts/lane.ts";
import type { Clock } from "../model/clock.ts";
import type { TenantId } from "../model/ids.ts";
import type { Logger } from "../model/log.ts";
import type { Actor } from "../model/records.ts";
import type { VendorApp } from "../model/vendor-app.ts";

/** What vendor callbacks work with. */
export interface HookDeps {
  readonly store: Pick<
    AccountStore,
    "getLane" | "updateLane" | "raiseFindings" | "resolveFindings"
  > & {
    /** One-time marks: true where nobody took this job before. */
    leaseSchedule(command: {
      readonly tenantId: TenantId;
      readonly job: string;
      readonly owner: string;
      readonly now: number;
      readonly leaseMs: number;
    }): Promise<boolean>;
  };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly actor: Actor;
  /** Base of what vendors and browsers are told: `https://rolecall.example.com`. */
  readonly publicUrl: string;
  readonly sealKey: Uint8Array;
  /** Undefined: the vendor has no app. */
  readonly appOf: (vendor: string) => VendorApp | undefined;
  /** Where the vendor's API of this connection is. */
  readonly baseUrlOf: (lane: Lane) => string;
  /** Id and secret of the app. @throws SyncError CREDENTIAL_MISSING */
  readonly openApp: (
    tenantId: TenantId,
    ref: string,
  ) => Promise<{ readonly id: string; readonly secret: string }>;
  /** Gives the code for the token. @throws SyncError */
  readonly exchangeCode: (wish: {
    readonly url: string;
    readonly body: Readonly<Record<string, string>>;
  }) => Promise<unknown>;
  /** Whom a token answers for, asked with it before it is kept. @throws SyncError */
  readonly tryToken: (
    lane: Lane,
    token: string,
  ) => Promise<{
    readonly organization: { readonly id: string; readonly name: string };
    readonly installedBy: string | undefined;
    readonly notes: readonly string[];
  }>;
  /** Seals the token under the name that the mapping gives the credential. */
  readonly keepToken: (
    tenantId: TenantId,
    name: string,
    token: string,
    actor: Actor,
  ) => Promise<void>;
}
