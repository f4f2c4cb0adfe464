import { z } from "zod";
import { asId, type AccountId } from "../../model/ids.ts";
import type { ActivityHint, Call, EndOfList } from "../connector.ts";
import { refusals } from "./refusals.ts";
import { nextPage, pageWire } from "./wire.ts";

const pageLimit = 1_000;

const activityWire = z.object({
  id: z.string().min(1).max(200),
  created_at: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  type: z.string(),
  actor: z.object({ user_id: z.string().nullish(), ip_address: z.string().nullish() }).nullish(),
});
const activitiesPage = pageWire(activityWire);

/** The vendor publishes no list of its hundreds of types: words that its names are made of (compliance guide, 2026-08). */
const access = /member|invite|role|group|workspace|user_(added|removed|deleted|updated)|scim|jit/;
const alarm =
  /delet|remov|archiv|revok|api_key|admin_key|sso|scim|domain|allow_?list|export|compliance|billing|owner/;

/** Activities since an instant, newest first: hints about whom to look at and what to tell. Available within a minute, kept for years. */
export async function* listActivities(
  call: Call,
  since: number,
): AsyncGenerator<ActivityHint | EndOfList> {
  const pages = call.http.pages(
    {
      operation: "activities.list",
      query: { limit: pageLimit, "created_at.gte": new Date(since).toISOString() },
      parse: (body) => activitiesPage.parse(body),
      refusals,
    },
    nextPage,
  );
  let count = 0;
  for await (const page of pages) {
    for (const { id, created_at: at, type, actor } of page.value.data) {
      count += 1;
      const by = actor?.user_id;
      yield {
        entryId: id,
        at,
        type,
        touchesAccess: access.test(type),
        alarming: alarm.test(type),
        by: typeof by === "string" ? asId<AccountId>(by) : undefined,
        byAddress: actor?.ip_address ?? undefined,
      };
    }
  }
  yield { complete: true, count };
}
