import { z } from "zod";
import { html, type Markup, type Piece } from "./markup.ts";
import { ask, seg, type Visit } from "./page.ts";
import type { HoldRow } from "./hold-rows.ts";
import { duration, table } from "./widgets.ts";

const rule = z.object({ floor: z.number(), fraction: z.number(), windowMs: z.number() });
export const policyShape = z.object({
  mode: z.string(),
  sets: z.record(z.string(), z.string()),
  leaver: z.string(),
  create: z.string(),
  timing: z.object({
    debounceMs: z.number(),
    graceMs: z.number(),
    verifyMs: z.array(z.number()),
  }),
  rails: z.object({
    removals: rule,
    oneCause: rule,
    privilegedGrants: z.number(),
    leavers: rule,
    confirmedLeavers: rule.optional(),
  }),
  protectedAccounts: z.array(z.string()),
  adminsMin: z.number(),
});
export const laneShape = z.object({
  lane: z.object({
    connectionId: z.string(),
    vendor: z.string(),
    profile: z.string(),
    state: z.string(),
    pause: z.object({ code: z.string(), text: z.string(), since: z.number() }).nullable(),
    organization: z.object({ id: z.string(), name: z.string() }).nullable(),
    checkedAt: z.number().nullable(),
    listedAt: z.number().nullable(),
    nextListAt: z.number().nullable(),
    breakerUntil: z.number().nullable(),
    probeAt: z.number().nullable(),
    managedAccounts: z.number(),
    openInvitations: z.number(),
  }),
  policy: policyShape,
  credential: z.object({
    reference: z.string(),
    fingerprint: z.string().nullable(),
    updatedAt: z.number().nullable(),
  }),
  told: z.array(z.string()),
});
export type LaneDetail = z.output<typeof laneShape>;
type Policy = LaneDetail["policy"];

const lapse =
  "A batch is let go by a person under Approvals, or lapses by itself when nobody wants its changes any more.";

function limit({ floor, fraction }: z.output<typeof rule>): string {
  return `more than ${String(floor)} people, or ${String(Math.round(fraction * 100))} % of the accounts if that is more`;
}

/** What each rail counts, in which time, and how it is let go. */
function rowsOf({ rails }: Policy): readonly {
  readonly rail: string;
  readonly cells: readonly Piece[];
}[] {
  return [
    {
      rail: "removals",
      cells: [
        "Removals",
        "people who stay and lose something",
        `${limit(rails.removals)}, in ${duration(rails.removals.windowMs)}`,
      ],
    },
    {
      rail: "leavers",
      cells: [
        "Leavers",
        "people who left, over the whole tenant",
        `${limit(rails.leavers)}, in ${duration(rails.leavers.windowMs)}`,
      ],
    },
    {
      rail: "one_cause",
      cells: [
        "One cause",
        "people who gain something by one group change or one mapping version",
        `${limit(rails.oneCause)}, in ${duration(rails.oneCause.windowMs)}`,
      ],
    },
    {
      rail: "privileged",
      cells: [
        "Admin rights",
        "grants of privileged roles",
        `more than ${String(rails.privilegedGrants)} in 24 hours`,
      ],
    },
    {
      rail: "source",
      cells: [
        "Deleted group",
        "people who lose something only because a group was deleted",
        "always held",
      ],
    },
  ];
}

export function railTable(detail: LaneDetail): Markup {
  return html`${table(
      "Rails",
      ["Rail", "Counts", "Holds the batch from"],
      rowsOf(detail.policy).map((row) => row.cells),
      "",
    )}
    <p class="faint">${toldWords(detail)} ${lapse}</p>`;
}

/** The rail that a batch is on, in sentences. */
export async function railWords(visit: Visit, hold: HoldRow): Promise<Piece> {
  if (hold.connectionId === undefined)
    return html`<p class="faint">Counted over the whole tenant. ${lapse}</p>`;
  const detail = await ask(visit, "showLane", { connection: hold.connectionId }, laneShape);
  const row = rowsOf(detail.policy).find((item) => item.rail === hold.rail);
  if (row === undefined) return "";
  const [, counts, from] = row.cells;
  return html`<p class="faint">
    This rail counts ${counts}, and holds the batch from ${from}. ${toldWords(detail)} ${lapse}
  </p>`;
}

function toldWords({ told }: LaneDetail): string {
  return told.length === 0
    ? "Nobody is told: no way out to people is configured (ROLECALL_NOTIFY_WEBHOOK, ROLECALL_NOTIFY_EMAIL)."
    : `Told by ${told.join(" and ")}.`;
}

export const laneAsk = (visit: Visit) =>
  ask(visit, "showLane", { connection: visit.params["connection"] }, laneShape);

export const lanePath = (connectionId: string) => `/vendors/${seg(connectionId)}`;
