import type { SimulatedRoute, World } from "../simulated-api.ts";
import type { Scope } from "./key-class.ts";
import type { Credential, Truth } from "./truth.ts";

export type AnthropicRoute = SimulatedRoute<Truth, Credential> & { readonly scope: Scope };
export type AnthropicWorld = World<Truth, Credential>;

export const organizations = "/v1/organizations";

/** RFC 3339, as the vendor writes it. */
export function timestamp(instant: number): string {
  return new Date(instant).toISOString();
}
