import type { LeasedTarget } from "../accounts/target.ts";
import { slotKey } from "../model/entitlement.ts";
import type { JsonObject } from "../model/json.ts";
import { DAY_MS } from "../model/policy.ts";
import type { Step } from "../plan/step.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { fightActors, namedActors } from "./fight-actors.ts";
import type { Verdict } from "./verdict.ts";

/** Repairs of one slot within a day; whoever undoes the second one means it. */
const repairsMax = 2;

/**
 * Whether a plan repairs drift: the wish was reached before, nothing else is wished since, and yet the vendor shows something else. A leaver
 * is never given back, however often somebody tries.
 */
function isDrift(target: LeasedTarget): boolean {
  return (
    target.desired.lifecycle === "active" &&
    target.generation > 0 &&
    target.appliedGeneration === target.generation
  );
}

/** Steps that may be taken, and those that were taken back by somebody twice already. */
export function splitFought(
  target: LeasedTarget,
  notes: JsonObject,
  steps: readonly Step[],
  now: number,
): { readonly go: readonly Step[]; readonly fought: readonly Step[] } {
  if (!isDrift(target)) return { go: steps, fought: [] };
  const isFought = (step: Step) => repairsOf(target, notes, step, now).length >= repairsMax;
  return { go: steps.filter((step) => !isFought(step)), fought: steps.filter(isFought) };
}

/** What is to be remembered of a step that was taken. */
export function repairNote(
  target: LeasedTarget,
  notes: JsonObject,
  step: Step,
  now: number,
): JsonObject {
  if (!isDrift(target)) return {};
  const at = [...repairsOf(target, notes, step, now), now];
  const { slots } = kept(target, notes);
  return {
    repairs: { generation: target.generation, slots: { ...slots, [slotKey(step.slot)]: at } },
  };
}

/** Says that somebody fights us, and waits until a day has passed since the first of the repairs, or a person decides. */
export async function foughtVerdict(
  deps: ApplyDeps,
  target: LeasedTarget,
  notes: JsonObject,
  fought: readonly Step[],
  vendor: Parameters<typeof fightActors>[1],
): Promise<Verdict> {
  const now = deps.clock.now();
  const { connectionId, identityId } = target;
  const slots = fought.map((step) => slotKey(step.slot));
  const first = Math.min(...fought.flatMap((step) => repairsOf(target, notes, step, now)));
  const actors = await fightActors(deps, vendor, first);
  await deps.store.raiseFindings(target.tenantId, {
    findings: [
      {
        key: fightKey(target),
        kind: "drift",
        severity: "warning",
        ...{ connectionId, identityId },
        text: `someone is fighting us: what was repaired twice within a day was undone again at the vendor${namedActors(actors)}; find out why, then correct the mapping, add an exception, or \`rolecall parked redrive\` tomorrow`,
        facts: {
          slots,
          repairs: repairsMax,
          actors: actors.map(({ accountId, type, at }) => ({
            accountId: accountId ?? null,
            type,
            at,
          })),
        },
      },
    ],
    now,
  });
  return {
    state: "parked",
    reason: {
      code: "DRIFT_FOUGHT",
      text: `${slots.join(", ")}: repaired twice within a day and undone again by somebody at the vendor`,
    },
    dueAt: first + DAY_MS + 1,
    attempts: 0,
    reached: false,
    notes,
  };
}

/** Nothing is fought over any more. */
export async function endFight(
  deps: ApplyDeps,
  target: LeasedTarget,
  notes: JsonObject,
): Promise<void> {
  if (notes["repairs"] === undefined) return;
  await deps.store.resolveFindings(target.tenantId, {
    keys: [fightKey(target)],
    now: deps.clock.now(),
  });
}

function fightKey(target: LeasedTarget): string {
  return `fought:${target.connectionId}:${target.identityId}`;
}

/** Repairs of the present generation: another wish is another matter. */
function kept(target: LeasedTarget, notes: JsonObject): { readonly slots: JsonObject } {
  const { repairs } = notes;
  if (typeof repairs !== "object" || repairs === null || !("generation" in repairs))
    return { slots: {} };
  const { generation, slots } = repairs;
  const isOurs = generation === target.generation && typeof slots === "object" && slots !== null;
  return { slots: isOurs && !Array.isArray(slots) ? (slots as JsonObject) : {} };
}

function repairsOf(
  target: LeasedTarget,
  notes: JsonObject,
  step: Step,
  now: number,
): readonly number[] {
  const at = kept(target, notes).slots[slotKey(step.slot)];
  if (!Array.isArray(at)) return [];
  return at.filter((item): item is number => typeof item === "number" && item > now - DAY_MS);
}
