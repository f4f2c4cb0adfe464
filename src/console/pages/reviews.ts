import { z } from "zod";
import { html, type Markup, type Piece } from "./markup.ts";
import { ask, to, type Action, type Page, type Visit } from "./page.ts";
import {
  badge,
  card,
  connectionLink,
  count,
  decision,
  facts,
  nextPage,
  pageHead,
  person,
  state,
  table,
  tabs,
  when,
} from "./widgets.ts";

const reviewShape = z.object({
  reviewId: z.string(),
  state: z.string(),
  title: z.string(),
  template: z.string(),
  openedBy: z.string(),
  openedAt: z.number(),
  dueAt: z.number(),
  closedBy: z.string().nullable(),
  closedAt: z.number().nullable(),
  gaps: z.array(z.string()),
});
const countsShape = z.object({
  items: z.number(),
  undecided: z.number(),
  kept: z.number(),
  revoked: z.number(),
  pending: z.number(),
});
const itemShape = z.object({
  itemId: z.string(),
  kind: z.string(),
  connectionId: z.string().nullable(),
  identityId: z.string().nullable(),
  userName: z.string().nullable(),
  who: z.string(),
  slot: z.object({ kind: z.string(), objectId: z.string() }).nullable(),
  object: z.string().nullable(),
  role: z.string().nullable(),
  privileged: z.boolean(),
  provenance: z.object({
    because: z.array(z.string()),
    origin: z.string(),
    author: z.string(),
    approver: z.string(),
    membershipApprover: z.string(),
  }),
  lastUsedAt: z.number().nullable(),
  reviewer: z.string().nullable(),
  answer: z.object({ status: z.string(), text: z.string() }).nullable(),
  decision: z.object({ verdict: z.string(), why: z.string(), by: z.string() }).nullable(),
  effect: z.object({ state: z.string(), text: z.string() }).nullable(),
});
type Item = z.output<typeof itemShape>;
const listShape = z.object({ reviews: z.array(reviewShape.extend(countsShape.shape)) });
const showShape = z.object({
  review: reviewShape,
  counts: countsShape,
  items: z.array(itemShape),
  next: z.string().nullable(),
});

const openAction: Action = {
  path: "/reviews/open",
  operation: "openReview",
  input: (form) => ({
    title: form.one("title"),
    reviewers: (form.one("reviewers") ?? "").split(/[\s,]+/).filter((text) => text !== ""),
    days: Number(form.one("days") ?? "14"),
    tokens: form.one("tokens") !== undefined,
  }),
  then: (_params, answer) => {
    const { review } = z.object({ review: z.object({ reviewId: z.string() }) }).parse(answer);
    return `/reviews/${review.reviewId}`;
  },
  told: "The review is open: what is there is being written down.",
};
const decideAction: Action = {
  path: "/reviews/:reviewId/items/:itemId",
  operation: "decideReviewItem",
  input: (form, { reviewId, itemId }) => ({
    reviewId,
    itemId,
    verdict: form.one("verdict"),
    why: form.one("why"),
  }),
  told: "Your verdict is on record; what is revoked stays revoked, whatever a rule says later.",
};
const closeAction: Action = {
  path: "/reviews/:reviewId/close",
  operation: "closeReview",
  input: (form, { reviewId }) => ({ reviewId, why: form.one("why") }),
  told: "The review is closed: nothing of it changes any more.",
};

export const reviewActions = [openAction, decideAction, closeAction];

export const reviewsPage: Page = {
  path: "/reviews",
  nav: "reviews",
  title: () => "Reviews",
  render: async (visit) => {
    const { reviews } = await ask(visit, "listReviews", {}, listShape);
    return html`${pageHead(
      "Reviews",
      "People look at what others have, with the rule behind each line and who let it in. Nobody decides about themselves or about their own rule.",
      decision(visit, openAction, {
        label: "Open a review",
        why: null,
        explain: "Writes down who has what now, everywhere, and asks who is to look at it.",
        fields: html`<label
            >Title
            <input
              name="title"
              required
              maxlength="200"
              placeholder="Spring review"
              autocomplete="off"
            />
          </label>
          <label
            >Reviewers by e-mail, beside whoever answers for each connection
            <input name="reviewers" autocomplete="off" />
          </label>
          <label
            >Days
            <input type="number" name="days" value="14" min="1" max="366" required />
          </label>
          <label><input type="checkbox" name="tokens" value="1" /> Our own tokens too</label>`,
      }),
    )}
    ${card(
      "All reviews",
      table(
        "Reviews",
        ["Review", "State", "Undecided", "Kept", "Revoked", "Still there", "Due"],
        reviews.map((review) => [
          html`<a href="${to(`/reviews/${review.reviewId}`)}">${review.title}</a>`,
          state(review.state),
          html`${count(review.undecided)} <span class="faint">of ${count(review.items)}</span>`,
          count(review.kept),
          count(review.revoked),
          review.pending === 0 ? "0" : badge(count(review.pending), "warn"),
          when(review.dueAt, visit.now),
        ]),
        "There was no review yet.",
      ),
    )}`;
  },
};

