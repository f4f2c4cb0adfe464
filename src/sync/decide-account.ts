import { isAcceptedAt } from "../accounts/adoption-store.ts";
import type { ObservedAccount } from "../accounts/account-store.ts";
import { isOver } from "../model/account.ts";
import type { Instant } from "../model/clock.ts";
import { StoreError } from "../model/errors.ts";
import type { AccountId, ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import { newRecord, type Actor } from "../model/records.ts";
import { findingsOf, setLink } from "./set-link.ts";
import type { SyncDeps } from "./sync-deps.ts";

const pageSize = 500;

/** An account that nobody is linked to, and what is known about whose it could be. */
export interface UndecidedAccount {
  readonly account: ObservedAccount;
  /** unmatched: nobody's address · lookalike: somebody's, but not safely theirs · leaver: of somebody who left · accepted: somebody answers for it. */
  readonly kind: "unmatched" | "lookalike" | "leaver" | "accepted";
  /** People who have, or had, its address. */
  readonly candidates: readonly IdentityId[];
  readonly owner: string | undefined;
  readonly reason: string | undefined;
  readonly until: Instant | null;
}

/** One row of decisions that a person made. */
export interface AccountDecision {
  readonly connectionId: ConnectionId;
  readonly accountId: AccountId;
  readonly decision:
    | { readonly op: "link"; readonly identityId: IdentityId }
    | { readonly op: "accept"; readonly until: Instant | null }
    | { readonly op: "withdraw" };
  /** Folded address of who answers for it. */
  readonly owner: string;
  readonly reason: string;
}

/** Every living account of a connection that is linked to nobody, from the last complete listing. */
export async function undecidedAccounts(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
): Promise<readonly UndecidedAccount[]> {
  const lane = await deps.store.getLane(tenantId, connectionId);
  if (lane === undefined)
    throw new StoreError("NOT_FOUND", `there is no connection ${connectionId}`);
  const facts = deps.vendorFacts(lane.vendor, lane.profile, lane.policy.target) ?? {};
  const accepted = new Map(
    (await deps.store.listAccepted(tenantId, connectionId)).map((item) => [item.accountId, item]),
  );
  const found: UndecidedAccount[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await deps.store.listObserved(tenantId, {
      ...{ connectionId, unlinkedOnly: true, limit: pageSize },
      ...(after === undefined ? {} : { after }),
    });
    const living = page.filter((account) => !account.gone && !isOver(account, facts));
    const people = await deps.store.findIdentitiesByEmail(
      tenantId,
      living.map((account) => account.email),
    );
    const byEmail = Map.groupBy(people, (person) => person.email);
    for (const account of living) {
      if (lane.ownAccountIds.includes(account.accountId)) continue;
      const own = byEmail.get(account.email) ?? [];
      const answered = accepted.get(account.accountId);
      const left = own.some((person) => !person.active && !person.former);
      const isAnswered = isAcceptedAt(answered, deps.clock.now());
      const kind = left ? "leaver" : isAnswered ? "accepted" : own[0] ? "lookalike" : "unmatched";
      found.push({
        ...{ account, kind, candidates: own.map((person) => person.identityId) },
        ...{ owner: answered?.owner, reason: answered?.reason, until: answered?.until ?? null },
      });
    }
    if (page.length < pageSize) return found;
    after = page.at(-1)?.accountId;
  }
}

/**
 * Carries one decision out, with who answers for it and why in its record.
 * @throws StoreError NOT_FOUND for an account that was never seen; ALREADY_EXISTS for one that is another person's
 */
export async function decideAccount(
  deps: SyncDeps,
  tenantId: TenantId,
  decision: AccountDecision,
  actor: Actor,
): Promise<void> {
  const { connectionId, accountId, owner, reason } = decision;
  const account = (
    await deps.store.listObserved(tenantId, { connectionId, accountIds: [accountId], limit: 1 })
  )[0];
  if (account === undefined)
    throw new StoreError("NOT_FOUND", `no account ${accountId} was seen at ${connectionId}`);
  const chosen = decision.decision;
  if (chosen.op === "link") {
    const { identityId } = chosen;
    const why = reason;
    const { email } = account;
    await setLink(deps, tenantId, {
      connectionId,
      identityId,
      accountId,
      email,
      why,
      owner,
      actor,
    });
    return;
  }
  const now = deps.clock.now();
  const record = newRecord(deps.clock, {
    actor,
    action: chosen.op === "accept" ? "account.accepted" : "account.acceptance_withdrawn",
    subject: { type: "account", id: accountId },
    connectionId,
    facts: { why: reason, ...(chosen.op === "accept" ? { until: chosen.until } : {}) },
    personal: { owner },
  });
  const also = { records: [record], recompute: [] };
  if (chosen.op === "withdraw") {
    const was = await deps.store.withdrawAcceptance(tenantId, { connectionId, accountId }, also);
    if (!was) throw new StoreError("NOT_FOUND", `nobody answers for ${accountId}`);
    return;
  }
  const { until } = chosen;
  const accepted = { connectionId, accountId, owner, reason, until, by: actor.id, at: now };
  await deps.store.acceptAccount(tenantId, accepted, also);
  await deps.store.resolveFindings(tenantId, {
    keys: [`unmatched:${connectionId}:${accountId}`],
    now,
  });
  const [lookalike] = findingsOf(connectionId, accountId);
  const left = (await deps.store.findIdentitiesByEmail(tenantId, [account.email])).some(
    (person) => !person.active && !person.former,
  );
  // Nobody can answer for what a leaver may still use.
  if (lookalike !== undefined && !left)
    await deps.store.resolveFindings(tenantId, { keys: [lookalike], now });
}
