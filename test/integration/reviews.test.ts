// Goal: people look at what vendors show, and what they take away stays away whatever a rule says later.
// Method: the whole way from the directory to a vendor in one process, on a clock that the test moves.
import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/model/canonical-json.ts";
import { asId, type AccountId, type ReviewId } from "../../src/model/ids.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { Actor } from "../../src/model/records.ts";
import { issueToken } from "../../src/credentials/tokens.ts";
import { collectNotices } from "../../src/notify/collect.ts";
import { closeReview } from "../../src/reviews/close-review.ts";
import { decideItem } from "../../src/reviews/decide-item.ts";
import { exportReview } from "../../src/reviews/export-review.ts";
import { keepReviews } from "../../src/reviews/keep-reviews.ts";
import { openCampaign, type ReviewWish } from "../../src/reviews/open-review.ts";
import type { ReviewDeps } from "../../src/reviews/review-deps.ts";
import {
  ReviewRefusal,
  type Review,
  type ReviewItem,
  type Verdict,
} from "../../src/reviews/review.ts";
import { finishTask } from "../../src/tasks/decide-task.ts";
import { connectionId, mapping, StoryWorld, tenantId } from "../support/story-world.ts";

const minute = 60_000;
const day = 24 * 60 * minute;
const bob: Actor = { kind: "operator", id: "bob@example.com" };
const closing: StoryWorld[] = [];
afterEach(async () => {
  for (const world of closing.splice(0)) await world.store.close();
});

const rule = (id: string, group: string, role: string): JsonObject => ({
  ...{ id, why: "a test", owner: "lead@example.com" },
  when: { group },
  grant: [
    { kind: "org_role", role: "user" },
    { kind: "workspace", name: "Development", role },
  ],
});

/** An engineer who was given what Engineering gives, and a campaign about it. */
async function open(wish: Partial<ReviewWish> = {}, more: JsonObject = {}) {
  const world = await StoryWorld.open({ mapping: mapping(more) });
  closing.push(world);
  world.vendor.seed("ada@example.com");
  const ada = await world.hire("ada@example.com");
  const engineering = await world.group("Engineering", [ada]);
  await world.pass(6 * minute);
  const deps: ReviewDeps = { ...world.sync, store: world.store, tokensChanged: () => undefined };
  const start = (change: Partial<ReviewWish> = {}) =>
    openCampaign(deps, tenantId, {
      title: "spring <review>",
      template: "access",
      connections: [],
      tokens: false,
      reviewers: { people: ["bob@example.com", "cy@example.com"], manager: false, owner: false },
      dueAt: world.clock.now() + 14 * day,
      actor: bob,
      ...wish,
      ...change,
    });
  /** Reads the vendor's whole list now. */
  const list = async () => {
    const set = { nextListAt: world.clock.now() };
    const command = { connectionId, set, now: world.clock.now() };
    await world.store.updateLane(tenantId, command, { records: [], recompute: [] });
    await world.pass(minute);
  };
  const items = (reviewId: ReviewItem["reviewId"]) =>
    world.store.listReviewItems(tenantId, { reviewId, limit: 100 });
  const say = (item: ReviewItem | undefined, verdict: Verdict, actor = bob) => {
    if (item === undefined) throw new Error("no such item");
    const { reviewId, itemId } = item;
    return decideItem(deps, tenantId, { reviewId, itemId, verdict, why: "not needed", actor });
  };
  const again = (item: ReviewItem) =>
    world.store.getReviewItem(tenantId, item.reviewId, item.itemId);
  return { world, ada, engineering, deps, start, list, items, say, again };
}

const workspace = (items: readonly ReviewItem[]) => items.find((item) => item.kind === "grant");

