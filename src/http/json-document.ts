import { InputError, SyncError } from "../model/errors.ts";
import { exchange, ExchangeError } from "./exchange.ts";
import type { HttpPools } from "./http-pools.ts";
import { userAgent } from "./user-agent.ts";
import { parseBaseUrl } from "./vendor-url.ts";

/**
 * A public JSON document, such as the keys of an authorization server: no credential goes out, no redirect is followed, and no address inside
 * this network is asked unless it is listed.
 * @throws SyncError VENDOR_UNAVAILABLE or VENDOR_ANSWER_UNKNOWN; InputError for an address that may not be reached
 */
export async function fetchDocument(pools: HttpPools, address: string): Promise<unknown> {
  const url = parseBaseUrl(address);
  if (!pools.mayReach(url.hostname)) {
    throw new InputError("this address cannot be asked", [
      `${url.hostname} is an address inside this network: where that is meant, list it in ROLECALL_INNER_HOSTS`,
    ]);
  }
  try {
    const answer = await exchange(pools, {
      method: "GET",
      url,
      headers: { "user-agent": userAgent, accept: "application/json" },
      totalMs: 10_000,
      bodyMaxBytes: 256 * 1024,
    });
    if (answer.status !== 200)
      throw new SyncError(
        "VENDOR_UNAVAILABLE",
        `${url.host} answered HTTP ${String(answer.status)}`,
      );
    return JSON.parse(answer.body.toString("utf8")) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new SyncError("VENDOR_ANSWER_UNKNOWN", `${url.host} did not answer with JSON`, {
        cause: error,
      });
    if (!(error instanceof ExchangeError)) throw error;
    throw new SyncError("VENDOR_UNAVAILABLE", `${url.host} did not answer (${error.reason})`, {
      cause: error,
    });
  }
}
