import { StoreError } from "../../model/errors.ts";
import type { ReviewId, TenantId } from "../../model/ids.ts";
import type { Also } from "../../model/records.ts";
import type { ReviewStore } from "../../reviews/review-store.ts";
import type { Review, ReviewCounts, ReviewItem } from "../../reviews/review.ts";
import { writeLedger } from "./account-links.ts";
import { parsed } from "./account-args.ts";
import { writeAlso } from "./also.ts";
import { documentText, type Database, type SqlValue, type Steps } from "./database.ts";
import { removeException, replaceException } from "./directory-commands.ts";
import type { Commands, Engine, Queries, Query } from "./engine.ts";

type Params<Method extends keyof ReviewStore> = Parameters<ReviewStore[Method]>;

interface Asked<Method extends keyof ReviewStore> {
  readonly tenantId: TenantId;
  readonly command: Params<Method>[1];
}

type Commanded<Method extends keyof ReviewStore> = Asked<Method> & { readonly also: Also };

interface Row {
  readonly version: number;
  readonly body: string;
}

/** Bodies hold all but the version, which the row counts. */
const toReview = (row: Row): Review => ({ ...parsed<Review>(row.body), version: row.version });
const toItem = (row: Row): ReviewItem => ({
  ...parsed<ReviewItem>(row.body),
  version: row.version,
});

function bodyOf({ version: _counted, ...body }: Review | ReviewItem): string {
  return documentText(body);
}

const gone = (what: string) => new StoreError("NOT_FOUND", `there is no ${what}`);
const changed = (what: string) =>
  new StoreError("VERSION_CONFLICT", `the ${what} was changed meanwhile`);

function* openReview(
  db: Database,
  { tenantId, review, also }: { tenantId: TenantId; review: Review; also: Also },
): Steps<null> {
  yield* db.tell(
    "INSERT INTO reviews (tenant_id, review_id, state, opened_at, due_at, version, body) VALUES (?, ?, ?, ?, ?, 1, ?)",
    tenantId,
    review.reviewId,
    review.state,
    review.openedAt,
    review.dueAt,
    bodyOf(review),
  );
  yield* writeAlso(db, tenantId, also, review.openedAt);
  return null;
}

/** The review's row, held until the command ends. */
function* theReview(db: Database, tenantId: TenantId, reviewId: ReviewId): Steps<Review> {
  const row = yield* db.get<Row>(
    `SELECT version, body FROM reviews WHERE tenant_id = ? AND review_id = ? ${db.dialect.forUpdate}`,
    tenantId,
    reviewId,
  );
  if (row === undefined) throw gone(`review ${reviewId}`);
  return toReview(row);
}

function* theItem(
  db: Database,
  tenantId: TenantId,
  command: { readonly reviewId: ReviewId; readonly itemId: string; readonly version: number },
): Steps<ReviewItem> {
  const row = yield* db.get<Row>(
    `SELECT version, body FROM review_items WHERE tenant_id = ? AND review_id = ? AND item_id = ? ${db.dialect.forUpdate}`,
    tenantId,
    command.reviewId,
    command.itemId,
  );
  if (row === undefined) throw gone(`item ${command.itemId} in this review`);
  if (row.version !== command.version) throw changed(`item ${command.itemId}`);
  return toItem(row);
}

function* addReviewItems(
  db: Database,
  { tenantId, command }: Asked<"addReviewItems">,
): Steps<number> {
  const review = yield* theReview(db, tenantId, command.reviewId);
  if (review.state !== "gathering") throw changed(`review ${command.reviewId}`);
  let added = 0;
  for (const item of command.items) {
    added += yield* db.run(
      `INSERT INTO review_items (tenant_id, review_id, item_id, reviewer, verdict, effect, decided_at, version, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT DO NOTHING`,
      tenantId,
      command.reviewId,
      item.itemId,
      ...columnsOf(item),
      bodyOf(item),
    );
  }
  return added;
}

function columnsOf({ reviewer, decision, effect }: ReviewItem): readonly SqlValue[] {
  return [reviewer, decision?.verdict ?? null, effect?.state ?? null, decision?.at ?? null];
}

function* writeItem(db: Database, tenantId: TenantId, item: ReviewItem): Steps<void> {
  yield* db.tell(
    `UPDATE review_items SET reviewer = ?, verdict = ?, effect = ?, decided_at = ?, body = ?, version = version + 1
     WHERE tenant_id = ? AND review_id = ? AND item_id = ?`,
    ...columnsOf(item),
    bodyOf(item),
    tenantId,
    item.reviewId,
    item.itemId,
  );
}

