import type { Lane } from "../accounts/lane.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import { isOver } from "../model/account.ts";
import { slotKey, type Slot } from "../model/entitlement.ts";
import { SyncError } from "../model/errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { ManualWork, TaskLine } from "../model/manual-work.ts";
import { DAY_MS, taskDueMs } from "../model/policy.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { manual } from "../plan/by-hand.ts";
import { accountKindOf } from "../plan/plan.ts";
import type { Plan } from "../plan/step.ts";
import type { Look } from "./look.ts";

/** When a manual step is looked for again: it closes itself once the vendor shows it. */
export const manualLookMs = 15 * 60_000;
/** How long a write that the vendor does not offer here is left to people before it is tried again. */
const byHandMs = DAY_MS;

/** Kinds that are left to people for now, by a target's notes. */
export function byHandKinds(notes: JsonObject, now: number): readonly string[] {
  const { byHand } = notes;
  if (typeof byHand !== "object" || byHand === null) return [];
  return Object.entries(byHand).flatMap(([kind, until]) => (Number(until) > now ? [kind] : []));
}

/**
 * Notes that the vendor does not offer this kind of write here: the next plan tells people what to do instead.
 * false: the error says something else, and nothing is noted.
 */
export function leaveToPeople(
  facts: VendorFacts,
  notebook: { notes: JsonObject },
  { kind }: Slot,
  error: unknown,
  now: number,
): boolean {
  if (!(error instanceof SyncError) || error.code !== "VENDOR_WRITE_MISSING") return false;
  if (facts.kinds[kind]?.byHand === undefined) return false;
  const { byHand } = notebook.notes;
  const known = typeof byHand === "object" && byHand !== null ? byHand : {};
  notebook.notes = { ...notebook.notes, byHand: { ...known, [kind]: now + byHandMs } };
  return true;
}

/**
 * What one look leaves to people. A connection that only reports asks people for nothing, except to end what a leaver still has:
 * that is urgent whoever may write.
 */
export function manualWorkOf(context: {
  readonly facts: VendorFacts;
  readonly lane: Lane;
  readonly target: LeasedTarget;
  readonly plan: Plan;
  readonly look: Look;
}): ManualWork {
  const { facts, lane, target, plan, look } = context;
  const account = accountKindOf(facts).name;
  const present = look.account !== undefined && !isOver(look.account, facts);
  const held = new Map(look.grants.map((grant) => [slotKey(grant), grant.role]));
  const cause = target.desired.lifecycle === "departed" ? "leaver" : present ? "mover" : "joiner";
  return {
    tenantId: target.tenantId,
    connectionId: target.connectionId,
    identityId: target.identityId,
    cause,
    lines: lane.policy.mode === "report-only" ? leaverLines(facts, plan) : linesOf(plan),
    shownAt: look.shownAt,
    settleMs: facts.settleMs,
    trust: facts.roster === undefined ? "verified" : "observed",
    held: (slot) => {
      if (slot.kind === account) return present ? look.account.role : null;
      return held.get(slotKey(slot)) ?? null;
    },
    take: ({ kind }) =>
      facts.kinds[kind]?.byHand?.take ?? ["take it away from {account} at the vendor"],
    policy: lane.policy.tasks ?? { dueMs: taskDueMs },
  };
}

function linesOf(plan: Plan): readonly TaskLine[] {
  return plan.blocked.flatMap((item) => item.line ?? []);
}

function leaverLines(facts: VendorFacts, plan: Plan): readonly TaskLine[] {
  const account = accountKindOf(facts);
  const steps = account.kind.byHand?.take ?? ["end the account {account} in the vendor's settings"];
  const ends = plan.steps
    .filter((step) => step.action === "remove_account" || step.action === "cancel_invitation")
    .flatMap((step) => manual(facts, step, steps).line ?? []);
  const blocked = plan.blocked.flatMap((item) => item.line ?? []);
  return [
    ...ends,
    ...blocked.filter((line) => line.slot?.kind === account.name && line.roleTo === null),
  ];
}
