import { priorities } from "../accounts/target.ts";
import type { AccountId, ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import { newRecord, type Actor } from "../model/records.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** A person says that an account is somebody's. @throws StoreError ALREADY_EXISTS when it is another one's */
export async function setLink(
  deps: SyncDeps,
  tenantId: TenantId,
  said: {
    readonly connectionId: ConnectionId;
    readonly identityId: IdentityId;
    readonly accountId: AccountId;
    /** Folded address of the account. */
    readonly email: string;
    readonly why: string;
    /** Who answers for the decision, where that is somebody else than the actor. */
    readonly owner?: string;
    readonly actor: Actor;
  },
): Promise<void> {
  const { connectionId, identityId, accountId, email, why, owner, actor } = said;
  const now = deps.clock.now();
  await deps.store.changeLink(
    tenantId,
    {
      ...{ connectionId, identityId, now },
      change: { op: "set", accountId, email, origin: "manual" },
    },
    {
      records: [
        newRecord(deps.clock, {
          actor,
          action: "link.set",
          subject: { type: "link", id: identityId },
          connectionId,
          facts: { accountId, why },
          personal: { email, owner },
        }),
      ],
      recompute: [{ identityId, cause: { kind: "operator" }, urgent: false }],
    },
  );
  await deps.store.resolveFindings(tenantId, { keys: findingsOf(connectionId, accountId), now });
  await deps.store.wakeTargets(
    tenantId,
    { connectionId, identityIds: [identityId], priority: priorities.change, now },
    { records: [], recompute: [] },
  );
  deps.ringRelay();
  deps.ringWorkers(tenantId);
}

/** What is said about an account that is linked to nobody, by key. */
export function findingsOf(connectionId: ConnectionId, accountId: AccountId): readonly string[] {
  return [`lookalike:${connectionId}:${accountId}`, `unmatched:${connectionId}:${accountId}`];
}
