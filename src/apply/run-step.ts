import type { GateRefusal, StepKind } from "../accounts/intent.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import type { Applied, Call, Connector } from "../connectors/connector.ts";
import type { VendorAccount } from "../model/account.ts";
import type { Slot } from "../model/entitlement.ts";
import { SyncError } from "../model/errors.ts";
import { newId, type IntentId } from "../model/ids.ts";
import type { ConnectionPolicy } from "../model/policy.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import type { Step } from "../plan/step.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { aloneWith } from "./exclusive.ts";
import type { Look } from "./look.ts";
import { adminRecords, outcomeRecord } from "./outcome-record.ts";
import { changesOf } from "./settle-intents.ts";
import type { UnsavedLook } from "./unsaved-look.ts";

/** The write that is allowed now, if any: `beforeWrite` of the client asks it immediately before the bytes leave. */
export class WriteWindow {
  #notAfter: number | undefined;

  open(notAfter: number): void {
    this.#notAfter = notAfter;
  }

  close(): void {
    this.#notAfter = undefined;
  }

  /** @throws SyncError INTENT_EXPIRED when no intent covers a write now */
  assertOpen(monotonicNow: number): void {
    if (this.#notAfter === undefined || monotonicNow > this.#notAfter) {
      throw new SyncError("INTENT_EXPIRED", "the write was allowed too long ago and was not sent");
    }
  }
}

export interface StepContext {
  readonly deps: ApplyDeps;
  readonly connector: Connector;
  readonly call: Call;
  readonly target: LeasedTarget;
  readonly policy: ConnectionPolicy;
  readonly look: Look;
  readonly unsaved: UnsavedLook;
  readonly window: WriteWindow;
  readonly credentialFingerprint: string;
}

export type StepResult =
  | { readonly ran: true; readonly outcome: Applied["outcome"] }
  | { readonly ran: false; readonly refusal: GateRefusal };

/** One vendor write, as gate, outcome row and audit record see it. A step of a plan is one; what only leavers need is neutral. */
export interface Write {
  readonly action: StepKind;
  readonly slot: Slot;
  readonly roleFrom: string | null;
  readonly roleTo: string | null;
  readonly direction: "loss" | "gain" | "neutral";
  readonly privileged: boolean;
  readonly because: readonly string[];
}

/**
 * One vendor write through the one gate: an intent row, the call, an outcome row with what it changed and its audit record.
 * Errors of the call leave as SyncErrors after their outcome is written; an unanswered write stays `unknown`.
 */
export async function runStep(context: StepContext, step: Step): Promise<StepResult> {
  const { connector, deps, target, call } = context;
  const inSlot = step.action === "grant" || step.action === "revoke";
  const key = inSlot ? connector.exclusiveKey?.(step.slot) : undefined;
  const pass = () => runWrite(context, step, () => send(context, step));
  if (key === undefined) return pass();
  // The turn may be long in coming.
  await context.unsaved.save();
  const { tenantId, connectionId } = target;
  const place = { tenantId, connectionId, key };
  // Before the gate: what it allows must leave soon after.
  return aloneWith(deps, place, call.signal, pass);
}

/** As `runStep`, for a write that no plan has a step for. */
export async function runWrite(
  context: StepContext,
  step: Write,
  sendIt: () => Promise<Sent>,
): Promise<StepResult> {
  const { deps, target } = context;
  const intentId = newId<IntentId>(deps.clock);
  const now = deps.clock.now();
  const windowEnd = deps.clock.monotonic() + deps.timing.intentWindowMs;
  const gate = await deps.store.insertIntent(target.tenantId, {
    intentId,
    connectionId: target.connectionId,
    identityId: target.identityId,
    step: step.action,
    slot: step.slot,
    direction: step.direction,
    privileged: step.privileged,
    roleFrom: step.roleFrom,
    roleTo: step.roleTo,
    accountId: context.look.account?.accountId ?? null,
    // Who is only invited is no admin yet, and takes nothing from those that there are.
    ...(context.look.account?.state === "active" && takenAdmin(context.connector.facts, step)),
    generation: target.generation,
    fence: target.fence,
    notAfter: now + deps.timing.intentWindowMs,
    ...context.unsaved.part,
    now,
  });
  if (!gate.ok) return { ran: false, refusal: gate };
  context.unsaved.taken();
  context.window.open(windowEnd);
  try {
    const applied = await sendIt();
    await finish(context, step, intentId, "done", applied);
    return { ran: true, outcome: applied.outcome };
  } catch (error) {
    await finishFailed(context, step, intentId, error);
    throw error;
  } finally {
    context.window.close();
  }
}

/** The admin roles of the vendor, for the gate to count, where the write takes one. */
function takenAdmin(
  { kinds }: VendorFacts,
  { slot, roleFrom, roleTo }: Pick<Write, "slot" | "roleFrom" | "roleTo">,
): { readonly adminRoles?: readonly string[] } {
  const roles = kinds[slot.kind]?.account === true ? (kinds[slot.kind]?.roles ?? {}) : {};
  const isAdmin = (role: string | null) => role !== null && roles[role]?.admin === true;
  return isAdmin(roleFrom) && !isAdmin(roleTo)
    ? { adminRoles: Object.keys(roles).filter(isAdmin) }
    : {};
}

