import type { SimulatedRoute, World } from "../simulated-api.ts";
import type { Key, Truth, Workspace } from "./truth.ts";

/** Whoever calls: the key, and the workspace that it acts in (its own, or a sub-workspace of an agency). */
export interface Caller {
  readonly key: Key;
  readonly workspace: Workspace;
}

export type InstantlyRoute = SimulatedRoute<Truth, Caller>;
export type InstantlyWorld = World<Truth, Caller>;

export const base = "/api/v2";

export function timestamp(instant: number): string {
  return new Date(instant).toISOString();
}
