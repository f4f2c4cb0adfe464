import type { Instant } from "../model/clock.ts";
import type { TenantId } from "../model/ids.ts";
import type { Also } from "../model/records.ts";
import type { Notice } from "./notice.ts";

/** One notice on its way to one channel. due: to be sent, or sent again · sent: taken · failed: given up, until a person tries again. */
export interface Delivery {
  readonly tenantId: TenantId;
  readonly deliveryId: string;
  readonly channel: string;
  readonly notice: Notice;
  readonly state: "due" | "sent" | "failed";
  readonly attempts: number;
  readonly dueAt: Instant;
  readonly createdAt: Instant;
  readonly settledAt: Instant | undefined;
  /** What the last try met: `HTTP 503`, `ECONNREFUSED`. Never a body, never a secret. */
  readonly lastError: string | undefined;
}

/** The delivery log: what was told to whom, and what is still to be told. */
export interface DeliveryStore {
  /** Adds deliveries that are not known yet, by channel and notice. Answers how many are new. */
  queueDeliveries(
    tenantId: TenantId,
    command: {
      readonly deliveries: readonly {
        readonly deliveryId: string;
        readonly channel: string;
        readonly notice: Notice;
      }[];
      readonly now: Instant;
    },
  ): Promise<number>;
  /** Takes due deliveries for this caller alone until `now + leaseMs`, oldest first; each counts as an attempt. */
  takeDeliveries(command: {
    readonly now: Instant;
    readonly leaseMs: number;
    readonly limit: number;
  }): Promise<readonly Delivery[]>;
  /** How a try ended: taken by the channel, to be tried again at `dueAt`, or given up. */
  settleDelivery(
    tenantId: TenantId,
    command: {
      readonly deliveryId: string;
      readonly state: Delivery["state"];
      readonly dueAt: Instant;
      readonly lastError: string | undefined;
      readonly now: Instant;
    },
  ): Promise<void>;
  /** Newest first. */
  listDeliveries(
    tenantId: TenantId,
    filter: { readonly state?: Delivery["state"]; readonly limit: number },
  ): Promise<readonly Delivery[]>;
  /** Makes failed deliveries due now: one, or all. Answers how many. */
  retryDeliveries(
    tenantId: TenantId,
    command: { readonly deliveryId: string | undefined; readonly now: Instant },
    also: Also,
  ): Promise<number>;
  /** Forgets what was settled before an instant. */
  forgetDeliveries(command: { readonly before: Instant }): Promise<void>;
  /** For metrics: deliveries that wait or were given up. */
  countDeliveries(): Promise<
    readonly {
      readonly tenantId: TenantId;
      readonly channel: string;
      readonly state: "due" | "failed";
      readonly count: number;
    }[]
  >;
}
