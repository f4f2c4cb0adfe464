import type { Instant } from "../model/clock.ts";
import type { Entitlement, Slot } from "../model/entitlement.ts";
import type { AccessException } from "../model/identity.ts";
import type { AccountId, ConnectionId, IdentityId, ReviewId, TenantId } from "../model/ids.ts";
import type { Also } from "../model/records.ts";
import type {
  Review,
  ReviewCounts,
  ReviewDecision,
  ReviewEffect,
  ReviewItem,
  ReviewSet,
  ReviewState,
} from "./review.ts";

/** Campaigns and what people said in them. Changes are compare-and-set: each carries the version that it saw. */
export interface ReviewStore {
  openReview(tenantId: TenantId, review: Review, also: Also): Promise<void>;
  /**
   * Writes down what is to be looked at, while the review gathers; an item that is there stays as it is. Answers how many are new.
   * @throws StoreError NOT_FOUND; VERSION_CONFLICT once it gathers no more
   */
  addReviewItems(
    tenantId: TenantId,
    command: { readonly reviewId: ReviewId; readonly items: readonly ReviewItem[] },
  ): Promise<number>;
  /** Writes the named fields, version + 1. @throws StoreError NOT_FOUND; VERSION_CONFLICT */
  changeReview(
    tenantId: TenantId,
    command: {
      readonly reviewId: ReviewId;
      readonly version: number;
      readonly set: ReviewSet;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<Review>;
  getReview(tenantId: TenantId, reviewId: ReviewId): Promise<Review | undefined>;
  /** Newest first. */
  listReviews(
    tenantId: TenantId,
    filter: { readonly state?: ReviewState; readonly limit: number },
  ): Promise<readonly Review[]>;
  /**
   * One decision, in one commit with all that makes it count: the exception that it is kept as, or the end of an earlier one, and the
   * ledger row that lets a plan take what nobody of ours gave; it ends with the exception.
   * @throws StoreError NOT_FOUND; VERSION_CONFLICT when the item changed, the review is not open or something is not as `seen` says
   */
  decideReviewItem(
    tenantId: TenantId,
    command: {
      readonly reviewId: ReviewId;
      readonly itemId: string;
      readonly version: number;
      readonly decision: ReviewDecision;
      readonly effect: ReviewEffect | null;
      /** Its end is no error where it ended by itself. */
      readonly withdraw?: string;
      readonly exception?: AccessException;
      /** What the decision was made on: the account of the person there, and what the ledger says of the slot. */
      readonly seen?: {
        readonly connectionId: ConnectionId;
        readonly identityId: IdentityId;
        readonly accountId: AccountId;
        readonly slot: Slot;
        /** null: no row. */
        readonly ledgerRole: string | null;
      };
      readonly adopt?: Entitlement & {
        readonly connectionId: ConnectionId;
        readonly identityId: IdentityId;
        readonly because: readonly string[];
      };
      readonly now: Instant;
    },
    also: Also,
  ): Promise<ReviewItem>;
  /** Says what became of a revocation; closed reviews too. @throws StoreError NOT_FOUND; VERSION_CONFLICT */
  settleReviewItem(
    tenantId: TenantId,
    command: {
      readonly reviewId: ReviewId;
      readonly itemId: string;
      readonly version: number;
      readonly effect: ReviewEffect;
      readonly now: Instant;
    },
    also: Also,
  ): Promise<void>;
  getReviewItem(
    tenantId: TenantId,
    reviewId: ReviewId,
    itemId: string,
  ): Promise<ReviewItem | undefined>;
  /** In the order of their ids, from after `after`. */
  listReviewItems(
    tenantId: TenantId,
    filter: {
      readonly reviewId: ReviewId;
      readonly undecided?: boolean;
      readonly reviewer?: string;
      readonly after?: string;
      readonly limit: number;
    },
  ): Promise<readonly ReviewItem[]>;
  /** Revocations that the vendor does not show yet, of all reviews; oldest decision first, from behind `after`. */
  listPendingRevocations(
    tenantId: TenantId,
    page: {
      readonly after?: Pick<ReviewItem, "decision" | "reviewId" | "itemId">;
      readonly limit: number;
    },
  ): Promise<readonly ReviewItem[]>;
  countReviewItems(tenantId: TenantId, reviewId: ReviewId): Promise<ReviewCounts>;
}
