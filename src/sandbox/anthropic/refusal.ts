import type { z } from "zod";
import { Refusal } from "../simulated-api.ts";
import type { Reply, SimulatedCall } from "../simulated-api.ts";

/** Error types by status (errors guide, 2026-08). */
const types: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  503: "api_error",
  504: "timeout_error",
  529: "overloaded_error",
};

export interface ErrorDetails {
  readonly error_code: string;
  readonly [fact: string]: string;
}

/** An error body without its request id, which `seal` adds. */
export function errorReply(
  status: number,
  message: string,
  details?: ErrorDetails,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return {
    status,
    headers,
    body: {
      type: "error",
      error: {
        type: types[status] ?? "api_error",
        message,
        ...(details === undefined ? {} : { details }),
      },
    },
  };
}

export function refuse(status: number, message: string, details?: ErrorDetails): Refusal {
  return new Refusal(message, errorReply(status, message, details));
}

/** The most frequent refusal: 400 with a code of `details.error_code`. */
export function refuseWith(errorCode: string, message: string): Refusal {
  return refuse(400, message, { error_code: errorCode });
}

/** The checked body of a write. @throws Refusal 400 that names the field. */
export function readBody<T>(schema: z.ZodType<T>, call: SimulatedCall): T {
  const parsed = schema.safeParse(call.json ?? {});
  if (parsed.success) return parsed.data;
  throw refuse(400, parsed.error.issues.map(describe).join("; "));
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${key}: Extra inputs are not permitted`).join("; ");
  }
  return `${issue.path.join(".") || "body"}: ${issue.message}`;
}
