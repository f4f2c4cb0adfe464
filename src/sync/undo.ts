import type { PersonState } from "../accounts/account-store.ts";
import type { Intent } from "../accounts/intent.ts";
import { slotKey } from "../model/entitlement.ts";
import { foldEmail } from "../model/fold.ts";
import type { AccessException, IdentityFacts } from "../model/identity.ts";
import { newId, type ConnectionId, type IdentityId, type TenantId } from "../model/ids.ts";
import { DAY_MS } from "../model/policy.ts";
import { newRecord, type Actor } from "../model/records.ts";
import { accountKindOf } from "../plan/plan.ts";
import { exceptionsFor } from "./recompute.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** How long an undo stays decided before the rules are asked again. */
const undoneMs = 90 * DAY_MS;
const intentsMax = 200;

/** One write of the last plan, and what taking it back means. */
export interface UndoStep {
  readonly intentId: string;
  readonly step: Intent["step"];
  readonly kind: string;
  readonly objectId: string;
  readonly roleFrom: string | null;
  readonly roleTo: string | null;
  readonly sentAt: number;
  /** undo: by the rails, as any change · changed: the vendor shows something else by now · impossible: no way back. */
  readonly way: "undo" | "changed" | "impossible";
  /** What comes back, and what does not. */
  readonly text: string;
}

/** What would be taken back; nothing is written. Undefined: nothing was ever done for the person here. */
export async function previewUndo(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
  identityId: IdentityId,
  /** Only where the last plan is that of this generation, and none is wished since. */
  generation?: number,
): Promise<readonly UndoStep[]> {
  const done = (
    await deps.store.listIntents(tenantId, connectionId, identityId, intentsMax)
  ).filter((intent) => intent.state === "done");
  const [newest] = done;
  if (generation !== undefined && newest?.generation !== generation) return [];
  const [state] = await deps.store.readPeople(tenantId, [identityId]);
  const lane = await deps.store.getLane(tenantId, connectionId);
  const facts =
    lane === undefined
      ? undefined
      : deps.vendorFacts(lane.vendor, lane.profile, lane.policy.target);
  if (newest === undefined || state === undefined || facts === undefined) return [];
  const target = state.targets.find((item) => item.connectionId === connectionId);
  if (generation !== undefined && target?.generation !== generation) return [];
  const accountKind = accountKindOf(facts).name;
  const left = target?.desired.lifecycle === "departed";
  const applied = done.filter((intent) => intent.generation === newest.generation);
  // Of several writes to one slot the last one is what is there.
  const last = new Map(applied.toReversed().map((intent) => [slotKey(intent.slot), intent]));
  return applied
    .filter((intent) => last.get(slotKey(intent.slot)) === intent)
    .map((intent) => ({
      intentId: intent.intentId,
      step: intent.step,
      kind: intent.slot.kind,
      objectId: intent.slot.objectId,
      roleFrom: intent.roleFrom,
      roleTo: intent.roleTo,
      sentAt: intent.sentAt,
      ...wayBack(intent, holds(state, connectionId, accountKind, intent), left),
    }));
}

/**
 * Takes the last applied plan of a person at one connection back, as far as there is a way and nobody changed it since: as exceptions, so
 * that rails, gate and record are those of every change, and the next recompute does not do it again.
 */
export async function undo(
  deps: SyncDeps,
  tenantId: TenantId,
  wish: {
    readonly connectionId: ConnectionId;
    readonly identityId: IdentityId;
    /** What was shown to whoever asks: nothing happens where it is another plan by now. */
    readonly generation?: number;
    readonly why: string;
    readonly actor: Actor;
  },
): Promise<readonly UndoStep[]> {
  const { connectionId, identityId, generation } = wish;
  const steps = await previewUndo(deps, tenantId, connectionId, identityId, generation);
  const [person] = await deps.store.readIdentities(tenantId, [identityId]);
  if (person === undefined) return [];
  const earlier = (await exceptionsFor(deps, tenantId, [person]))(person).filter(
    (item) => item.connectionId === connectionId && item.source === "decision",
  );
  for (const step of steps) {
    if (step.way !== "undo") continue;
    await decide(deps, tenantId, person, step, earlier, wish);
  }
  deps.ringRelay();
  return steps;
}

