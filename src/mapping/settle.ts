import type {
  Assignment,
  AssignmentConflict,
  Claim,
  RuleTrace,
  Uncertainty,
} from "../model/assignment.ts";
import type { ObjectRef } from "../model/entitlement.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { compareText } from "./canonical.ts";
import { claimKey, claimText } from "./claim-key.ts";

/** The outcome of all claims on one person. */
export interface Settlement {
  readonly assignments: readonly Assignment[];
  readonly conflicts: readonly AssignmentConflict[];
  /** By slot, in a stable order. */
  readonly doubts: readonly SlotDoubts[];
}

/** What might still become true in one slot: rules, each with what is missing. */
export interface SlotDoubts {
  readonly kind: string;
  readonly object: Uncertainty["object"];
  readonly reasons: ReadonlyMap<Uncertainty["ruleId"], Uncertainty["why"]>;
}

export interface Account {
  readonly kind: string;
  readonly fallbackRole: string | null;
}

/** The kind whose slot is the account itself, and the role for people who only have other things. */
export function accountOf(facts: VendorFacts): Account {
  for (const [kind, item] of Object.entries(facts.kinds)) {
    if (item.account) return { kind, fallbackRole: item.fallbackRole ?? null };
  }
  throw new Error(`${facts.vendor}/${facts.profile} declares no account kind`);
}

/** Hears what became of each grant; for explanations. */
export type OnVerdict = (
  claim: Claim,
  outcome: RuleTrace["outcome"],
  beatenBy: readonly string[],
) => void;

/**
 * Weighs claims: an exception that denies, then one that grants, then a rule that denies, then the highest rank among
 * the rules that grant. The order of the claims does not matter.
 */
export function settle(
  claims: readonly Claim[],
  facts: VendorFacts,
  account: Account,
  onVerdict?: OnVerdict,
): Settlement {
  const denies = new Denies(claims);
  const slots = new Map<string, Claim[]>();
  for (const claim of claims) {
    if (claim.effect === "deny") continue;
    const slot = slots.get(claim.key);
    if (slot === undefined) slots.set(claim.key, [claim]);
    else slot.push(claim);
  }
  const result: Draft = { assignments: [], conflicts: [], doubts: new Doubts(), won: [] };
  for (const key of [...slots.keys()].sort(compareText)) {
    settleSlot(slots.get(key) ?? [], denies, result, onVerdict);
  }
  keepOne(result, facts, onVerdict);
  addAccount(result, denies, facts, account);
  const { assignments, conflicts } = result;
  return { assignments, conflicts, doubts: result.doubts.list() };
}

interface Draft {
  assignments: Assignment[];
  conflicts: AssignmentConflict[];
  readonly doubts: Doubts;
  /** The claims behind each assignment, for kinds of which an account holds one. */
  won: {
    readonly assignment: Assignment;
    readonly claims: readonly Claim[];
    readonly rank: number;
    readonly exception: boolean;
  }[];
}

function settleSlot(
  grants: readonly Claim[],
  denies: Denies,
  result: Draft,
  onVerdict: OnVerdict | undefined,
): void {
  const live: Claim[] = [];
  const possible: Claim[] = [];
  const note = (grant: Claim, cause: Claim) => {
    if (cause.unknown !== undefined) result.doubts.add(grant, cause.because, cause.unknown);
  };
  for (const grant of grants) {
    const blockers = denies.blocking(grant);
    const sure = blockers.some((blocker) => blocker.unknown === undefined);
    if (grant.unknown !== undefined) {
      if (!sure) possible.push(grant);
      onVerdict?.(grant, "no_match", names(blockers));
    } else if (blockers.length === 0) {
      live.push(grant);
    } else {
      const byException = blockers.some((blocker) => blocker.exception);
      onVerdict?.(grant, byException ? "overruled_by_exception" : "denied", names(blockers));
      // A deny that is only feared stops the gift, but takes away nothing that is there.
      if (!sure) for (const blocker of blockers) note(grant, blocker);
    }
  }
  const winner = contest(live, result, onVerdict);
  for (const grant of possible) if (couldChange(grant, winner)) note(grant, grant);
}

interface Winner {
  readonly role: string | undefined;
  readonly rank: number;
  readonly exception: boolean;
}

