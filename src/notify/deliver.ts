import type { Clock } from "../model/clock.ts";
import type { Logger, Metrics } from "../model/log.ts";
import { DeliveryError, type Channel } from "./channel.ts";
import type { Delivery, DeliveryStore } from "./delivery-store.ts";

const minuteMs = 60_000;
/** Pauses between tries: for a day and a half in all, then a person has to ask. */
const pausesMs = [
  10_000,
  minuteMs,
  5 * minuteMs,
  15 * minuteMs,
  60 * minuteMs,
  3 * 60 * minuteMs,
  6 * 60 * minuteMs,
  24 * 60 * minuteMs,
] as const;
/** Longer than a try may take: another process takes it up where this one died. */
const leaseMs = 2 * minuteMs;
const page = 20;
const keptMs = 30 * 24 * 60 * minuteMs;

export interface DeliverDeps {
  readonly store: DeliveryStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly channels: readonly Channel[];
}

/** Sends what is due, each to its channel; a channel that fails keeps nobody else waiting. Answers how many were tried. */
export async function deliverNotices(deps: DeliverDeps): Promise<number> {
  const taken = await deps.store.takeDeliveries({ now: deps.clock.now(), leaseMs, limit: page });
  await Promise.all(taken.map((delivery) => deliver(deps, delivery)));
  if (taken.length === 0) await deps.store.forgetDeliveries({ before: deps.clock.now() - keptMs });
  return taken.length;
}

async function deliver(deps: DeliverDeps, delivery: Delivery): Promise<void> {
  const { tenantId, deliveryId } = delivery;
  const channel = deps.channels.find((item) => item.name === delivery.channel);
  const error =
    channel === undefined
      ? new DeliveryError(`no channel ${delivery.channel} is configured`)
      : await trySend(channel, delivery, deps.clock.now());
  const now = deps.clock.now();
  const pauseMs = pausesMs[delivery.attempts - 1];
  const given = error !== undefined && (error.final || pauseMs === undefined);
  const state = error === undefined ? "sent" : given ? "failed" : "due";
  await deps.store.settleDelivery(tenantId, {
    deliveryId,
    state,
    dueAt: now + (pauseMs ?? 0),
    lastError: error?.message,
    now,
  });
  deps.metrics.count("rolecall_notices_total", { channel: delivery.channel, outcome: state });
  if (error === undefined) return;
  const facts = { tenantId, deliveryId, channel: delivery.channel, why: error.message };
  if (given)
    deps.logger.error(facts, "a notice was given up: `rolecall notify retry` sends it again");
  else deps.logger.warn(facts, "a notice was not taken; it is sent again");
}

async function trySend(
  channel: Channel,
  delivery: Delivery,
  now: number,
): Promise<DeliveryError | undefined> {
  try {
    await channel.send(delivery.notice, { deliveryId: delivery.deliveryId, now });
    return undefined;
  } catch (error) {
    if (error instanceof DeliveryError) return error;
    throw error;
  }
}
