import type { Instant } from "../../model/clock.ts";
import type { TenantId } from "../../model/ids.ts";
import {
  confirmedLeaversDefault,
  DAY_MS,
  railAllowance,
  type RailPolicy,
  type RailRule,
} from "../../model/policy.ts";
import { confirmedLeave, type Rail } from "../../model/rail.ts";
import type { Database, Steps } from "./database.ts";

/** What is counted together, and shares one open hold. */
export interface CountGroup {
  readonly tenantId: TenantId;
  /** The connection; "" is the whole tenant. */
  readonly scope: string;
  readonly rail: Rail;
  /** The cause, where the rail counts by cause; else "". */
  readonly countKey: string;
}

export interface Limit {
  readonly allowance: number;
  readonly windowMs: number;
}

export function* limitOf(db: Database, group: CountGroup, policy: RailPolicy): Steps<Limit> {
  switch (group.rail) {
    case "removals":
      return ruleLimit(policy.removals, yield* managedAccounts(db, group));
    case "one_cause":
      return ruleLimit(policy.oneCause, yield* managedAccounts(db, group));
    case "leavers": {
      return ruleLimit(leaverRule(group, policy), yield* activePeople(db, group));
    }
    case "privileged":
      return { allowance: policy.privilegedGrants, windowMs: DAY_MS };
    case "source":
      return { allowance: 0, windowMs: DAY_MS };
  }
}

function ruleLimit(rule: RailRule, managed: number): Limit {
  return { allowance: railAllowance(rule, managed), windowMs: rule.windowMs };
}

/** The base of a fraction of one connection. */
function* managedAccounts(db: Database, group: CountGroup): Steps<number> {
  const row = yield* db.get<{ managed: number }>(
    "SELECT managed_accounts AS managed FROM lanes WHERE tenant_id = ? AND connection_id = ?",
    group.tenantId,
    group.scope,
  );
  return row?.managed ?? 0;
}

/** The base of a fraction of a tenant. */
function* activePeople(db: Database, group: CountGroup): Steps<number> {
  const row = yield* db.get<{ people: number }>(
    "SELECT count(*) AS people FROM identities WHERE tenant_id = ? AND active = 1 AND hr_departed = 0",
    group.tenantId,
  );
  return Number(row?.people ?? 0);
}

export function leaverRule(group: CountGroup, policy: RailPolicy): RailRule {
  if (group.countKey !== confirmedLeave) return policy.leavers;
  return policy.confirmedLeavers ?? confirmedLeaversDefault;
}

export function* countPeople(db: Database, group: CountGroup, after: Instant): Steps<number> {
  const row = yield* db.get<{ people: number }>(
    `SELECT count(DISTINCT identity_id) AS people FROM rail_entries
     WHERE tenant_id = ? AND scope = ? AND rail = ? AND count_key = ? AND reserved_at > ?
       AND decided = 0 AND state IN ('reserved', 'executing', 'executed')`,
    group.tenantId,
    group.scope,
    group.rail,
    group.countKey,
    after,
  );
  return row?.people ?? 0;
}
