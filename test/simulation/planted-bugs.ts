import type { PlantedBug } from "./plant.ts";

/** A planted bug with the stories that are tried first: where it showed itself when it was planted. */
export interface KnownBug extends PlantedBug {
  /** Seeds of `planted-stories.json`. */
  readonly stories: readonly number[];
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
    stories: [1],
  },
  {
    name: "a wake during a lease is forgotten at its end",
    file: "adapters/sql/account-targets.ts",
    search: 'const asLeased = "wake = ?1";',
    replace: 'const asLeased = "wake >= ?1";',
    stories: [3],
  },
  {
    name: "a removal does not wait out the debounce",
    file: "adapters/sql/account-gate.ts",
    search: 'if (step.direction === "loss" && reserved.not_before > step.now)',
    replace: 'if (step.direction === "loss" && reserved.not_before < 0)',
    stories: [3],
  },
  {
    name: "the outcome of a write is not recorded",
    file: "adapters/sql/account-gate.ts",
    search: "yield* writeAlso(db, tenantId, also, command.now);",
    replace: "void also;",
    stories: [3],
  },
  {
    name: "an outcome is recorded twice",
    file: "adapters/sql/close-intent.ts",
    search: `const isOpen = "AND state IN ('sent', 'unknown') AND state <> ?1";`,
    replace: 'const isOpen = "";',
    stories: [24],
  },
  {
    name: "losses are not counted when they are decided",
    file: "adapters/sql/account-sync.ts",
    search:
      "opened.push(...(yield* reserveEntries(db, target, wish.rail, { cancelOthers: true, now })));",
    replace: "void target; void reserveEntries;",
    stories: [7],
  },
  {
    name: "no rail ever trips",
    file: "adapters/sql/account-rails.ts",
    search: 'if (group.rail !== "source" && count <= limit.allowance) return undefined;',
    replace: 'if (group.rail !== "source") return undefined;',
    stories: [3],
  },
  {
    name: "what comes after a rail tripped does not join its hold",
    file: "adapters/sql/account-rails.ts",
    search: `if (open !== undefined && group.rail !== "leavers") {
    yield* holdEntries(db, group, open, entryIds);`,
    replace: 'if (open !== undefined && group.rail !== "leavers") {',
    stories: [7],
  },
  {
    name: "links are found across tenants",
    file: "adapters/sql/account-links.ts",
    search:
      "WHERE tenant_id = ? AND connection_id = ? AND account_id = ids.value ORDER BY identity_id",
    replace:
      "WHERE (tenant_id = ? OR true) AND connection_id = ? AND account_id = ids.value ORDER BY identity_id",
    stories: [3],
  },
  {
    name: "a group made again takes the place of the deleted one",
    file: "mapping/bind.ts",
    search: '(known?.state === "bound" || known?.state === "deleted")',
    replace: 'known?.state === "bound"',
    stories: [19],
  },
  {
    name: "what the ledger does not know is taken away",
    file: "plan/plan.ts",
    search: "if (entry === undefined) return false;",
    replace: "if (entry === undefined) return true;",
    stories: [19],
  },
  {
    name: "the last admins are removed",
    file: "plan/plan.ts",
    search: "if (activeAdmins - 1 >= policy.adminsMin) return false;",
    replace: "if (activeAdmins >= 0) return false;",
    stories: [3],
  },
  {
    name: "a group that never arrived takes away",
    file: "mapping/binding-index.ts",
    search: '=== "deleted" ? isFalse : isUnknown;',
    replace: '=== "deleted" ? isFalse : isFalse;',
    stories: [24],
  },
  {
    name: "a deleted group takes away what it gave without a decision",
    file: "plan/rail-wishes.ts",
    search: 'const source = open?.rail === "source" || broken !== undefined;',
    replace: 'const source = open?.rail === "source" && broken !== undefined;',
    stories: [19],
  },
  {
    name: "a change of a person marks nobody",
    file: "scim/users.ts",
    search: `recompute: [
        { identityId: who.identityId, cause: causedBy(call, cause), urgent: what.urgent },
      ],`,
    replace: "recompute: [],",
    stories: [3],
  },
  {
    name: "the gate lets an old fence pass",
    file: "adapters/sql/account-gate.ts",
    search: "t.fence = ? AND t.lease_owner IS NOT NULL",
    replace: "t.fence >= ? AND t.lease_owner IS NOT NULL",
    stories: [1001],
  },
  {
    name: "a list without its end is believed",
    file: "apply/lane-keeper.ts",
    search: "let complete = false;",
    replace: "let complete = true;",
    stories: [1002],
  },
  {
    name: "HR's word that somebody has left counts for nothing",
    file: "model/employment.ts",
    search: 'const hr = employment?.state === "left" ? employment : undefined;',
    replace: "const hr: Employment | undefined = undefined as Employment | undefined;",
    stories: [1004],
  },
];
