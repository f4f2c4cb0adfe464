import type { Instant } from "../../model/clock.ts";
import { asId, type TenantId } from "../../model/ids.ts";
import type { Delivery, DeliveryStore } from "../../notify/delivery-store.ts";
import { parsed } from "./account-args.ts";
import { writeAlso } from "./also.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { Commands, Engine, Queries, Query } from "./engine.ts";
import type { Also } from "../../model/records.ts";

interface Asked<Method extends "queueDeliveries" | "settleDelivery" | "retryDeliveries"> {
  readonly tenantId: TenantId;
  readonly command: Parameters<DeliveryStore[Method]>[1];
}

const columns =
  "tenant_id, delivery_id, channel, notice, state, attempts, due_at, created_at, settled_at, last_error";

interface DeliveryRow {
  readonly tenant_id: string;
  readonly delivery_id: string;
  readonly channel: string;
  readonly notice: string;
  readonly state: Delivery["state"];
  readonly attempts: number;
  readonly due_at: Instant;
  readonly created_at: Instant;
  readonly settled_at: Instant | null;
  readonly last_error: string | null;
}

function toDelivery(row: DeliveryRow): Delivery {
  return {
    tenantId: asId<TenantId>(row.tenant_id),
    deliveryId: row.delivery_id,
    channel: row.channel,
    notice: parsed(row.notice),
    state: row.state,
    attempts: row.attempts,
    dueAt: row.due_at,
    createdAt: row.created_at,
    settledAt: row.settled_at ?? undefined,
    lastError: row.last_error ?? undefined,
  };
}

function* queueDeliveries(
  db: Database,
  { tenantId, command }: Asked<"queueDeliveries">,
): Steps<number> {
  let queued = 0;
  for (const { deliveryId, channel, notice } of command.deliveries) {
    queued += yield* db.run(
      `INSERT INTO deliveries (tenant_id, delivery_id, channel, notice_id, notice, state, attempts, due_at, created_at)
       VALUES (?, ?, ?, ?, ?, 'due', 0, ?, ?) ON CONFLICT (tenant_id, channel, notice_id) DO NOTHING`,
      tenantId,
      deliveryId,
      channel,
      notice.noticeId,
      documentText(notice),
      command.now,
      command.now,
    );
  }
  return queued;
}

function* takeDeliveries(
  db: Database,
  command: { readonly now: Instant; readonly leaseMs: number; readonly limit: number },
): Steps<readonly Delivery[]> {
  const rows = yield* db.all<DeliveryRow>(
    `SELECT ${columns} FROM deliveries WHERE state = 'due' AND due_at <= ? ORDER BY due_at, tenant_id, delivery_id LIMIT ? ${db.dialect.forUpdateSkipLocked}`,
    command.now,
    command.limit,
  );
  for (const row of rows) {
    yield* db.tell(
      "UPDATE deliveries SET due_at = ?, attempts = attempts + 1 WHERE tenant_id = ? AND delivery_id = ?",
      command.now + command.leaseMs,
      row.tenant_id,
      row.delivery_id,
    );
  }
  return rows.map((row) => ({ ...toDelivery(row), attempts: row.attempts + 1 }));
}

function* settleDelivery(
  db: Database,
  { tenantId, command }: Asked<"settleDelivery">,
): Steps<null> {
  yield* db.tell(
    "UPDATE deliveries SET state = ?, due_at = ?, last_error = ?, settled_at = ? WHERE tenant_id = ? AND delivery_id = ? AND state = 'due'",
    command.state,
    command.dueAt,
    command.lastError ?? null,
    command.state === "due" ? null : command.now,
    tenantId,
    command.deliveryId,
  );
  return null;
}

function* retryDeliveries(
  db: Database,
  { tenantId, command, also }: Asked<"retryDeliveries"> & { readonly also: Also },
): Steps<number> {
  const one = command.deliveryId === undefined ? "" : "AND delivery_id = ?";
  const retried = yield* db.run(
    `UPDATE deliveries SET state = 'due', attempts = 0, due_at = ?, settled_at = NULL WHERE tenant_id = ? AND state = 'failed' ${one}`,
    command.now,
    tenantId,
    ...(command.deliveryId === undefined ? [] : [command.deliveryId]),
  );
  if (retried > 0) yield* writeAlso(db, tenantId, also, command.now);
  return retried;
}

function* forgetDeliveries(db: Database, command: { readonly before: Instant }): Steps<null> {
  yield* db.tell("DELETE FROM deliveries WHERE settled_at < ?", command.before);
  return null;
}

const listDeliveries: Query<
  {
    readonly tenantId: TenantId;
    readonly state: Delivery["state"] | null;
    readonly limit: number;
  },
  readonly Delivery[]
> = {
  place: "scan",
  *run(db, { tenantId, state, limit }) {
    return (yield* db.all<DeliveryRow>(
      `SELECT ${columns} FROM deliveries WHERE tenant_id = ? ${state === null ? "" : "AND state = ?"} ORDER BY created_at DESC, delivery_id DESC LIMIT ?`,
      tenantId,
      ...(state === null ? [] : [state]),
      limit,
    )).map(toDelivery);
  },
};

const countDeliveries: Query<null, Awaited<ReturnType<DeliveryStore["countDeliveries"]>>> = {
  place: "scan",
  *run(db) {
    return (yield* db.all<{
      tenant_id: string;
      channel: string;
      state: "due" | "failed";
      count: number;
    }>(
      "SELECT tenant_id, channel, state, count(*) AS count FROM deliveries WHERE state IN ('due', 'failed') GROUP BY tenant_id, channel, state ORDER BY tenant_id, channel, state",
    )).map((row) => ({
      tenantId: asId<TenantId>(row.tenant_id),
      channel: row.channel,
      state: row.state,
      count: Number(row.count),
    }));
  },
};

export const deliveryCommands = {
  queueDeliveries,
  takeDeliveries,
  settleDelivery,
  retryDeliveries,
  forgetDeliveries,
} satisfies Commands;
export const deliveryQueries = { listDeliveries, countDeliveries } satisfies Queries;

/** The delivery log over an engine. */
export function deliveryStore(engine: Engine): DeliveryStore {
  return {
    queueDeliveries: (tenantId, command) => engine.write(queueDeliveries, { tenantId, command }),
    takeDeliveries: (command) => engine.write(takeDeliveries, command),
    settleDelivery: async (tenantId, command) => {
      await engine.write(settleDelivery, { tenantId, command });
    },
    listDeliveries: (tenantId, { state, limit }) =>
      engine.read(listDeliveries, { tenantId, state: state ?? null, limit }),
    retryDeliveries: (tenantId, command, also) =>
      engine.write(retryDeliveries, { tenantId, command, also }),
    forgetDeliveries: async (command) => {
      await engine.write(forgetDeliveries, command);
    },
    countDeliveries: () => engine.read(countDeliveries, null),
  };
}
