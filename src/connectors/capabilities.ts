import type { VendorFacts } from "../model/vendor-facts.ts";
import type { Connector } from "./connector.ts";
import { operationWays } from "./operations.ts";
import { connectors } from "./registry.ts";

/** What one connector can do, as data: its facts, and the optional abilities that it has. */
export interface Capabilities extends VendorFacts {
  /** How an admin's work is done here, and which page says so. */
  readonly operations: (typeof operationWays)[string];
  readonly abilities: readonly string[];
}

/** The table of all connectors, sorted by vendor and profile; `capabilities.json` is this, and a test compares. */
export function capabilities(): readonly Capabilities[] {
  return Object.values(connectors)
    .flatMap((profiles) => Object.values(profiles))
    .map((connector) => ({
      ...connector.facts,
      abilities: abilitiesOf(connector),
      operations: waysOf(connector.facts),
    }))
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function abilitiesOf(connector: Connector): readonly string[] {
  return [
    ...(connector.keys === undefined ? [] : ["keys.list", "keys.deactivate"]),
    ...(connector.exclusiveKey === undefined ? [] : ["whole-object writes"]),
    ...(connector.containment === undefined ? [] : ["containment"]),
    ...(connector.work === undefined ? [] : ["work.list", "work.handOver"]),
    ...Object.entries(connector.facts.things ?? {}).flatMap(([kind, { api }]) =>
      api.map((call) => `things.${kind}.${call}`),
    ),
    ...(connector.activity === undefined ? [] : ["activity.list"]),
  ];
}

/** @throws Error for a profile without its column */
function waysOf(facts: VendorFacts): Capabilities["operations"] {
  const ways = operationWays[nameOf(facts)];
  if (ways === undefined) throw new Error(`${nameOf(facts)} is not in operations.ts`);
  return ways;
}

function nameOf(facts: VendorFacts): string {
  return `${facts.vendor}/${facts.profile}`;
}
