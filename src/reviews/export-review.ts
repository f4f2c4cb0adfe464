import { writeCsv } from "../csv/csv-file.ts";
import { StoreError } from "../model/errors.ts";
import type { ReviewId, TenantId } from "../model/ids.ts";
import { printable, printedInstant } from "../print/printable.ts";
import { hashItems, itemsOf } from "./close-review.ts";
import type { ReviewReads } from "./review-deps.ts";
import type { Review, ReviewItem } from "./review.ts";

export const exportFormats = ["ndjson", "csv", "html"] as const;
export type ExportFormat = (typeof exportFormats)[number];

const columns = [
  ...["item", "kind", "connection", "who", "what", "role", "privileged", "granted by", "origin"],
  ...["rule's owner", "author", "approver", "membership approver", "last used", "read at", "trust"],
  ...["reviewer", "verdict", "why", "decided by", "decided at", "effect", "effect at"],
];

/** One campaign as a file: what was looked at, what was said, what became of it, and what it cannot say. @throws StoreError NOT_FOUND */
export async function exportReview(
  deps: ReviewReads,
  tenantId: TenantId,
  reviewId: ReviewId,
  format: ExportFormat,
): Promise<string> {
  const review = await deps.store.getReview(tenantId, reviewId);
  if (review === undefined) throw new StoreError("NOT_FOUND", `there is no review ${reviewId}`);
  const items: ReviewItem[] = [];
  for await (const item of itemsOf(deps, tenantId, reviewId)) items.push(item);
  const head = {
    format: "rolecall-review/1",
    exportedAt: deps.clock.now(),
    itemsHash: await hashItems(deps, tenantId, reviewId),
    review,
  };
  switch (format) {
    case "ndjson":
      return [head, ...items, { end: true, count: items.length }]
        .map((line) => `${JSON.stringify(line)}\n`)
        .join("");
    case "csv":
      return writeCsv(
        columns,
        items.map((item) => rowOf(item).map((cell) => cell ?? "")),
      );
    case "html":
      return page(review, items, head);
  }
}

function rowOf(item: ReviewItem): readonly (string | number | null)[] {
  const { provenance, decision, effect, slot } = item;
  return [
    ...[item.itemId, item.kind, item.connectionId, item.who],
    ...[item.object ?? slot?.objectId ?? slot?.kind ?? null, item.role],
    item.privileged ? "yes" : "",
    ...[provenance.because.join(", "), provenance.origin, provenance.owner, provenance.author],
    ...[provenance.approver, provenance.membershipApprover],
    item.lastUsedAt === null ? "the vendor does not say" : printedInstant(item.lastUsedAt),
    ...[printedInstant(item.readAt), item.trust, item.reviewer],
    ...[
      decision?.verdict ?? item.answer?.status ?? null,
      decision?.why ?? item.answer?.text ?? null,
    ],
    ...[decision?.by ?? null, printedInstant(decision?.at)],
    ...[effect === null ? null : `${effect.state}: ${effect.text}`, printedInstant(effect?.at)],
  ];
}

function page(
  review: Review,
  items: readonly ReviewItem[],
  head: { readonly exportedAt: number; readonly itemsHash: string },
): string {
  return printable({
    title: `Access review: ${review.title}`,
    lead: [
      ["Review", review.reviewId],
      ["State", review.state],
      ["Opened", `${printedInstant(review.openedAt)} by ${review.openedBy}`],
      ["Due", printedInstant(review.dueAt)],
      [
        "Closed",
        review.closedAt === null
          ? "no"
          : `${printedInstant(review.closedAt)} by ${review.closedBy ?? ""}`,
      ],
      ["Items", items.length],
      ["SHA-256 of the items", head.itemsHash],
      ["Printed", printedInstant(head.exportedAt)],
    ],
    tables: [
      {
        title: "What was looked at",
        columns: ["connection", "vendor", "last complete list", "accounts", "items"],
        rows: review.scopes.map((scope) => [
          ...[scope.connectionId, scope.vendor, printedInstant(scope.listedAt) || "never"],
          ...[scope.accounts, scope.items],
        ]),
      },
      {
        title: "What this review cannot say",
        columns: ["gap"],
        rows: review.gaps.map((gap) => [gap]),
      },
      { title: "Items", columns, rows: items.map(rowOf) },
    ],
  });
}
