import type { Lane } from "../accounts/lane.ts";
import { StoreError } from "../model/errors.ts";
import { foldEmail } from "../model/fold.ts";
import { slotKey } from "../model/entitlement.ts";
import type { AccessException, IdentityFacts } from "../model/identity.ts";
import type { ReviewId, TenantId } from "../model/ids.ts";
import { taskDueMs } from "../model/policy.ts";
import {
  newRecord,
  type Actor,
  type AuditRecord,
  type RecomputeRequest,
} from "../model/records.ts";
import { endTask, keepTask } from "../tasks/keep-task.ts";
import { reviewRecord } from "./open-review.ts";
import type { ReviewDeps } from "./review-deps.ts";
import type { ReviewStore } from "./review-store.ts";
import {
  exceptionOf,
  ReviewRefusal,
  type ReviewEffect,
  type ReviewItem,
  type Verdict,
} from "./review.ts";
import { whyNot } from "./reviewers.ts";

export interface ItemWish {
  readonly reviewId: ReviewId;
  readonly itemId: string;
  readonly verdict: Verdict;
  readonly why: string;
  readonly actor: Actor;
}

/** What a decision writes beside itself. */
type Written = Pick<
  Parameters<ReviewStore["decideReviewItem"]>[1],
  "effect" | "exception" | "seen" | "adopt" | "withdraw"
> & { readonly records: readonly AuditRecord[] };

/**
 * A person says whether something stays. A revocation is kept as an exception that no rule overrules, and a plan takes the thing away
 * through the same rails as any change; what no plan can take is a task. A second word before the review is closed takes the place of the first.
 * @throws StoreError NOT_FOUND; ReviewRefusal
 */
export async function decideItem(
  deps: ReviewDeps,
  tenantId: TenantId,
  wish: ItemWish,
): Promise<ReviewItem> {
  const { reviewId, itemId, actor } = wish;
  const review = await deps.store.getReview(tenantId, reviewId);
  if (review === undefined) throw new StoreError("NOT_FOUND", `there is no review ${reviewId}`);
  if (review.state !== "open")
    throw new ReviewRefusal(
      review.state === "closed"
        ? "the review is closed: open another one"
        : "the review is still being written down: try again in a minute",
    );
  const item = await deps.store.getReviewItem(tenantId, reviewId, itemId);
  if (item === undefined)
    throw new StoreError("NOT_FOUND", `there is no item ${itemId} in this review`);
  const person = await personOf(deps, tenantId, item);
  const refusal = whyNot(item, person, actor) ?? unfit(item, wish.verdict);
  if (refusal !== undefined) throw new ReviewRefusal(refusal);
  const now = deps.clock.now();
  const written = await writtenFor(deps, tenantId, { item, person, wish });
  const decision = {
    ...{ verdict: wish.verdict, why: wish.why, by: actor.id, at: now },
    asAsked: item.reviewer === foldEmail(actor.id),
  };
  const { records, ...rest } = written;
  const { identityId } = item;
  const moved = written.exception !== undefined || written.withdraw !== undefined;
  const recompute: readonly RecomputeRequest[] =
    identityId === null || !moved
      ? []
      : [{ identityId, cause: { kind: "operator" }, urgent: false }];
  const decided = await deps.store.decideReviewItem(
    tenantId,
    { reviewId, itemId, version: item.version, decision, now, ...rest },
    {
      records: [
        reviewRecord(deps, item, actor, "review.decided", {
          ...{ itemId, kind: item.kind, verdict: wish.verdict, why: wish.why, identityId },
          ...{
            connectionId: item.connectionId,
            slot: item.slot === null ? null : slotKey(item.slot),
          },
          ...{ role: item.role, asAsked: decision.asAsked },
          before: item.decision?.verdict ?? null,
        }),
        ...records,
      ],
      recompute,
    },
  );
  await afterwards(deps, tenantId, decided, wish);
  return decided;
}

async function personOf(
  deps: ReviewDeps,
  tenantId: TenantId,
  { identityId }: ReviewItem,
): Promise<IdentityFacts | undefined> {
  if (identityId === null) return undefined;
  return (await deps.store.readIdentities(tenantId, [identityId]))[0];
}

/** A verdict that says nothing about this kind of item. */
function unfit(item: ReviewItem, verdict: Verdict): string | undefined {
  const ofLine = verdict === "confirm" || verdict === "gap";
  if (ofLine !== (item.kind === "line"))
    return item.kind === "line"
      ? "a line of a checklist is confirmed, or is a gap"
      : "access is kept or revoked";
  if (verdict === "revoke" && item.implicit)
    return "it follows from the role of the account: revoke that one";
  return undefined;
}

interface Scene {
  readonly item: ReviewItem;
  readonly person: IdentityFacts | undefined;
  readonly wish: ItemWish;
}

