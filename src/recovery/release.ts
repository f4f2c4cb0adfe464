import type { AccountStore } from "../accounts/account-store.ts";
import type { Lane } from "../accounts/lane.ts";
import { priorities } from "../accounts/target.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import type { Clock } from "../model/clock.ts";
import { newId, type ConnectionId, type TenantId } from "../model/ids.ts";
import { newRecord, type Actor } from "../model/records.ts";
import type { BrakeStore } from "./brake-store.ts";

export interface ReleaseDeps {
  readonly store: BrakeStore &
    Pick<AccountStore, "listLanes" | "wakeTargets"> &
    Pick<DirectoryStore, "listTenants">;
  readonly clock: Clock;
  /** Where this process opened the store: from now on it belongs there. */
  readonly home: string | undefined;
  readonly instanceId: string;
}

export type ReleaseResult =
  | { readonly released: true; readonly connections: number }
  | { readonly released: false; readonly why: "not_braked" }
  /** Connections whose accounts were not read as a whole since the brake came on. */
  | {
      readonly released: false;
      readonly why: "unread";
      readonly connections: readonly UnreadConnection[];
    };

export interface UnreadConnection {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
}

/** Connections that have to be read before the store may write again: those that wrote before, or may. */
export function unreadSince(lanes: readonly Lane[], since: number): readonly UnreadConnection[] {
  return lanes
    .filter((lane) => lane.listedAt === null || lane.listedAt < since)
    .map(({ tenantId, connectionId }) => ({ tenantId, connectionId }));
}

/**
 * Takes the brake off, signed by a person. Everybody is recomputed, so that losses are counted by the rails before the first of
 * them may run, and everybody is looked at again.
 * @param without connections that are given up: released without having been read
 */
export async function releaseStore(
  deps: ReleaseDeps,
  sign: {
    readonly actor: Actor;
    readonly why: string;
    readonly without: readonly string[];
  },
): Promise<ReleaseResult> {
  const { store, clock } = deps;
  const brake = await store.readBrake();
  if (brake === undefined) return { released: false, why: "not_braked" };
  const lanes = await store.listLanes(undefined);
  const unread = unreadSince(lanes, brake.since).filter(
    (item) => !sign.without.includes(item.connectionId),
  );
  if (unread.length > 0) return { released: false, why: "unread", connections: unread };
  const now = clock.now();
  const tenantIds = (await store.listTenants()).map((tenant) => tenant.tenantId);
  await store.releaseBrake({
    home: deps.home,
    now,
    tenants: tenantIds.map((tenantId) => ({
      tenantId,
      also: {
        records: [
          newRecord(clock, {
            actor: sign.actor,
            action: "store.released",
            subject: { type: "store", id: deps.instanceId },
            facts: {
              why: sign.why,
              brakedAt: brake.since,
              reasons: brake.reasons.map((reason) => ({ ...reason })),
              without: [...sign.without],
            },
          }),
        ],
        recompute: [],
        fanouts: [
          {
            fanoutId: newId(clock),
            scope: { kind: "tenant" },
            cause: { kind: "operator" },
            urgent: false,
          },
        ],
      },
    })),
  });
  for (const { tenantId, connectionId } of lanes) {
    await store.wakeTargets(
      tenantId,
      { connectionId, identityIds: "all", priority: priorities.background, now },
      { records: [], recompute: [] },
    );
  }
  return { released: true, connections: lanes.length };
}
