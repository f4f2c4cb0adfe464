import type { Instant } from "../model/clock.ts";

/** Reset headers in use: an instant (RFC 3339), seconds since 1970, or seconds from now. */
const resetHeaders = [
  "anthropic-ratelimit-requests-reset",
  "ratelimit-reset",
  "x-ratelimit-reset",
  "x-rate-limit-reset",
] as const;

/** Seconds above this are an instant since 1970, below it a waiting time (the IETF draft of RateLimit headers has the latter, GitHub the former). */
const epochSecondsMin = 1_000_000_000;

/**
 * How long the vendor asks us to wait, in milliseconds from `now`, never capped. The most exact statement wins:
 * `retry-after-ms`, `retry-after` (RFC 9110 §10.2.3: seconds or HTTP-date), then reset headers.
 * Undefined where nothing is said or the time has passed: then our own back-off counts.
 */
export function retryAfterMs(
  headers: ReadonlyMap<string, string>,
  now: Instant,
): number | undefined {
  const told =
    decimal(headers.get("retry-after-ms")) ??
    retryAfter(headers.get("retry-after"), now) ??
    reset(headers, now);
  return told !== undefined && told > 0 ? Math.ceil(told) : undefined;
}

/**
 * How long an answer asks us to stay away. Some vendors tell with every answer when their window ends; that is an instruction only
 * beside a 429. Everywhere else `retry-after` has to say so.
 */
export function restMs(
  status: number,
  headers: ReadonlyMap<string, string>,
  now: Instant,
): number | undefined {
  const told = headers.has("retry-after") || headers.has("retry-after-ms");
  return status === 429 || (status >= 400 && told) ? retryAfterMs(headers, now) : undefined;
}

function retryAfter(value: string | undefined, now: Instant): number | undefined {
  if (value === undefined) return undefined;
  const seconds = decimal(value);
  if (seconds !== undefined) return seconds * 1000;
  const at = httpDate(value);
  return at === undefined ? undefined : at - now;
}

function reset(headers: ReadonlyMap<string, string>, now: Instant): number | undefined {
  for (const name of resetHeaders) {
    const value = headers.get(name);
    if (value === undefined) continue;
    const seconds = decimal(value);
    if (seconds !== undefined) {
      return seconds >= epochSecondsMin ? seconds * 1000 - now : seconds * 1000;
    }
    const at = /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : NaN;
    if (!Number.isNaN(at)) return at - now;
  }
  return undefined;
}

function decimal(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** The three forms of RFC 9110 §5.6.7; the last (asctime) has no zone and means UTC. */
function httpDate(value: string): Instant | undefined {
  const text = value.trim();
  const zoned = /^[A-Z][a-z]+, .* GMT$/.test(text);
  const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/.test(text);
  if (!zoned && !asctime) return undefined;
  const at = Date.parse(asctime ? `${text} GMT` : text);
  return Number.isNaN(at) ? undefined : at;
}
