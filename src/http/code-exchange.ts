import { InputError, SyncError } from "../model/errors.ts";
import { exchange, ExchangeError } from "./exchange.ts";
import type { HttpPools } from "./http-pools.ts";
import { userAgent } from "./user-agent.ts";
import { parseBaseUrl } from "./vendor-url.ts";

/**
 * Gives the code of an authorisation for a token (RFC 6749 §4.1.3) as a form, and answers the decoded JSON.
 * @throws SyncError CREDENTIAL_REFUSED where the code or the client is not taken; InputError for an address that may not be reached
 */
export async function exchangeCode(
  pools: HttpPools,
  wish: {
    readonly url: string;
    readonly body: Readonly<Record<string, string>>;
    readonly clearText?: boolean;
  },
): Promise<unknown> {
  const url = parseBaseUrl(wish.url, wish.clearText === true ? { clearText: true } : {});
  if (!pools.mayReach(url.hostname)) {
    throw new InputError("the address of the authorization server cannot be used", [
      `${url.hostname} is an address inside this network: where that is meant, list it in ROLECALL_INNER_HOSTS`,
    ]);
  }
  try {
    const answer = await exchange(pools, {
      method: "POST",
      url,
      headers: {
        "user-agent": userAgent,
        accept: "application/json",
        "content-type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams(wish.body).toString(),
      totalMs: 30_000,
      bodyMaxBytes: 64 * 1024,
    });
    const { status } = answer;
    if (status >= 500) throw new SyncError("VENDOR_UNAVAILABLE", `HTTP ${String(status)}`);
    if (status < 200 || status > 299)
      throw new SyncError(
        "CREDENTIAL_REFUSED",
        `the code, or the app's id and secret, are not taken (HTTP ${String(status)})`,
      );
    return JSON.parse(answer.body.toString("utf8"));
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new SyncError("VENDOR_ANSWER_UNKNOWN", "the answer is not JSON", { cause: error });
    if (!(error instanceof ExchangeError)) throw error;
    throw new SyncError("VENDOR_UNAVAILABLE", `no answer (${error.reason})`, { cause: error });
  }
}
