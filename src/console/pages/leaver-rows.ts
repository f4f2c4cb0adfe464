import { z } from "zod";
import { html, type Markup } from "./markup.ts";
import { to } from "./page.ts";
import { badge, count, duration, state, table, when } from "./widgets.ts";

export const casesShape = z.object({
  cases: z.array(
    z.object({
      caseId: z.string(),
      identityId: z.string(),
      userName: z.string().nullable(),
      state: z.string(),
      source: z.string(),
      t0: z.number(),
      signalAt: z.number(),
      open: z.number(),
      overdue: z.number(),
      nextDeadlineAt: z.number().nullable(),
    }),
  ),
});
export type CaseRow = z.output<typeof casesShape>["cases"][number];

/** Leaver cases, what is due first on top. */
export function caseRows(cases: readonly CaseRow[], now: number): Markup {
  const ordered = cases.toSorted(
    (a, b) => (a.nextDeadlineAt ?? Infinity) - (b.nextDeadlineAt ?? Infinity),
  );
  return table(
    "Leavers",
    ["Person", "Left", "Still owed", "Next deadline", "State"],
    ordered.map((item) => [
      html`<a href="${to(`/leavers/${item.caseId}`)}">${item.userName ?? item.identityId}</a>`,
      when(item.t0, now),
      count(item.open),
      item.nextDeadlineAt === null
        ? ""
        : item.nextDeadlineAt <= now
          ? badge(`overdue by ${duration(now - item.nextDeadlineAt)}`, "bad")
          : when(item.nextDeadlineAt, now),
      state(item.state),
    ]),
    "Nobody is leaving. A case opens when an identity provider or HR says that somebody left.",
  );
}
