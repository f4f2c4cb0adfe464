import type { Instant } from "../model/clock.ts";
import type { ConnectionId, RosterId, TenantId } from "../model/ids.ts";
import type { Also } from "../model/records.ts";
import type { Roster, RosterMember } from "../model/roster.ts";

/** A roster that was believed, without its members. */
export interface RosterHead {
  readonly rosterId: RosterId;
  readonly connectionId: ConnectionId;
  readonly workspaceId: string;
  readonly capturedAt: Instant;
  readonly acceptedAt: Instant;
  readonly count: number;
  /** Of the file as it was brought, hex. */
  readonly sha256: string;
  readonly by: string;
}

/** What people brought of vendors that show their members to people only. */
export interface RosterStore {
  /**
   * Keeps it as the last one, forgets the members of those before it, and wakes the lane's listing and every target of the
   * connection. @throws StoreError VERSION_CONFLICT when another one was kept since `after`
   */
  keepRoster(
    tenantId: TenantId,
    command: {
      readonly head: RosterHead;
      readonly members: readonly RosterMember[];
      /** The one that was the last when this one was judged; null: none. */
      readonly after: RosterId | null;
    },
    also: Also,
  ): Promise<void>;
  lastRoster(
    tenantId: TenantId,
    connectionId: ConnectionId,
  ): Promise<{ readonly head: RosterHead; readonly roster: Roster } | undefined>;
  /** Newest first. */
  listRosters(
    tenantId: TenantId,
    connectionId: ConnectionId,
    limit: number,
  ): Promise<readonly RosterHead[]>;
}
