import type { Link, LedgerEntry } from "../accounts/account-store.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import type { Call, Connector } from "../connectors/connector.ts";
import type { ObservedGrant, VendorAccount } from "../model/account.ts";
import type { Slot } from "../model/entitlement.ts";
import type { AccountId, IdentityId } from "../model/ids.ts";
import { newRecord } from "../model/records.ts";
import { slotsToRead } from "../plan/plan.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { matchAccount } from "./match.ts";
import type { UnsavedLook } from "./unsaved-look.ts";

/** What is true at the vendor for one person, read now, whole or not at all. */
export interface Look {
  readonly account: VendorAccount | undefined;
  readonly link: Link | undefined;
  readonly grants: readonly ObservedGrant[];
  readonly ledger: readonly LedgerEntry[];
  readonly lookalikes: readonly VendorAccount[];
  /** The moment that it shows at the latest. */
  readonly shownAt: number;
}

interface Looking {
  readonly deps: ApplyDeps;
  readonly connector: Connector;
  readonly call: Call;
  readonly target: LeasedTarget;
  readonly unsaved: UnsavedLook;
}

/** What we hold of a person at a connection. */
export type Held = Pick<Look, "link" | "ledger">;

export async function heldOf(
  { store }: Pick<ApplyDeps, "store">,
  { tenantId, connectionId, identityId }: LeasedTarget,
): Promise<Held> {
  const [link, ledger] = await Promise.all([
    store.getLink(tenantId, connectionId, identityId),
    store.listLedger(tenantId, connectionId, identityId),
  ]);
  return { link, ledger };
}

/** Reads one person at the vendor, matches the account, and notes what was seen. A read that is not complete throws. */
export async function lookAt(
  { deps, connector, call, target, unsaved }: Looking,
  { link, ledger }: Held,
): Promise<Look> {
  const { identityId, desired } = target;
  const shownAt = call.roster?.capturedAt ?? call.now();
  const emails = [
    ...new Set([...desired.profile.emails, ...(link === undefined ? [] : [link.email])]),
  ];
  const candidates = await connector.findAccounts(call, {
    emails,
    reference: identityId,
    leaving: desired.lifecycle === "departed",
    ...(link === undefined ? {} : { accountId: link.accountId }),
  });
  const others = candidates.some((item) => item.accountId !== link?.accountId);
  const seen = await seenOf(deps, target, candidates, {
    owners: others,
    grants: Object.values(connector.facts.kinds).some((kind) => !kind.account),
  });
  const match = matchAccount({
    facts: connector.facts,
    identityId,
    desired,
    link,
    candidates,
    owners: seen.owners,
  });
  const settled = match.relink === undefined ? link : await relink(deps, target, match.relink);
  const account = match.account;
  const grants = await readGrants(connector, call, target, {
    account,
    ledger,
    lastSeen: seen.grants,
  });
  const gone = goneAccounts(link, candidates);
  // Usual: nobody but the linked account, present. Whatever else a look finds, others decide by.
  const usual = gone.length === 0 && !others;
  await unsaved.note(
    {
      accounts: candidates,
      gone,
      grants: account === undefined ? [] : [{ accountId: account.accountId, ...grants }],
      now: deps.clock.now(),
    },
    usual && desired.lifecycle === "active",
  );
  return {
    account,
    link: settled,
    ledger,
    lookalikes: match.lookalikes,
    grants: grants.held,
    shownAt,
  };
}

async function readGrants(
  connector: Connector,
  call: Call,
  target: LeasedTarget,
  known: {
    readonly account: VendorAccount | undefined;
    readonly ledger: readonly LedgerEntry[];
    readonly lastSeen: Seen["grants"];
  },
): Promise<{ readonly asked: readonly Slot[]; readonly held: readonly ObservedGrant[] }> {
  const { account, ledger } = known;
  if (account?.state !== "active") return { asked: [], held: [] };
  const lastSeen = known.lastSeen.filter((grant) => grant.accountId === account.accountId);
  const asked = slotsToRead({ desired: target.desired, ledger, lastSeen, facts: connector.facts });
  const held = asked.length === 0 ? [] : await connector.readGrants(call, account, asked);
  return { asked, held };
}

interface Seen {
  readonly owners: ReadonlyMap<AccountId, IdentityId>;
  /** What the accounts held when they were last looked at. */
  readonly grants: readonly (ObservedGrant & { readonly accountId: AccountId })[];
}

async function seenOf(
  deps: ApplyDeps,
  { tenantId, connectionId }: LeasedTarget,
  candidates: readonly VendorAccount[],
  asked: { readonly owners: boolean; readonly grants: boolean },
): Promise<Seen> {
  if (candidates.length === 0) return { owners: new Map(), grants: [] };
  const accountIds = candidates.map((item) => item.accountId);
  const [links, grants] = await Promise.all([
    asked.owners ? deps.store.findLinks(tenantId, connectionId, accountIds) : [],
    asked.grants ? deps.store.listObservedGrants(tenantId, connectionId, accountIds) : [],
  ]);
  return { owners: new Map(links.map((item) => [item.accountId, item.identityId])), grants };
}

function goneAccounts(
  link: Link | undefined,
  candidates: readonly VendorAccount[],
): readonly AccountId[] {
  if (link === undefined || candidates.some((item) => item.accountId === link.accountId)) return [];
  return [link.accountId];
}

async function relink(
  deps: ApplyDeps,
  target: LeasedTarget,
  found: { readonly account: VendorAccount; readonly origin: Link["origin"] },
): Promise<Link> {
  const { tenantId, connectionId, identityId } = target;
  const change = {
    op: "set" as const,
    accountId: found.account.accountId,
    email: found.account.email,
    origin: found.origin,
  };
  const now = deps.clock.now();
  await deps.store.changeLink(
    tenantId,
    { connectionId, identityId, change, now },
    {
      records: [
        newRecord(deps.clock, {
          actor: deps.actor,
          action: found.origin === "matched" ? "link.matched" : "link.followed",
          subject: { type: "link", id: identityId },
          connectionId,
          cause: target.cause,
          facts: {
            accountId: found.account.accountId,
            role: found.account.role,
            state: found.account.state,
          },
          personal: { email: found.account.email },
        }),
      ],
      recompute: [],
    },
  );
  return {
    connectionId,
    identityId,
    accountId: change.accountId,
    email: change.email,
    origin: change.origin,
    since: now,
  };
}
