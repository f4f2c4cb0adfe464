import { matchHr } from "../directory/hr-join.ts";
import type { HrRecord } from "../directory/hr-store.ts";
import { StoreError } from "../model/errors.ts";
import type { IdentityId, TenantId } from "../model/ids.ts";
import { newRecord } from "../model/records.ts";
import type { SyncDeps } from "./sync-deps.ts";

/**
 * Before people are looked at: HR records that wait for one of them are joined, so that nobody who has left by the word of HR is given
 * anything in between. Each join marks its person again.
 */
export async function joinWaitingHr(
  deps: SyncDeps,
  tenantId: TenantId,
  identityIds: readonly IdentityId[],
): Promise<void> {
  const waiting = await deps.store.findWaitingHr(tenantId, identityIds);
  if (waiting.length === 0) return;
  const settings = await deps.store.getHrSettings(tenantId);
  for (const record of waiting) {
    const { sourceId, person } = record;
    const candidates = await deps.store.findHrCandidates(tenantId, {
      sourceId,
      personKey: person.key,
      employeeNumber: person.employeeNumber,
      email: person.email,
    });
    const match = matchHr(candidates, { sourceId, email: person.email }, settings);
    if (match === "nobody") continue;
    if (match === "disputed") await reportDispute(deps, tenantId, record);
    else await join(deps, tenantId, record, match);
  }
}

async function join(
  deps: SyncDeps,
  tenantId: TenantId,
  record: HrRecord,
  match: { readonly identityId: IdentityId; readonly by: "employee_number" | "email" },
): Promise<void> {
  const { sourceId, person } = record;
  const { identityId, by } = match;
  try {
    await deps.store.joinHrRecord(
      tenantId,
      { sourceId, personKey: person.key, expect: record.version, identityId, by },
      {
        records: [
          newRecord(deps.clock, {
            actor: deps.actor,
            action: "hr.joined",
            subject: { type: "identity", id: identityId },
            facts: { sourceId, by },
            personal: { personKey: person.key },
          }),
        ],
        recompute: [{ identityId, cause: { kind: "hr" }, urgent: false }],
      },
    );
  } catch (error) {
    // It moved, or somebody else joined it: the mark of whoever did that is read next.
    if (
      error instanceof StoreError &&
      (error.code === "VERSION_CONFLICT" || error.code === "ALREADY_EXISTS")
    )
      return;
    throw error;
  }
  await deps.store.resolveFindings(tenantId, {
    keys: [`hr_disputed:${sourceId}:${person.key}`, `hr_unmatched:${sourceId}:${person.key}`],
    now: deps.clock.now(),
  });
  deps.ringRelay();
}

/** Says that a person has to decide, without a word about what HR said. */
export async function reportDispute(
  deps: Pick<SyncDeps, "store" | "clock">,
  tenantId: TenantId,
  record: Pick<HrRecord, "sourceId" | "person">,
): Promise<void> {
  const { sourceId, person } = record;
  await deps.store.raiseFindings(tenantId, {
    findings: [
      {
        key: `hr_disputed:${sourceId}:${person.key}`,
        kind: "hr_disputed",
        severity: "warning",
        text: "an HR record fits several people, or somebody whom another record of its source has: it counts for nobody until `rolecall hr join` says whose it is",
        facts: { sourceId, personKey: person.key },
      },
    ],
    now: deps.clock.now(),
  });
}
