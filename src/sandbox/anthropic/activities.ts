import { pageReply } from "./paging.ts";
import { refuse } from "./refusal.ts";
import { timestamp } from "./route.ts";
import type { AnthropicRoute } from "./route.ts";

/** The compliance feed: the vendor publishes no list of its types; these are ours. */
export const activityRoutes: readonly AnthropicRoute[] = [
  {
    operation: "activities.list",
    method: "get",
    path: "/v1/compliance/activities",
    kind: "list",
    scope: "org:admin",
    handle: ({ truth }, call) => {
      if (truth.settings.compliance === false)
        throw refuse(403, "The Compliance API is not enabled for this key");
      const after = Date.parse(call.query.get("created_at.gte") ?? "1970-01-01");
      if (Number.isNaN(after)) throw refuse(400, "created_at.gte: Input should be a timestamp");
      return pageReply(call, {
        rows: truth.activities.filter((entry) => entry.at >= after).toReversed(),
        order: "newest-first",
        seqOf: (entry) => entry.seq,
        idOf: (entry) => entry.id,
        position: (id) => truth.activities.find((entry) => entry.id === id)?.seq,
        render: (entry) => ({
          id: entry.id,
          created_at: timestamp(entry.at),
          organization_id: truth.organization.id,
          type: entry.type,
          actor:
            entry.userId === null
              ? { type: "anthropic_actor" }
              : // From nowhere in particular (RFC 5737 documentation address).
                { type: "user_actor", user_id: entry.userId, ip_address: "192.0.2.9" },
        }),
      });
    },
  },
];
