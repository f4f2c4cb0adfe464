import type { StepKind } from "../accounts/intent.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import type { Slot } from "../model/entitlement.ts";
import type { JsonObject } from "../model/json.ts";
import { newRecord, type AuditRecord } from "../model/records.ts";
import type { ApplyDeps } from "./apply-deps.ts";

const actions: Readonly<Record<StepKind, string>> = {
  create_account: "account.invited",
  set_account_role: "account.role_set",
  remove_account: "account.removed",
  cancel_invitation: "invitation.cancelled",
  grant: "grant.set",
  revoke: "grant.revoked",
  contain_account: "account.contained",
  deactivate_key: "key.deactivated",
  hand_over: "work.handed_over",
};

/** The one audit record of a vendor write: who, what, why, by which rule and mapping version, and how it ended. */
export function outcomeRecord(
  deps: ApplyDeps,
  target: LeasedTarget,
  write: {
    readonly action: StepKind;
    readonly slot: Slot;
    readonly roleFrom: string | null;
    readonly roleTo: string | null;
    readonly outcome: "done" | "unchanged" | "pending" | "refused" | "not_done";
    readonly accountId: string | undefined;
    readonly intentId: string;
    readonly requestIds?: readonly string[];
    readonly because?: readonly string[];
    readonly credentialFingerprint?: string;
    readonly facts?: JsonObject;
  },
): AuditRecord {
  const requestId = write.requestIds?.at(-1);
  return newRecord(deps.clock, {
    actor:
      write.credentialFingerprint === undefined
        ? deps.actor
        : { ...deps.actor, credentialFingerprint: write.credentialFingerprint },
    action: actions[write.action],
    subject: { type: "identity", id: target.identityId },
    connectionId: target.connectionId,
    cause: target.cause,
    mappingVersion: target.desired.mappingVersion,
    ...(requestId === undefined ? {} : { requestId }),
    facts: {
      outcome: write.outcome,
      intentId: write.intentId,
      kind: write.slot.kind,
      objectId: write.slot.objectId,
      roleFrom: write.roleFrom,
      roleTo: write.roleTo,
      lifecycle: target.desired.lifecycle,
      generation: target.generation,
      because: write.because ?? [],
      ...(write.accountId === undefined ? {} : { accountId: write.accountId }),
      ...(write.requestIds === undefined ? {} : { requestIds: write.requestIds }),
      ...write.facts,
    },
  });
}
