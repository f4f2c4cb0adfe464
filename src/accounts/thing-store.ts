import type { Instant } from "../model/clock.ts";
import type { ThingKind } from "../model/declared.ts";
import type { ConnectionId, IntentId, TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { Also } from "../model/records.ts";

/** What one write does to a declared thing. Nothing is ended but on a person's word. */
export type ThingStep = "create" | "adjust" | "end";

/** What a write that belongs to no person is about: a declared thing, or a ticket for work by hand, whose name is its mark. */
export type IntentKind = ThingKind | "ticket";

/** The row that must exist before a write about a thing leaves the process: the gate of what belongs to no person. */
export interface ThingIntent {
  readonly intentId: IntentId;
  readonly connectionId: ConnectionId;
  readonly step: ThingStep;
  readonly kind: IntentKind;
  readonly name: string;
  readonly state: "sent" | "done" | "refused" | "unsent" | "unknown";
  readonly sentAt: Instant;
  /** Nothing of it may reach a socket after this instant. */
  readonly notAfter: Instant;
}

/** Why the gate said no. in_flight: an earlier write to the same thing has no outcome yet. */
export type ThingRefusal =
  "lease_lost" | "lane_paused" | "stopped" | "report_only" | "in_flight" | "no_lane";

export interface ThingStore {
  /**
   * The gate, in one transaction: the lease of `job` is this owner's, the lane is open, no stop switch covers the direction (a creation
   * is a grant, an end a removal), the kind may be written, and no other write to the thing is open.
   */
  insertThingIntent(
    tenantId: TenantId,
    command: {
      readonly intentId: IntentId;
      readonly connectionId: ConnectionId;
      readonly step: ThingStep;
      readonly kind: IntentKind;
      readonly name: string;
      readonly job: string;
      readonly owner: string;
      readonly notAfter: Instant;
      readonly now: Instant;
    },
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly why: ThingRefusal }>;

  /** Writes the outcome once, with its record; for one that is known already nothing at all. @throws StoreError NOT_FOUND */
  finishThingIntent(
    tenantId: TenantId,
    command: {
      readonly intentId: IntentId;
      readonly state: Exclude<ThingIntent["state"], "sent">;
      readonly facts: JsonObject;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;

  /** Writes without a known outcome, oldest first. */
  openThingIntents(tenantId: TenantId, connectionId: ConnectionId): Promise<readonly ThingIntent[]>;
}
