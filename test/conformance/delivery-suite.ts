import { afterEach, beforeEach, expect, it } from "vitest";
import { newId, type TenantId } from "../../src/model/ids.ts";
import { newRecord } from "../../src/model/records.ts";
import type { Notice } from "../../src/notify/notice.ts";
import { fakeClock, type FakeClock } from "../support/fake-clock.ts";
import { addTenant, type TestStore } from "../support/store.ts";
import type { OpenStore } from "./account-stage.ts";

const leaseMs = 120_000;

/** What every delivery log has to do. */
export function deliverySuite(open: OpenStore): void {
  let clock: FakeClock;
  let opened: TestStore;
  let tenantId: TenantId;
  beforeEach(async () => {
    clock = fakeClock();
    opened = await open(clock);
    tenantId = (await addTenant(opened.store, clock.now())).tenantId;
  });
  afterEach(() => opened.dispose());

  const notice = (noticeId: string): Notice => ({
    tenantId,
    noticeId,
    topic: "hold",
    type: "rolecall.hold.opened",
    at: clock.now(),
    subject: "h1",
    text: "a batch waits",
    data: { holdId: "h1", people: 12 },
  });
  const queue = (...ids: readonly string[]) =>
    opened.store.queueDeliveries(tenantId, {
      deliveries: ids.map((id) => ({
        deliveryId: newId(clock),
        channel: "webhook",
        notice: notice(id),
      })),
      now: clock.now(),
    });
  const take = (limit = 10) => opened.store.takeDeliveries({ now: clock.now(), leaseMs, limit });
  const retry = () =>
    opened.store.retryDeliveries(
      tenantId,
      { deliveryId: undefined, now: clock.now() },
      {
        records: [
          newRecord(clock, {
            actor: { kind: "operator", id: "ida" },
            action: "notices.retried",
            subject: { type: "tenant", id: tenantId },
            facts: {},
          }),
        ],
        recompute: [],
      },
    );

  it("queues a notice once per channel, whoever sees it again", async () => {
    expect(await queue("a", "b")).toBe(2);
    expect(await queue("a", "b", "c")).toBe(1);
    const listed = await opened.store.listDeliveries(tenantId, { limit: 10 });
    expect(listed.map((item) => item.notice.noticeId).toSorted()).toEqual(["a", "b", "c"]);
    expect(listed[0]?.notice).toEqual(notice(listed[0]?.notice.noticeId ?? ""));
  });

  it("hands a delivery to one taker until its lease ends", async () => {
    await queue("a");
    const [first] = await take();
    expect(first).toMatchObject({ state: "due", attempts: 1, channel: "webhook" });
    expect(await take()).toEqual([]);
    await clock.advance(leaseMs);
    const [second] = await take();
    expect(second).toMatchObject({ deliveryId: first?.deliveryId, attempts: 2 });
  });

  it("keeps what was taken, what waits and what was given up apart", async () => {
    await queue("a", "b", "c");
    const [a, b, c] = await take();
    const settle = (deliveryId = "", state: "sent" | "due" | "failed" = "sent", waitMs = 0) =>
      opened.store.settleDelivery(tenantId, {
        deliveryId,
        state,
        dueAt: clock.now() + waitMs,
        lastError: state === "sent" ? undefined : "HTTP 503",
        now: clock.now(),
      });
    await settle(a?.deliveryId, "sent");
    await settle(b?.deliveryId, "due", 10_000);
    await settle(c?.deliveryId, "failed");
    expect(await take()).toEqual([]);
    await clock.advance(10_000);
    expect((await take()).map((item) => item.deliveryId)).toEqual([b?.deliveryId]);
    const failed = await opened.store.listDeliveries(tenantId, { state: "failed", limit: 10 });
    expect(failed).toMatchObject([{ deliveryId: c?.deliveryId, lastError: "HTTP 503" }]);
    expect(await opened.store.countDeliveries()).toEqual([
      { tenantId, channel: "webhook", state: "due", count: 1 },
      { tenantId, channel: "webhook", state: "failed", count: 1 },
    ]);
    expect(await retry()).toBe(1);
    expect((await take()).map((item) => [item.deliveryId, item.attempts])).toEqual([
      [c?.deliveryId, 1],
    ]);
    expect(await retry()).toBe(0);
    await clock.advance(1_000);
    await opened.store.forgetDeliveries({ before: clock.now() });
    const kept = await opened.store.listDeliveries(tenantId, { limit: 10 });
    expect(kept.map((item) => item.deliveryId).toSorted()).toEqual(
      [b?.deliveryId ?? "", c?.deliveryId ?? ""].toSorted(),
    );
  });
}
