import { z } from "zod";
import { html, type Markup } from "./markup.ts";
import { to } from "./page.ts";
import { connectionLink, count, many, state, table, when } from "./widgets.ts";

export const holdShape = z.object({
  holdId: z.string(),
  connectionId: z.string().optional(),
  rail: z.string(),
  causeKey: z.string(),
  state: z.string(),
  openedAt: z.number(),
  decidedAt: z.number().optional(),
  decidedBy: z.string().optional(),
  count: z.number(),
  allowance: z.number(),
  people: z.number(),
  entries: z.number(),
});
export const holdsShape = z.object({ holds: z.array(holdShape) });
export type HoldRow = z.output<typeof holdShape>;

/** What a rail is about, for whoever does not know the word. */
export const railNames: Readonly<Record<string, string>> = {
  removals: "Many people would lose access",
  leavers: "Many people leave at once",
  source: "A group was deleted",
  one_cause: "One change would give many people access",
  privileged: "Somebody would get admin rights",
};

export function holdTitle(hold: HoldRow): string {
  return railNames[hold.rail] ?? hold.rail;
}

export function holdRows(holds: readonly HoldRow[], now: number): Markup {
  return table(
    "Batches that are held",
    ["Batch", "Where", "Waiting", "Counted", "State", "Opened"],
    holds.map((hold) => [
      html`<a href="${to(`/approvals/${hold.holdId}`)}">${holdTitle(hold)}</a>`,
      connectionLink(hold.connectionId),
      many(hold.people, "person", "people"),
      html`${count(hold.count)} <span class="faint">of ${count(hold.allowance)} allowed</span>`,
      state(hold.state === "open" ? "held" : hold.state),
      when(hold.openedAt, now),
    ]),
    "Nothing is held. A batch is held when more people would gain or lose access than its rail allows.",
  );
}
