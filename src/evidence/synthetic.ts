import type { IdentityId, TenantId } from "../model/ids.ts";
import { isSynthetic } from "../model/pulse-settings.ts";
import type { EvidenceDeps } from "./evidence-deps.ts";

const page = 500;

/** Those of whom the pulse alone speaks: no people, so no part of a population. */
export async function syntheticAmong(
  { store }: Pick<EvidenceDeps, "store">,
  tenantId: TenantId,
  identityIds: Iterable<IdentityId>,
): Promise<ReadonlySet<IdentityId>> {
  const ids = [...new Set(identityIds)];
  const found = new Set<IdentityId>();
  for (let at = 0; at < ids.length; at += page)
    for (const person of await store.readIdentities(tenantId, ids.slice(at, at + page)))
      if (isSynthetic(person)) found.add(person.identityId);
  return found;
}