describe("an access review", () => {
  test("says who has what, by which rule, who wrote and who let in the rule, and what nobody knows", async () => {
    const { start, items } = await open();
    const review = await start();
    expect(review).toMatchObject({ state: "open", scopes: [{ accounts: 1, items: 2 }] });
    expect(workspace(await items(review.reviewId))).toMatchObject({
      who: "ada@example.com",
      slot: { kind: "workspace", objectId: "ws_dev" },
      object: "Development",
      role: "writer",
      reviewer: "bob@example.com",
      trust: "verified",
      provenance: {
        because: ["engineers"],
        origin: "granted",
        approver: "nobody: it stayed inside the rails",
        membershipApprover: "not known to Rolecall",
      },
    });
    expect(review.gaps.join()).toContain("no vendor tells when an account was used last");
  });

  test("takes away what is revoked, and ten recomputes and a mapping that grants it again do not bring it back", async () => {
    const { world, ada, engineering, deps, start, items, say, again } = await open();
    const review = await start();
    const item = await say(workspace(await items(review.reviewId)), "revoke");
    expect(item.effect).toMatchObject({ state: "pending" });
    await world.pass(6 * minute);
    expect(world.vendor.holding(ada.email)).toBe("user");
    await keepReviews(deps, tenantId);
    expect((await again(item))?.effect).toMatchObject({
      state: "done",
      text: "the vendor shows it held no more",
    });

    const writes = world.vendor.writes.length;
    for (let round = 0; round < 10; round++) {
      const mark = { identityId: ada.identityId, cause: { kind: "sweep" as const }, urgent: false };
      const set = { connectionId, set: {}, now: world.clock.now() };
      await world.store.updateLane(tenantId, set, { records: [], recompute: [mark] });
      await world.pass(minute);
    }
    await world.activate(
      mapping({
        rules: [rule("engineers", "Engineering", "keeper"), rule("all", "Everybody", "writer")],
      }),
    );
    await world.group("Everybody", [ada]);
    await world.members(engineering, { op: "remove", memberIds: [ada.sourceUserId] });
    await world.members(engineering, { op: "add", memberIds: [ada.sourceUserId] });
    await world.pass(20 * minute);
    expect(world.vendor.holding(ada.email)).toBe("user");
    expect(world.vendor.writes).toHaveLength(writes);
  });

  test("gives back what is kept after all, while it is open", async () => {
    const { world, ada, start, items, say } = await open();
    const review = await start();
    const item = workspace(await items(review.reviewId));
    const revoked = await say(item, "revoke");
    await world.pass(6 * minute);
    expect(world.vendor.holding(ada.email)).toBe("user");
    await say(revoked, "keep");
    await world.pass(6 * minute);
    expect(world.vendor.holding(ada.email)).toBe("user ws_dev:writer");
  });

  test("takes an account that nobody of ours gave, and asks people for one that is nobody's", async () => {
    const { world, deps, start, list, items, say } = await open();
    world.vendor.seed("zoe@example.com");
    world.vendor.seed("ghost@elsewhere.org");
    const zoe = await world.hire("zoe@example.com");
    await world.store.changeLink(
      tenantId,
      {
        ...{ connectionId, identityId: zoe.identityId, now: world.clock.now() },
        change: {
          ...{ op: "set", email: zoe.email, origin: "manual" },
          accountId: world.vendor.of(zoe.email)?.account.accountId ?? ("" as never),
        },
      },
      { records: [], recompute: [] },
    );
    await list();
    const review = await start();
    const found = await items(review.reviewId);
    const of = (who: string) => found.find((item) => item.who === who);
    expect(of(zoe.email)?.provenance).toMatchObject({ origin: "foreign", because: [] });
    await say(of(zoe.email), "revoke");
    const ghost = await say(of("ghost@elsewhere.org"), "revoke");
    await world.pass(10 * minute);
    expect(world.vendor.of(zoe.email)).toBeUndefined();
    const tasks = await world.store.listTasks(tenantId, { keyPrefix: "review:", limit: 5 });
    expect(tasks).toMatchObject([{ key: ghost.effect?.taskKey, cause: "review", state: "open" }]);
    // Only what the vendor shows ends it.
    await keepReviews(deps, tenantId);
    expect((await items(review.reviewId)).map((item) => item.effect?.state)).toContain("pending");
  });

  test("leaves what nobody of ours gave when it is kept after all", async () => {
    const { world, start, list, items, say } = await open();
    world.vendor.seed("zoe@example.com");
    const zoe = await world.hire("zoe@example.com");
    const accountId = world.vendor.of(zoe.email)?.account.accountId ?? ("" as never);
    await world.store.changeLink(
      tenantId,
      {
        ...{ connectionId, identityId: zoe.identityId, now: world.clock.now() },
        change: { op: "set", email: zoe.email, origin: "manual", accountId },
      },
      { records: [], recompute: [] },
    );
    await list();
    const review = await start();
    const item = (await items(review.reviewId)).find((one) => one.who === zoe.email);
    await say(await say(item, "revoke"), "keep");
    await world.pass(20 * minute);
    expect(world.vendor.holding(zoe.email)).toBe("user");
    expect(await world.store.listLedger(tenantId, connectionId, zoe.identityId)).toEqual([]);
  });

  test("takes nothing from another account than the one that was looked at", async () => {
    const { world, ada, start, items, say } = await open();
    const review = await start();
    const item = workspace(await items(review.reviewId));
    const key = { connectionId, identityId: ada.identityId, now: world.clock.now() };
    const none = { records: [], recompute: [] };
    const accountId = asId<AccountId>("another");
    const change = { op: "set" as const, accountId, email: ada.email, origin: "manual" as const };
    await world.store.changeLink(tenantId, { ...key, change }, none);
    await expect(say(item, "revoke")).rejects.toThrow(/open another review/);
    await world.store.changeLink(tenantId, { ...key, change: { op: "remove" } }, none);
    const revoked = await say(item, "revoke");
    expect(revoked.effect).toMatchObject({ text: expect.stringContaining("nobody") as string });
    expect(await world.store.listExceptions(tenantId)).toEqual([]);
  });

  test.each([
    ["reader", "adopted", "writer"],
    ["keeper", "granted", "keeper"],
  ])("takes over what ranks above the ledger's %s alone", async (known, origin, role) => {
    const { world, ada, start, items, say } = await open();
    const review = await start();
    const item = workspace(await items(review.reviewId));
    const slot = { kind: "workspace", objectId: "ws_dev" };
    const because = ["engineers"];
    await world.store.changeLedger(
      tenantId,
      {
        ...{ connectionId, identityId: ada.identityId, now: world.clock.now() },
        changes: [{ op: "set", origin: "granted", because, entitlement: { ...slot, role: known } }],
      },
      { records: [], recompute: [] },
    );
    await say(item, "revoke");
    const ledger = await world.store.listLedger(tenantId, connectionId, ada.identityId);
    expect(ledger.find((entry) => entry.objectId === "ws_dev")).toMatchObject({ origin, role });
  });

  test("shows a revocation done behind any number that stay pending", async () => {
    const { world, deps, start, items } = await open(
      { template: "clay-audit" },
      { vendor: "clay" },
    );
    const { reviewId } = await start();
    const [line] = (await items(reviewId)).filter((one) => one.kind === "line");
    if (line === undefined) throw new Error("no line");
    const pending = Array.from({ length: 501 }, (_, at): ReviewItem => ({
      ...line,
      itemId: `line-${String(at)}`,
      decision: { verdict: "gap", why: "x", by: "bob", at: 1, asAsked: true },
      effect: { state: "pending", text: "x", at: null },
    }));
    const [account] = (await items(reviewId)).filter((one) => one.kind === "account");
    if (account === undefined) throw new Error("no account");
    const gone: ReviewItem = {
      ...account,
      ...{ itemId: "gone", accountId: asId<AccountId>("gone") },
      decision: { verdict: "revoke", why: "x", by: "bob", at: 2, asAsked: true },
      effect: { state: "pending", text: "x", at: null },
    };
    const late: Review = {
      ...(await start()),
      reviewId: asId<ReviewId>("late"),
      state: "gathering",
    };
    await world.store.openReview(tenantId, late, { records: [], recompute: [] });
    await world.store.addReviewItems(tenantId, {
      reviewId: late.reviewId,
      items: [...pending, gone].map((item) => ({ ...item, reviewId: late.reviewId })),
    });
    expect(await keepReviews(deps, tenantId)).toBe(1);
  });

  test("is decided by nobody about themselves or about their own rule", async () => {
    const { world, deps, items, start, say } = await open();
    await world.activate(mapping({ rules: [rule("engineers", "Engineering", "reader")] }), "auto", {
      author: "bob@example.com",
    });
    await world.pass(6 * minute);
    const review = await start();
    const item = workspace(await items(review.reviewId));
    expect(item?.reviewer).toBe("cy@example.com");
    const as = (id: string) => say(item, "keep", { kind: "operator", id });
    await expect(as("bob@example.com")).rejects.toThrow(/wrote or let in/);
    await expect(as("Ada@Example.com")).rejects.toThrow(/their own/);
    expect((await as("cy@example.com")).decision).toMatchObject({ asAsked: true });
    await expect(say(item, "confirm", { kind: "operator", id: "cy@example.com" })).rejects.toThrow(
      ReviewRefusal,
    );
    await closeReview(deps, tenantId, { reviewId: review.reviewId, why: "enough", actor: bob });
    await expect(as("cy@example.com")).rejects.toThrow(/closed/);
  });

  test("leaves protected accounts alone, and says so", async () => {
    const { start, items, say } = await open(
      {},
      { protected: { accounts: ["ada@example.com"], admins_min: 0 } },
    );
    const review = await start();
    const [item] = await items(review.reviewId);
    await expect(say(item, "revoke")).rejects.toThrow(/protected list/);
  });

  test("has our own tokens among what is looked at, and never ends the one that speaks", async () => {
    const { world, start, items, say } = await open({ tokens: true, connections: [] });
    const issue = (label: string) =>
      issueToken(
        { store: world.store, clock: world.clock },
        tenantId,
        { kind: "operator", idpId: undefined, label, expiresAt: undefined },
        bob,
      );
    await issue("old laptop");
    const mine = await issue("pager");
    const review = await start();
    const found = await items(review.reviewId);
    const of = (who: string) => found.find((item) => item.who === who);
    const fingerprint = createHash("sha256").update(mine.token).digest("hex").slice(0, 12);
    const me: Actor = { kind: "operator", id: "duty", credentialFingerprint: fingerprint };
    await expect(say(of("pager"), "revoke", me)).rejects.toThrow(/speak with/);
    expect((await say(of("old laptop"), "revoke", me)).effect).toMatchObject({ state: "done" });
    const tokens = await world.store.listTokens(tenantId);
    expect(tokens.filter((token) => token.revokedAt !== undefined)).toHaveLength(1);
  });

  test("is told of when it opens, at half its time, and each day that it is late", async () => {
    const { world, start } = await open();
    await start();
    const told = async () => {
      const channels = [{ name: "hook", topics: ["task"] as const, send: () => Promise.resolve() }];
      await collectNotices(
        { store: world.store, clock: world.clock, channels: channels as never },
        tenantId,
      );
      const due = await world.store.listDeliveries(tenantId, { limit: 50 });
      return due.map((item) => item.notice.type).filter((type) => type.includes("review"));
    };
    expect(await told()).toEqual(["rolecall.review.opened"]);
    await world.clock.advance(8 * day);
    expect(new Set(await told())).toEqual(
      new Set(["rolecall.review.due", "rolecall.review.opened"]),
    );
    await world.clock.advance(7 * day);
    await told();
    await world.clock.advance(day);
    expect((await told()).filter((type) => type === "rolecall.review.overdue")).toHaveLength(2);
  });
});

