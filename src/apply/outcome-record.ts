import type { StepKind } from "../accounts/intent.ts";
import type { Lane } from "../accounts/lane.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import type { Slot } from "../model/entitlement.ts";
import type { JsonObject } from "../model/json.ts";
import { newRecord, type AuditRecord } from "../model/records.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import type { Verdict } from "./verdict.ts";

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

/** Whoever was given an admin role is told apart from all others: somebody outside hears of it. */
export function adminRecords(
  deps: ApplyDeps,
  target: LeasedTarget,
  facts: VendorFacts,
  { slot, roleTo }: { readonly slot: Slot; readonly roleTo: string | null },
): readonly AuditRecord[] {
  if (roleTo === null || facts.kinds[slot.kind]?.roles[roleTo]?.admin !== true) return [];
  return [
    newRecord(deps.clock, {
      actor: deps.actor,
      action: "admin.granted",
      subject: { type: "identity", id: target.identityId },
      ...{ connectionId: target.connectionId, cause: target.cause },
      mappingVersion: target.desired.mappingVersion,
      facts: { kind: slot.kind, objectId: slot.objectId, role: roleTo },
    }),
  ];
}

/** The first look that agreed with a generation is told once: from then on it is known what the vendor had. */
export function reachedRecords(
  deps: ApplyDeps,
  lane: Lane,
  target: LeasedTarget,
  { reached }: Pick<Verdict, "reached">,
): readonly AuditRecord[] {
  const { identityId, connectionId, generation } = target;
  if (!reached || target.appliedGeneration === generation) return [];
  const facts = deps.connectorOf(lane.vendor, lane.profile, lane.policy.target)?.facts;
  return [
    newRecord(deps.clock, {
      actor: deps.actor,
      action: "target.reached",
      subject: { type: "identity", id: identityId },
      ...{ connectionId, cause: target.cause, mappingVersion: target.desired.mappingVersion },
      facts: { generation, trust: facts?.roster === undefined ? "verified" : "observed" },
    }),
  ];
}
