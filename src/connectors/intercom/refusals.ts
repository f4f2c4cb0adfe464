import { z } from "zod";
import { SyncError, type ErrorCode } from "../../model/errors.ts";
import type { Refusal } from "../../model/vendor-http.ts";

const errorWire = z.object({
  type: z.literal("error.list"),
  errors: z.array(z.object({ code: z.string(), message: z.string().nullish() })).min(1),
});

/** What a code means where the status alone says less; codes that are not here keep the default of their status. The list is open. */
const codes: Readonly<Record<string, ErrorCode>> = {
  api_plan_restricted: "VENDOR_PLAN_REQUIRED",
  token_unauthorized: "CREDENTIAL_REFUSED",
  token_revoked: "CREDENTIAL_REFUSED",
  token_blocked: "CREDENTIAL_REFUSED",
  token_not_found: "CREDENTIAL_REFUSED",
  token_expired: "CREDENTIAL_REFUSED",
  action_forbidden: "VENDOR_REJECTED",
};

/** Reads the error list of the REST API. */
export function refusals(status: number, body: unknown): Refusal | undefined {
  if (status < 400) return undefined;
  const first = errorWire.safeParse(body).data?.errors[0];
  if (first === undefined) return undefined;
  const code = codes[first.code];
  return {
    vendorCode: first.code,
    ...(code === undefined ? {} : { code }),
    ...(typeof first.message === "string" ? { detail: first.message } : {}),
  };
}

/**
 * The write of team members: a workspace that does not have it, a version without it, or a teammate who may not manage this
 * team stops this write only, never the lane.
 */
export function teamRefusals(status: number, body: unknown): Refusal | undefined {
  const refusal = refusals(status, body);
  const missing =
    status === 403 || (status === 400 && refusal?.vendorCode === "intercom_version_invalid");
  return missing && refusal !== undefined ? { ...refusal, code: "VENDOR_WRITE_MISSING" } : refusal;
}

const scimErrorWire = z.object({
  detail: z.string().nullish(),
  scimType: z.string().nullish(),
});

/** Reads errors of the SCIM interface (RFC 7644 section 3.12). Its tokens have no scopes: a 403 is the plan or a switch. */
export function scimRefusals(status: number, body: unknown): Refusal | undefined {
  if (status < 400) return undefined;
  const { data } = scimErrorWire.safeParse(body);
  return {
    ...(status === 403 ? { code: "VENDOR_PLAN_REQUIRED" as const } : {}),
    ...(typeof data?.scimType === "string" ? { vendorCode: data.scimType } : {}),
    ...(typeof data?.detail === "string" ? { detail: data.detail } : {}),
  };
}

/** The write was understood and refused over the state that it met: the state decides what that means. */
export function saysState(error: unknown): error is SyncError {
  return error instanceof SyncError && [400, 404, 409].includes(Number(error.facts.status));
}

export function saysNotFound(error: unknown): boolean {
  return error instanceof SyncError && error.facts.status === 404;
}
