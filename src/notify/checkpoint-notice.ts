import type { Clock } from "../model/clock.ts";
import { newId, type TenantId } from "../model/ids.ts";
import type { Logger } from "../model/log.ts";
import type { Channel } from "./channel.ts";
import type { DeliveryStore } from "./delivery-store.ts";
import type { Notice } from "./notice.ts";

/** A checkpoint as it is kept; `note` is the whole signed note. */
export interface TakenCheckpoint {
  readonly origin: string;
  readonly size: number;
  readonly note: string;
}

/** What whoever keeps checkpoints elsewhere receives: `data.note` is what `rolecall audit verify --checkpoints` reads. */
export function checkpointNotice(
  tenantId: TenantId,
  { origin, size, note }: TakenCheckpoint,
  at: number,
): Notice {
  return {
    tenantId,
    noticeId: `checkpoint:${origin}:${String(size)}`,
    topic: "checkpoint",
    type: "rolecall.checkpoint.taken",
    at,
    subject: origin,
    text: `the record of ${tenantId} had ${String(size)} entries: append data.note to a file that nobody here can change`,
    data: { origin, size, note },
  };
}

/**
 * Queues each checkpoint for the channels that want them; they are sent, signed and tried again like any notice. What cannot be queued is
 * said in the log: the next checkpoint covers all that this one did.
 */
export function checkpointTeller(deps: {
  readonly store: Pick<DeliveryStore, "queueDeliveries">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly channels: readonly Channel[];
}): (tenantId: TenantId, checkpoint: TakenCheckpoint) => Promise<void> {
  const wanting = deps.channels.filter((channel) => channel.topics.includes("checkpoint"));
  return async (tenantId, checkpoint) => {
    if (wanting.length === 0) return;
    const now = deps.clock.now();
    const notice = checkpointNotice(tenantId, checkpoint, now);
    const deliveries = wanting.map((channel) => ({
      ...{ deliveryId: newId(deps.clock), channel: channel.name, notice },
    }));
    try {
      await deps.store.queueDeliveries(tenantId, { deliveries, now });
    } catch (error) {
      deps.logger.error({ err: error, tenantId }, "a checkpoint was not queued for outside");
    }
  };
}
