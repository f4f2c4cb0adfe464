import { createHash } from "node:crypto";
import type { ObservedAccount, PersonState } from "../accounts/account-store.ts";
import type { Lane } from "../accounts/lane.ts";
import type { Token } from "../credentials/credential-store.ts";
import { slotKey, type Slot } from "../model/entitlement.ts";
import { foldEmail } from "../model/fold.ts";
import type { TenantId } from "../model/ids.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import type { Origins } from "./provenance.ts";
import type { ReviewDeps } from "./review-deps.ts";
import { notKnown, type Provenance, type Review, type ReviewItem } from "./review.ts";
import type { Reviewers } from "./reviewers.ts";

/** As many identities as one read answers. */
const page = 500;

export interface Gathering {
  readonly deps: ReviewDeps;
  readonly tenantId: TenantId;
  readonly review: Review;
  readonly origins: Origins;
  readonly reviewers: Reviewers;
}

/** Everything that was observed at one connection, a page at a time. What was asked for and not seen is no item. */
export async function* observedItems(
  gathering: Gathering,
  lane: Lane,
  facts: VendorFacts,
): AsyncGenerator<{ readonly accounts: number; readonly items: readonly ReviewItem[] }> {
  const { deps, tenantId } = gathering;
  const { connectionId } = lane;
  const { objects } = await deps.store.listObjects(tenantId, connectionId);
  const names = new Map(objects.map((item) => [`${item.kind}\n${item.objectId}`, item.name]));
  let after: string | undefined;
  for (;;) {
    const accounts = await deps.store.listObserved(tenantId, {
      connectionId,
      limit: page,
      ...(after === undefined ? {} : { after }),
    });
    if (accounts.length > 0) {
      const items = await itemsOfPage(gathering, lane, facts, names, accounts);
      yield { accounts: accounts.length, items };
    }
    if (accounts.length < page) return;
    after = accounts.at(-1)?.accountId;
  }
}

async function itemsOfPage(
  { deps, tenantId, review, origins, reviewers }: Gathering,
  lane: Lane,
  facts: VendorFacts,
  names: ReadonlyMap<string, string>,
  accounts: readonly ObservedAccount[],
): Promise<readonly ReviewItem[]> {
  const { connectionId } = lane;
  const ids = accounts.map((item) => item.accountId);
  const links = await deps.store.findLinks(tenantId, connectionId, ids);
  const identityIds = [...new Set(links.map((link) => link.identityId))];
  const states = await deps.store.readPeople(tenantId, identityIds);
  const people = await deps.store.readIdentities(tenantId, identityIds);
  const grants = Map.groupBy(
    await deps.store.listObservedGrants(tenantId, connectionId, ids),
    (grant) => grant.accountId,
  );
  const accountKind = Object.entries(facts.kinds).find(([, kind]) => kind.account)?.[0] ?? "";
  const items: ReviewItem[] = [];
  for (const account of accounts) {
    const identityId = links.find((link) => link.accountId === account.accountId)?.identityId;
    const person = people.find((item) => item.identityId === identityId);
    const state = states.find((item) => item.identityId === identityId);
    const held = [
      {
        kind: accountKind,
        objectId: "",
        role: account.role,
        implicit: false,
        readAt: account.readAt,
      },
      ...(grants.get(account.accountId) ?? []).filter((grant) => grant.kind !== accountKind),
    ];
    for (const slot of held) {
      const given = givenBy(state, lane, slot, slot.role);
      const { provenance, barred } = origins.of(connectionId, given);
      const isAccount = slot.kind === accountKind;
      const about = { identityId: identityId ?? null, who: account.email, person };
      items.push({
        reviewId: review.reviewId,
        itemId: itemIdOf(connectionId, account.accountId, slotKey(slot)),
        version: 1,
        kind: isAccount ? "account" : "grant",
        connectionId,
        identityId: about.identityId,
        accountId: account.accountId,
        who: account.email,
        slot: { kind: slot.kind, objectId: slot.objectId },
        object: names.get(`${slot.kind}\n${slot.objectId}`) ?? null,
        role: slot.role,
        privileged: facts.kinds[slot.kind]?.roles[slot.role]?.privileged === true,
        implicit: slot.implicit,
        provenance,
        // No vendor of this build tells when an account was used last.
        lastUsedAt: null,
        readAt: slot.readAt,
        trust: facts.roster === undefined ? "verified" : "observed",
        reviewer: await reviewers.for(about, lane, barred),
        barred,
        answer: null,
        decision: null,
        effect: null,
      });
    }
  }
  return items;
}

/** By what the person holds it: the ledger's word, or that nobody of ours gave it. */
function givenBy(
  state: PersonState | undefined,
  { connectionId }: Lane,
  slot: Slot,
  role: string,
): Pick<Provenance, "because" | "origin" | "since"> {
  const entry = state?.ledger.find(
    (item) => item.connectionId === connectionId && slotKey(item) === slotKey(slot),
  );
  if (entry === undefined || entry.role !== role)
    return { because: [], origin: "foreign", since: null };
  return { because: entry.because, origin: entry.origin, since: entry.since };
}

/** Our own doors: who may work on this service, and which identity provider may write to it. */
export function tokenItems(
  { review, reviewers }: Gathering,
  tokens: readonly Token[],
  now: number,
): readonly ReviewItem[] {
  const live = tokens.filter(
    (token) =>
      token.revokedAt === undefined && (token.expiresAt === undefined || token.expiresAt > now),
  );
  return live.map((token) => ({
    reviewId: review.reviewId,
    itemId: itemIdOf("token", token.tokenId),
    version: 1,
    kind: "token",
    connectionId: null,
    identityId: null,
    accountId: null,
    who: token.label,
    slot: { kind: "token", objectId: token.tokenId },
    object: token.idpId ?? null,
    role: token.kind === "operator" ? (token.role ?? "operator") : token.kind,
    privileged: token.kind === "scim" || token.role !== "read",
    implicit: false,
    provenance: {
      ...{ because: [], origin: "none" as const, since: token.createdAt },
      ...{ owner: null, why: null, author: notKnown, approver: notKnown },
      membershipApprover: notKnown,
    },
    lastUsedAt: token.lastUsedAt ?? null,
    readAt: now,
    trust: "verified",
    reviewer: reviewers.named([foldEmail(token.label)]),
    barred: [],
    answer: null,
    decision: null,
    effect: null,
  }));
}

/** The same thing of the same review has the same id, however often it is gathered. */
export function itemIdOf(...parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\u0000")).digest("hex").slice(0, 20);
}
