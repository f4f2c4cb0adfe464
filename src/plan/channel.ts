import type { Channel, VendorFacts } from "../model/vendor-facts.ts";
import { byHandOf } from "./by-hand.ts";
import { accountKindOf } from "./plan.ts";

export function channelOf(facts: VendorFacts): Channel {
  if (byHandOf(facts, accountKindOf(facts).name) !== undefined) return "manual";
  return facts.vendor === "scim" || facts.profile === "scim" ? "scim" : "api";
}
