import type { SimulatedRoute, World } from "../simulated-api.ts";
import type { Truth, Workspace } from "./truth.ts";

/** Whoever calls: the key, and the workspace that it acts in (its own, or a sub-workspace of an agency). */
export interface Caller {
  readonly keyId: string;
  readonly workspaceId: string;
}

export type InstantlyRoute = SimulatedRoute<Truth, Caller>;
export type InstantlyWorld = World<Truth, Caller>;

export const base = "/api/v2";

/** The caller's workspace in the truth at hand; in another customer's truth, theirs. */
export function workspaceOf({ truth, caller }: InstantlyWorld): Workspace {
  const own = truth.workspaces.find((each) => each.id === caller.workspaceId);
  const workspace = own ?? truth.workspaces[0];
  if (workspace === undefined) throw new Error("The simulated vendor has no workspace");
  return workspace;
}

export function timestamp(instant: number): string {
  return new Date(instant).toISOString();
}
