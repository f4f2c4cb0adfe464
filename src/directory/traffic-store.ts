import type { Instant } from "../model/clock.ts";
import type { IdpId, TenantId } from "../model/ids.ts";

/** One request of an identity provider: names and paths, never values. */
export interface HeardRequest {
  readonly at: Instant;
  readonly method: string;
  /** `/Users/{id}`: the template, without ids. */
  readonly route: string;
  /** 499: the client went away before its answer. */
  readonly status: number;
  readonly scimType?: string;
  /** Of a PATCH: `replace emails[type eq "…"].value`. */
  readonly operations?: readonly string[];
  /** Paths that no schema of ours has. */
  readonly dropped?: readonly string[];
  readonly userAgent?: string;
}

/** What was heard of one IdP connection since the last time it was written down. */
export interface TrafficNote {
  readonly idpId: IdpId;
  readonly firstAt: Instant;
  readonly lastAt: Instant;
  readonly requests: number;
  /** Answered 4xx. */
  readonly refused: number;
  /** Answered 5xx. */
  readonly failed: number;
  /** Oldest first. */
  readonly recent: readonly HeardRequest[];
}

/** All that is known of what one IdP connection sends. */
export interface IdpTraffic {
  readonly lastRequestAt: Instant | undefined;
  readonly requests: number;
  readonly refused: number;
  readonly failed: number;
  /** Milliseconds of the silences of at least ten minutes that ended, oldest first; the last 64. */
  readonly pauses: readonly number[];
  /** Newest first; the last 50. */
  readonly recent: readonly HeardRequest[];
}

export const shortestPauseMs = 600_000;
export const keptPauses = 64;
export const keptRequests = 50;

/** How each IdP connection is heard: bounded in size, for people and for noticing silence. */
export interface TrafficStore {
  /** Adds to what is known; written every few seconds per connection by the caller. @throws StoreError NOT_FOUND */
  noteTraffic(tenantId: TenantId, note: TrafficNote): Promise<void>;
  /** Nothing was heard yet: zeros and empty lists. */
  readTraffic(tenantId: TenantId, idpId: IdpId): Promise<IdpTraffic>;
}
