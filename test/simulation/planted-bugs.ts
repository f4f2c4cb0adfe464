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
    name: "a removal does not wait out the debounce",
    file: "adapters/sql/account-gate.ts",
    search: 'if (step.direction === "loss" && reserved.not_before > step.now)',
    replace: 'if (step.direction === "loss" && reserved.not_before < 0)',
    seeds: [3],
  },
  {
    name: "the outcome of a write is not recorded",
    file: "adapters/sql/account-gate.ts",
    search: "yield* writeAlso(db, tenantId, also, command.now);",
    replace: "void also;",
    seeds: [3],
  },
  {
    name: "an outcome is recorded twice",
    file: "adapters/sql/account-gate.ts",
    search: "if (!open || intent.state === command.state) return null;",
    replace: "void open;",
    seeds: [24],
  },
  {
    name: "losses are not counted when they are decided",
    file: "adapters/sql/account-sync.ts",
    search:
      "opened.push(...(yield* reserveEntries(db, target, wish.rail, { cancelOthers: true, now })));",
    replace: "void target; void reserveEntries;",
    seeds: [7],
  },
  {
    name: "no rail ever trips",
    file: "adapters/sql/account-rails.ts",
    search: 'if (group.rail !== "source" && count <= limit.allowance) return undefined;',
    replace: 'if (group.rail !== "source") return undefined;',
    seeds: [3],
  },
  {
    name: "what comes after a rail tripped does not join its hold",
    file: "adapters/sql/account-rails.ts",
    search: `if (open !== undefined && group.rail !== "leavers") {
    yield* holdEntries(db, group, open, entryIds);`,
    replace: 'if (open !== undefined && group.rail !== "leavers") {',
    seeds: [7],
  },
  {
    name: "links are found across tenants",
    file: "adapters/sql/account-links.ts",
    search:
      "WHERE tenant_id = ? AND connection_id = ? AND account_id = ids.value ORDER BY identity_id",
    replace:
      "WHERE (tenant_id = ? OR true) AND connection_id = ? AND account_id = ids.value ORDER BY identity_id",
    seeds: [3],
  },
  {
    name: "a group made again takes the place of the deleted one",
    file: "mapping/bind.ts",
    search: '(known?.state === "bound" || known?.state === "deleted")',
    replace: 'known?.state === "bound"',
    seeds: [19],
  },
  {
    name: "what the ledger does not know is taken away",
    file: "plan/plan.ts",
    search: "if (entry === undefined) return false;",
    replace: "if (entry === undefined) return true;",
    seeds: [19],
  },
  {
    name: "the last admins are removed",
    file: "plan/plan.ts",
    search: "if (activeAdmins - 1 >= policy.adminsMin) return false;",
    replace: "if (activeAdmins >= 0) return false;",
    seeds: [3],
  },
  {
    name: "a group that never arrived takes away",
    file: "mapping/binding-index.ts",
    search: '=== "deleted" ? isFalse : isUnknown;',
    replace: '=== "deleted" ? isFalse : isFalse;',
    seeds: [24],
  },
  {
    name: "a deleted group takes away what it gave without a decision",
    file: "plan/rail-wishes.ts",
    search: 'const source = open?.rail === "source" || broken !== undefined;',
    replace: 'const source = open?.rail === "source" && broken !== undefined;',
    seeds: [19],
  },
  {
    name: "a change of a person marks nobody",
    file: "scim/users.ts",
    search: `recompute: [
        { identityId: who.identityId, cause: causedBy(call, cause), urgent: what.urgent },
      ],`,
    replace: "recompute: [],",
    seeds: [3],
  },
];