export type Sent = Applied & { readonly account?: VendorAccount };

async function send(context: StepContext, step: Step): Promise<Sent> {
  const { connector, call, target, policy, look } = context;
  if (step.action === "create_account") {
    const { profile } = target.desired;
    const role = step.roleTo ?? "";
    const permissions = policy.permissions?.[role];
    return connector.createAccount(call, {
      email: profile.emails[0] ?? "",
      role,
      ...(permissions === undefined ? {} : { permissions }),
      ...(policy.nickname === undefined ? {} : { nickname: profile.displayName }),
      displayName: profile.displayName,
      reference: target.identityId,
      ...(profile.givenName === undefined ? {} : { givenName: profile.givenName }),
      ...(profile.familyName === undefined ? {} : { familyName: profile.familyName }),
    });
  }
  const account = look.account;
  if (account === undefined) throw new Error(`${step.action} needs an account`);
  switch (step.action) {
    case "set_account_role":
      return connector.setAccountRole(call, account, step.roleTo ?? "");
    case "remove_account":
    case "cancel_invitation":
      return connector.removeAccount(call, account);
    case "grant":
      return connector.grant(call, account, { ...step.slot, role: step.roleTo ?? "" });
    case "revoke":
      return connector.revoke(call, account, step.slot);
  }
}

async function finish(
  context: StepContext,
  step: Write,
  intentId: IntentId,
  state: "done",
  applied: Sent,
): Promise<void> {
  const { deps, connector, target, look } = context;
  const account = applied.account ?? look.account;
  const changes = changesOf(
    connector.facts,
    { step: step.action, slot: step.slot, roleTo: step.roleTo },
    target,
    {
      ledger: look.ledger,
      ...(step.action === "create_account" && applied.account !== undefined
        ? { account: applied.account }
        : {}),
    },
  );
  deps.metrics.count("rolecall_vendor_writes_total", {
    tenant: target.tenantId,
    connection: target.connectionId,
    step: step.action,
    outcome: applied.outcome,
  });
  await deps.store.finishIntent(
    target.tenantId,
    {
      intentId,
      state,
      facts: { outcome: applied.outcome, requestIds: applied.requestIds },
      ...changes,
      now: deps.clock.now(),
    },
    {
      records: [
        outcomeRecord(deps, target, {
          action: step.action,
          slot: step.slot,
          roleFrom: step.roleFrom,
          roleTo: step.roleTo,
          outcome: applied.outcome === "changed" ? "done" : applied.outcome,
          accountId: account?.accountId,
          intentId,
          requestIds: applied.requestIds,
          because: step.because,
          credentialFingerprint: context.credentialFingerprint,
        }),
        ...adminRecords(deps, target, context.connector.facts, step),
      ],
      recompute: [],
    },
  );
}

async function finishFailed(
  context: StepContext,
  step: Write,
  intentId: IntentId,
  error: unknown,
): Promise<void> {
  const { deps, target, look } = context;
  const state = failureState(error);
  const code = error instanceof SyncError ? error.code : "INTERNAL";
  const facts = { code, ...(error instanceof SyncError ? error.facts : {}) };
  deps.metrics.count("rolecall_vendor_writes_total", {
    tenant: target.tenantId,
    connection: target.connectionId,
    step: step.action,
    outcome: state,
  });
  await deps.store.finishIntent(
    target.tenantId,
    { intentId, state, facts, ledger: [], link: undefined, now: deps.clock.now() },
    {
      records:
        state === "unknown"
          ? []
          : [
              outcomeRecord(deps, target, {
                action: step.action,
                slot: step.slot,
                roleFrom: step.roleFrom,
                roleTo: step.roleTo,
                outcome: state === "refused" ? "refused" : "not_done",
                accountId: look.account?.accountId,
                intentId,
                because: step.because,
                credentialFingerprint: context.credentialFingerprint,
                facts,
              }),
            ],
      recompute: [],
    },
  );
}

/** What is known of a write whose call failed: nothing left the process, the vendor said no, or nobody knows. */
export function failureState(error: unknown): "unsent" | "refused" | "unknown" {
  if (!(error instanceof SyncError)) return "unknown";
  switch (error.code) {
    case "INTENT_EXPIRED":
    case "GATE_REFUSED":
    case "VENDOR_UNAVAILABLE":
    case "CREDENTIAL_MISSING":
    case "VENDOR_BREAKER_OPEN":
      return "unsent";
    case "VENDOR_RATE_LIMITED":
    case "VENDOR_CONFLICT":
    case "VENDOR_REJECTED":
    case "VENDOR_WRITE_MISSING":
    case "VENDOR_PLAN_REQUIRED":
    case "VENDOR_OWNS_MEMBERSHIP":
    case "SEATS_EXHAUSTED":
    case "CREDENTIAL_REFUSED":
    case "CREDENTIAL_SCOPE_MISSING":
      return "refused";
    default:
      return "unknown";
  }
}