/** What the vendor shows in the slot of a write. */
function holds(
  state: PersonState,
  connectionId: ConnectionId,
  accountKind: string,
  intent: Intent,
): string | null {
  const link = state.links.find((item) => item.connectionId === connectionId);
  const account = state.observed.find(
    (item) =>
      item.connectionId === connectionId && item.accountId === link?.accountId && !item.gone,
  );
  if (intent.slot.kind === accountKind) return account?.role ?? null;
  const key = slotKey(intent.slot);
  const grant = state.observedGrants.find(
    (item) =>
      item.connectionId === connectionId &&
      item.accountId === account?.accountId &&
      slotKey(item) === key,
  );
  return grant?.role ?? null;
}

function wayBack(
  intent: Intent,
  held: string | null,
  left: boolean,
): Pick<UndoStep, "way" | "text"> {
  const { step, roleFrom, roleTo } = intent;
  if (step === "deactivate_key" || step === "contain_account" || step === "hand_over")
    return {
      way: "impossible",
      text: "keys, sessions and work that was handed over do not come back",
    };
  if (left)
    return {
      way: "impossible",
      text: "somebody who left: `rolecall readmit`, or their IdP and HR, decide",
    };
  if (held !== roleTo)
    return {
      way: "changed",
      text: `the vendor shows ${held ?? "nothing"}, not ${roleTo ?? "nothing"}, by now`,
    };
  switch (step) {
    case "create_account":
      return { way: "undo", text: "the account or its invitation goes, with everything in it" };
    case "remove_account":
    case "cancel_invitation":
      return {
        way: "undo",
        text: `a new invitation as ${roleFrom ?? "before"}; what the account owned, its keys and its memberships do not come back with it`,
      };
    case "set_account_role":
    case "grant":
    case "revoke":
      return { way: "undo", text: `${roleTo ?? "nothing"} becomes ${roleFrom ?? "nothing"} again` };
  }
}

async function decide(
  deps: SyncDeps,
  tenantId: TenantId,
  person: IdentityFacts,
  step: UndoStep,
  earlier: readonly AccessException[],
  wish: {
    readonly connectionId: ConnectionId;
    readonly identityId: IdentityId;
    readonly why: string;
    readonly actor: Actor;
  },
): Promise<void> {
  const now = deps.clock.now();
  const { connectionId, identityId, why, actor } = wish;
  const record = (action: string, id: string, until: number | null) =>
    newRecord(deps.clock, {
      actor,
      action,
      subject: { type: "exception", id },
      connectionId,
      cause: `undo:${step.intentId}`,
      facts: {
        ...{ identityId, why, until, kind: step.kind, objectId: step.objectId },
        ...{ roleFrom: step.roleFrom, roleTo: step.roleTo },
      },
    });
  const recompute = [{ identityId, cause: { kind: "operator" as const }, urgent: false }];
  // An earlier decision about the place would speak against this one.
  for (const item of earlier) {
    const object = item.object?.by === "id" ? item.object.value : "";
    if (item.kind !== step.kind || object !== step.objectId) continue;
    await deps.store.withdrawException(
      tenantId,
      { exceptionId: item.exceptionId, now },
      { records: [record("exception.withdrawn", item.exceptionId, item.until)], recompute },
    );
  }
  const exception: AccessException = {
    exceptionId: newId(deps.clock),
    person: person.emails[0] ?? foldEmail(person.userName),
    connectionId,
    effect: step.roleFrom === null ? "deny" : "grant",
    kind: step.kind,
    object: step.objectId === "" ? null : { by: "id", value: step.objectId },
    role: step.roleFrom,
    until: now + undoneMs,
    why,
    by: actor.id,
    source: "decision",
  };
  await deps.store.addException(
    tenantId,
    { exception, now },
    { records: [record("plan.undone", exception.exceptionId, exception.until)], recompute },
  );
}
