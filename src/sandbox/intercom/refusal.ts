import type { Clock } from "../../model/clock.ts";
import { Refusal } from "../simulated-api.ts";
import type { Reply } from "../simulated-api.ts";
import { uuid } from "../simulated-id.ts";

/** Codes of the vendor's error list that this simulator uses (OpenAPI 2.16; developer pages, 2026-08). */
export type ErrorCode =
  | "action_forbidden"
  | "admin_not_found"
  | "api_plan_restricted"
  | "assignee_not_found"
  | "away_status_reason_mandatory"
  | "bad_request"
  | "conflict"
  | "forbidden"
  | "intercom_version_invalid"
  | "not_found"
  | "parameter_invalid"
  | "parameter_not_found"
  | "rate_limit_exceeded"
  | "server_error"
  | "service_unavailable"
  | "team_not_found"
  | "ticket_state_id_invalid"
  | "unauthorized"
  | "unprocessable_entity";

/** The one error form of the REST API; `request_id` is filled in when the answer is sealed. */
export function errorReply(
  status: number,
  code: ErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return {
    status,
    headers,
    body: { type: "error.list", request_id: null, errors: [{ code, message }] },
  };
}

export function refuse(status: number, code: ErrorCode, message: string): Refusal {
  return new Refusal(message, errorReply(status, code, message));
}

/** The error form of RFC 7644 section 3.12. */
export function scimError(status: number, detail: string, scimType?: string): Reply {
  return {
    status,
    body: {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
      status: String(status),
      ...(scimType === undefined ? {} : { scimType }),
      detail,
    },
  };
}

export function refuseScim(status: number, detail: string, scimType?: string): Refusal {
  return new Refusal(detail, scimError(status, detail, scimType));
}

/** Gives an error answer its request id. */
export function withRequestId(clock: Clock, reply: Reply): Reply {
  const { body } = reply;
  if (typeof body !== "object" || body === null || !("request_id" in body)) return reply;
  return { ...reply, body: { ...body, request_id: uuid(clock) } };
}
