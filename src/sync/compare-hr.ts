import { employmentAt } from "../model/employment.ts";
import type { IdentityFacts } from "../model/identity.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** Says where HR sources contradict each other about who is here now, and takes it back when they agree again. */
export async function compareHrSources(
  deps: SyncDeps,
  person: IdentityFacts,
  now: number,
): Promise<void> {
  if (person.employment === undefined || person.employment.records.length < 2) return;
  const { identityId, tenantId } = person;
  const key = `hr_sources_disagree:${identityId}`;
  const { contradicting, sourceId, state } = employmentAt(person.employment, now);
  if (contradicting.length === 0) {
    await deps.store.resolveFindings(tenantId, { keys: [key], now });
    return;
  }
  await deps.store.raiseFindings(tenantId, {
    findings: [
      {
        key,
        kind: "hr_sources_disagree",
        severity: "warning",
        identityId,
        text: `HR sources disagree on whether this person is here: ${sourceId} decides, by \`decide\` in hr.yaml; correct the other source`,
        facts: { decides: sourceId, state, contradicting },
      },
    ],
    now,
  });
}
