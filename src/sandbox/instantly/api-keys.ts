import { z } from "zod";
import { pageReply } from "./paging.ts";
import { readBody, readQuery, refuse } from "./refusal.ts";
import { base, timestamp, workspaceOf } from "./route.ts";
import type { InstantlyRoute, InstantlyWorld } from "./route.ts";
import type { SimulatedCall } from "../simulated-api.ts";
import { depart, nextSeq, putKey } from "./truth.ts";
import type { AuditEntry, Key } from "./truth.ts";
import { uuid } from "../simulated-id.ts";
import { activity, scopes } from "./vocabulary.ts";

const AUDIT_LIMIT_MAX = 1000;

const createSchema = z.object({ name: z.string(), scopes: z.array(z.enum(scopes)) });
const date = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), {
    message: 'must match format "date-time"',
  })
  .transform((text) => Date.parse(text));
const auditSchema = z.object({
  activity_type: z.coerce.number().optional(),
  search: z.string().optional(),
  start_date: date.optional(),
  end_date: date.optional(),
});

export const apiKeyRoutes: readonly InstantlyRoute[] = [
  {
    operation: "api_keys.create",
    method: "post",
    path: `${base}/api-keys`,
    kind: "write",
    scope: "api_keys:create",
    handle: (world, call) => {
      const { truth, clock } = world;
      const body = readBody(createSchema, call);
      const key = putKey(truth, clock, { ...body, workspaceId: workspaceOf(world).id });
      writeAudit(world, call, activity.apiKeyCreated, key.name);
      return { status: 200, body: renderKey(key, key.secret) };
    },
  },
  {
    operation: "api_keys.list",
    method: "get",
    path: `${base}/api-keys`,
    kind: "list",
    scope: "api_keys:read",
    handle: (world, call) => {
      const workspaceId = workspaceOf(world).id;
      const rows = world.truth.keys.filter(
        (key) => key.workspaceId === workspaceId && key.revokedAt === null,
      );
      return pageReply(world.truth, call, rows, { render: (key) => renderKey(key) });
    },
  },
  {
    operation: "api_keys.remove",
    method: "delete",
    path: `${base}/api-keys/:id`,
    kind: "write",
    scope: "api_keys:delete",
    handle: (world, call) => {
      const { truth } = world;
      const workspaceId = workspaceOf(world).id;
      const key = truth.keys.find(
        (each) =>
          each.id === call.params["id"] &&
          each.workspaceId === workspaceId &&
          each.revokedAt === null,
      );
      if (key === undefined) throw refuse(404, "Resource not found");
      truth.keys = truth.keys.filter((each) => each !== key);
      depart(truth, key);
      writeAudit(world, call, activity.apiKeyDeleted, key.name);
      return { status: 200, body: renderKey(key) };
    },
  },
  {
    operation: "audit_logs.list",
    method: "get",
    path: `${base}/audit-logs`,
    kind: "list",
    scope: "audit_logs:read",
    handle: (world, call) => {
      const workspaceId = workspaceOf(world).id;
      const query = readQuery(auditSchema, call);
      const rows = world.truth.audit
        .filter((entry) => entry.workspaceId === workspaceId)
        .filter((entry) => entry.activityType === (query.activity_type ?? entry.activityType))
        .filter((entry) => entry.affected.includes(query.search ?? ""))
        .filter((entry) => entry.at >= (query.start_date ?? -Infinity))
        .filter((entry) => entry.at <= (query.end_date ?? Infinity));
      return pageReply(world.truth, call, rows, {
        render: renderAudit,
        limitMax: AUDIT_LIMIT_MAX,
      });
    },
  },
];

/** The log knows keys and campaigns; of members it says nothing (OpenAPI document, 2026-08-21). */
function writeAudit(
  world: InstantlyWorld,
  call: SimulatedCall,
  activityType: number,
  affected: string,
): void {
  const { truth, clock, caller } = world;
  truth.audit.push({
    id: uuid(clock),
    seq: nextSeq(truth),
    workspaceId: workspaceOf(world).id,
    at: world.now,
    activityType,
    userAgent: call.headers["user-agent"] ?? null,
    apiKeyId: caller.keyId,
    affected,
  });
}

/** The secret is shown once, when the key is made; later only its beginning. */
function renderKey(key: Key, secret = `${key.secret.slice(0, 4)}${"*".repeat(16)}`) {
  return {
    id: key.id,
    name: key.name,
    scopes: key.scopes,
    key: secret,
    organization_id: key.workspaceId,
    timestamp_created: timestamp(key.createdAt),
    timestamp_updated: timestamp(key.createdAt),
  };
}

function renderAudit(entry: AuditEntry) {
  return {
    id: entry.id,
    timestamp: timestamp(entry.at),
    organization_id: entry.workspaceId,
    activity_type: entry.activityType,
    // Calls come from nowhere in particular (RFC 5737 documentation address).
    ip_address: "192.0.2.1",
    from_api: true,
    user_id: null,
    user_name: null,
    user_agent: entry.userAgent,
    api_key_id: entry.apiKeyId,
    affected_count: 1,
    audit_metadata: { name: entry.affected },
  };
}