async function writtenFor(deps: ReviewDeps, tenantId: TenantId, scene: Scene): Promise<Written> {
  const { item, wish } = scene;
  switch (wish.verdict) {
    case "confirm":
      return { effect: null, records: [] };
    case "keep":
      return keptAgain(deps, scene);
    case "gap":
      return { effect: byHand(item, "somebody closes the gap"), records: [] };
    case "revoke":
      if (item.kind === "token") return revokedToken(deps, tenantId, scene);
      return revoked(deps, tenantId, scene);
  }
}

/** An earlier revocation of this review ends with the new word. */
function keptAgain(deps: ReviewDeps, { item, wish }: Scene): Written {
  if (item.kind === "token" && item.effect?.state === "done")
    throw new ReviewRefusal("the token is revoked already: make a new one");
  const withdraw = item.effect?.exceptionId;
  if (withdraw === undefined) return { effect: null, records: [] };
  const record = exceptionRecord(deps, item, wish, "exception.withdrawn", withdraw);
  return { effect: null, withdraw, records: [record] };
}

async function revokedToken(
  deps: ReviewDeps,
  tenantId: TenantId,
  { item, wish }: Scene,
): Promise<Written> {
  const tokenId = item.slot?.objectId ?? "";
  const token = (await deps.store.listTokens(tenantId)).find((one) => one.tokenId === tokenId);
  if (token === undefined || token.revokedAt !== undefined)
    return { effect: done(deps, "it was revoked already"), records: [] };
  if (token.hash.slice(0, 12) === wish.actor.credentialFingerprint)
    throw new ReviewRefusal("it is the token that you speak with: somebody else has to revoke it");
  await deps.store.revokeToken(
    tenantId,
    { tokenId, now: deps.clock.now() },
    {
      records: [
        newRecord(deps.clock, {
          actor: wish.actor,
          action: "token.revoked",
          subject: { type: "token", id: tokenId },
          cause: `review:${item.reviewId}`,
          facts: { itemId: item.itemId },
        }),
      ],
      recompute: [],
    },
  );
  deps.tokensChanged();
  return { effect: done(deps, "the token stopped at once"), records: [] };
}

async function revoked(deps: ReviewDeps, tenantId: TenantId, scene: Scene): Promise<Written> {
  const { item, person, wish } = scene;
  const lane = await laneOf(deps, tenantId, item);
  if (lane.ownAccountIds.some((id) => id === item.accountId))
    throw new ReviewRefusal("it is the account that Rolecall itself works with");
  if (lane.policy.protectedAccounts.includes(item.who))
    throw new ReviewRefusal(
      "the account is on the protected list of the mapping: take it off there first",
    );
  const { identityId, slot, role, connectionId } = item;
  const [state] = identityId === null ? [] : await deps.store.readPeople(tenantId, [identityId]);
  const link = state?.links.find((one) => one.connectionId === connectionId);
  if (link !== undefined && link.accountId !== item.accountId)
    throw new ReviewRefusal("it changed since it was written down: open another review");
  if (
    identityId === null ||
    connectionId === null ||
    person === undefined ||
    slot === null ||
    // Unlinked since: no plan of the person reaches the account.
    link === undefined
  )
    return {
      effect: byHand(item, "the account is linked with nobody: a task asks for it"),
      records: [],
    };
  const exceptionId = exceptionOf(item);
  const exception: AccessException = {
    exceptionId,
    // The id, not an address: a person who is renamed stays revoked.
    person: identityId,
    connectionId,
    effect: "deny",
    kind: slot.kind,
    object: slot.objectId === "" ? null : { by: "id", value: slot.objectId },
    // No role at all: a rule that gives another one of the place gives it back as well.
    role: null,
    until: null,
    why: wish.why,
    by: wish.actor.id,
    source: "decision",
  };
  const entry = state?.ledger.find(
    (one) => one.connectionId === connectionId && slotKey(one) === slotKey(slot),
  );
  const ledgerRole = entry?.role ?? null;
  const hands = !writable(deps, lane, item);
  const text = hands
    ? "no API takes this role: a task asks for it"
    : "a plan takes it away, as far as rails and mode allow";
  const effect: ReviewEffect = {
    ...{ state: "pending", text, at: null, exceptionId },
    ...(hands ? { taskKey: taskKeyOf(item) } : {}),
  };
  return {
    effect,
    exception,
    seen: { connectionId, identityId, accountId: link.accountId, slot, ledgerRole },
    // Nobody of ours gave it: a person's word is what lets a plan take it.
    ...(role === null || !isAbove(deps, lane, slot.kind, role, ledgerRole)
      ? {}
      : {
          adopt: {
            ...{ connectionId, identityId, kind: slot.kind, objectId: slot.objectId, role },
            because: [`exception:${exceptionId}`],
          },
        }),
    records: [exceptionRecord(deps, item, wish, "exception.added", exceptionId)],
  };
}

