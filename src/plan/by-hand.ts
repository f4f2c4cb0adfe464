import type { TaskLine } from "../model/manual-work.ts";
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
  const given = step.roleFrom === null ? byHand.give : (byHand.change ?? byHand.give);
  return manual(facts, step, step.roleTo === null ? byHand.take : given);
}

/** A step that a person takes, said in steps that no connector knows. */
export function manual(
  facts: VendorFacts,
  step: Pick<Step, "slot" | "roleFrom" | "roleTo" | "privileged" | "because">,
  steps: readonly string[],
): Blocked {
  const { slot, roleFrom, roleTo, privileged, because } = step;
  const title = facts.kinds[slot.kind]?.title ?? slot.kind;
  const rules = because.length === 0 ? "" : ` (rules ${because.join(", ")})`;
  const role = roleTo ?? roleFrom ?? "";
  const line: TaskLine = {
    slot: { kind: slot.kind, objectId: slot.objectId },
    roleFrom,
    roleTo,
    privileged,
    because,
    steps: steps.map((text) => text.replaceAll("{role}", role)),
  };
  // Addresses and names are filled in where a person reads the task; here is what is stored with the target.
  const text = line.steps.join("; ").replaceAll("{account}", "the person's address");
  return { code: "MANUAL_STEP", text: `${title}: ${text}${rules}`, slot: line.slot, line };
}
