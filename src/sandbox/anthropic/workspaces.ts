import { z } from "zod";
import type { SimulatedCall } from "../simulated-api.ts";
import { pageReply, readFlag, readMany } from "./paging.ts";
import { readBody, refuse } from "./refusal.ts";
import { organizations, timestamp } from "./route.ts";
import type { AnthropicRoute } from "./route.ts";
import { archiveWorkspace, putWorkspace } from "./truth.ts";
import type { Truth, Workspace } from "./truth.ts";

const IDS_MAX = 100;
const nameSchema = z.string().min(1).max(40);
const colorSchema = z
  .string()
  .regex(/^#[0-9A-Fa-f]{6}$/, "Input should be a colour such as #6C5BB9");
const tagKey = z
  .string()
  .min(1)
  .refine((key) => !key.startsWith("anthropic"), "Keys may not start with anthropic");

const createSchema = z.strictObject({
  name: nameSchema,
  display_color: colorSchema.optional(),
  tags: z.record(tagKey, z.string()).optional(),
});
const updateSchema = z.strictObject({
  name: nameSchema.optional(),
  display_color: colorSchema.optional(),
  /** A null deletes its key. */
  tags: z.record(tagKey, z.string().nullable()).optional(),
});

export const workspaceRoutes: readonly AnthropicRoute[] = [
  {
    operation: "workspaces.create",
    method: "post",
    path: `${organizations}/workspaces`,
    kind: "write",
    scope: "org:admin",
    handle: ({ truth, clock }, call) => {
      const body = readBody(createSchema, call);
      const live = truth.workspaces.filter((each) => each.archivedAt === null && !each.isDefault);
      if (live.length >= truth.settings.workspaceLimit) {
        throw refuse(400, "The organization has as many workspaces as it may; archive one first");
      }
      const workspace = putWorkspace(truth, clock, body.name, {
        ...(body.display_color === undefined ? {} : { displayColor: body.display_color }),
        ...(body.tags === undefined ? {} : { tags: body.tags }),
      });
      return { status: 200, body: renderWorkspace(workspace) };
    },
  },
  {
    operation: "workspaces.list",
    method: "get",
    path: `${organizations}/workspaces`,
    kind: "list",
    scope: "org:admin",
    handle: ({ truth }, call) => {
      const archived = readFlag(call, "include_archived");
      const withDefault = readFlag(call, "include_default");
      const ids = readMany(call, "ids");
      if (ids !== undefined && ids.length > IDS_MAX) {
        throw refuse(400, `ids: at most ${String(IDS_MAX)} may be given`);
      }
      const rows = truth.workspaces
        .filter((workspace) => archived || workspace.archivedAt === null)
        .filter((workspace) => withDefault || !workspace.isDefault)
        .filter((workspace) => ids?.includes(workspace.id) ?? true)
        .toReversed();
      return pageReply(call, {
        rows,
        order: "newest-first",
        seqOf: (workspace) => workspace.seq,
        idOf: (workspace) => workspace.id,
        position: (id) => truth.workspaces.find((each) => each.id === id)?.seq,
        render: renderWorkspace,
      });
    },
  },
  {
    operation: "workspaces.read",
    method: "get",
    path: `${organizations}/workspaces/:workspaceId`,
    kind: "read",
    scope: "org:admin",
    handle: ({ truth }, call) => ({
      status: 200,
      body: renderWorkspace(findWorkspace(truth, call)),
    }),
  },
  {
    operation: "workspaces.update",
    method: "post",
    path: `${organizations}/workspaces/:workspaceId`,
    kind: "write",
    scope: "org:admin",
    handle: ({ truth }, call) => {
      const workspace = findWorkspace(truth, call);
      const body = readBody(updateSchema, call);
      refuseArchived(workspace);
      if (workspace.isDefault && body.name !== undefined) {
        throw refuse(400, "The default workspace cannot be renamed");
      }
      if (body.name !== undefined) workspace.name = body.name;
      if (body.display_color !== undefined) workspace.displayColor = body.display_color;
      const tags = Object.entries({ ...workspace.tags, ...body.tags });
      workspace.tags = Object.fromEntries(
        tags.filter((entry): entry is [string, string] => entry[1] !== null),
      );
      return { status: 200, body: renderWorkspace(workspace) };
    },
  },
  {
    operation: "workspaces.archive",
    method: "post",
    path: `${organizations}/workspaces/:workspaceId/archive`,
    kind: "write",
    scope: "org:admin",
    handle: ({ truth, now }, call) => {
      const workspace = findWorkspace(truth, call);
      if (workspace.isDefault) throw refuse(400, "The default workspace cannot be archived");
      refuseArchived(workspace);
      archiveWorkspace(truth, workspace, now);
      return { status: 200, body: renderWorkspace(workspace) };
    },
  },
];

/** @throws Refusal 404, also for ids of another organisation. */
export function findWorkspace(truth: Truth, call: SimulatedCall): Workspace {
  const workspace = truth.workspaces.find((each) => each.id === call.params["workspaceId"]);
  if (workspace === undefined) throw refuse(404, "Workspace not found");
  return workspace;
}

export function refuseArchived(workspace: Workspace): void {
  if (workspace.archivedAt !== null) throw refuse(400, "The workspace is archived");
}

function renderWorkspace(workspace: Workspace) {
  return {
    type: "workspace",
    id: workspace.id,
    name: workspace.name,
    created_at: timestamp(workspace.createdAt),
    archived_at: workspace.archivedAt === null ? null : timestamp(workspace.archivedAt),
    display_color: workspace.displayColor,
    compartment_id: workspace.compartmentId,
    data_residency: {
      workspace_geo: "us",
      allowed_inference_geos: "unrestricted",
      default_inference_geo: "global",
    },
    external_key_id: null,
    tags: workspace.tags,
    user_profile_id: null,
  };
}
