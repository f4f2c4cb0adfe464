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

/** Below this a count costs less than keeping a bound. */
const boundFrom = 32;

/**
 * How many people count in a group with `fresh` new ones among them, or, where that is enough, a number that is not below it: as long as it
 * stays within `limit.allowance`, nobody has to count. The caller holds the lock of the group.
 */
export function* peopleAtMost(
  db: Database,
  group: CountGroup,
  { limit, fresh, now }: { readonly limit: Limit; readonly fresh: number; readonly now: Instant },
): Steps<number> {
  const key = [group.tenantId, group.scope, group.rail, group.countKey] as const;
  const bound = yield* db.get<{ people_most: number; window_ms: number }>(
    "SELECT people_most, window_ms FROM rail_counts WHERE tenant_id = ? AND scope = ? AND rail = ? AND count_key = ?",
    ...key,
  );
  const most = bound === undefined ? Infinity : Number(bound.people_most) + fresh;
  if (bound !== undefined && Number(bound.window_ms) >= limit.windowMs && most <= limit.allowance) {
    yield* db.tell(
      "UPDATE rail_counts SET people_most = ? WHERE tenant_id = ? AND scope = ? AND rail = ? AND count_key = ?",
      most,
      ...key,
    );
    return most;
  }
  const people = yield* countPeople(db, group, now - limit.windowMs);
  if (bound !== undefined || people >= boundFrom)
    yield* db.tell(
      `INSERT INTO rail_counts (tenant_id, scope, rail, count_key, people_most, window_ms) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (tenant_id, scope, rail, count_key) DO UPDATE SET people_most = excluded.people_most, window_ms = excluded.window_ms`,
      ...key,
      people,
      limit.windowMs,
    );
  return people;
}

/** Others count in the group than those who were seen to come: the next one counts. */
export function* forgetBound(db: Database, group: CountGroup): Steps<void> {
  yield* db.tell(
    "DELETE FROM rail_counts WHERE tenant_id = ? AND scope = ? AND rail = ? AND count_key = ?",
    group.tenantId,
    group.scope,
    group.rail,
    group.countKey,
  );
}

function* countPeople(db: Database, group: CountGroup, after: Instant): Steps<number> {
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
