import { describe, expect, it } from "vitest";
import { asId, type AccountId, type ConnectionId, type ReviewId } from "../../src/model/ids.ts";
import { notKnown, type Review, type ReviewItem } from "../../src/reviews/review.ts";
import { policy, type OpenStore } from "./account-stage.ts";
import { type DirectoryStage, refusal, tenantForEach } from "./directory-stage.ts";

/** Campaigns: written down once, decided by who saw the last version while they are open, counted, and settled later. */
export function reviewSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  const also = (action: string) => ({ records: [stage.record(action)], recompute: [] });
  const review = (change: Partial<Review> = {}): Review => ({
    reviewId: stage.newId<ReviewId>(),
    version: 1,
    state: "gathering",
    title: "spring",
    template: "access",
    connections: [asId<ConnectionId>("clay")],
    tokens: false,
    reviewers: { people: ["ann@example.com"], manager: false, owner: true },
    openedBy: "ann",
    openedAt: stage.now,
    dueAt: stage.now + 1_000,
    closedBy: null,
    closedAt: null,
    closedWhy: null,
    scopes: [],
    gaps: [],
    itemsHash: null,
    ...change,
  });
  const item = (
    reviewId: ReviewId,
    itemId: string,
    change: Partial<ReviewItem> = {},
  ): ReviewItem => ({
    reviewId,
    itemId,
    version: 1,
    kind: "token",
    connectionId: null,
    identityId: null,
    accountId: null,
    who: "ci",
    slot: null,
    object: null,
    role: "read",
    privileged: false,
    implicit: false,
    provenance: {
      because: [],
      origin: "none",
      since: null,
      owner: null,
      why: null,
      author: notKnown,
      approver: notKnown,
      membershipApprover: notKnown,
    },
    lastUsedAt: null,
    readAt: stage.now,
    trust: "verified",
    reviewer: "ann@example.com",
    barred: [],
    answer: null,
    decision: null,
    effect: null,
    ...change,
  });
  const opened = async (items: readonly string[]) => {
    const made = review();
    await stage.store.openReview(stage.tenantId, made, also("review.opened"));
    const { reviewId } = made;
    await stage.store.addReviewItems(stage.tenantId, {
      reviewId,
      items: items.map((itemId) => item(reviewId, itemId)),
    });
    await stage.store.changeReview(
      stage.tenantId,
      { reviewId, version: 1, set: { state: "open" }, now: stage.now },
      also("review.gathered"),
    );
    return reviewId;
  };
  const decide = (
    reviewId: ReviewId,
    itemId: string,
    version: number,
    verdict: "keep" | "revoke",
    at = stage.now,
  ) =>
    stage.store.decideReviewItem(
      stage.tenantId,
      {
        ...{ reviewId, itemId, version, now: at },
        decision: { verdict, why: "because", by: "ann", at, asAsked: true },
        effect: verdict === "revoke" ? { state: "pending", text: "soon", at: null } : null,
      },
      also("review.decided"),
    );
  const ids = async (
    reviewId: ReviewId,
    filter: Partial<Parameters<typeof stage.store.listReviewItems>[1]> = {},
  ) =>
    (await stage.store.listReviewItems(stage.tenantId, { reviewId, limit: 10, ...filter })).map(
      (one) => one.itemId,
    );

  it("come back as they were opened, newest first, in their own tenant only", async () => {
    const older = review({ openedAt: stage.now - 5 });
    const newer = review({ state: "open" });
    for (const one of [newer, older])
      await stage.store.openReview(stage.tenantId, one, also("review.opened"));
    expect(await stage.store.getReview(stage.tenantId, older.reviewId)).toEqual(older);
    const listed = await stage.store.listReviews(stage.tenantId, { limit: 5 });
    expect(listed).toEqual([newer, older]);
    expect(await stage.store.listReviews(stage.tenantId, { state: "open", limit: 5 })).toEqual([
      newer,
    ]);
    const neighbour = await stage.neighbour();
    expect(await stage.store.getReview(neighbour.tenantId, older.reviewId)).toBeUndefined();
    expect(await stage.store.listReviews(neighbour.tenantId, { limit: 5 })).toEqual([]);
  });

  it("take an item once, and none once they are open", async () => {
    const made = review();
    await stage.store.openReview(stage.tenantId, made, also("review.opened"));
    const { reviewId } = made;
    const add = (...items: readonly string[]) =>
      stage.store.addReviewItems(stage.tenantId, {
        reviewId,
        items: items.map((itemId) => item(reviewId, itemId)),
      });
    expect(await add("a", "b")).toBe(2);
    expect(await add("b", "c")).toBe(1);
    expect(await refusal(decide(reviewId, "a", 1, "keep"))).toBe("VERSION_CONFLICT");
    await stage.store.changeReview(
      stage.tenantId,
      { reviewId, version: 1, set: { state: "open", gaps: ["one"] }, now: stage.now },
      also("review.gathered"),
    );
    expect(await refusal(add("d"))).toBe("VERSION_CONFLICT");
    expect(await stage.store.getReview(stage.tenantId, reviewId)).toMatchObject({
      state: "open",
      version: 2,
      gaps: ["one"],
    });
    expect(await stage.store.getReviewItem(stage.tenantId, reviewId, "c")).toEqual(
      item(reviewId, "c"),
    );
  });

  it("are decided once by two who saw the same, each decision with its record", async () => {
    const reviewId = await opened(["a"]);
    const outcomes = await Promise.allSettled([
      decide(reviewId, "a", 1, "keep"),
      decide(reviewId, "a", 1, "revoke"),
    ]);
    expect(outcomes.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    expect(await refusal(decide(reviewId, "a", 1, "keep"))).toBe("VERSION_CONFLICT");
    expect(await refusal(decide(reviewId, "x", 1, "keep"))).toBe("NOT_FOUND");
    expect((await decide(reviewId, "a", 2, "keep")).version).toBe(3);
    const records = await stage.store.findRecords(stage.tenantId, {
      action: "review.decided",
      limit: 5,
    });
    expect(records).toHaveLength(2);
  });

  it("change their version with each decision, so that nobody closes what was not hashed", async () => {
    const reviewId = await opened(["a"]);
    const before = await stage.store.getReview(stage.tenantId, reviewId);
    await decide(reviewId, "a", 1, "keep");
    const close = stage.store.changeReview(
      stage.tenantId,
      {
        ...{ reviewId, version: before?.version ?? 0, now: stage.now },
        set: { state: "closed", closedAt: stage.now, itemsHash: "ab" },
      },
      also("review.closed"),
    );
    expect(await refusal(close)).toBe("VERSION_CONFLICT");
  });

  it("count and list what is undecided, of whom, and what is revoked and still shown", async () => {
    const reviewId = await opened(["a", "b", "c", "d"]);
    await decide(reviewId, "a", 1, "keep");
    await decide(reviewId, "c", 1, "revoke", stage.now + 2);
    await decide(reviewId, "b", 1, "revoke", stage.now + 1);
    expect(await stage.store.countReviewItems(stage.tenantId, reviewId)).toEqual({
      items: 4,
      undecided: 1,
      kept: 1,
      revoked: 2,
      pending: 2,
    });
    expect(await ids(reviewId, { undecided: true })).toEqual(["d"]);
    expect(await ids(reviewId, { after: "a", limit: 2 })).toEqual(["b", "c"]);
    expect(await ids(reviewId, { reviewer: "bob@example.com" })).toEqual([]);
    const pending = await stage.store.listPendingRevocations(stage.tenantId, { limit: 5 });
    expect(pending.map((one) => one.itemId)).toEqual(["b", "c"]);
    const settle = (version: number) =>
      stage.store.settleReviewItem(
        stage.tenantId,
        {
          ...{ reviewId, itemId: "b", version, now: stage.now },
          effect: { state: "done", text: "gone", at: stage.now },
        },
        also("review.revocation_done"),
      );
    expect(await refusal(settle(1))).toBe("VERSION_CONFLICT");
    await settle(2);
    const [, ...younger] = pending;
    expect(
      await stage.store.listPendingRevocations(stage.tenantId, {
        limit: 5,
        ...(pending[0] === undefined ? {} : { after: pending[0] }),
      }),
    ).toEqual(younger);
    const left = await stage.store.listPendingRevocations(stage.tenantId, { limit: 5 });
    expect(left.map((one) => one.itemId)).toEqual(["c"]);
  });

  it("write an exception with a revocation and take it back with the next word", async () => {
    const { identityId } = await stage.addUser("ada@example.com");
    const reviewId = await opened(["a"]);
    const base = { reviewId, itemId: "a", now: stage.now, effect: null };
    const decision = { why: "x", by: "ann", at: stage.now, asAsked: false };
    await stage.store.decideReviewItem(
      stage.tenantId,
      {
        ...{ ...base, version: 1, decision: { ...decision, verdict: "revoke" } },
        exception: {
          exceptionId: "review-1",
          person: identityId,
          connectionId: "clay",
          effect: "deny",
          kind: "role",
          object: null,
          role: null,
          until: null,
          why: "x",
          by: "ann",
          source: "decision",
        },
      },
      also("review.decided"),
    );
    const held = () => stage.store.findExceptions(stage.tenantId, [identityId]);
    expect((await held()).map((one) => one.exceptionId)).toEqual(["review-1"]);
    await stage.store.decideReviewItem(
      stage.tenantId,
      {
        ...{ ...base, version: 2, decision: { ...decision, verdict: "keep" } },
        withdraw: "review-1",
      },
      also("review.decided"),
    );
    expect(await held()).toEqual([]);
  });

  describe("what is taken over so that a denial can take it", () => {
    const connectionId = asId<ConnectionId>("clay");
    const slot = { kind: "role", objectId: "" };
    /** Ada, whose account nobody of ours made, and a review of it. */
    const scene = async () => {
      const { identityId } = await stage.addUser("ada@example.com");
      await stage.store.upsertLane(
        stage.tenantId,
        {
          ...{ connectionId, vendor: "clay", profile: "console", credential: "sealed:key" },
          ...{ baseUrl: undefined, policy, now: stage.now },
        },
        also("connection.added"),
      );
      const key = { connectionId, identityId, now: stage.now };
      await stage.store.changeLink(
        stage.tenantId,
        {
          ...key,
          change: {
            ...{ op: "set", accountId: asId<AccountId>("a-1"), email: "ada@example.com" },
            origin: "manual",
          },
        },
        also("link.set"),
      );
      const reviewId = await opened(["a"]);
      type Command = Parameters<typeof stage.store.decideReviewItem>[1];
      const say = (version: number, verdict: "keep" | "revoke", more: Partial<Command>) =>
        stage.store.decideReviewItem(
          stage.tenantId,
          {
            ...{ reviewId, itemId: "a", version, effect: null, now: stage.now },
            decision: { verdict, why: "x", by: "ann", at: stage.now, asAsked: false },
            ...more,
          },
          also("review.decided"),
        );
      const seen = { connectionId, identityId, accountId: asId<AccountId>("a-1"), slot };
      const revoke = (version: number, ledgerRole: string | null, accountId = "a-1") =>
        say(version, "revoke", {
          exception: {
            ...{ exceptionId: "review-1", person: identityId, connectionId, effect: "deny" },
            ...{ kind: "role", object: null, role: null, until: null, why: "x", by: "ann" },
            source: "decision",
          },
          seen: { ...seen, ledgerRole, accountId: asId<AccountId>(accountId) },
          ...(ledgerRole === null
            ? {
                adopt: {
                  ...{ connectionId, identityId, ...slot, role: "admin" },
                  because: ["exception:review-1"],
                },
              }
            : {}),
        });
      const ledger = () => stage.store.listLedger(stage.tenantId, connectionId, identityId);
      return { key, say, revoke, ledger };
    };

    it("is foreign again with the word that keeps it", async () => {
      const { say, revoke, ledger } = await scene();
      await revoke(1, null);
      expect(await ledger()).toMatchObject([{ role: "admin", origin: "adopted" }]);
      // Said again, it stays.
      await revoke(2, "admin");
      expect(await ledger()).toHaveLength(1);
      await say(3, "keep", { withdraw: "review-1" });
      expect(await ledger()).toEqual([]);
    });

    it("is foreign again however the denial ends; what something else gives stays", async () => {
      const { key, revoke, ledger } = await scene();
      await revoke(1, null);
      await stage.store.changeLedger(
        stage.tenantId,
        {
          ...key,
          changes: [
            {
              ...{ op: "set", origin: "adopted", because: ["exception:review-1", "engineers"] },
              entitlement: { kind: "team", objectId: "t", role: "member" },
            },
          ],
        },
        also("ledger.set"),
      );
      await stage.store.withdrawException(
        stage.tenantId,
        { exceptionId: "review-1", now: stage.now },
        also("exception.withdrawn"),
      );
      expect((await ledger()).map((entry) => entry.kind)).toEqual(["team"]);
    });

    it("is not written when the account or the ledger is another one by now", async () => {
      const { revoke, ledger } = await scene();
      expect(await refusal(revoke(1, null, "a-2"))).toBe("VERSION_CONFLICT");
      expect(await refusal(revoke(1, "user"))).toBe("VERSION_CONFLICT");
      expect(await ledger()).toEqual([]);
    });
  });
}
