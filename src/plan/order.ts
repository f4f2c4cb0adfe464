import type { Step } from "./step.ts";

/**
 * The order inside one plan: an account first, its role raised, then what needs it; only then losses, privileged ones first,
 * the account's own role after the slots that depend on it, and the end of the account last. So a mover never stands without
 * the new role because the old one went first.
 */
export function orderSteps(steps: readonly Step[], accountKind: string): readonly Step[] {
  return steps
    .map((step, index) => ({ step, index, rank: rankOf(step, accountKind) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map((item) => item.step);
}

function rankOf(step: Step, accountKind: string): number {
  const onAccount = step.slot.kind === accountKind;
  if (step.direction === "gain") {
    if (step.action === "create_account") return 0;
    return onAccount ? 1 : 2;
  }
  if (step.action === "remove_account" || step.action === "cancel_invitation") return 6;
  if (onAccount) return 5;
  return step.privileged ? 3 : 4;
}
