import { deadlineMs } from "../accounts/leaver-case.ts";
import { priorities } from "../accounts/target.ts";
import type { AccountId, ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import { newRecord } from "../model/records.ts";
import type { SyncDeps } from "./sync-deps.ts";

/**
 * An account with a leaver's address turned up in a listing: where their case had settled this connection, its end is owed again and
 * a done case opens. The account is linked to nobody, so people decide on it: until it is gone or the duty is waived, the case is red.
 */
export async function noteReturn(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
  identityId: IdentityId,
  accountId: AccountId,
): Promise<void> {
  const known = await deps.store.currentCase(tenantId, identityId);
  if (known === undefined) return;
  const now = deps.clock.now();
  const owed = await deps.store.noteDuties(
    tenantId,
    {
      identityId,
      connectionId,
      settle: [],
      found: [],
      again: {
        kinds: ["contain", "remove", "verify"],
        why: "an account with the leaver's address is there again",
        deadlines: {
          contain: now + deadlineMs.contain,
          remove: now + deadlineMs.remove,
          verify: now + deadlineMs.verify,
        },
      },
      now,
    },
    {
      records: [
        newRecord(deps.clock, {
          actor: deps.actor,
          action: "case.owed_again",
          subject: { type: "identity", id: identityId },
          connectionId,
          cause: "observation",
          facts: { caseId: known.caseId, accountId },
        }),
      ],
      recompute: [],
    },
  );
  if (!owed.reopened) return;
  await deps.store.raiseFindings(tenantId, {
    findings: [
      {
        key: `returned:${connectionId}:${identityId}`,
        kind: "leaver_returned",
        severity: "urgent",
        connectionId,
        identityId,
        text: `an account of somebody who left is there again: see \`rolecall case show ${known.caseId}\``,
        facts: { caseId: known.caseId, accountId },
      },
    ],
    now,
  });
  await deps.store.wakeTargets(
    tenantId,
    { connectionId, identityIds: [identityId], priority: priorities.leaver, now },
    { records: [], recompute: [] },
  );
  deps.ringWorkers(tenantId);
}
