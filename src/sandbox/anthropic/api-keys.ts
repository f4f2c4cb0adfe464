import { z } from "zod";
import type { Instant } from "../../model/clock.ts";
import type { SimulatedCall } from "../simulated-api.ts";
import { pageReply, readMany } from "./paging.ts";
import { readBody, refuse, refuseWith } from "./refusal.ts";
import { organizations, timestamp } from "./route.ts";
import type { AnthropicRoute } from "./route.ts";
import type { ApiKey, Truth } from "./truth.ts";

const statuses = ["active", "inactive", "archived", "expired"] as const;
const updateSchema = z.strictObject({
  name: z.string().min(1).max(500).optional(),
  status: z.enum(["active", "inactive", "archived"]).optional(),
});

/** Keys of the organisation's members. The API lists and switches them; it neither makes nor deletes one. */
export const apiKeyRoutes: readonly AnthropicRoute[] = [
  {
    operation: "api_keys.list",
    method: "get",
    path: `${organizations}/api_keys`,
    kind: "list",
    scope: "org:admin",
    handle: ({ truth, now }, call) => {
      const status = readMany(call, "status", statuses);
      const workspaceId = call.query.get("workspace_id");
      const creator = call.query.get("created_by_user_id");
      const rows = truth.apiKeys
        .filter((key) => status?.includes(keyStatus(key, now)) ?? true)
        .filter((key) => workspaceId === null || key.workspaceId === workspaceId)
        .filter((key) => creator === null || key.createdBy === creator)
        .toReversed();
      return pageReply(call, {
        rows,
        order: "newest-first",
        seqOf: (key) => key.seq,
        idOf: (key) => key.id,
        position: (id) => truth.apiKeys.find((key) => key.id === id)?.seq,
        render: (key) => renderKey(truth, key, now),
      });
    },
  },
  {
    operation: "api_keys.read",
    method: "get",
    path: `${organizations}/api_keys/:keyId`,
    kind: "read",
    scope: "org:admin",
    handle: ({ truth, now }, call) => ({
      status: 200,
      body: renderKey(truth, findKey(truth, call), now),
    }),
  },
  {
    operation: "api_keys.update",
    method: "post",
    path: `${organizations}/api_keys/:keyId`,
    kind: "write",
    scope: "org:admin",
    handle: ({ truth, now }, call) => {
      const key = findKey(truth, call);
      const { name, status } = readBody(updateSchema, call);
      if (status === "active" && key.status !== "active") refuseActivation(truth, key, now);
      if (name !== undefined) key.name = name;
      if (status !== undefined) key.status = status;
      return { status: 200, body: renderKey(truth, key, now) };
    },
  },
];

function refuseActivation(truth: Truth, key: ApiKey, now: Instant): void {
  if (keyStatus(key, now) !== "inactive") {
    throw refuse(400, `A key that is ${keyStatus(key, now)} cannot be activated`);
  }
  const workspace = truth.workspaces.find((each) => each.id === key.workspaceId);
  if (workspace !== undefined && workspace.archivedAt !== null) {
    throw refuse(400, "The workspace of the key is archived");
  }
  const active = truth.apiKeys.filter((each) => keyStatus(each, now) === "active").length;
  const limit = truth.settings.apiKeyLimit;
  if (limit !== null && active >= limit) {
    throw refuseWith("org_api_key_limit_exceeded", "The organization has as many keys as it may");
  }
}

function keyStatus(key: ApiKey, now: Instant): (typeof statuses)[number] {
  const ended = key.expiresAt !== null && now >= key.expiresAt;
  return ended && key.status !== "archived" ? "expired" : key.status;
}

function findKey(truth: Truth, call: SimulatedCall): ApiKey {
  const key = truth.apiKeys.find((each) => each.id === call.params["keyId"]);
  if (key === undefined) throw refuse(404, "API key not found");
  return key;
}

function renderKey(truth: Truth, key: ApiKey, now: Instant) {
  const workspace = truth.workspaces.find((each) => each.id === key.workspaceId);
  return {
    type: "api_key",
    id: key.id,
    name: key.name,
    status: keyStatus(key, now),
    created_at: timestamp(key.createdAt),
    created_by: key.createdBy === null ? null : { id: key.createdBy, type: "user" },
    expires_at: key.expiresAt === null ? null : timestamp(key.expiresAt),
    partial_key_hint: key.hint,
    principal: key.personOf === null ? null : { type: "user_actor", user_id: key.personOf },
    scope:
      key.workspaceId === null
        ? { type: "organization" }
        : { type: "workspace", workspace_id: key.workspaceId },
    // Deprecated by the vendor: null for the Default Workspace and for keys of no workspace.
    workspace_id: workspace === undefined || workspace.isDefault ? null : workspace.id,
  };
}
