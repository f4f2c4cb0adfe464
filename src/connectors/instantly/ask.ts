import { SyncError } from "../../model/errors.ts";
import type { NextPage, VendorAnswer, VendorRequest } from "../../model/vendor-http.ts";
import type { Call } from "../connector.ts";
import { instantlyFacts } from "./facts.ts";
import { refusals } from "./refusals.ts";
import { workspaceWire } from "./wire.ts";

type Request<T> = Omit<VendorRequest<T>, "refusals">;

/** One call. The vendor's own texts name 401 and 403 for a missing scope: a 401 is told apart by whether the key works at all. */
export async function ask<T>(call: Call, request: Request<T>): Promise<VendorAnswer<T>> {
  try {
    return await call.http.request({ ...request, refusals });
  } catch (error) {
    throw await scopeOr(call, request.operation, error);
  }
}

/** The pages of a list, as `ask`. */
export async function* askPages<T>(
  call: Call,
  request: Request<T>,
  next: (value: T) => NextPage,
): AsyncGenerator<VendorAnswer<T>> {
  try {
    yield* call.http.pages({ ...request, refusals }, next);
  } catch (error) {
    throw await scopeOr(call, request.operation, error);
  }
}

async function scopeOr(call: Call, operation: string, error: unknown): Promise<unknown> {
  if (!(error instanceof SyncError) || error.code !== "CREDENTIAL_REFUSED") return error;
  // A request that could not be sent says nothing about the key.
  if (operation === "workspace.read" || error.facts.status !== 401) return error;
  try {
    await readWorkspace(call);
  } catch {
    return error;
  }
  const scope = instantlyFacts.endpoints.find((item) => item.operation === operation)?.scope;
  return new SyncError(
    "CREDENTIAL_SCOPE_MISSING",
    `instantly ${operation}: HTTP 401, and the key works elsewhere: it needs "${scope ?? operation}"; a key's scopes cannot be changed, so make another one`,
    { cause: error, facts: { ...error.facts } },
  );
}

/** The workspace that the key answers for. */
export async function readWorkspace(call: Call) {
  const answer = await call.http.request({
    operation: "workspace.read",
    parse: (body) => workspaceWire.parse(body),
    refusals,
  });
  return answer.value;
}
