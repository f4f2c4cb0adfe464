import type { Lane } from "../accounts/lane.ts";
import type { Instant } from "../model/clock.ts";
import { InputError } from "../model/errors.ts";
import { foldEmail } from "../model/fold.ts";
import { newId, type ConnectionId, type ReviewId, type TenantId } from "../model/ids.ts";
import { newRecord, type Actor } from "../model/records.ts";
import { checklistItems } from "./clay-checklist.ts";
import { observedItems, tokenItems, type Gathering } from "./gather.ts";
import { readOrigins } from "./provenance.ts";
import type { ReviewDeps } from "./review-deps.ts";
import type { Review, ReviewerRules, ReviewScope, ReviewTemplate } from "./review.ts";
import { createReviewers } from "./reviewers.ts";

export interface ReviewWish {
  readonly title: string;
  readonly template: ReviewTemplate;
  /** Empty: every connection; of `clay-audit` those at Clay. */
  readonly connections: readonly ConnectionId[];
  readonly tokens: boolean;
  readonly reviewers: ReviewerRules;
  readonly dueAt: Instant;
  readonly actor: Actor;
}

/** Opens a campaign over what is observed now. @throws InputError where there is nothing of the kind */
export async function openCampaign(
  deps: ReviewDeps,
  tenantId: TenantId,
  wish: ReviewWish,
): Promise<Review> {
  const { actor } = wish;
  const connections = (await chosenLanes(deps, tenantId, wish)).map((lane) => lane.connectionId);
  const now = deps.clock.now();
  if (wish.dueAt <= now)
    throw new InputError("the review cannot be opened", ["it ends in the past"]);
  const review: Review = {
    reviewId: newId<ReviewId>(deps.clock),
    version: 1,
    state: "gathering",
    title: wish.title,
    template: wish.template,
    connections,
    tokens: wish.tokens,
    reviewers: { ...wish.reviewers, people: wish.reviewers.people.map(foldEmail) },
    openedBy: actor.id,
    openedAt: now,
    dueAt: wish.dueAt,
    ...{ closedBy: null, closedAt: null, closedWhy: null, itemsHash: null },
    ...{ scopes: [], gaps: [] },
  };
  await deps.store.openReview(tenantId, review, {
    records: [
      reviewRecord(deps, review, actor, "review.opened", {
        ...{ template: review.template, connections, tokens: review.tokens, dueAt: review.dueAt },
        reviewers: review.reviewers.people.length,
      }),
    ],
    recompute: [],
  });
  return gather(deps, tenantId, review);
}

async function chosenLanes(
  deps: ReviewDeps,
  tenantId: TenantId,
  wish: ReviewWish,
): Promise<readonly Lane[]> {
  const lanes = await deps.store.listLanes(tenantId);
  const unknown = wish.connections.filter((id) => !lanes.some((lane) => lane.connectionId === id));
  if (unknown.length > 0)
    throw new InputError("the review cannot be opened", [`no connection ${unknown.join(", ")}`]);
  const named = wish.connections.length > 0;
  const chosen = lanes.filter((lane) =>
    named
      ? wish.connections.includes(lane.connectionId)
      : wish.template === "access" || lane.vendor === "clay",
  );
  if (chosen.length === 0 && !wish.tokens)
    throw new InputError("the review cannot be opened", ["there is no connection to look at"]);
  return chosen;
}

/**
 * Writes down what is there and opens the review to decisions. Begun again after a crash it writes nothing twice: an item's id says what
 * it is about.
 */
export async function gather(
  deps: ReviewDeps,
  tenantId: TenantId,
  review: Review,
): Promise<Review> {
  const reviewers = createReviewers(deps, tenantId, review.reviewers);
  const origins = await readOrigins(deps, tenantId);
  const gathering: Gathering = { deps, tenantId, review, origins, reviewers };
  const scopes: ReviewScope[] = [];
  const gaps: string[] = [];
  for (const connectionId of review.connections) {
    const lane = await deps.store.getLane(tenantId, connectionId);
    const found = lane === undefined ? undefined : await gatherLane(gathering, lane);
    if (found === undefined)
      gaps.push(`${connectionId} is not there any more: nothing was looked at`);
    else {
      scopes.push(found.scope);
      gaps.push(...found.gaps);
    }
  }
  if (review.tokens) {
    const items = tokenItems(gathering, await deps.store.listTokens(tenantId), deps.clock.now());
    await deps.store.addReviewItems(tenantId, { reviewId: review.reviewId, items });
  }
  gaps.push("no vendor tells when an account was used last");
  const items = scopes.reduce((sum, scope) => sum + scope.items, 0);
  return deps.store.changeReview(
    tenantId,
    {
      reviewId: review.reviewId,
      version: review.version,
      set: { state: "open", scopes, gaps },
      now: deps.clock.now(),
    },
    {
      records: [
        reviewRecord(deps, review, deps.actor, "review.gathered", {
          items,
          scopes: scopes.map((scope) => ({ ...scope })),
          gaps,
        }),
      ],
      recompute: [],
    },
  );
}

async function gatherLane(
  gathering: Gathering,
  lane: Lane,
): Promise<{ readonly scope: ReviewScope; readonly gaps: readonly string[] }> {
  const { deps, tenantId, review } = gathering;
  const { connectionId, vendor, profile, policy, listedAt } = lane;
  const facts = deps.vendorFacts(vendor, profile, policy.target);
  const scope = { connectionId, vendor, listedAt };
  if (facts === undefined) {
    const gaps = [
      `${connectionId}: this build knows no ${vendor}/${profile}: nothing was looked at`,
    ];
    return { scope: { ...scope, accounts: 0, items: 0 }, gaps };
  }
  let [accounts, items] = [0, 0];
  for await (const found of observedItems(gathering, lane, facts)) {
    accounts += found.accounts;
    items += found.items.length;
    await deps.store.addReviewItems(tenantId, { reviewId: review.reviewId, items: found.items });
  }
  if (review.template === "clay-audit" && vendor === "clay") {
    const lines = await checklistItems(gathering, lane);
    items += lines.length;
    await deps.store.addReviewItems(tenantId, { reviewId: review.reviewId, items: lines });
  }
  const gaps = [
    ...(listedAt === null
      ? [`${connectionId} was never read whole: an account that is not here may be there`]
      : []),
    ...(policy.mode === "report-only"
      ? [`${connectionId} is report-only: what is revoked waits until it is written`]
      : []),
  ];
  return { scope: { ...scope, accounts, items }, gaps };
}

export function reviewRecord(
  deps: Pick<ReviewDeps, "clock">,
  review: Pick<Review, "reviewId">,
  actor: Actor,
  action: string,
  facts: Parameters<typeof newRecord>[1]["facts"],
) {
  return newRecord(deps.clock, {
    actor,
    action,
    subject: { type: "review", id: review.reviewId },
    facts,
  });
}
