import { z } from "zod";
import { SyncError } from "../../model/errors.ts";
import type { Refusal } from "../../model/vendor-http.ts";

const errorWire = z.object({
  error: z.string().min(1),
  message: z.union([z.string(), z.array(z.string())]).optional(),
});

/**
 * The vendor's error envelope has no codes, only a title and a text that once held the API key: the title alone is kept.
 * A 200 that carries `error` is a refusal too.
 */
export function refusals(status: number, body: unknown): Refusal | undefined {
  const parsed = errorWire.safeParse(body);
  if (!parsed.success) return undefined;
  if (status >= 200 && status < 300) return { code: "VENDOR_REJECTED", detail: "said in a 200" };
  return status < 400 ? undefined : { vendorCode: parsed.data.error };
}

/** The write was understood and refused over the state that it met: the state decides what that means. */
export function saysState(error: unknown): error is SyncError {
  return error instanceof SyncError && [400, 404, 409].includes(Number(error.facts.status));
}

export function saysNotFound(error: unknown): boolean {
  return error instanceof SyncError && error.facts.status === 404;
}
