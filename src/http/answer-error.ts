import { z } from "zod";
import type { Instant } from "../model/clock.ts";
import { SyncError, type ErrorCode } from "../model/errors.ts";
import type { EndpointFacts } from "../model/vendor-facts.ts";
import type { CallReport, Refusal } from "../model/vendor-http.ts";
import type { ExchangeError } from "./exchange.ts";
import { restMs } from "./rate-headers.ts";

/** One call, as errors speak of it. */
export interface CallContext {
  readonly vendor: string;
  readonly endpoint: EndpointFacts;
  /** Cleans text of the vendor. */
  readonly redact: (text: string) => string;
}

/** An answer as far as an error needs it. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly requestId: string | undefined;
  /** The body is a page for people: an edge answered, not the vendor's API. */
  readonly html: boolean;
}

/**
 * The one place where an HTTP status becomes a code. What the vendor says in its own words (`refusal`) comes first.
 * A write that met a 5xx may have happened all the same: it is ambiguous, not failed.
 */
export function answerError(
  call: CallContext,
  answer: AnswerHead,
  refusal: Refusal | undefined,
  now: Instant,
): SyncError {
  const waitMs = restMs(answer.status, answer.headers, now);
  const code = refusal?.code ?? codeOfStatus(call.endpoint, answer, waitMs !== undefined);
  const { scope } = call.endpoint;
  const said = [
    refusal?.vendorCode === undefined ? undefined : call.redact(refusal.vendorCode),
    refusal?.detail === undefined ? undefined : call.redact(refusal.detail),
    code === "CREDENTIAL_SCOPE_MISSING" && scope !== undefined
      ? `the call needs "${scope}"; tick it at the vendor, then authorise again`
      : undefined,
    answer.html
      ? "a web page instead of an API answer: something in front of the vendor"
      : undefined,
  ].filter((part) => part !== undefined && part !== "");
  return new SyncError(
    code,
    [`${call.vendor} ${call.endpoint.operation}: HTTP ${String(answer.status)}`, ...said].join(
      ": ",
    ),
    {
      ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
      facts: {
        operation: call.endpoint.operation,
        status: answer.status,
        ...(refusal?.vendorCode === undefined
          ? {}
          : { vendorCode: call.redact(refusal.vendorCode) }),
        ...(answer.requestId === undefined ? {} : { requestId: answer.requestId }),
      },
    },
  );
}

function codeOfStatus(endpoint: EndpointFacts, answer: AnswerHead, hasWait: boolean): ErrorCode {
  const { status } = answer;
  if (status === 429 || (status === 503 && hasWait)) return "VENDOR_RATE_LIMITED";
  if (status >= 500 || status === 408) {
    return endpoint.access === "write" ? "WRITE_AMBIGUOUS" : "VENDOR_UNAVAILABLE";
  }
  switch (status) {
    case 401:
      return "CREDENTIAL_REFUSED";
    case 402:
      return "VENDOR_PLAN_REQUIRED";
    case 403:
      // An edge blocks an address or a client name for a while; it says nothing about the credential or this item.
      return answer.html ? "VENDOR_UNAVAILABLE" : "CREDENTIAL_SCOPE_MISSING";
    case 409:
    case 412:
      return "VENDOR_CONFLICT";
    default:
      // What is left below 400 is a redirect, which is never followed.
      return status >= 400 ? "VENDOR_REJECTED" : "VENDOR_ANSWER_UNKNOWN";
  }
}

/** What an exchange without a whole answer means. A write is ambiguous as soon as a byte has left. */
export function exchangeError(call: CallContext, error: ExchangeError): SyncError {
  const { endpoint, vendor } = call;
  const say = (code: ErrorCode, what: string) =>
    new SyncError(code, `${vendor} ${endpoint.operation}: ${what}`, {
      cause: error,
      facts: { operation: endpoint.operation, sent: error.sent },
    });
  if (!error.sent) return say(...unsent(error, endpoint));
  if (endpoint.access === "write") {
    return say("WRITE_AMBIGUOUS", `sent, and the answer was lost (${error.reason})`);
  }
  switch (error.failure) {
    case "timeout":
      return say("VENDOR_TIMEOUT", "no answer in time");
    case "too_large":
      return say("VENDOR_ANSWER_UNKNOWN", "the answer is larger than any that we expect");
    case "aborted":
      return say("VENDOR_TIMEOUT", "stopped before the answer came");
    default:
      return say("VENDOR_UNAVAILABLE", `the connection broke (${error.reason})`);
  }
}

function unsent(
  error: ExchangeError,
  endpoint: EndpointFacts,
): readonly [code: ErrorCode, what: string] {
  switch (error.failure) {
    case "unsendable":
      return [
        "CREDENTIAL_REFUSED",
        "the request cannot be sent: the stored credential holds characters that no header may hold; store it again",
      ];
    case "aborted":
      return [
        endpoint.access === "write" ? "GATE_REFUSED" : "VENDOR_TIMEOUT",
        "stopped before it was sent",
      ];
    default:
      return ["VENDOR_UNAVAILABLE", `no connection (${error.reason}); nothing was sent`];
  }
}

/** The answer is not what the vendor's documents promise. Names the first place, never a value. */
export function unknownAnswer(
  call: CallContext,
  answer: Pick<AnswerHead, "status" | "requestId">,
  problem: unknown,
): SyncError {
  return new SyncError(
    "VENDOR_ANSWER_UNKNOWN",
    `${call.vendor} ${call.endpoint.operation}: ${describe(problem, call.redact)}`,
    {
      facts: {
        operation: call.endpoint.operation,
        status: answer.status,
        ...(answer.requestId === undefined ? {} : { requestId: answer.requestId }),
      },
    },
  );
}

function describe(problem: unknown, redact: (text: string) => string): string {
  if (problem instanceof z.ZodError) {
    const first = problem.issues[0];
    const path = first?.path.map(String).join(".") ?? "";
    return `the answer has an unknown shape at ${path === "" ? "its top" : redact(path)} (${first?.code ?? "invalid"})`;
  }
  return problem instanceof SyntaxError
    ? "the answer is not JSON"
    : "the answer cannot be understood";
}

/** How breaker and metrics count a status. */
export function failureOfStatus(answer: AnswerHead): CallReport["failure"] {
  if (answer.status === 429) return "rate_limited";
  if (answer.status === 503 && answer.headers.has("retry-after")) return "rate_limited";
  if (answer.status >= 500 || answer.status === 408) return "unavailable";
  if (answer.status === 403 && answer.html) return "unavailable";
  return answer.status >= 400 ? "refused" : "none";
}
