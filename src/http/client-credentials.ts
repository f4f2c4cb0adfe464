import { z } from "zod";
import type { Clock, Instant } from "../model/clock.ts";
import { InputError, SyncError } from "../model/errors.ts";
import { exchange, ExchangeError, type Exchange } from "./exchange.ts";
import type { HttpPools } from "./http-pools.ts";
import { userAgent } from "./user-agent.ts";
import { parseBaseUrl } from "./vendor-url.ts";

/** A client of an authorization server (RFC 6749 §4.4). */
export interface TokenClient {
  readonly tokenUrl: string;
  readonly scope: string | null;
  /** `client-id:client-secret`. */
  readonly secret: string;
  /** Tells one secret from another without showing it. */
  readonly fingerprint: string;
}

/** Bearer tokens for client credentials, each asked for once and kept until shortly before it ends. */
export interface ClientCredentials {
  /** @throws SyncError CREDENTIAL_REFUSED when the client is not known, VENDOR_UNAVAILABLE when nobody answers */
  token(client: TokenClient): Promise<string>;
}

/** A token is not used any more when it is about to end: it has to last for one exchange. */
const spareMs = 60_000;
/** Where the server does not say how long (RFC 6749 §5.1 only recommends it). */
const lifetimeMs = 5 * 60_000;
const keptMax = 1_000;

const answerShape = z.object({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i, "is no bearer token"),
  expires_in: z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).optional(),
});

export function createClientCredentials(options: {
  readonly pools: HttpPools;
  readonly clock: Clock;
}): ClientCredentials {
  const kept = new Map<string, { readonly token: string; readonly until: Instant }>();
  const asked = new Map<string, Promise<string>>();
  const fetchToken = async (client: TokenClient, key: string): Promise<string> => {
    const answer = readAnswer(await ask(options.pools, client));
    const lastsMs = answer.expires_in === undefined ? lifetimeMs : answer.expires_in * 1_000;
    if (kept.size >= keptMax) kept.clear();
    kept.set(key, {
      token: answer.access_token,
      until: options.clock.now() + Math.max(0, lastsMs - spareMs),
    });
    return answer.access_token;
  };
  return {
    async token(client) {
      const key = JSON.stringify([client.tokenUrl, client.scope, client.fingerprint]);
      const known = kept.get(key);
      if (known !== undefined && known.until > options.clock.now()) return known.token;
      const running = asked.get(key);
      if (running !== undefined) return running;
      const started = fetchToken(client, key).finally(() => asked.delete(key));
      asked.set(key, started);
      return started;
    },
  };
}

async function ask(pools: HttpPools, client: TokenClient): Promise<Exchange> {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    ...(client.scope === null ? {} : { scope: client.scope }),
  });
  const url = parseBaseUrl(client.tokenUrl);
  if (!pools.mayReach(url.hostname)) {
    throw new InputError("the address of the authorization server cannot be used", [
      `${url.hostname} is an address inside this network: where that is meant, list it in ROLECALL_INNER_HOSTS`,
    ]);
  }
  try {
    return await exchange(pools, {
      method: "POST",
      url,
      headers: {
        "user-agent": userAgent,
        accept: "application/json",
        "content-type": "application/x-www-form-urlencoded",
        authorization: `Basic ${Buffer.from(encoded(client.secret), "utf8").toString("base64")}`,
      },
      body: form.toString(),
      totalMs: 30_000,
      bodyMaxBytes: 64 * 1024,
    });
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
    throw new SyncError(
      "VENDOR_UNAVAILABLE",
      `the authorization server did not answer (${error.reason})`,
      { cause: error },
    );
  }
}

/** Both halves are form-encoded before they are joined (RFC 6749 §2.3.1). */
function encoded(secret: string): string {
  const colon = secret.indexOf(":");
  if (colon < 0) {
    throw new SyncError(
      "CREDENTIAL_REFUSED",
      "the stored secret is no client-id:client-secret: store it again",
    );
  }
  return [secret.slice(0, colon), secret.slice(colon + 1)].map(encodeURIComponent).join(":");
}

function readAnswer(answer: Exchange): z.infer<typeof answerShape> {
  const { status } = answer;
  const facts = { status };
  if (status === 429 || status >= 500) {
    throw new SyncError(
      "VENDOR_UNAVAILABLE",
      `the authorization server answered HTTP ${String(status)}`,
      { facts },
    );
  }
  if (status !== 200) {
    throw new SyncError(
      "CREDENTIAL_REFUSED",
      `the authorization server refuses this client (HTTP ${String(status)}): store its id and secret again`,
      { facts },
    );
  }
  let body: unknown;
  try {
    body = JSON.parse(answer.body.toString("utf8")) as unknown;
  } catch {
    body = undefined;
  }
  const parsed = answerShape.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new SyncError(
    "CREDENTIAL_REFUSED",
    "the authorization server answered without a bearer token",
    { facts },
  );
}
