import type { PlantedBug } from "./plant.ts";

/** A planted bug with the seeds that are tried first: where it showed itself when it was planted. */
export interface KnownBug extends PlantedBug {
  readonly seeds: readonly number[];
}

/**
 * One guard each, taken out. The promise that it guards stands in the design; that the simulation misses none of them is what makes
 * its silence worth something. A guard behind which another one stands is no bug when it is missing, and is not in this list.
 */
export const plantedBugs: readonly KnownBug[] = [
  {
    name: "an older look at somebody overwrites a newer one",
    file: "adapters/sql/account-sync.ts",
    search: "AND done < ?1 AND wanted >= ?1 RETURNING",
    replace: "AND wanted >= ?1 RETURNING",
    seeds: [1],
  },
  {
    name: "a wake during a lease is forgotten at its end",
    file: "adapters/sql/account-targets.ts",
    search: "const woken = row.wake !== command.wake;",
    replace: "const woken = row.wake < command.wake;",
    seeds: [3],
  },
  {
    name: "a group made again takes the place of the deleted one",
    file: "mapping/bind.ts",
    search: '(known?.state === "bound" || known?.state === "deleted")',
    replace: 'known?.state === "bound"',
    seeds: [19],
  },
];