function* changeReview(
  db: Database,
  { tenantId, command, also }: Commanded<"changeReview">,
): Steps<Review> {
  const { reviewId, version, set, now } = command;
  const before = yield* theReview(db, tenantId, reviewId);
  if (before.version !== version) throw changed(`review ${reviewId}`);
  const review: Review = { ...before, ...set, version: version + 1 };
  yield* db.tell(
    "UPDATE reviews SET state = ?, due_at = ?, body = ?, version = version + 1 WHERE tenant_id = ? AND review_id = ?",
    review.state,
    review.dueAt,
    bodyOf(review),
    tenantId,
    reviewId,
  );
  yield* writeAlso(db, tenantId, also, now);
  return review;
}

function* decideReviewItem(
  db: Database,
  { tenantId, command, also }: Commanded<"decideReviewItem">,
): Steps<ReviewItem> {
  const { decision, effect, withdraw, exception, adopt, now } = command;
  // Whoever closes the review waits for this, or this for them.
  const review = yield* theReview(db, tenantId, command.reviewId);
  if (review.state !== "open") throw changed(`review ${command.reviewId}`);
  const before = yield* theItem(db, tenantId, command);
  if (command.seen !== undefined) yield* asSeen(db, tenantId, command.seen);
  const item: ReviewItem = { ...before, decision, effect, version: before.version + 1 };
  yield* writeItem(db, tenantId, item);
  // Whoever hashed the items before this and closes the review after it is told.
  yield* db.tell(
    "UPDATE reviews SET version = version + 1 WHERE tenant_id = ? AND review_id = ?",
    tenantId,
    command.reviewId,
  );
  if (withdraw !== undefined) yield* removeException(db, tenantId, withdraw);
  if (exception !== undefined) yield* replaceException(db, tenantId, exception);
  if (adopt !== undefined) {
    const { connectionId, identityId, because, kind, objectId, role } = adopt;
    const entitlement = { kind, objectId, role };
    yield* writeLedger(
      db,
      { tenantId, connectionId, identityId },
      [{ op: "set", entitlement, origin: "adopted", because }],
      now,
    );
  }
  yield* writeAlso(db, tenantId, also, now);
  return item;
}

/** Whether account and ledger are still those that the decision was made on; both rows are held until the command ends. */
function* asSeen(
  db: Database,
  tenantId: TenantId,
  seen: NonNullable<Params<"decideReviewItem">[1]["seen"]>,
): Steps<void> {
  const { connectionId, identityId, accountId, slot, ledgerRole } = seen;
  const link = yield* db.get<{ readonly account_id: string }>(
    `SELECT account_id FROM links WHERE tenant_id = ? AND connection_id = ? AND identity_id = ? ${db.dialect.forUpdate}`,
    tenantId,
    connectionId,
    identityId,
  );
  if (link?.account_id !== accountId) throw changed(`link of ${identityId}`);
  const entry = yield* db.get<{ readonly role: string }>(
    `SELECT role FROM ledger WHERE tenant_id = ? AND connection_id = ? AND identity_id = ? AND kind = ? AND object_id = ? ${db.dialect.forUpdate}`,
    tenantId,
    connectionId,
    identityId,
    slot.kind,
    slot.objectId,
  );
  if ((entry?.role ?? null) !== ledgerRole) throw changed(`ledger of ${identityId}`);
}

function* settleReviewItem(
  db: Database,
  { tenantId, command, also }: Commanded<"settleReviewItem">,
): Steps<null> {
  const item = yield* theItem(db, tenantId, command);
  yield* writeItem(db, tenantId, { ...item, effect: command.effect });
  yield* writeAlso(db, tenantId, also, command.now);
  return null;
}

const getReview: Query<
  { readonly tenantId: TenantId; readonly reviewId: ReviewId },
  Review | undefined
> = {
  place: "point",
  *run(db, { tenantId, reviewId }) {
    const row = yield* db.get<Row>(
      "SELECT version, body FROM reviews WHERE tenant_id = ? AND review_id = ?",
      tenantId,
      reviewId,
    );
    return row === undefined ? undefined : toReview(row);
  },
};

const listReviews: Query<Asked<"listReviews">, readonly Review[]> = {
  place: "scan",
  *run(db, { tenantId, command }) {
    const state = command.state === undefined ? [] : [command.state];
    return (yield* db.all<Row>(
      `SELECT version, body FROM reviews WHERE tenant_id = ? ${command.state === undefined ? "" : "AND state = ?"}
       ORDER BY opened_at DESC, review_id DESC LIMIT ?`,
      tenantId,
      ...state,
      command.limit,
    )).map(toReview);
  },
};

const getReviewItem: Query<
  { readonly tenantId: TenantId; readonly reviewId: ReviewId; readonly itemId: string },
  ReviewItem | undefined
