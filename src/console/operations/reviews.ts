import { z } from "zod";
import { DAY_MS } from "../../model/policy.ts";
import { asId, type ConnectionId, type ReviewId, type TenantId } from "../../model/ids.ts";
import { closeReview } from "../../reviews/close-review.ts";
import { decideItem } from "../../reviews/decide-item.ts";
import { exportFormats, exportReview } from "../../reviews/export-review.ts";
import { openCampaign } from "../../reviews/open-review.ts";
import { ReviewRefusal, reviewTemplates, verdicts } from "../../reviews/review.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";
import { reaches, refusalText } from "../role.ts";
import { namesOf } from "./people.ts";

const reviewId = z.string().min(1).max(64);
const why = z.string().min(3).max(2_000);
const idOf = (input: { readonly reviewId: string }) => asId<ReviewId>(input.reviewId);

/** A refusal is the caller's affair, not a fault. */
async function asked<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ReviewRefusal) throw new OperationError(409, error.message);
    throw error;
  }
}

async function theReview(deps: ConsoleDeps, tenantId: TenantId, input: { reviewId: string }) {
  const review = await deps.store.getReview(tenantId, idOf(input));
  if (review === undefined) throw new OperationError(404, `there is no review ${input.reviewId}`);
  return review;
}

export const reviewOperations = [
  operation({
    name: "openReview",
    method: "POST",
    path: "/reviews",
    summary:
      "Open an access review over what is observed now: who has what, by which rule, who let it in",
    input: z.object({
      title: z.string().min(1).max(200),
      template: z.enum(reviewTemplates).default("access"),
      connections: z.array(z.string().min(1).max(64)).max(500).default([]),
      tokens: z.boolean().default(false),
      reviewers: z.array(z.string().min(1).max(320)).max(100).default([]),
      manager: z.boolean().default(false),
      owner: z.boolean().default(true),
      days: z.number().int().min(1).max(366).default(14),
    }),
    run: async (deps, { tenantId, actor }, input) => {
      const { title, template, tokens, manager, owner } = input;
      const review = await openCampaign(deps, tenantId, {
        ...{ title, template, tokens, actor },
        connections: input.connections.map((item) => asId<ConnectionId>(item)),
        reviewers: { people: input.reviewers, manager, owner },
        dueAt: deps.clock.now() + input.days * DAY_MS,
      });
      return { review, counts: await deps.store.countReviewItems(tenantId, review.reviewId) };
    },
  }),
  operation({
    name: "listReviews",
    method: "GET",
    path: "/reviews",
    summary: "Access reviews, newest first, with how far they are",
    input: z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) }),
    run: async (deps, { tenantId }, { limit }) => {
      const reviews = await deps.store.listReviews(tenantId, { limit });
      return {
        reviews: await Promise.all(
          reviews.map(async (review) => ({
            ...review,
            ...(await deps.store.countReviewItems(tenantId, review.reviewId)),
          })),
        ),
      };
    },
  }),
  operation({
    name: "showReview",
    method: "GET",
    path: "/reviews/:reviewId",
    summary: "One review with a page of its items; `after` is the last id of the page before",
    input: z.object({
      reviewId,
      reviewer: z.string().max(320).optional(),
      undecided: z.coerce.boolean().optional(),
      after: z.string().max(64).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(200),
    }),
    run: async (deps, { tenantId }, input) => {
      const review = await theReview(deps, tenantId, input);
      const items = await deps.store.listReviewItems(tenantId, {
        reviewId: review.reviewId,
        limit: input.limit,
        ...(input.reviewer === undefined ? {} : { reviewer: input.reviewer.toLowerCase() }),
        ...(input.undecided === true ? { undecided: true } : {}),
        ...(input.after === undefined ? {} : { after: input.after }),
      });
      const names = await namesOf(
        deps,
        tenantId,
        items.flatMap((item) => item.identityId ?? []),
      );
      return {
        review,
        counts: await deps.store.countReviewItems(tenantId, review.reviewId),
        items: items.map((item) => ({
          ...item,
          userName: item.identityId === null ? null : (names.get(item.identityId) ?? null),
        })),
        next: items.length === input.limit ? (items.at(-1)?.itemId ?? null) : null,
      };
    },
  }),
  operation({
    name: "decideReviewItem",
    method: "POST",
    path: "/reviews/:reviewId/items/:itemId/decision",
    summary:
      "Keep or revoke one item, or answer a line; a revocation stays whatever a rule says later",
    input: z.object({
      reviewId,
      itemId: z.string().min(1).max(64),
      verdict: z.enum(verdicts),
      why,
    }),
    run: async (deps, { tenantId, actor }, { itemId, verdict, ...input }) => {
      if (verdict === "revoke" && !reaches(actor, "admin")) {
        const item = await deps.store.getReviewItem(tenantId, idOf(input), itemId);
        // To end a token is an admin's, whatever way it is asked for.
        if (item?.kind === "token") throw new OperationError(403, refusalText(actor, "admin"));
      }
      const item = await asked(
        decideItem(deps, tenantId, {
          ...{ reviewId: idOf(input), itemId, verdict, actor },
          why: input.why,
        }),
      );
      return { item };
    },
  }),
  operation({
    name: "closeReview",
    method: "POST",
    path: "/reviews/:reviewId/close",
    needs: "approver",
    summary: "End a review; while something is undecided it takes a reason",
    input: z.object({ reviewId, why: why.optional() }),
    run: async (deps, { tenantId, actor }, input) => ({
      review: await asked(
        closeReview(deps, tenantId, { reviewId: idOf(input), why: input.why, actor }),
      ),
    }),
  }),
  operation({
    name: "exportReview",
    method: "GET",
    path: "/reviews/:reviewId/export",
    summary: "One review as NDJSON, CSV or a page to print",
    input: z.object({ reviewId, format: z.enum(exportFormats).default("ndjson") }),
    run: async (deps, { tenantId }, input) => ({
      format: input.format,
      text: await exportReview(deps, tenantId, idOf(input), input.format),
    }),
  }),
];
