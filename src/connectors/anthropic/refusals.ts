import { z } from "zod";
import { SyncError, type ErrorCode } from "../../model/errors.ts";
import type { Call } from "../connector.ts";
import type { Refusal } from "../../model/vendor-http.ts";

const errorWire = z.object({
  type: z.literal("error"),
  error: z.object({
    type: z.string(),
    message: z.string().optional(),
    details: z.object({ error_code: z.string().optional() }).nullish(),
  }),
});

/** What `details.error_code` means where the status alone says less. Codes that are not here keep the default of their status. */
const codes: Readonly<Record<string, ErrorCode>> = {
  org_member_limit_exceeded: "SEATS_EXHAUSTED",
  workspace_member_limit_exceeded: "SEATS_EXHAUSTED",
  concurrent_membership_change: "VENDOR_CONFLICT",
  organization_type_not_supported: "VENDOR_PLAN_REQUIRED",
  parent_organization_required: "VENDOR_PLAN_REQUIRED",
  organization_not_enrolled_in_beta: "VENDOR_PLAN_REQUIRED",
  // A person may change such a group, the API never.
  rbac_group_grants_owner_access: "VENDOR_WRITE_MISSING",
  rbac_group_owner_access_unconfirmed: "VENDOR_WRITE_MISSING",
};

/** Reads the vendor's error envelope: `details.error_code` where it is given, else the bare type. */
export function refusals(status: number, body: unknown): Refusal | undefined {
  if (status < 400) return undefined;
  const parsed = errorWire.safeParse(body);
  if (!parsed.success) return undefined;
  const { error } = parsed.data;
  const vendorCode = error.details?.error_code ?? error.type;
  const code = codes[vendorCode];
  return {
    vendorCode,
    ...(code === undefined ? {} : { code }),
    ...(error.message === undefined ? {} : { detail: error.message }),
  };
}

/** The vendor's codes for "this address is taken". */
const takenCodes = ["already_member", "invite_already_exists"];

export function saysTaken(error: unknown): error is SyncError {
  return error instanceof SyncError && takenCodes.includes(String(error.facts.vendorCode));
}

/** The write was understood and refused over the state that it met: the state decides what that means. */
export function saysState(error: unknown): error is SyncError {
  return error instanceof SyncError && [400, 404, 409].includes(Number(error.facts.status));
}

export function saysNotFound(error: unknown): boolean {
  return error instanceof SyncError && error.facts.status === 404;
}

/**
 * Proves that the organisation has what only its kind of organisation has: the list of others is not found.
 * @throws SyncError VENDOR_PLAN_REQUIRED that says `missing`
 */
export async function proveListed(
  call: Call,
  operation: string,
  parse: (body: unknown) => unknown,
  missing: string,
): Promise<void> {
  try {
    await call.http.request({ operation, query: { limit: 1 }, parse, refusals });
  } catch (error) {
    if (!saysNotFound(error)) throw error;
    throw new SyncError("VENDOR_PLAN_REQUIRED", `anthropic: ${missing}`, { cause: error });
  }
}

/** A refusal without a code of its own; this vendor gives the same one for "not yet" and for "no". */
export function isUncoded(error: SyncError): boolean {
  return error.facts.vendorCode === undefined || error.facts.vendorCode === "invalid_request_error";
}
