import type { DesiredState } from "../model/assignment.ts";
import type { Entitlement } from "../model/entitlement.ts";
import { withoutIgnored, type ConnectionPolicy } from "../model/policy.ts";

/** The same without kinds that the mapping ignores: no step, no finding, no count; what we gave there stays remembered. */
export function heeded<
  Input extends {
    readonly policy: ConnectionPolicy;
    readonly desired: DesiredState;
    readonly ledger: readonly Entitlement[];
  },
>(input: Input): Input {
  const { policy, desired, ledger } = input;
  const assignments = withoutIgnored(policy, desired.assignments);
  return {
    ...input,
    desired: { ...desired, assignments },
    ledger: withoutIgnored(policy, ledger),
  };
}
