import type { BrokenRule, DesiredState } from "../model/assignment.ts";
import type { Instant } from "../model/clock.ts";
import { slotKey, type Entitlement, type Slot } from "../model/entitlement.ts";
import { modeOf, withoutIgnored, type ConnectionPolicy } from "../model/policy.ts";
import { confirmedLeave, type RailWish } from "../model/rail.ts";
import type { Cause } from "../model/records.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { byHandOf } from "./by-hand.ts";
import { heeded } from "./heeded.ts";
import { accountKindOf, compareRoles, isKept } from "./plan.ts";

/** What a person stands to lose or gain, as far as the store knows it when the wish is written. */
export interface RailInput {
  readonly facts: VendorFacts;
  readonly policy: ConnectionPolicy;
  readonly desired: DesiredState;
  /** What we gave or took over, with the rules that wished it. */
  readonly ledger: readonly (Entitlement & { readonly because: readonly string[] })[];
  /** Whether an account is linked: a leaver loses it whoever made it. */
  readonly linked: boolean;
  /** The linked account's slots as last seen, its own role included. */
  readonly seen: readonly Entitlement[];
  /** Counted changes that are open already: their rail and cause stay with them until they are done or not wished any more. */
  readonly open: readonly RailWish[];
  readonly cause: Cause;
  readonly broken: readonly BrokenRule[];
  readonly now: Instant;
  /** HR and an IdP say independently of each other that the person left. */
  readonly confirmed?: boolean;
}

/**
 * Every change of one target that a rail counts. Losses are counted here, when they are decided, so that a wave of
 * single removals is seen whole before the first of them may run.
 */
export function railWishes(whole: RailInput): readonly RailWish[] {
  const { policy } = whole;
  if (policy.mode === "report-only") return [];
  const input: RailInput = { ...heeded(whole), seen: withoutIgnored(policy, whole.seen) };
  const account = accountKindOf(input.facts).name;
  const held = holdings(input);
  // What only people change is not sent by anything that a rail could stop.
  if (isByHand(input, account)) held.delete(account);
  if (input.desired.lifecycle === "departed") {
    if (isByHand(input, account)) return [];
    const role = held.get(account)?.role ?? null;
    if (!input.linked && role === null) return [];
    return [
      {
        ...loss({ kind: account, objectId: "" }, role, null),
        rail: "leavers",
        causeKey: input.confirmed === true ? confirmedLeave : "",
        notBefore: input.now,
      },
    ];
  }
  const wished = new Map(input.desired.assignments.map((item) => [slotKey(item), item]));
  const accountHeld = held.get(account);
  if (accountHeld?.owned === true && !wished.has(account) && !isKept(input.desired, accountHeld)) {
    return [lossWish(input, accountHeld, null)];
  }
  return [...losses(input, held, wished), ...gains(input, held)];
}

interface Holding extends Entitlement {
  /** Whether we may take it: ledger, or an authoritative set. */
  readonly owned: boolean;
  readonly because: readonly string[];
}

function holdings(input: RailInput): Map<string, Holding> {
  const held = new Map<string, Holding>();
  for (const seen of input.seen) {
    const owned = modeOf(input.policy, seen.kind) === "authoritative";
    held.set(slotKey(seen), { ...entitlement(seen), owned, because: [] });
  }
  for (const entry of input.ledger) {
    const seen = held.get(slotKey(entry));
    held.set(slotKey(entry), {
      ...entitlement(entry),
      role: seen?.role ?? entry.role,
      owned: true,
      because: entry.because,
    });
  }
  return held;
}

function losses(
  input: RailInput,
  held: ReadonlyMap<string, Holding>,
  wished: ReadonlyMap<string, Entitlement>,
): readonly RailWish[] {
  const wishes: RailWish[] = [];
  for (const [key, holding] of held) {
    if (!holding.owned || isKept(input.desired, holding)) continue;
    if (isByHand(input, holding.kind)) continue;
    const next = wished.get(key)?.role ?? null;
    if (
      next !== null &&
      compareRoles(input.facts.kinds[holding.kind], holding.role, next) !== "down"
    )
      continue;
    wishes.push(lossWish(input, holding, next));
  }
  return wishes;
}

function lossWish(input: RailInput, holding: Holding, next: string | null): RailWish {
  const open = openEntry(input, holding, "loss", next);
  const broken = input.broken.find((rule) => holding.because.includes(rule.ruleId));
  const source = open?.rail === "source" || broken !== undefined;
  const privileged = input.facts.kinds[holding.kind]?.roles[holding.role]?.privileged === true;
  const { debounceMs, graceMs } = input.policy.timing;
  return {
    ...loss(holding, holding.role, next),
    rail: source ? "source" : "removals",
    causeKey: source
      ? open?.rail === "source"
        ? open.causeKey
        : `group_deleted:${broken?.groupId ?? ""}`
      : "",
    // What was decided already keeps its time; a larger loss of the same slot begins its own.
    notBefore:
      open?.roleTo === next
        ? open.notBefore
        : privileged
          ? input.now
          : input.now + debounceMs + graceMs,
  };
}

function gains(input: RailInput, held: ReadonlyMap<string, Holding>): readonly RailWish[] {
  const wishes: RailWish[] = [];
  const seen = new Map(input.seen.map((item) => [slotKey(item), item]));
  for (const item of input.desired.assignments) {
    if (isByHand(input, item.kind)) continue;
    const key = slotKey(item);
    const from = (seen.get(key) ?? held.get(key))?.role ?? null;
    if (from !== null && compareRoles(input.facts.kinds[item.kind], from, item.role) !== "up")
      continue;
    const base = {
      slot: { kind: item.kind, objectId: item.objectId },
      direction: "gain" as const,
      roleFrom: from,
      roleTo: item.role,
      notBefore: input.now,
    };
    const open = openEntry(input, item, "gain", item.role);
    if (item.privileged) wishes.push({ ...base, rail: "privileged", causeKey: "" });
    else if (open?.rail === "one_cause")
      wishes.push({ ...base, rail: "one_cause", causeKey: open.causeKey });
    else if (input.cause.key !== undefined) {
      wishes.push({ ...base, rail: "one_cause", causeKey: input.cause.key });
    }
  }
  return wishes;
}

function isByHand(input: RailInput, kind: string): boolean {
  return byHandOf(input.facts, kind) !== undefined;
}

/** The open entry of a slot; the one that says the same, where there are several. */
function openEntry(
  input: RailInput,
  slot: Slot,
  direction: "loss" | "gain",
  roleTo: string | null,
): RailWish | undefined {
  const own = input.open.filter(
    (entry) => entry.direction === direction && slotKey(entry.slot) === slotKey(slot),
  );
  return own.find((entry) => entry.roleTo === roleTo) ?? own[0];
}

function loss(
  slot: Slot,
  roleFrom: string | null,
  roleTo: string | null,
): Pick<RailWish, "slot" | "direction" | "roleFrom" | "roleTo"> {
  return {
    slot: { kind: slot.kind, objectId: slot.objectId },
    direction: "loss",
    roleFrom,
    roleTo,
  };
}

function entitlement(item: Entitlement): Entitlement {
  return { kind: item.kind, objectId: item.objectId, role: item.role };
}