export const reviewPage: Page = {
  path: "/reviews/:reviewId",
  nav: "reviews",
  title: () => "Review",
  render: async (visit) => {
    const { reviewId = "" } = visit.params;
    const { all, after } = visit.query;
    const { review, counts, items, next } = await ask(
      visit,
      "showReview",
      { reviewId, after, limit: 100, ...(all === undefined ? { undecided: "true" } : {}) },
      showShape,
    );
    return html`${pageHead(
      html`${review.title} ${state(review.state)}`,
      html`opened by ${review.openedBy} ${when(review.openedAt, visit.now)}, due
      ${when(review.dueAt, visit.now)}`,
      html`<a class="button" href="${to(`/reviews/${reviewId}/export.html`)}" download>Export</a> ${
          review.state === "open"
            ? decision(visit, closeAction, {
                label: "Close the review",
                params: { reviewId },
                explain:
                  "Nothing of it changes any more. While something is undecided, say why it ends now.",
              })
            : ""
        }`,
    )}
    ${card(
      "How far it is",
      facts([
        ["Undecided", count(counts.undecided)],
        ["Kept", count(counts.kept)],
        ["Revoked", count(counts.revoked)],
        ["Revoked and still there", count(counts.pending)],
        ...review.gaps.map((gap, at) => [`Cannot say ${String(at + 1)}`, gap] as const),
      ]),
    )}
    ${tabs("Which lines", [
      { text: "Undecided", href: to(`/reviews/${reviewId}`), here: all === undefined },
      { text: "All", href: to(`/reviews/${reviewId}`, { all: 1 }), here: all !== undefined },
    ])}
    ${card(
      "Lines",
      html`${table(
        "Lines of the review",
        ["Who", "What", "By what", "Asked", "Verdict"],
        items.map((item) => [
          who(item),
          what(item),
          provenance(item),
          item.reviewer ?? html`<span class="faint">nobody who may</span>`,
          verdict(visit, reviewId, item, review.state === "open"),
        ]),
        all === undefined ? "Everything is decided." : "There is nothing in it.",
      )}
      ${nextPage(next === null ? undefined : to(`/reviews/${reviewId}`, { all, after: next }))}`,
    )}`;
  },
};

function who(item: Item): Piece {
  return item.identityId === null ? item.who : person(item.identityId, item.userName ?? item.who);
}

function what(item: Item): Markup {
  const thing = item.slot === null ? item.kind : item.slot.kind.replaceAll("_", " ");
  return html`${item.connectionId === null ? "" : html`${connectionLink(item.connectionId)}: `}${thing}
    ${item.object ?? ""}
    <strong>${item.role ?? ""}</strong> ${item.privileged ? badge("privileged", "warn") : ""}
    ${item.answer === null ? "" : html`<br />${state(item.answer.status)} ${item.answer.text}`}`;
}

function provenance({ provenance: by }: Item): Markup {
  return html`${by.because.length === 0 ? by.origin : by.because.map((rule) => html`<code>${rule}</code> `)}
    <span class="faint"
      ><br />written by ${by.author}, let in by ${by.approver}, group by
      ${by.membershipApprover}</span
    >`;
}

function verdict(visit: Visit, reviewId: string, item: Item, open: boolean): Piece {
  if (item.decision !== null)
    return html`${state(item.decision.verdict)} by ${item.decision.by}: ${item.decision.why}
    ${item.effect === null ? "" : html`<br /><span class="faint">${item.effect.text}</span>`}`;
  if (!open) return html`<span class="faint">undecided</span>`;
  const words =
    item.kind === "line"
      ? [
          ["confirm", "it is so"],
          ["gap", "it is a gap"],
        ]
      : [
          ["keep", "keep"],
          ["revoke", "revoke"],
        ];
  return decision(visit, decideAction, {
    label: "Decide",
    params: { reviewId, itemId: item.itemId },
    explain: "Your name and your reason stand beside it.",
    fields: html`<label
      >Verdict
      <select name="verdict">
        ${words.map(([value = "", text = ""]) => html`<option value="${value}">${text}</option>`)}
      </select>
    </label>`,
  });
}
