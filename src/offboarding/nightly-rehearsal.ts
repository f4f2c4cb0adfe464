import type { IdentityId, TenantId } from "../model/ids.ts";
import { DAY_MS } from "../model/policy.ts";
import { rehearse, type RehearsalDeps } from "./rehearse.ts";

const job = "rehearsal";
const leaseMs = 10 * 60_000;
const page = 500;

export interface NightlyDeps extends RehearsalDeps {
  /** Leased rows: who holds one is alone with what it names. */
  readonly schedules: {
    leaseSchedule(command: {
      readonly tenantId: TenantId;
      readonly job: string;
      readonly owner: string;
      readonly now: number;
      readonly leaseMs: number;
    }): Promise<boolean>;
    finishSchedule(command: {
      readonly tenantId: TenantId;
      readonly job: string;
      readonly owner: string;
      readonly nextAt: number;
    }): Promise<void>;
  };
  readonly owner: string;
}

/**
 * Once a day, by one process of the fleet: counts who could not leave cleanly today and says so in one finding, which goes when
 * everybody could. Answers whether it ran.
 */
export async function rehearseNightly(deps: NightlyDeps, tenantId: TenantId): Promise<boolean> {
  const { clock, owner, schedules, store } = deps;
  const mine = { tenantId, job, owner };
  if (!(await schedules.leaseSchedule({ ...mine, now: clock.now(), leaseMs }))) return false;
  const people: Record<string, number> = {};
  let count = 0;
  let after: IdentityId | undefined;
  for (;;) {
    const ids = await store.listIdentities(tenantId, { after, limit: page });
    for (const { problems } of await rehearse(deps, tenantId, ids)) {
      if (problems.length === 0) continue;
      count += 1;
      for (const code of new Set(problems.map((problem) => problem.code)))
        people[code] = (people[code] ?? 0) + 1;
    }
    after = ids.at(-1);
    if (ids.length < page) break;
  }
  const key = "leave_not_clean";
  const now = clock.now();
  if (count === 0) await store.resolveFindings(tenantId, { keys: [key], now });
  else {
    await store.raiseFindings(tenantId, {
      findings: [
        {
          key,
          kind: "leave_not_clean",
          severity: "warning",
          text: `${String(count)} people could not leave cleanly today: \`rolecall offboard --rehearse --all\` says why`,
          facts: { people: count, byCode: people },
        },
      ],
      now,
    });
  }
  await schedules.finishSchedule({ ...mine, nextAt: now + DAY_MS });
  return true;
}