> = {
  place: "point",
  *run(db, { tenantId, reviewId, itemId }) {
    const row = yield* db.get<Row>(
      "SELECT version, body FROM review_items WHERE tenant_id = ? AND review_id = ? AND item_id = ?",
      tenantId,
      reviewId,
      itemId,
    );
    return row === undefined ? undefined : toItem(row);
  },
};

const listReviewItems: Query<Asked<"listReviewItems">, readonly ReviewItem[]> = {
  place: "scan",
  *run(db, { tenantId, command }) {
    const conditions = ["tenant_id = ?", "review_id = ?"];
    const parameters: SqlValue[] = [tenantId, command.reviewId];
    if (command.undecided === true) conditions.push("decided_at IS NULL");
    if (command.reviewer !== undefined) {
      conditions.push("reviewer = ?");
      parameters.push(command.reviewer);
    }
    if (command.after !== undefined) {
      conditions.push("item_id > ?");
      parameters.push(command.after);
    }
    return (yield* db.all<Row>(
      `SELECT version, body FROM review_items WHERE ${conditions.join(" AND ")} ORDER BY item_id LIMIT ?`,
      ...parameters,
      command.limit,
    )).map(toItem);
  },
};

const listPendingRevocations: Query<Asked<"listPendingRevocations">, readonly ReviewItem[]> = {
  place: "scan",
  *run(db, { tenantId, command: { after, limit } }) {
    const from: readonly SqlValue[] =
      after === undefined ? [] : [after.decision?.at ?? 0, after.reviewId, after.itemId];
    return (yield* db.all<Row>(
      `SELECT version, body FROM review_items WHERE tenant_id = ? AND effect = 'pending'
       ${after === undefined ? "" : "AND (decided_at, review_id, item_id) > (?, ?, ?)"}
       ORDER BY decided_at, review_id, item_id LIMIT ?`,
      tenantId,
      ...from,
      limit,
    )).map(toItem);
  },
};

const countReviewItems: Query<
  { readonly tenantId: TenantId; readonly reviewId: ReviewId },
  ReviewCounts
> = {
  place: "scan",
  *run(db, { tenantId, reviewId }) {
    const rows = yield* db.all<{
      readonly verdict: string | null;
      readonly effect: string | null;
      readonly count: number;
    }>(
      "SELECT verdict, effect, count(*) AS count FROM review_items WHERE tenant_id = ? AND review_id = ? GROUP BY verdict, effect",
      tenantId,
      reviewId,
    );
    const sum = (fits: (row: (typeof rows)[number]) => boolean) =>
      rows.filter(fits).reduce((total, row) => total + row.count, 0);
    return {
      items: sum(() => true),
      undecided: sum((row) => row.verdict === null),
      kept: sum((row) => row.verdict === "keep"),
      revoked: sum((row) => row.verdict === "revoke"),
      pending: sum((row) => row.effect === "pending"),
    };
  },
};

export const reviewCommands = {
  openReview,
  addReviewItems,
  changeReview,
  decideReviewItem,
  settleReviewItem,
} satisfies Commands;
export const reviewQueries = {
  getReview,
  listReviews,
  getReviewItem,
  listReviewItems,
  listPendingRevocations,
  countReviewItems,
} satisfies Queries;

/** The port of access reviews over an engine. */
export function reviewStore(engine: Engine): ReviewStore {
  return {
    openReview: async (tenantId, review, also) => {
      await engine.write(openReview, { tenantId, review, also });
    },
    addReviewItems: (tenantId, command) => engine.write(addReviewItems, { tenantId, command }),
    changeReview: (tenantId, command, also) =>
      engine.write(changeReview, { tenantId, command, also }),
    decideReviewItem: (tenantId, command, also) =>
      engine.write(decideReviewItem, { tenantId, command, also }),
    settleReviewItem: async (tenantId, command, also) => {
      await engine.write(settleReviewItem, { tenantId, command, also });
    },
    getReview: (tenantId, reviewId) => engine.read(getReview, { tenantId, reviewId }),
    listReviews: (tenantId, command) => engine.read(listReviews, { tenantId, command }),
    getReviewItem: (tenantId, reviewId, itemId) =>
      engine.read(getReviewItem, { tenantId, reviewId, itemId }),
    listReviewItems: (tenantId, command) => engine.read(listReviewItems, { tenantId, command }),
    listPendingRevocations: (tenantId, command) =>
      engine.read(listPendingRevocations, { tenantId, command }),
    countReviewItems: (tenantId, reviewId) => engine.read(countReviewItems, { tenantId, reviewId }),
  };
}
