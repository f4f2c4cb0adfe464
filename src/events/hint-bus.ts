import type { IdentityId, TenantId } from "../model/ids.ts";
import type { TraceParent } from "../model/trace.ts";

/** "This identity may be out of date": ids only, never data, and where in a trace it was said. Losing, doubling or reordering hints changes no result. */
export interface Hint {
  readonly tenantId: TenantId;
  readonly identityId: IdentityId;
  readonly trace?: TraceParent;
}

/** `urgent` has its own topic and its own consumer: a leaver never queues behind joiners. */
export const hintTopics = ["hints", "hints.urgent"] as const;
export type HintTopic = (typeof hintTopics)[number];

export interface HintBus {
  /** Resolves when the bus has taken the hints; may reject when it is down: the sweep then does the work. */
  publish(topic: HintTopic, hints: readonly Hint[]): Promise<void>;
  /**
   * Calls `handler` with batches of at most 200 hints, one batch at a time per topic. A handler that rejects is called again
   * with the same or later hints after a pause; it is never skipped silently and never stops the subscription.
   */
  subscribe(topic: HintTopic, handler: (hints: readonly Hint[]) => Promise<void>): Promise<void>;
  /** Hints that were taken and not yet handled, where the bus knows. */
  lag(topic: HintTopic): Promise<number | undefined>;
  /** Whether the bus works now, with a reason when it does not; `/readyz` stays green without it. */
  ready(): { readonly ready: boolean; readonly why?: string };
  /** Whether the bus still turns; false where only a new process helps: a consumer fell silent. */
  live(): { readonly live: boolean; readonly why?: string };
  /** Milliseconds since the last sign of life of this process's subscription; undefined where there is none or nothing to poll. */
  pollAgeMs(topic: HintTopic): number | undefined;
  /** Stops taking and handing out hints; a running handler finishes first. */
  close(): Promise<void>;
}