/** Whether an unknown grant, were it true, could hold the slot in another role. */
function couldChange(grant: Claim, winner: Winner | undefined): boolean {
  if (winner === undefined) return true;
  if (winner.exception || winner.role === grant.role) return false;
  return grant.rank >= winner.rank;
}

function contest(
  live: readonly Claim[],
  result: Draft,
  onVerdict: OnVerdict | undefined,
): Winner | undefined {
  const first = live[0];
  if (first === undefined) return undefined;
  const exceptions = live.filter((claim) => claim.exception);
  const running = exceptions.length > 0 ? exceptions : live;
  const rank = Math.max(...running.map((claim) => claim.rank));
  const top = [
    ...new Set(running.filter((claim) => claim.rank === rank).map((claim) => claim.role)),
  ];
  const winners = running.filter((claim) => top.includes(claim.role));
  const beatenBy = names(winners);
  for (const claim of live) {
    if (winners.includes(claim)) onVerdict?.(claim, top.length > 1 ? "conflict" : "won", []);
    else if (exceptions.length > 0 && !claim.exception) {
      onVerdict?.(claim, "overruled_by_exception", beatenBy);
    } else onVerdict?.(claim, "lost_to_higher_role", beatenBy);
  }
  const object = objectOf(live.reduce((a, b) => (b.because < a.because ? b : a)));
  const because = (role: string | null) => names(winners.filter((claim) => claim.role === role));
  if (top.length > 1) {
    const roles = top
      .map((role) => ({ role: role ?? "", because: because(role) }))
      .sort((a, b) => compareText(a.role, b.role));
    result.conflicts.push({ kind: first.kind, object, roles });
    return { role: undefined, rank, exception: exceptions.length > 0 };
  }
  const role = top[0] ?? "";
  const assignment: Assignment = {
    kind: first.kind,
    object,
    role,
    because: because(role),
    privileged: winners.some((claim) => claim.privileged),
  };
  result.assignments.push(assignment);
  result.won.push({ assignment, claims: winners, rank, exception: exceptions.length > 0 });
  return { role, rank, exception: exceptions.length > 0 };
}

/** Of objects that exclude each other (a named role at the vendor) an exception wins, then the highest rank; equal ranks are a conflict. */
function keepOne(result: Draft, facts: VendorFacts, onVerdict: OnVerdict | undefined): void {
  for (const [kind, { exclusive }] of Object.entries(facts.kinds)) {
    if (exclusive !== true) continue;
    const won = result.won.filter((item) => item.assignment.kind === kind);
    if (won.length < 2) continue;
    const exceptions = won.filter((item) => item.exception);
    const running = exceptions.length > 0 ? exceptions : won;
    const rank = Math.max(...running.map((item) => item.rank));
    const best = running.filter((item) => item.rank === rank);
    const beatenBy = names(best.flatMap((item) => item.claims));
    for (const item of won) {
      if (best.includes(item) && best.length === 1) continue;
      result.assignments = result.assignments.filter((each) => each !== item.assignment);
      for (const claim of item.claims) {
        if (best.includes(item)) onVerdict?.(claim, "conflict", []);
        else if (item.exception || exceptions.length === 0) {
          onVerdict?.(claim, "lost_to_higher_role", beatenBy);
        } else onVerdict?.(claim, "overruled_by_exception", beatenBy);
      }
    }
    if (best.length < 2) continue;
    result.conflicts.push({
      kind,
      object: { by: "any" },
      roles: best
        .map(({ assignment }) => ({
          role: claimText(kind, assignment.object),
          because: assignment.because,
        }))
        .sort((a, b) => compareText(a.role, b.role)),
    });
  }
}