describe("a closed review", () => {
  test("wants a reason for what is undecided, and exports what its hash covers", async () => {
    const { world, deps, start, items, say } = await open();
    const { reviewId } = await start();
    await say(workspace(await items(reviewId)), "revoke");
    const close = (why: string | undefined) =>
      closeReview(deps, tenantId, { reviewId, why, actor: bob });
    await expect(close(undefined)).rejects.toThrow(/1 of 2 items are undecided/);
    const closed = await close("the rest is next month");
    expect(closed.gaps.join()).toContain("1 items were not decided");
    await world.pass(6 * minute);
    await keepReviews(deps, tenantId);

    const lines = (await exportReview(deps, tenantId, reviewId, "ndjson")).trim().split("\n");
    const rows = lines.slice(1, -1).map((line) => JSON.parse(line) as ReviewItem);
    const hash = createHash("sha256");
    for (const { version: _version, effect: _effect, ...row } of rows)
      hash.update(`${canonicalJson(row as never)}\n`);
    expect(hash.digest("hex")).toBe(closed.itemsHash);
    // What came of the revocation came later, and is in the export all the same.
    expect(rows.map((row) => row.effect?.state)).toContain("done");
    const csv = await exportReview(deps, tenantId, reviewId, "csv");
    expect(csv).toContain("ada@example.com");
    const html = await exportReview(deps, tenantId, reviewId, "html");
    expect(html).toContain("spring &lt;review&gt;");
    expect(html).not.toContain("<review>");
    const [record] = await world.store.findRecords(tenantId, { action: "review.closed", limit: 1 });
    expect(record?.record.facts).toMatchObject({ itemsHash: closed.itemsHash, undecided: 1 });
  });
});

