import type { ObservedAccount } from "../accounts/account-store.ts";
import { isAcceptedAt } from "../accounts/adoption-store.ts";
import type { FindingDraft } from "../accounts/finding.ts";
import { priorities } from "../accounts/target.ts";
import { isOver } from "../model/account.ts";
import type { AccountId, ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import { emailDomain } from "../model/fold.ts";
import { newRecord, type RecomputeRequest } from "../model/records.ts";
import type { ConnectionPolicy } from "../model/policy.ts";
import { noteReturn } from "./late-return.ts";
import type { SyncDeps } from "./sync-deps.ts";

const pageSize = 500;

/**
 * What follows from a listing: people whose linked account changed or vanished are looked at again, unlinked accounts are matched
 * by exact address of a listed domain, and the rest is said. A leaver is never linked here: their look-alikes are findings.
 */
export async function compareListing(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
  changed: readonly AccountId[],
): Promise<void> {
  const lane = await deps.store.getLane(tenantId, connectionId);
  if (lane === undefined) return;
  const facts = deps.vendorFacts(lane.vendor, lane.profile, lane.policy.target);
  await wakeChanged(deps, tenantId, connectionId, changed);
  let after: string | undefined;
  for (;;) {
    const accounts = await deps.store.listObserved(tenantId, {
      connectionId,
      unlinkedOnly: true,
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    });
    const living = accounts.filter((account) => !account.gone && !isOver(account, facts ?? {}));
    await matchAccounts(deps, tenantId, connectionId, lane.policy, living);
    const last = accounts.at(-1);
    if (last === undefined || accounts.length < pageSize) return;
    after = last.accountId;
  }
}

async function wakeChanged(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
  changed: readonly AccountId[],
): Promise<void> {
  if (changed.length === 0) return;
  const links = await deps.store.findLinks(tenantId, connectionId, changed);
  if (links.length === 0) return;
  await deps.store.wakeTargets(
    tenantId,
    {
      connectionId,
      identityIds: links.map((link) => link.identityId),
      priority: priorities.change,
      now: deps.clock.now(),
    },
    { records: [], recompute: [] },
  );
  deps.ringWorkers(tenantId);
}

async function matchAccounts(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
  policy: ConnectionPolicy,
  candidates: readonly ObservedAccount[],
): Promise<void> {
  if (candidates.length === 0) return;
  const people = await deps.store.findIdentitiesByEmail(
    tenantId,
    candidates.map((account) => account.email),
  );
  const byEmail = Map.groupBy(people, (person) => person.email);
  const now = deps.clock.now();
  const accepted = new Map(
    (await deps.store.listAccepted(tenantId, connectionId)).map((item) => [item.accountId, item]),
  );
  const findings: FindingDraft[] = [];
  for (const account of candidates) {
    const found = byEmail.get(account.email) ?? [];
    const present = found.filter((person) => person.active && !person.former);
    const one = present.length === 1 ? present[0] : undefined;
    const listed =
      policy.domains.length === 0 || policy.domains.includes(emailDomain(account.email));
    if (one !== undefined && listed && !policy.protectedAccounts.includes(account.email)) {
      await link(deps, tenantId, connectionId, account, one.identityId, findings);
    } else {
      const gone = found.find((person) => !person.active && !person.former);
      // Somebody answers for an account that is nobody's; for a leaver's nobody can.
      if (gone === undefined && isAcceptedAt(accepted.get(account.accountId), now)) continue;
      findings.push(unmatched(connectionId, account, found[0]?.identityId, found.length > 0));
      if (gone !== undefined)
        await noteReturn(deps, tenantId, connectionId, gone.identityId, account.accountId);
    }
  }
  if (findings.length > 0)
    await deps.store.raiseFindings(tenantId, { findings, now: deps.clock.now() });
}

async function link(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
  account: ObservedAccount,
  identityId: IdentityId,
  findings: FindingDraft[],
): Promise<void> {
  const existing = await deps.store.getLink(tenantId, connectionId, identityId);
  if (existing !== undefined) {
    // A second account of one person: shown, never merged. The linked one alone is managed.
    if (existing.accountId !== account.accountId)
      findings.push(unmatched(connectionId, account, identityId, true));
    return;
  }
  const recompute: RecomputeRequest[] = [
    { identityId, cause: { kind: "observation" }, urgent: false },
  ];
  await deps.store.changeLink(
    tenantId,
    {
      connectionId,
      identityId,
      change: { op: "set", accountId: account.accountId, email: account.email, origin: "matched" },
      now: deps.clock.now(),
    },
    {
      records: [
        newRecord(deps.clock, {
          actor: deps.actor,
          action: "link.matched",
          subject: { type: "link", id: identityId },
          connectionId,
          cause: "observation",
          facts: {
            accountId: account.accountId,
            by: "exact address of a listed domain",
            role: account.role,
          },
          personal: { email: account.email },
        }),
      ],
      recompute,
    },
  );
  await deps.store.resolveFindings(tenantId, {
    keys: [
      `lookalike:${connectionId}:${account.accountId}`,
      `unmatched:${connectionId}:${account.accountId}`,
    ],
    now: deps.clock.now(),
  });
  deps.ringRelay();
}

function unmatched(
  connectionId: ConnectionId,
  account: ObservedAccount,
  identityId: IdentityId | undefined,
  lookalike: boolean,
): FindingDraft {
  const facts = { accountId: account.accountId, role: account.role, state: account.state };
  const base = { connectionId, facts, ...(identityId === undefined ? {} : { identityId }) };
  return lookalike
    ? {
        ...base,
        key: `lookalike:${connectionId}:${account.accountId}`,
        kind: "unlinked_lookalike",
        severity: "warning",
        text: "an account carries an address that is, or was, somebody's, and cannot be matched safely: link it with `rolecall link set`, or name its owner",
      }
    : {
        ...base,
        key: `unmatched:${connectionId}:${account.accountId}`,
        kind: "unmatched_account",
        severity: "info",
        text: "an account at the vendor belongs to nobody that the identity provider sent",
      };
}
