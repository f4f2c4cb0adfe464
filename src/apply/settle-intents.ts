import type { LinkChange, LedgerChange } from "../accounts/account-store.ts";
import type { Intent } from "../accounts/intent.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import { isOver } from "../model/account.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { slotKey } from "../model/entitlement.ts";
import { accountKindOf } from "../plan/plan.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import type { Look } from "./look.ts";
import { outcomeRecord } from "./outcome-record.ts";

/** Between two complete negative reads of a create that the vendor would not refuse twice. */
const negativeGapMs = 60_000;

/** What interrupted or unanswered writes came to, judged by a complete read. */
export interface Settled {
  /** Not before this instant: the truth cannot be told yet. */
  readonly waitUntil: number | undefined;
  /** Creates that were proved absent since the last success: one may be sent again, a second is parked. */
  readonly lostCreates: number;
}

/** The instant before which an open intent of an earlier lease must not be judged. */
export function judgeableAt(
  deps: ApplyDeps,
  intents: readonly Intent[],
  fence: number,
): number | undefined {
  const foreign = intents.filter((intent) => intent.fence !== fence || intent.state === "unknown");
  if (foreign.length === 0) return undefined;
  return Math.max(...foreign.map((intent) => intent.notAfter)) + deps.timing.intentGraceMs;
}

/**
 * Judges every open intent of a target by what a complete look showed: done where the wish is true now, unsent where it is not.
 * Creates that may have happened unseen get a second negative look before they count as absent.
 */
export async function settleIntents(
  deps: ApplyDeps,
  facts: VendorFacts,
  target: LeasedTarget,
  intents: readonly Intent[],
  look: Look,
  lostBefore: number,
): Promise<Settled> {
  let lostCreates = lostBefore;
  let waitUntil: number | undefined;
  for (const intent of intents) {
    const happened = hasHappened(facts, intent, look);
    if (happened) {
      await finish(deps, facts, target, intent, look, "done");
      lostCreates = 0;
      continue;
    }
    if (intent.step !== "create_account") {
      await finish(deps, facts, target, intent, look, "unsent");
      continue;
    }
    const wait = await negativeCreate(deps, facts, target, intent);
    if (wait === undefined) {
      await finish(deps, facts, target, intent, look, "unsent");
      lostCreates += 1;
    } else {
      waitUntil = Math.max(waitUntil ?? 0, wait);
    }
  }
  return { waitUntil, lostCreates };
}

async function negativeCreate(
  deps: ApplyDeps,
  facts: VendorFacts,
  target: LeasedTarget,
  intent: Intent,
): Promise<number | undefined> {
  const now = deps.clock.now();
  const first = intent.negativeReads[0];
  const enough = facts.create.unique || (first !== undefined && now - first >= negativeGapMs);
  if (enough) return undefined;
  if (first === undefined) {
    await deps.store.noteNegativeRead(target.tenantId, { intentId: intent.intentId, at: now });
    return now + negativeGapMs;
  }
  return first + negativeGapMs;
}

function hasHappened(facts: VendorFacts, intent: Intent, look: Look): boolean {
  const account = look.account;
  const exists = account !== undefined && !isOver(account, facts);
  switch (intent.step) {
    case "create_account":
      return exists;
    case "remove_account":
    case "cancel_invitation":
      return !exists || account.accountId !== intent.accountId;
    case "set_account_role":
      return exists && account.role === intent.roleTo;
    case "grant":
      return heldRole(facts, look, intent) === intent.roleTo;
    case "revoke":
      return heldRole(facts, look, intent) === undefined;
    case "contain_account":
    case "deactivate_key":
    case "hand_over":
      // No look shows it, and doing it again changes nothing: it counts as not done.
      return false;
  }
}

function heldRole(facts: VendorFacts, look: Look, intent: Intent): string | undefined {
  if (intent.slot.kind === accountKindOf(facts).name) return look.account?.role;
  return look.grants.find((grant) => slotKey(grant) === slotKey(intent.slot))?.role;
}

async function finish(
  deps: ApplyDeps,
  facts: VendorFacts,
  target: LeasedTarget,
  intent: Intent,
  look: Look,
  state: "done" | "unsent",
): Promise<void> {
  const changes =
    state === "done" ? changesOf(facts, intent, target, look) : { ledger: [], link: undefined };
  await deps.store.finishIntent(
    target.tenantId,
    {
      intentId: intent.intentId,
      state,
      facts: { judgedBy: "complete read", readAt: deps.clock.now() },
      ...changes,
      now: deps.clock.now(),
    },
    {
      records: [
        outcomeRecord(deps, target, {
          action: intent.step,
          slot: intent.slot,
          roleFrom: intent.roleFrom,
          roleTo: intent.roleTo,
          outcome: state === "done" ? "done" : "not_done",
          accountId: intent.accountId ?? look.account?.accountId,
          intentId: intent.intentId,
          facts: { judgedBy: "complete read" },
        }),
      ],
      recompute: [],
    },
  );
}

/** What a write that happened means for the ledger and the link. */
export function changesOf(
  facts: VendorFacts,
  write: Pick<Intent, "step" | "slot" | "roleTo">,
  target: LeasedTarget,
  look: { readonly account?: Look["account"]; readonly ledger: Look["ledger"] },
): { readonly ledger: readonly LedgerChange[]; readonly link: LinkChange | undefined } {
  const because =
    target.desired.assignments.find((item) => slotKey(item) === slotKey(write.slot))?.because ?? [];
  switch (write.step) {
    case "create_account":
    case "set_account_role":
    case "grant":
      return {
        ledger: [
          {
            op: "set",
            entitlement: { ...write.slot, role: write.roleTo ?? "" },
            origin: "granted",
            because,
          },
        ],
        link:
          look.account === undefined || write.step === "grant"
            ? undefined
            : {
                op: "set",
                accountId: look.account.accountId,
                email: look.account.email,
                origin: "created",
              },
      };
    case "revoke":
      return { ledger: [{ op: "remove", slot: write.slot }], link: undefined };
    case "contain_account":
    case "deactivate_key":
    case "hand_over":
      return { ledger: [], link: undefined };
    case "remove_account":
    case "cancel_invitation":
      // The account took everything with it.
      return {
        ledger: [
          { op: "remove", slot: { kind: accountKindOf(facts).name, objectId: "" } },
          ...look.ledger
            .filter((entry) => entry.kind !== accountKindOf(facts).name)
            .map((entry) => ({
              op: "remove" as const,
              slot: { kind: entry.kind, objectId: entry.objectId },
            })),
        ],
        link: undefined,
      };
  }
}
