import type { ObservedAccount } from "../accounts/account-store.ts";
import { canonicalHash } from "../mapping/canonical.ts";
import { isOver } from "../model/account.ts";
import { StoreError } from "../model/errors.ts";
import type { ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import { newRecord, type Actor } from "../model/records.ts";
import { undecidedAccounts, type UndecidedAccount } from "./decide-account.ts";
import type { SyncDeps } from "./sync-deps.ts";

const pageSize = 500;

/** What is at a vendor before Rolecall changes anything: who exists, who matches, what would change. */
export interface Baseline {
  readonly connectionId: ConnectionId;
  readonly mode: string;
  /** Of the last complete listing; null: there was none, and nothing else here means anything. */
  readonly listedAt: number | null;
  readonly counts: {
    readonly accounts: number;
    readonly linked: number;
    readonly undecided: number;
    /** Undecided ones of people who left. */
    readonly leavers: number;
    readonly accepted: number;
    /** People of whom something would change. */
    readonly changes: number;
  };
  readonly undecided: readonly UndecidedAccount[];
  /** By person, what the plan says now. */
  readonly changes: readonly {
    readonly identityId: IdentityId;
    readonly plan: readonly string[];
  }[];
  /** SHA-256 over everything above but the instant: a sign-off names it. */
  readonly hash: string;
}

/** @throws StoreError NOT_FOUND */
export async function readBaseline(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
): Promise<Baseline> {
  const lane = await deps.store.getLane(tenantId, connectionId);
  if (lane === undefined)
    throw new StoreError("NOT_FOUND", `there is no connection ${connectionId}`);
  const facts = deps.vendorFacts(lane.vendor, lane.profile, lane.policy.target) ?? {};
  const living = (await allAccounts(deps, tenantId, connectionId)).filter(
    (account) => !account.gone && !isOver(account, facts),
  );
  const undecided = await undecidedAccounts(deps, tenantId, connectionId);
  const changes = await plannedChanges(deps, tenantId, connectionId);
  const of = (kind: UndecidedAccount["kind"]) =>
    undecided.filter((item) => item.kind === kind).length;
  const counts = {
    accounts: living.length,
    linked: living.length - undecided.length,
    undecided: undecided.length - of("accepted"),
    leavers: of("leaver"),
    accepted: of("accepted"),
    changes: changes.length,
  };
  const hash = canonicalHash({
    counts,
    accounts: living.map(({ accountId, state, role }) => ({ accountId, state, role })),
    undecided: undecided.map(({ account, kind }) => ({ accountId: account.accountId, kind })),
    changes,
  });
  const { listedAt } = lane;
  const { mode } = lane.policy;
  return { connectionId, mode, listedAt, counts, undecided, changes, hash };
}

/**
 * Records that somebody has seen the baseline and answers for it: the first step before a connection may write.
 * @throws StoreError NOT_FOUND; VERSION_CONFLICT when there is no complete listing, or it is not what was seen
 */
export async function signBaselineOff(
  deps: SyncDeps,
  tenantId: TenantId,
  signed: {
    readonly connectionId: ConnectionId;
    readonly hash: string;
    readonly why: string;
    readonly actor: Actor;
  },
): Promise<Baseline> {
  const { connectionId, why, actor } = signed;
  const baseline = await readBaseline(deps, tenantId, connectionId);
  if (baseline.listedAt === null)
    throw new StoreError("VERSION_CONFLICT", "the vendor has not been listed completely yet");
  if (baseline.hash !== signed.hash)
    throw new StoreError(
      "VERSION_CONFLICT",
      "the vendor shows something else than what was signed for: look at it again",
    );
  const at = deps.clock.now();
  const { counts, hash } = baseline;
  await deps.store.signOff(
    tenantId,
    { connectionId, by: actor.id, at, why, baseline: counts, hash },
    {
      records: [
        newRecord(deps.clock, {
          actor,
          action: "connection.signed_off",
          subject: { type: "connection", id: connectionId },
          connectionId,
          facts: { why, hash, ...counts },
        }),
      ],
      recompute: [],
    },
  );
  return baseline;
}

/** Every account that a listing or a look has shown. */
export async function allAccounts(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
): Promise<readonly ObservedAccount[]> {
  const all: ObservedAccount[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await deps.store.listObserved(tenantId, {
      ...{ connectionId, limit: pageSize },
      ...(after === undefined ? {} : { after }),
    });
    all.push(...page);
    if (page.length < pageSize) return all;
    after = page.at(-1)?.accountId;
  }
}

async function plannedChanges(
  deps: SyncDeps,
  tenantId: TenantId,
  connectionId: ConnectionId,
): Promise<Baseline["changes"]> {
  const changes: { identityId: IdentityId; plan: readonly string[] }[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await deps.store.listTargets(tenantId, {
      ...{ connectionId, limit: pageSize },
      ...(after === undefined ? {} : { after }),
    });
    for (const { identityId, notes } of page) {
      const { plan } = notes;
      if (!Array.isArray(plan)) continue;
      // A note says what is left alone.
      const lines = plan.filter(
        (line): line is string => typeof line === "string" && !line.startsWith("note "),
      );
      if (lines.length > 0) changes.push({ identityId, plan: lines });
    }
    if (page.length < pageSize) return changes;
    after = page.at(-1)?.identityId;
  }
}