describe("the audit checklist of Clay", () => {
  test("has ten lines, answered by data where there are some, and by people where there are none", async () => {
    const { world, deps, start, list, items, say, again } = await open(
      { template: "clay-audit" },
      { vendor: "clay" },
    );
    world.vendor.seed("stranger@elsewhere.org");
    await list();
    const review = await start();
    const lines = (await items(review.reviewId)).filter((item) => item.kind === "line");
    expect(lines).toHaveLength(10);
    const line = (id: string) => lines.find((item) => item.object === id);
    expect(line("members-and-leavers")?.answer).toMatchObject({
      status: "look",
      facts: { unlinked: 1, left: 0 },
    });
    expect(line("credit-use")?.answer).toMatchObject({ status: "attest" });
    expect((await say(line("new-things"), "confirm")).decision?.verdict).toBe("confirm");
    const gap = await say(line("row-limits"), "gap");
    const [task] = await world.store.listTasks(tenantId, { keyPrefix: "review:", limit: 5 });
    if (task === undefined) throw new Error("no task for the gap");
    await finishTask(world.tasks, tenantId, { taskId: task.taskId, actor: bob, note: "set" });
    await keepReviews(deps, tenantId);
    expect((await again(gap))?.effect).toMatchObject({ state: "done" });
  });
});
