import type { Instant } from "../../model/clock.ts";
import type { Json } from "../../model/json.ts";

/** One request that an IdP sent and what came back. Holds neither the bearer token nor a password. */
export interface Exchange {
  readonly at: Instant;
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  readonly requestBody: Json | undefined;
  /** Undefined when no whole answer arrived; then `failure` says why. */
  readonly status: number | undefined;
  readonly responseBody: Json | undefined;
  readonly failure: string | undefined;
}

/** The newest exchanges of one IdP, in memory only. Older ones are dropped beyond `max`. */
export class ExchangeLog {
  readonly #max: number;
  readonly #entries: Exchange[] = [];
  #total = 0;

  constructor(max = 2_000) {
    if (!Number.isInteger(max) || max < 1) {
      throw new RangeError(`An exchange log needs room for at least one entry, got ${String(max)}`);
    }
    this.#max = max;
  }

  add(exchange: Exchange): void {
    this.#total += 1;
    this.#entries.push({
      ...exchange,
      requestBody: withoutSecrets(exchange.requestBody),
      responseBody: withoutSecrets(exchange.responseBody),
    });
    if (this.#entries.length > this.#max) this.#entries.shift();
  }

  /** Oldest first. */
  entries(): readonly Exchange[] {
    return [...this.#entries];
  }

  /** How many were ever added, dropped ones included. */
  get total(): number {
    return this.#total;
  }
}

/** Okta sends a password with each create, also under a PATCH value: no place in a body may show one, nor may a service's echo. */
function withoutSecrets(body: Json | undefined): Json | undefined {
  if (Array.isArray(body))
    return (body as readonly Json[]).map((item) => withoutSecrets(item) ?? null);
  if (typeof body !== "object" || body === null) return body;
  return Object.fromEntries(
    Object.entries(body).map(([key, value]) => [
      key,
      key.toLowerCase() === "password" ? "[redacted]" : withoutSecrets(value),
    ]),
  );
}