async function laneOf(deps: ReviewDeps, tenantId: TenantId, item: ReviewItem): Promise<Lane> {
  const lane =
    item.connectionId === null ? undefined : await deps.store.getLane(tenantId, item.connectionId);
  if (lane === undefined) throw new ReviewRefusal("the connection is not there any more");
  return lane;
}

/** Whether a plan can take the role; the role of an account is taken by hand there already. */
function writable(deps: ReviewDeps, lane: Lane, { slot, role }: ReviewItem): boolean {
  if (slot === null || role === null) return false;
  const kind = deps.vendorFacts(lane.vendor, lane.profile, lane.policy.target)?.kinds[slot.kind];
  return kind?.account === true || kind?.roles[role]?.assignable !== false;
}

/** Whether the role is more than what the ledger knows; a row of ours of the same rank or above covers it already. */
function isAbove(
  deps: ReviewDeps,
  lane: Lane,
  kind: string,
  role: string,
  ledgerRole: string | null,
): boolean {
  if (ledgerRole === null) return true;
  const roles = deps.vendorFacts(lane.vendor, lane.profile, lane.policy.target)?.kinds[kind]?.roles;
  return (roles?.[role]?.rank ?? 0) > (roles?.[ledgerRole]?.rank ?? 0);
}

const taskKeyOf = (item: Pick<ReviewItem, "reviewId" | "itemId">): string =>
  `review:${item.reviewId}:${item.itemId}`;

const byHand = (item: ReviewItem, text: string): ReviewEffect => ({
  ...{ state: "pending", text, at: null },
  taskKey: taskKeyOf(item),
});

const done = (deps: ReviewDeps, text: string): ReviewEffect => ({
  ...{ state: "done", text },
  at: deps.clock.now(),
});

function exceptionRecord(
  deps: ReviewDeps,
  item: ReviewItem,
  wish: ItemWish,
  action: string,
  exceptionId: string,
): AuditRecord {
  return newRecord(deps.clock, {
    actor: wish.actor,
    action,
    subject: { type: "exception", id: exceptionId },
    ...(item.connectionId === null ? {} : { connectionId: item.connectionId }),
    cause: `review:${item.reviewId}`,
    facts: {
      ...{ identityId: item.identityId, effect: "deny", why: wish.why, until: null },
      ...{ kind: item.slot?.kind ?? null, objectId: item.slot?.objectId ?? null },
    },
  });
}

/** The task that a decision asks for, or the end of one that it asks for no more. The keeper does the same after a crash. */
async function afterwards(
  deps: ReviewDeps,
  tenantId: TenantId,
  item: ReviewItem,
  wish: ItemWish,
): Promise<void> {
  if (item.effect?.taskKey === undefined) {
    const note = "the review says something else now";
    await endTask(deps, tenantId, taskKeyOf(item), { state: "cancelled", note }, wish.actor);
  } else await keepReviewTask(deps, tenantId, item);
  deps.ringRelay();
}

/** Asks people for what no plan does. */
export async function keepReviewTask(
  deps: ReviewDeps,
  tenantId: TenantId,
  item: ReviewItem,
): Promise<void> {
  if (item.effect?.taskKey === undefined || item.effect.state === "done") return;
  const lane =
    item.connectionId === null ? undefined : await deps.store.getLane(tenantId, item.connectionId);
  const policy = lane?.policy.tasks;
  const line = item.kind === "line";
  const what = item.object ?? item.slot?.kind ?? "access";
  const steps = line
    ? [item.who, `what is missing: ${item.decision?.why ?? ""}`]
    : [
        `take ${item.role ?? "its role"} in ${what} from the account ${item.accountId ?? ""} at the vendor`,
        "say so here; the next look at the vendor shows it",
      ];
  await keepTask(deps, tenantId, {
    key: item.effect.taskKey,
    title: `${item.connectionId ?? "review"}: ${line ? `close a gap: ${what}` : `a review revoked ${what}`}`,
    connectionId: item.connectionId,
    identityId: item.identityId,
    cause: "review",
    lines: [
      {
        slot: null,
        roleFrom: item.role,
        roleTo: null,
        privileged: item.privileged,
        because: [],
        steps,
      },
    ],
    dueAt: (item.decision?.at ?? deps.clock.now()) + (policy?.dueMs ?? taskDueMs).review,
    fourEyes: false,
    proof: "word",
    assignee: policy?.assignee ?? null,
    fallback: policy?.fallback ?? lane?.policy.heirs?.owner ?? null,
  });
}
