import type { Plan, Step } from "./step.ts";

/** One line per step, block and wait, for `plan`, logs without personal values, and the demo. */
export function renderPlan(plan: Plan): readonly string[] {
  return [
    ...plan.steps.map(renderStep),
    ...plan.afterAcceptance.map(
      (item) => `wait   ${place(item)} ${item.role} after the invitation is accepted`,
    ),
    ...plan.blocked.map((item) => `block  ${item.text} [${item.code}]`),
    ...plan.observations.map(
      (item) => `note   ${item.text}${item.slot === null ? "" : ` (${place(item.slot)})`}`,
    ),
  ];
}

export function renderStep(step: Step): string {
  const why = step.because.length === 0 ? "" : ` because ${step.because.join(", ")}`;
  switch (step.action) {
    case "create_account":
      return `invite as ${step.roleTo ?? ""}${why}`;
    case "set_account_role":
      return `change ${place(step.slot)} from ${step.roleFrom ?? "none"} to ${step.roleTo ?? "none"}${why}`;
    case "grant":
      return step.roleFrom === null
        ? `grant  ${place(step.slot)} ${step.roleTo ?? ""}${why}`
        : `change ${place(step.slot)} from ${step.roleFrom} to ${step.roleTo ?? ""}${why}`;
    case "revoke":
      return `revoke ${place(step.slot)} ${step.roleFrom ?? ""}`;
    case "remove_account":
      return `remove the account (${step.roleFrom ?? "no role"})`;
    case "cancel_invitation":
      return `cancel the invitation (${step.roleFrom ?? "no role"})`;
  }
}

function place(slot: { readonly kind: string; readonly objectId: string }): string {
  return slot.objectId === "" ? slot.kind : `${slot.kind} ${slot.objectId}`;
}
