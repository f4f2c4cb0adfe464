import type { ByHandFacts, VendorFacts } from "../model/vendor-facts.ts";
import type { Blocked, Step } from "./step.ts";

/** What to tell people who make the changes of a kind; undefined: the API makes them. */
export function byHandOf(
  facts: VendorFacts,
  kind: string,
  /** Kinds whose write the vendor refuses to this workspace. */
  refused: readonly string[] = [],
): ByHandFacts | undefined {
  const byHand = facts.kinds[kind]?.byHand;
  if (byHand === undefined) return undefined;
  return byHand.always || refused.includes(kind) ? byHand : undefined;
}

/** A step that a person takes: what to click, and which rules wish it. */
export function manualStep(facts: VendorFacts, byHand: ByHandFacts, step: Step): Blocked {
  const title = facts.kinds[step.slot.kind]?.title ?? step.slot.kind;
  const rules = step.because.length === 0 ? "" : ` (rules ${step.because.join(", ")})`;
  const what = step.roleTo === null ? byHand.take : byHand.give;
  return { code: "MANUAL_STEP", text: `${title}: ${what}${rules}`, slot: step.slot };
}
