import { describe, expect, test } from "vitest";
import { restMs, retryAfterMs } from "../../../src/http/rate-headers.ts";

const now = Date.UTC(2026, 2, 1, 12);
const told = (headers: Record<string, string>) =>
  retryAfterMs(new Map(Object.entries(headers)), now);

describe("what a vendor says about waiting", () => {
  test.each([
    ["seconds", { "retry-after": "7" }, 7_000],
    ["seconds with a fraction", { "retry-after": "0.5" }, 500],
    ["an HTTP-date", { "retry-after": "Sun, 01 Mar 2026 12:01:30 GMT" }, 90_000],
    ["the date form of RFC 850", { "retry-after": "Sunday, 01-Mar-26 12:00:05 GMT" }, 5_000],
    [
      "the date form of asctime, which is UTC",
      { "retry-after": "Sun Mar  1 12:00:10 2026" },
      10_000,
    ],
    ["milliseconds", { "retry-after-ms": "1500" }, 1_500],
    ["milliseconds before seconds", { "retry-after-ms": "1500", "retry-after": "9" }, 1_500],
    ["a wait of days, uncapped", { "retry-after": "604800" }, 604_800_000],
    [
      "an instant of RFC 3339",
      { "anthropic-ratelimit-requests-reset": "2026-03-01T12:00:42Z" },
      42_000,
    ],
    ["a reset in seconds from now", { "ratelimit-reset": "12" }, 12_000],
    ["a reset in seconds since 1970", { "x-ratelimit-reset": String(now / 1000 + 33) }, 33_000],
    [
      "retry-after before a reset",
      { "retry-after": "3", "anthropic-ratelimit-requests-reset": "2026-03-01T12:00:42Z" },
      3_000,
    ],
  ])("reads %s", (_name, headers, expected) => {
    expect(told(headers)).toBe(expected);
  });

  test.each([
    ["nothing", {}],
    ["words", { "retry-after": "soon" }],
    ["a date without its zone", { "retry-after": "2026-03-01 12:01" }],
    ["a negative number", { "retry-after": "-4" }],
    ["a time that has passed", { "retry-after": "Sun, 01 Mar 2026 11:00:00 GMT" }],
    ["zero, which would retry at once for ever", { "retry-after": "0" }],
  ])("leaves it to our own back-off where the header says %s", (_name, headers) => {
    expect(told(headers as Record<string, string>)).toBeUndefined();
  });
});

describe("an answer that asks us to stay away", () => {
  const window = { "x-ratelimit-reset": String(now / 1000 + 10) };
  const explicit = { ...window, "retry-after": "30" };
  test.each([
    ["429 tells by the end of its window", 429, window, 10_000],
    ["429 tells best by retry-after", 429, explicit, 30_000],
    ["503 tells by retry-after only", 503, window, undefined],
    ["503 with retry-after", 503, explicit, 30_000],
    ["a refusal says nothing by the window that every answer shows", 404, window, undefined],
    ["a good answer says nothing", 200, explicit, undefined],
  ] as const)("%s", (_name, status, headers, ms) => {
    expect(restMs(status, new Map(Object.entries(headers)), now)).toBe(ms);
  });
});
