import { foldEmail } from "../model/fold.ts";
import type { IdentityFacts } from "../model/identity.ts";
import type { IdentityId, TenantId } from "../model/ids.ts";
import type { HeirPolicy } from "../model/policy.ts";
import type { OffboardingDeps } from "./offboarding-deps.ts";

/** Who takes over from a leaver, and why they. */
export interface Heir {
  readonly identityId: IdentityId;
  readonly as: "declared" | "manager" | "owner";
}

/**
 * The first of the declared heirs, the manager and the owner of the connection who is active and is not the leaver: one who leaves too
 * is skipped. Undefined: nobody is left.
 */
export async function heirOf(
  deps: Pick<OffboardingDeps, "store">,
  tenantId: TenantId,
  leaver: IdentityFacts,
  heirs: HeirPolicy | undefined,
): Promise<Heir | undefined> {
  const manager = leaver.attributes["manager"];
  const named: readonly (readonly [string, Heir["as"]])[] = [
    ...(heirs?.people ?? []).map((email) => [email, "declared"] as const),
    ...(typeof manager === "string" && manager !== "" ? [[manager, "manager"] as const] : []),
    ...(heirs?.owner === undefined ? [] : [[heirs.owner, "owner"] as const]),
  ];
  for (const [who, as] of named) {
    const found = await deps.store.findIdentities(
      tenantId,
      who.includes("@") ? foldEmail(who) : who,
    );
    const people = await deps.store.readIdentities(tenantId, found);
    const active = people.filter(
      (person) => person.active && person.identityId !== leaver.identityId,
    );
    const [one] = active;
    // Two people with one address: nobody is guessed.
    if (one !== undefined && active.length === 1) return { identityId: one.identityId, as };
  }
  return undefined;
}
