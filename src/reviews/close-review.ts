import { createHash } from "node:crypto";
import { canonicalJson } from "../model/canonical-json.ts";
import { StoreError } from "../model/errors.ts";
import type { ReviewId, TenantId } from "../model/ids.ts";
import type { Json } from "../model/json.ts";
import type { Actor } from "../model/records.ts";
import { reviewRecord } from "./open-review.ts";
import type { ReviewDeps, ReviewReads } from "./review-deps.ts";
import { ReviewRefusal, type Review, type ReviewItem } from "./review.ts";

const page = 500;

interface CloseWish {
  readonly reviewId: ReviewId;
  readonly why: string | undefined;
  readonly actor: Actor;
}

/** How often somebody may decide something while the items are hashed. */
const triesMax = 5;

/**
 * Ends a review: what was decided is hashed into the record. Where something is undecided it takes a reason, and the number stands among
 * the gaps; revocations go on until the vendor shows them.
 * @throws StoreError NOT_FOUND, VERSION_CONFLICT; ReviewRefusal
 */
export async function closeReview(
  deps: Pick<ReviewDeps, "store" | "clock">,
  tenantId: TenantId,
  wish: CloseWish,
): Promise<Review> {
  for (let left = triesMax; ; left--) {
    try {
      return await closeOnce(deps, tenantId, wish);
    } catch (error) {
      const raced = error instanceof StoreError && error.code === "VERSION_CONFLICT";
      if (!raced || left <= 1) throw error;
    }
  }
}

async function closeOnce(
  deps: Pick<ReviewDeps, "store" | "clock">,
  tenantId: TenantId,
  wish: CloseWish,
): Promise<Review> {
  const { reviewId, why, actor } = wish;
  const review = await deps.store.getReview(tenantId, reviewId);
  if (review === undefined) throw new StoreError("NOT_FOUND", `there is no review ${reviewId}`);
  if (review.state === "closed") throw new ReviewRefusal("the review is closed already");
  const counts = await deps.store.countReviewItems(tenantId, reviewId);
  if (counts.undecided > 0 && why === undefined)
    throw new ReviewRefusal(
      `${String(counts.undecided)} of ${String(counts.items)} items are undecided: decide them, or say why it ends without`,
    );
  const itemsHash = await hashItems(deps, tenantId, reviewId);
  const now = deps.clock.now();
  const gaps =
    counts.undecided === 0
      ? review.gaps
      : [...review.gaps, `${String(counts.undecided)} items were not decided: ${why ?? ""}`];
  return deps.store.changeReview(
    tenantId,
    {
      reviewId,
      version: review.version,
      set: {
        ...{ state: "closed", gaps, itemsHash },
        ...{ closedBy: actor.id, closedAt: now, closedWhy: why ?? null },
      },
      now,
    },
    {
      records: [
        reviewRecord(deps, review, actor, "review.closed", {
          ...counts,
          ...{ itemsHash, why: why ?? null, late: now > review.dueAt },
        }),
      ],
      recompute: [],
    },
  );
}

/** All items of a review in the order of their ids. */
export async function* itemsOf(
  deps: Pick<ReviewReads, "store">,
  tenantId: TenantId,
  reviewId: ReviewId,
): AsyncGenerator<ReviewItem> {
  let after: string | undefined;
  for (;;) {
    const items = await deps.store.listReviewItems(tenantId, {
      reviewId,
      limit: page,
      ...(after === undefined ? {} : { after }),
    });
    yield* items;
    if (items.length < page) return;
    after = items.at(-1)?.itemId;
  }
}

/**
 * SHA-256 (hex) over the items as lines of canonical JSON (RFC 8785), each without `version` and `effect`: what came of a revocation may
 * come later. An export has the same lines.
 */
export async function hashItems(
  deps: Pick<ReviewReads, "store">,
  tenantId: TenantId,
  reviewId: ReviewId,
): Promise<string> {
  const hash = createHash("sha256");
  for await (const { version: _version, effect: _effect, ...item } of itemsOf(
    deps,
    tenantId,
    reviewId,
  ))
    hash.update(`${canonicalJson(JSON.parse(JSON.stringify(item)) as Json)}\n`);
  return hash.digest("hex");
}
