import type { Instant } from "../model/clock.ts";
import type { TenantId } from "../model/ids.ts";
import type { Also } from "../model/records.ts";

/** Why a store is not trusted to write: what it remembers of its own writes may be older than what it wrote. */
export type BrakeReason =
  /** A checkpoint outside the store saw more records than the store has: it was restored. */
  | {
      readonly kind: "older_than_checkpoint";
      readonly tenantId: TenantId;
      readonly storeSize: number;
      readonly checkpointSize: number;
    }
  /** As many records as the checkpoint saw, and others. */
  | {
      readonly kind: "differs_from_checkpoint";
      readonly tenantId: TenantId;
      readonly checkpointSize: number;
    }
  /** The checkpoints were written by another store. */
  | { readonly kind: "foreign_checkpoint"; readonly tenantId: TenantId; readonly origin: string }
  /** The store belongs elsewhere: this is a copy of it, or it was moved. */
  | { readonly kind: "other_home"; readonly was: string; readonly is: string };

/** While it is on, every connection of every tenant is report-only, whatever its mapping says. */
export interface Brake {
  readonly since: Instant;
  readonly reasons: readonly BrakeReason[];
}

/** The brake of the whole store: one row, read with every lane and by the gate. */
export interface BrakeStore {
  readBrake(): Promise<Brake | undefined>;
  /** Puts the brake on; one that is on keeps its instant and its reasons, and gets those that are new. */
  pullBrake(brake: Brake): Promise<void>;
  /** Takes the brake off, settles where the store belongs from now on, and writes what each tenant is owed, in one commit. */
  releaseBrake(command: {
    readonly home: string | undefined;
    readonly now: Instant;
    readonly tenants: readonly { readonly tenantId: TenantId; readonly also: Also }[];
  }): Promise<void>;
}
