import { z } from "zod";
import { newId } from "../../model/ids.ts";
import { newRecord } from "../../model/records.ts";
import { operation, OperationError } from "../operation.ts";

export const noticeOperations = [
  operation({
    name: "listNotices",
    method: "GET",
    path: "/notices",
    summary: "The delivery log of outgoing webhooks and mail, newest first",
    input: z.object({
      state: z.enum(["due", "sent", "failed"]).optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(200),
    }),
    run: async (deps, { tenantId }, { state, limit }) => ({
      channels: deps.channels,
      notices: (
        await deps.store.listDeliveries(tenantId, {
          limit,
          ...(state === undefined ? {} : { state }),
        })
      ).map(({ notice, ...delivery }) => ({
        ...delivery,
        type: notice.type,
        subject: notice.subject,
        text: notice.text,
      })),
    }),
  }),
  operation({
    name: "testNotice",
    method: "POST",
    path: "/notices/test",
    summary: "Send a test notice to every channel",
    input: z.object({}),
    run: async (deps, { tenantId, actor }) => {
      if (deps.channels.length === 0)
        throw new OperationError(409, "no channel is configured: set ROLECALL_NOTIFY_WEBHOOK");
      const now = deps.clock.now();
      const noticeId = `test:${newId(deps.clock)}`;
      const deliveries = deps.channels.map((channel) => ({
        deliveryId: newId(deps.clock),
        channel,
        notice: {
          tenantId,
          noticeId,
          topic: "test" as const,
          type: "rolecall.test",
          at: now,
          subject: tenantId,
          text: "a test that somebody asked for; nothing is wrong",
          data: { askedBy: actor.id },
        },
      }));
      await deps.store.queueDeliveries(tenantId, { deliveries, now });
      return { channels: deps.channels };
    },
  }),
  operation({
    name: "retryNotices",
    method: "POST",
    path: "/notices/retry",
    summary: "Send notices that were given up again: one, or all",
    input: z.object({ delivery: z.string().max(64).optional() }),
    run: async (deps, { tenantId, actor }, { delivery }) => ({
      retried: await deps.store.retryDeliveries(
        tenantId,
        { deliveryId: delivery, now: deps.clock.now() },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: "notices.retried",
              subject: { type: "tenant", id: tenantId },
              facts: { delivery: delivery ?? "all" },
            }),
          ],
          recompute: [],
        },
      ),
    }),
  }),
];
