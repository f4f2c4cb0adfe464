import type { PersonState } from "../accounts/account-store.ts";
import type { FindingDraft } from "../accounts/finding.ts";
import type { IdentityFacts } from "../model/identity.ts";
import type { SyncDeps } from "./sync-deps.ts";
import type { World } from "./world.ts";

/**
 * Accounts that carry one of a leaver's addresses and that nobody linked: never removed by guess, always said, because a leaver
 * may keep access through them.
 */
export async function reportLookalikes(
  deps: SyncDeps,
  world: World,
  person: IdentityFacts,
  state: PersonState,
): Promise<void> {
  const emails = [...person.emails, ...person.formerEmails];
  if (emails.length === 0) return;
  const findings: FindingDraft[] = [];
  for (const connection of world.connections) {
    const { connectionId } = connection.version;
    const linked = new Set(
      state.links
        .filter((link) => link.connectionId === connectionId)
        .map((link) => link.accountId),
    );
    const candidates = await deps.store.listObserved(person.tenantId, {
      connectionId,
      emails,
      unlinkedOnly: true,
      limit: 20,
    });
    for (const account of candidates) {
      if (linked.has(account.accountId)) continue;
      findings.push({
        key: `lookalike:${connectionId}:${account.accountId}`,
        kind: "unlinked_lookalike",
        severity: "urgent",
        connectionId,
        identityId: person.identityId,
        text: "a leaver's address is on an account that is linked to nobody: link it with `rolecall link set`, or name its owner",
        facts: { accountId: account.accountId, role: account.role, state: account.state },
      });
    }
  }
  if (findings.length === 0) return;
  await deps.store.raiseFindings(person.tenantId, { findings, now: deps.clock.now() });
}
