import type { Lane } from "../accounts/lane.ts";
import type { Call } from "../connectors/connector.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import type { ApplyDeps } from "./apply-deps.ts";

/** The roster of a call, where the vendor shows its members to people only. */
export async function rosterOf(
  deps: Pick<ApplyDeps, "rosterOf">,
  lane: Lane,
  facts: VendorFacts,
): Promise<Pick<Call, "roster">> {
  if (facts.roster === undefined) return {};
  const roster = await deps.rosterOf(lane.tenantId, lane.connectionId);
  return roster === undefined ? {} : { roster };
}
