import { createHmac } from "node:crypto";
import { exchange, ExchangeError } from "../http/exchange.ts";
import type { HttpPools } from "../http/http-pools.ts";
import { userAgent } from "../http/user-agent.ts";
import { DeliveryError, type Channel } from "./channel.ts";
import { cloudEvent, topics, type Topic } from "./notice.ts";

const totalMs = 15_000;
const answerMaxBytes = 64 * 1024;

/** Statuses that say no for good; 408, 425 and 429 ask for another try. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status);
}

/**
 * The signature of Standard Webhooks (standardwebhooks.com, v1): HMAC-SHA-256 in base64 over `id.timestamp.body`. Receivers compare it, and
 * refuse a timestamp (seconds) that is old. A secret `whsec_…` is base64, any other is taken as it is.
 */
export function webhookSignature(
  secret: string,
  id: string,
  timestamp: number,
  body: string,
): string {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : secret;
  const mac = createHmac("sha256", key).update(`${id}.${String(timestamp)}.${body}`);
  return `v1,${mac.digest("base64")}`;
}

/** Sends notices as signed CloudEvents. Addresses inside this network are refused unless they are allowed (ROLECALL_INNER_HOSTS). */
export function webhookChannel(options: {
  readonly url: string;
  readonly secret: string;
  readonly topics?: readonly Topic[];
  readonly publicUrl: string;
  readonly pools: HttpPools;
}): Channel {
  const url = new URL(options.url);
  return {
    name: "webhook",
    topics: options.topics ?? topics,
    async send(notice, { deliveryId, now }) {
      if (!options.pools.mayReach(url.hostname)) {
        throw new DeliveryError(
          `${url.hostname} is an address inside this network: allow it with ROLECALL_INNER_HOSTS`,
          { final: true },
        );
      }
      const body = JSON.stringify(cloudEvent(notice, options.publicUrl));
      const timestamp = Math.floor(now / 1_000);
      let answer;
      try {
        answer = await exchange(options.pools, {
          method: "POST",
          url,
          headers: {
            "user-agent": userAgent,
            "content-type": "application/cloudevents+json",
            "webhook-id": deliveryId,
            "webhook-timestamp": String(timestamp),
            "webhook-signature": webhookSignature(options.secret, deliveryId, timestamp, body),
          },
          body,
          totalMs,
          bodyMaxBytes: answerMaxBytes,
        });
      } catch (error) {
        if (error instanceof ExchangeError) throw new DeliveryError(error.reason, { cause: error });
        throw error;
      }
      const { status } = answer;
      if (status >= 200 && status < 300) return;
      throw new DeliveryError(`HTTP ${String(status)}`, { final: isFinal(status) });
    },
  };
}
