import type { ScimTarget } from "../../model/scim-target.ts";
import type { Refusal, VendorAnswer } from "../../model/vendor-http.ts";
import type { Call } from "../connector.ts";
import { refusalsOf } from "./refusals.ts";

/** One call of the engine, and how its server is to be spoken to. */
export interface ScimCall {
  readonly call: Call;
  readonly target: ScimTarget;
  readonly refusals: (status: number, body: unknown) => Refusal | undefined;
}

export function scimCall(call: Call, target: ScimTarget): ScimCall {
  return { call, target, refusals: refusalsOf(target) };
}

export function requestIds(...answers: readonly Pick<VendorAnswer<unknown>, "requestId">[]) {
  return answers.flatMap(({ requestId }) => (requestId === undefined ? [] : [requestId]));
}
