import { slotKey } from "../model/entitlement.ts";
import { StoreError } from "../model/errors.ts";
import type { TenantId } from "../model/ids.ts";
import { keepReviewTask } from "./decide-item.ts";
import { gather, reviewRecord } from "./open-review.ts";
import type { ReviewDeps } from "./review-deps.ts";
import type { ReviewItem } from "./review.ts";

const page = 500;
/** Whoever opened it is at it until then. */
const gatherMs = 10 * 60_000;

/**
 * Finishes reviews whose opening was cut short, and writes down which revocations the vendor shows done. Answers how many it settled.
 * Any number of processes may run it: of two who settle one item the second writes nothing.
 */
export async function keepReviews(deps: ReviewDeps, tenantId: TenantId): Promise<number> {
  const now = deps.clock.now();
  for (const review of await deps.store.listReviews(tenantId, { state: "gathering", limit: page }))
    if (review.openedAt + gatherMs <= now) await unlessRaced(() => gather(deps, tenantId, review));
  let settled = 0;
  for await (const item of pending(deps, tenantId)) {
    const how = await outcomeOf(deps, tenantId, item);
    if (how === undefined) {
      await keepReviewTask(deps, tenantId, item);
      continue;
    }
    await unlessRaced(() => settle(deps, tenantId, item, how));
    settled += 1;
  }
  return settled;
}

/** All of them: those that stay pending for months must not hide the younger ones. */
async function* pending(deps: ReviewDeps, tenantId: TenantId): AsyncGenerator<ReviewItem> {
  let after: ReviewItem | undefined;
  for (;;) {
    const items = await deps.store.listPendingRevocations(tenantId, {
      limit: page,
      ...(after === undefined ? {} : { after }),
    });
    yield* items;
    if (items.length < page) return;
    after = items.at(-1);
  }
}

async function settle(
  deps: ReviewDeps,
  tenantId: TenantId,
  item: ReviewItem,
  text: string,
): Promise<void> {
  const now = deps.clock.now();
  const { reviewId, itemId, version } = item;
  const effect = { ...item.effect, state: "done" as const, text, at: now };
  await deps.store.settleReviewItem(
    tenantId,
    { reviewId, itemId, version, effect, now },
    {
      records: [
        reviewRecord(deps, item, deps.actor, "review.revocation_done", {
          ...{ itemId, identityId: item.identityId, connectionId: item.connectionId, how: text },
          seconds: Math.round((now - (item.decision?.at ?? now)) / 1_000),
        }),
      ],
      recompute: [],
    },
  );
}

/** How it is known that the thing is gone; undefined: it is not. */
async function outcomeOf(
  deps: ReviewDeps,
  tenantId: TenantId,
  item: ReviewItem,
): Promise<string | undefined> {
  const { connectionId, accountId, slot, effect } = item;
  if (connectionId !== null && accountId !== null && slot !== null) {
    const [account] = await deps.store.listObserved(tenantId, {
      connectionId,
      accountIds: [accountId],
      limit: 1,
    });
    if (account === undefined) return "the vendor shows no such account any more";
    if (item.kind === "grant") {
      const grants = await deps.store.listObservedGrants(tenantId, connectionId, [accountId]);
      const held = grants.some((grant) => slotKey(grant) === slotKey(slot));
      if (!held) return "the vendor shows it held no more";
    }
  }
  if (item.kind !== "line" || effect?.taskKey === undefined) return undefined;
  const { live, last } = await deps.store.tasksOfKey(tenantId, effect.taskKey);
  // Of access only a look at the vendor is proof; a gap ends by the word of whoever closed it.
  return live === undefined && last?.state === "done"
    ? `the task ${last.taskId} is done (${last.trust ?? "attested"})`
    : undefined;
}

async function unlessRaced(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StoreError && error.code === "VERSION_CONFLICT")) throw error;
  }
}