/** Who holds anything at a vendor needs an account there; who may not have the account holds nothing. */
function addAccount(result: Draft, denies: Denies, facts: VendorFacts, account: Account): void {
  const inAccount = (item: { readonly kind: string }) => item.kind === account.kind;
  if (result.assignments.some(inAccount) || result.conflicts.some(inAccount)) return;
  const object = { by: "none" } as const;
  const role = account.fallbackRole;
  const because = [...new Set(result.assignments.flatMap((item) => item.because))].sort(
    compareText,
  );
  const privileged = facts.kinds[account.kind]?.roles[role ?? ""]?.privileged === true;
  const fallback: Claim = {
    effect: "grant",
    kind: account.kind,
    object,
    key: account.kind,
    role,
    rank: 0,
    privileged,
    because: "",
    exception: because.some((reason) => reason.startsWith("exception:")),
  };
  const blockers = role === null ? [] : denies.blocking(fallback);
  const sure = blockers.some((blocker) => blocker.unknown === undefined);
  // What could still justify the account: unknown grants of it, and a fallback that is only feared to be denied.
  const hopes: Reasons = new Map(result.doubts.ofKind(account.kind));
  if (!sure) {
    // Whatever could have been given would have brought the account with it.
    for (const [ruleId, why] of result.doubts.all()) hopes.set(ruleId, why);
    for (const { because: ruleId, unknown } of blockers) {
      if (unknown !== undefined && result.assignments.length > 0) hopes.set(ruleId, unknown);
    }
  }
  result.doubts.addAll({ kind: account.kind, object, key: account.kind }, hopes);
  if (role === null || result.assignments.length === 0) return;
  if (blockers.length === 0) {
    result.assignments.push({ kind: account.kind, object, role, because, privileged });
    return;
  }
  for (const { kind, object: held } of result.assignments) {
    result.doubts.addAll({ kind, object: held, key: claimKey(kind, held) }, hopes);
  }
  result.assignments = [];
}

type Reasons = Map<Uncertainty["ruleId"], Uncertainty["why"]>;

/** Collects what might still become true. While an identity provider is arriving that is every rule, for everybody: each pair is kept once. */
class Doubts {
  readonly #bySlot = new Map<
    string,
    { readonly kind: string; readonly object: Uncertainty["object"]; readonly reasons: Reasons }
  >();

  add(at: Pick<Claim, "kind" | "object" | "key">, ruleId: string, why: Uncertainty["why"]): void {
    this.#slot(at).set(ruleId, why);
  }

  addAll(at: Pick<Claim, "kind" | "object" | "key">, reasons: Reasons): void {
    if (reasons.size === 0) return;
    const slot = this.#slot(at);
    for (const [ruleId, why] of reasons) slot.set(ruleId, why);
  }

  *ofKind(kind: string): Iterable<[string, Uncertainty["why"]]> {
    for (const slot of this.#bySlot.values()) if (slot.kind === kind) yield* slot.reasons;
  }

  *all(): Iterable<[string, Uncertainty["why"]]> {
    for (const slot of this.#bySlot.values()) yield* slot.reasons;
  }

  list(): readonly SlotDoubts[] {
    return [...this.#bySlot].sort(([a], [b]) => compareText(a, b)).map(([, slot]) => slot);
  }

  #slot({ kind, object, key }: Pick<Claim, "kind" | "object" | "key">): Reasons {
    const known = this.#bySlot.get(key);
    if (known !== undefined) return known.reasons;
    const slot = { kind, object, reasons: new Map<string, Uncertainty["why"]>() };
    this.#bySlot.set(key, slot);
    return slot.reasons;
  }
}

/** The denies of one person, found by slot. */
class Denies {
  readonly #bySlot = new Map<string, Claim[]>();

  constructor(claims: readonly Claim[]) {
    for (const claim of claims) {
      if (claim.effect === "grant") continue;
      const slot = this.#bySlot.get(claim.key);
      if (slot === undefined) this.#bySlot.set(claim.key, [claim]);
      else slot.push(claim);
    }
  }

  /** The denies that stop a grant; only exceptions stop an exception. */
  blocking(grant: Claim): readonly Claim[] {
    if (this.#bySlot.size === 0) return [];
    const found: Claim[] = [];
    for (const key of [grant.key, `${grant.kind}\n*`]) {
      for (const deny of this.#bySlot.get(key) ?? []) {
        if (deny.role !== null && deny.role !== grant.role) continue;
        if (grant.exception && !deny.exception) continue;
        found.push(deny);
      }
    }
    return found;
  }
}

function objectOf(grant: Claim): ObjectRef {
  // Only denies may mean every object; the check at load refuses a grant that names none where one is needed.
  return grant.object.by === "any" ? { by: "none" } : grant.object;
}

function names(claims: readonly Claim[]): string[] {
  return [...new Set(claims.map((claim) => claim.because))].sort(compareText);
}
