import { z } from "zod";
import type { Reply, SimulatedCall } from "../simulated-api.ts";
import { refuse } from "./refusal.ts";
import { needVersion, readBody, seconds } from "./route.ts";
import type { IntercomRoute, IntercomWorld } from "./route.ts";
import type { Activity } from "./truth.ts";
import { activityTypes } from "./vocabulary.ts";

/** What one answer holds where the log pages at all; the vendor names no number for the GET. */
const pageSize = 20;

const searchSchema = z.object({
  created_at_after: z.int(),
  created_at_before: z.int().optional(),
  event_types: z.array(z.string()).optional(),
  page: z.int().min(1).optional(),
  per_page: z.int().min(1).max(250).optional(),
});

/** The log of what teammates did, newest first. */
export const activityRoutes: readonly IntercomRoute[] = [
  {
    operation: "activity_logs.list",
    method: "get",
    path: "/admins/activity_logs",
    kind: "list",
    scope: "read_admin_activity_logs",
    handle: (world, call) => {
      const after = call.query.get("created_at_after");
      if (after === null || !/^\d+$/.test(after)) {
        throw refuse(400, "parameter_invalid", "created_at_after is required");
      }
      const before = call.query.get("created_at_before");
      const entries = entriesOf(world, {
        after: Number(after),
        ...(before === null ? {} : { before: Number(before) }),
      });
      return listPage(world, call, entries);
    },
  },
  {
    operation: "activity_logs.search",
    method: "post",
    path: "/admins/activity_logs/search",
    kind: "list",
    scope: "read_admin_activity_logs",
    handle: (world, call) => {
      needVersion(world, 2.16);
      const body = readBody(searchSchema, call);
      const entries = entriesOf(world, {
        after: body.created_at_after,
        ...(body.created_at_before === undefined ? {} : { before: body.created_at_before }),
        ...(body.event_types === undefined ? {} : { types: body.event_types }),
      });
      const page = body.page ?? 1;
      const perPage = body.per_page ?? 20;
      return reply(entries.slice((page - 1) * perPage, page * perPage), {
        next: null,
        page,
        per_page: perPage,
        total_pages: Math.max(1, Math.ceil(entries.length / perPage)),
      });
    },
  },
  {
    operation: "activity_types.list",
    method: "get",
    path: "/admins/activity_log_event_types",
    kind: "list",
    scope: "read_admin_activity_logs",
    handle: (world) => {
      needVersion(world, 2.16);
      return {
        status: 200,
        body: { type: "activity_log_event_type.list", event_types: [...activityTypes] },
      };
    },
  },
];

function entriesOf(
  world: IntercomWorld,
  wanted: { readonly after: number; readonly before?: number; readonly types?: readonly string[] },
): readonly Activity[] {
  return world.truth.activity
    .filter((entry) => seconds(entry.at) >= wanted.after)
    .filter((entry) => seconds(entry.at) <= (wanted.before ?? Infinity))
    .filter((entry) => wanted.types?.includes(entry.type) !== false)
    .toReversed();
}

function listPage(world: IntercomWorld, call: SimulatedCall, entries: readonly Activity[]): Reply {
  const { activityPaging } = world.truth.settings;
  const whole = { next: null, page: 1, per_page: pageSize, total_pages: 1 };
  if (activityPaging === "none") return reply(entries, whole);
  const from = Number(call.query.get("starting_after") ?? 0);
  const more = from + pageSize < entries.length;
  const cursor = String(from + pageSize);
  const url = new URL(call.path, "https://api.intercom.io");
  url.search = new URLSearchParams([...call.query, ["starting_after", cursor]]).toString();
  const next = activityPaging === "url" ? url.href : { per_page: pageSize, starting_after: cursor };
  return reply(entries.slice(from, from + pageSize), {
    ...whole,
    next: more ? next : null,
    total_pages: Math.max(1, Math.ceil(entries.length / pageSize)),
  });
}

function reply(entries: readonly Activity[], pages: object): Reply {
  return {
    status: 200,
    body: {
      type: "activity_log.list",
      pages: { type: "pages", ...pages },
      activity_logs: entries.map(renderActivity),
    },
  };
}

export function renderActivity(entry: Activity) {
  return {
    id: entry.id,
    performed_by: {
      type: "admin",
      id: entry.byId,
      email: entry.byEmail,
      // From nowhere in particular (RFC 5737 documentation address).
      ip: "192.0.2.7",
    },
    metadata: entry.metadata,
    created_at: seconds(entry.at),
    activity_type: entry.type,
    activity_description: entry.description,
  };
}
